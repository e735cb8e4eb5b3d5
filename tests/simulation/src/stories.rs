//! The stories are what a client does around one transfer or one hold, with somebody who comes in between.

use std::time::Duration;

use bookonce::domain::command::{Capturing, Command, HoldSeconds, Operation, Placing, Reversal};
use bookonce::domain::ids::{AccountName, CounterAccount, TransactionId};
use bookonce::domain::metadata::Metadata;
use bookonce::domain::money::WrittenAmount;
use bookonce::domain::payee::Payee;
use bookonce::domain::transfer::command::{Payout, Reported, Requesting, TimeoutSeconds, TransferOperation};
use bookonce::tasks::timeout;

use crate::clients::insist;
use crate::commands::{Writer, amount, moved, part, reason};
use crate::executor::pause;
use crate::random::Random;
use crate::readings::read;
use crate::run::Run;

/// A `Meddler` is who comes in between.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meddler {
    Nobody,
    Cancels,
    CancelsTwice,
    FreezesFrom,
    ClosesFrom,
    ClosesTo,
    FillsTo,
    RulesOutOnFrom,
    RulesOutOnTo,
    UsesTheId,
    IsAnOperator,
    Drains,
}

impl Meddler {
    fn draw(random: &mut Random) -> Self {
        match random.below(24) {
            0..5 => Self::Nobody,
            5..9 => Self::Cancels,
            9 => Self::CancelsTwice,
            10 | 11 => Self::FreezesFrom,
            12 => Self::ClosesFrom,
            13 | 14 => Self::ClosesTo,
            15 | 16 => Self::FillsTo,
            17 => Self::RulesOutOnFrom,
            18 => Self::RulesOutOnTo,
            19 | 20 => Self::UsesTheId,
            21 => Self::IsAnOperator,
            _ => Self::Drains,
        }
    }

    /// Says whether the account that is paid must be new, so that it has no money.
    fn needs_new(self) -> bool {
        matches!(self, Self::ClosesTo | Self::FillsTo)
    }

    /// Writes what this one does, one command after the other.
    fn acts(self, run: &Run, writer: &mut Writer, of: TransactionId, from: u64, to: u64) -> Vec<Command> {
        let world = &run.world;
        let mut on = |account, operation| vec![writer.new_on(account, operation)];
        let rules_out =
            || Operation::Reverse(Reversal { reverses: of, amount: None, reason: reason(), force: false });
        match self {
            Self::Nobody => Vec::new(),
            Self::Cancels => vec![writer.new_of(of, TransferOperation::Cancel(reason()))],
            Self::CancelsTwice => {
                (0..2).map(|_| writer.new_of(of, TransferOperation::Cancel(reason()))).collect()
            }
            Self::FreezesFrom => {
                [on(from, Operation::Freeze(reason())), on(from, Operation::Unfreeze(reason()))].concat()
            }
            Self::ClosesFrom => on(from, Operation::Close(reason())),
            Self::ClosesTo => on(to, Operation::Close(reason())),
            Self::FillsTo => {
                let mut much = world.draw(moved);
                much.amount = WrittenAmount::parse("999999999999999.99").unwrap();
                on(to, Operation::Deposit(much))
            }
            Self::RulesOutOnFrom => on(from, rules_out()),
            Self::RulesOutOnTo => on(to, rules_out()),
            Self::UsesTheId => {
                run.is_reused(of);
                let account = if world.draw(|random| random.below(2)) == 0 { from } else { to };
                vec![writer.on(of, account, Operation::Deposit(world.draw(moved)))]
            }
            Self::IsAnOperator => vec![writer.new_of(of, operator(world.draw(|random| random.below(3))))],
            Self::Drains => on(from, Operation::Withdraw(world.draw(moved))),
        }
    }
}

fn operator(act: u64) -> TransferOperation {
    match act {
        0 => TransferOperation::Retry(reason()),
        1 => TransferOperation::Abandon(reason()),
        _ => TransferOperation::Outcome(Box::new(Reported {
            outcome: Payout::Declined,
            amount: None,
            reference: None,
            reason: reason(),
        })),
    }
}

