//! The operator looks after transfers that the service can't go on with by itself. What became of a payout is looked up in the
//! books of its provider; now and then the operator is wrong.

use std::sync::Arc;
use std::time::Duration;

use bookonce::domain::ids::{Id, Step, TransactionId};
use bookonce::domain::money::WrittenAmount;
use bookonce::domain::transfer::Transfer;
use bookonce::domain::transfer::command::{Payout, Reported, TransferOperation};
use bookonce::domain::transfer::stage::Stage;

use crate::clients::insist;
use crate::commands::{Writer, reason};
use crate::due::open_transfers;
use crate::executor::pause;
use crate::model::euros;
use crate::outside::number_of;
use crate::provider::Told;
use crate::run::Run;

/// This is the number of the client that the operator is.
const NUMBER: u64 = 900;

/// After so many retries of a transfer that stalls again and again the operator leaves it as it is.
const RETRIES: u32 = 3;

/// A `Seen` is what an operator has seen of a payout, and what is to be done about it.
pub struct Seen {
    /// This is the transfer.
    pub transfer: TransactionId,
    /// This is the number of its provider.
    pub provider: usize,
    /// What became of it is to be said: nothing else helps.
    pub is_to_end: bool,
    /// The operator looks at the wrong line of the provider's books.
    pub is_wrong: bool,
}

/// Looks at the transfers of one instance again and again, and lets the service go on with those that need it.
pub async fn operator(run: Arc<Run>) {
    let mut writer = Writer::new(NUMBER);
    loop {
        pause(Duration::from_secs(3)).await;
        let Some(life) = run.instances[run.any_instance()].life() else { continue };
        for transfer in open_transfers(&run, &life) {
            match (number_of(&transfer.terms.to), transfer.stage) {
                (Some(provider), Stage::NeedsOperator | Stage::Abandoned) => {
                    look_after(&run, &mut writer, &transfer, provider).await;
                }
                (None, Stage::NeedsOperator) if !transfer.stalled_in.is_some_and(Stage::is_end) => {
                    let retry = writer.new_of(transfer.id, TransferOperation::Retry(reason()));
                    insist(&run, vec![retry]).await;
                }
                _ => {}
            }
        }
    }
}

/// Looks after a transfer to a provider.
async fn look_after(run: &Run, writer: &mut Writer, transfer: &Transfer, provider: usize) {
    let world = &run.world;
    let is_left = transfer.stage == Stage::Abandoned;
    let is_known = transfer.payout.later().settled.is_some();
    // An end that is contradicted can't be gone on with, nor what can't be captured.
    let is_hopeless = transfer.stalled_in.is_some_and(Stage::is_end) || transfer.resumes >= RETRIES;
    let draw = world.draw(|random| random.below(8));
    if is_left {
        // Some of what was left is taken up again.
        if draw < 4 && !is_hopeless {
            let retry = writer.new_of(transfer.id, TransferOperation::Retry(reason()));
            insist(run, vec![retry]).await;
        }
        return;
    }
    if is_known && is_hopeless || (draw < 2 && world.is_faulty()) {
        let abandon = writer.new_of(transfer.id, TransferOperation::Abandon(reason()));
        insist(run, vec![abandon]).await;
    } else if is_known || !transfer.payout.sent || ((2..4).contains(&draw) && world.is_faulty()) {
        let retry = writer.new_of(transfer.id, TransferOperation::Retry(reason()));
        insist(run, vec![retry]).await;
    } else {
        let is_wrong = draw == 4 && world.is_faulty();
        act(run, writer, Seen { transfer: transfer.id, provider, is_to_end: true, is_wrong }).await;
    }
}

/// Says what became of a payout, or does another thing about its transfer.
pub async fn act(run: &Run, writer: &mut Writer, seen: Seen) {
    let world = &run.world;
    let other = if seen.is_to_end { 9 } else { world.draw(|random| random.below(4)) };
    let operation = match other {
        0 => TransferOperation::Retry(reason()),
        1 => TransferOperation::Abandon(reason()),
        _ => TransferOperation::Outcome(Box::new(word(run, &seen))),
    };
    let asked = writer.new_of(seen.transfer, operation);
    insist(run, vec![asked]).await;
}

/// Asks the provider by telephone, which then pays the key no more where it has not paid it.
fn word(run: &Run, seen: &Seen) -> Reported {
    let key = Id::first_of(seen.transfer, Step::Payout).to_string();
    let now = run.world.time();
    let told = run.outside.change(seen.provider, &key, |entry| {
        entry.is_misled |= seen.is_wrong;
        (matches!(entry.prevent(now), Told::Paid(_)), entry.part())
    });
    let (is_paid, part) = told.unwrap_or_default();
    let outcome = if is_paid == seen.is_wrong { Payout::Declined } else { Payout::Done };
    // An amount that is the whole is left out before the ledger has the command.
    let part = part.filter(|_| is_paid && outcome == Payout::Done);
    let amount = part.and_then(|part| WrittenAmount::parse(&euros(part)).ok());
    Reported { outcome, amount, reference: None, reason: reason() }
}
