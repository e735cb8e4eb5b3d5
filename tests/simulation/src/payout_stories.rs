//! The stories of payouts are what a client does around one transfer to a payout provider, with somebody who comes in between.

use bookonce::domain::command::{Command, Operation, Reversal};
use bookonce::domain::ids::AccountName;
use bookonce::domain::metadata::Metadata;
use bookonce::domain::payee::Payee;
use bookonce::domain::transfer::command::{Requesting, TimeoutSeconds, TransferOperation};

use crate::clients::insist;
use crate::commands::{Writer, amount, moved, part, reason};
use crate::operator::{Seen, act};
use crate::outside::own_account;
use crate::random::Random;
use crate::run::Run;
use crate::stories::wait;

/// A `Meddler` is who comes in between.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meddler {
    Nobody,
    Cancels,
    FreezesFrom,
    RulesOutOnFrom,
    Drains,
    IsAnOperator,
}

impl Meddler {
    fn draw(random: &mut Random) -> Self {
        match random.below(16) {
            0..5 => Self::Nobody,
            5..9 => Self::Cancels,
            9 => Self::FreezesFrom,
            10 => Self::RulesOutOnFrom,
            11 => Self::Drains,
            _ => Self::IsAnOperator,
        }
    }
}

/// Asks for a transfer to a provider, and lets somebody come in between.
pub async fn payout(run: &Run, writer: &mut Writer) {
    let world = &run.world;
    let plan = world.plan();
    let (from, provider) =
        world.draw(|random| (random.below(plan.accounts), random.place(plan.providers.len())));
    if world.draw(|random| random.below(4)) > 0 {
        // Mostly there is something to pay.
        let deposit = Operation::Deposit(world.draw(moved));
        insist(run, vec![writer.new_on(from, deposit)]).await;
    }
    let id = writer.new_id(from);
    let asked = writer.of(id, id, world.draw(|random| request(random, from, provider)));
    let meddler = world.draw(Meddler::draw);
    let rules_out =
        || Operation::Reverse(Reversal { reverses: id, amount: None, reason: reason(), force: false });
    let acts: Vec<Command> = match meddler {
        Meddler::Nobody | Meddler::IsAnOperator => Vec::new(),
        Meddler::Cancels => vec![writer.new_of(id, TransferOperation::Cancel(reason()))],
        Meddler::FreezesFrom => vec![
            writer.new_on(from, Operation::Freeze(reason())),
            writer.new_on(from, Operation::Unfreeze(reason())),
        ],
        Meddler::RulesOutOnFrom => vec![writer.new_on(from, rules_out())],
        Meddler::Drains => vec![writer.new_on(from, Operation::Withdraw(world.draw(moved)))],
    };
    let patience = world.draw(|random| {
        let patience = [500, 15_000, 60_000, 200_000, 3_000_000, 20_000_000];
        patience[random.place(patience.len())]
    });
    let meddles = async {
        for act in acts {
            world.wait(0, patience).await;
            insist(run, vec![act]).await;
        }
    };
    // Now and then the client asks two instances at once.
    let again = async {
        if run.instances.len() > 1 && world.draw(|random| random.below(3)) == 0 {
            insist(run, vec![asked.clone()]).await;
        }
    };
    tokio::join!(insist(run, vec![asked.clone()]), again, meddles);
    if meddler == Meddler::IsAnOperator {
        world.wait(0, patience).await;
        act(run, writer, Seen { transfer: id, provider, is_to_end: false, is_wrong: false }).await;
    }
    if world.draw(|random| random.below(3)) == 0 {
        wait(run, id).await;
    }
}

fn request(random: &mut Random, from: u64, provider: usize) -> TransferOperation {
    TransferOperation::Request(Box::new(Requesting {
        from: AccountName::parse(&format!("a{from}")).unwrap(),
        to: Payee::External(own_account(provider)),
        amount: if random.below(2) == 0 { part(random) } else { amount(random) },
        timeout_seconds: TimeoutSeconds::new(random.between(1, 15)).unwrap(),
        metadata: Metadata::default(),
    }))
}