/// Asks for a transfer, and lets somebody come in between.
pub async fn transfer(run: &Run, writer: &mut Writer) {
    let world = &run.world;
    let accounts = world.plan().accounts;
    let meddler = world.draw(Meddler::draw);
    let (from, mut to) = world.draw(|random| (random.below(accounts), random.below(accounts)));
    if from == to || meddler.needs_new() {
        to = writer.new_account();
        insist(run, vec![writer.opening(world, to)]).await;
    }
    if world.draw(|random| random.below(3)) > 0 {
        // Mostly there is something to move.
        let deposit = Operation::Deposit(world.draw(moved));
        insist(run, vec![writer.new_on(from, deposit)]).await;
    }
    let id = writer.new_id(from);
    let request = world.draw(|random| request(random, from, to));
    let asked = writer.of(id, id, request);
    let acts = meddler.acts(run, writer, id, from, to);
    let (before, patience) = world.draw(|random| {
        let patience = [500, 1_500, 15_000, 200_000, 3_000_000, 8_000_000];
        (random.below(4) == 0, patience[random.place(patience.len())])
    });
    if let Some(first) = acts.first().filter(|_| before) {
        insist(run, vec![first.clone()]).await;
    }
    let meddles = async {
        for act in acts {
            world.wait(0, patience).await;
            insist(run, vec![act]).await;
        }
    };
    tokio::join!(insist(run, vec![asked]), meddles);
    if world.draw(|random| random.below(3)) == 0 {
        wait(run, id).await;
    }
}

fn request(random: &mut Random, from: u64, to: u64) -> TransferOperation {
    let name = |account| AccountName::parse(&format!("a{account}")).unwrap();
    let seconds = match random.below(6) {
        0 => random.between(1, 604_800),
        1 | 2 => random.between(1, 2),
        _ => random.between(1, 20),
    };
    TransferOperation::Request(Box::new(Requesting {
        from: name(from),
        to: Payee::Account(name(to)),
        amount: if random.below(2) == 0 { part(random) } else { amount(random) },
        timeout_seconds: TimeoutSeconds::new(seconds).unwrap(),
        metadata: Metadata::default(),
    }))
}

/// Waits for the end of a transfer at an instance, for a while.
pub async fn wait(run: &Run, id: TransactionId) {
    if let Some(life) = run.instances[run.any_instance()].life() {
        let within = Duration::from_millis(run.world.draw(|random| random.between(1, 9_000)));
        // An instance that crashes meanwhile says nothing.
        let _read = timeout(within + Duration::from_secs(1), life.sagas.wait_for_end(id, within)).await;
    }
}

/// Places a hold, and captures it at the moment at which it expires, by this clock or by that of another instance.
pub async fn hold(run: &Run, writer: &mut Writer) {
    let world = &run.world;
    let account = world.draw(|random| random.below(world.plan().accounts));
    let deposit = Operation::Deposit(world.draw(moved));
    insist(run, vec![writer.new_on(account, deposit)]).await;
    let (seconds, sum) = world.draw(|random| (random.between(1, 3), part(random)));
    let id = writer.new_id(account);
    let placing = Placing {
        amount: sum,
        expires_in_seconds: HoldSeconds::new(seconds).unwrap(),
        metadata: Metadata::default(),
    };
    insist(run, vec![writer.on(id, account, Operation::Hold(placing))]).await;
    if world.draw(|random| random.below(2)) == 0 {
        pause(Duration::from_millis(seconds * 1_000)).await;
    }
    world.wait(0, 1_600_000).await;
    read(run, account).await;
    let capture = Operation::Capture(Capturing {
        hold: id.into(),
        amount: None,
        counter_account: CounterAccount::default(),
        metadata: Metadata::default(),
        to: None,
    });
    insist(run, vec![writer.new_on(account, capture)]).await;
}

/// Books something, and takes it back in parts until nothing is left, and once more.
pub async fn parts(run: &Run, writer: &mut Writer) {
    let world = &run.world;
    let account = world.draw(|random| random.below(world.plan().accounts));
    let id = writer.new_id(account);
    let mut deposit = world.draw(moved);
    deposit.amount = WrittenAmount::parse("3.00").unwrap();
    insist(run, vec![writer.on(id, account, Operation::Deposit(deposit))]).await;
    for _ in 0..world.draw(|random| random.between(3, 6)) {
        let amount =
            (world.draw(|random| random.below(5)) > 0).then(|| WrittenAmount::parse("1.00").unwrap());
        let back = Reversal { reverses: id, amount, reason: reason(), force: true };
        insist(run, vec![writer.new_on(account, Operation::Reverse(back))]).await;
        world.wait(0, 400_000).await;
    }
}
