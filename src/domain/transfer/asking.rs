//! Asking is how a driver makes the command of a step and of what it records, and what it learns from a verdict.

use std::sync::Arc;

use crate::domain::account::decline::Decline;
use crate::domain::command::{
    Capturing, Command, Crediting, Holding, Operation, Releasing, RulingOut, Stopped,
};
use crate::domain::event::Event;
use crate::domain::ids::{AccountName, Id, Step};
use crate::domain::metadata::{Metadata, Origin, SERVICE};
use crate::domain::refusal::Refusal;
use crate::domain::stream::StreamName;

use super::Transfer;
use super::command::TransferOperation;
use super::steps::{Ask, Reply};

/// Makes the command of a step. Its ID is made of the transfer, the step and the attempt, so that a step which is asked for
/// again is a retry like any other. `None` where the step has no account.
#[must_use]
pub fn step(transfer: &Transfer, ask: Ask) -> Option<Command> {
    let (step, attempt) = ask.step();
    let terms = &transfer.terms;
    let (account, amount) = (account(transfer, ask)?, terms.amount.into());
    let hold = Id::first_of(transfer.id, Step::Hold);
    let operation = match ask {
        Ask::Hold => Operation::TransferHold(Holding { transfer: transfer.id, amount, to: terms.to.clone() }),
        Ask::Credit => {
            Operation::TransferCredit(Crediting { transfer: transfer.id, amount, from: terms.from.clone() })
        }
        Ask::RuleOut => Operation::RuleOut(RulingOut {
            transfer: transfer.id,
            code: transfer.stopped.unwrap_or(Stopped::TimedOut),
        }),
        // Of a payout only what was paid is captured; the rest is free again.
        Ask::Capture(_) => Operation::Capture(Capturing {
            hold,
            amount: Some(transfer.moves().into()),
            counter_account: terms.to.counter_account().clone(),
            metadata: Metadata::default(),
            to: Some(terms.to.clone()),
        }),
        Ask::Release(_) => Operation::Release(Releasing { hold, reason: None }),
    };
    Some(Command {
        id: Id::Step { of: transfer.id, step, attempt },
        stream: StreamName::Account(account.clone()),
        operation,
        origin: origin(transfer),
    })
}

/// Returns the account of a step.
#[must_use]
pub fn account(transfer: &Transfer, ask: Ask) -> Option<&AccountName> {
    match ask {
        Ask::Hold | Ask::Capture(_) | Ask::Release(_) => Some(&transfer.terms.from),
        Ask::Credit | Ask::RuleOut => transfer.terms.to.account(),
    }
}

/// Makes the command that records something in the transfer's own stream.
#[must_use]
pub fn record(transfer: &Transfer, id: Id, operation: TransferOperation) -> Command {
    Command {
        id,
        stream: StreamName::Transfer(transfer.id),
        operation: Operation::Transfer(operation),
        origin: origin(transfer),
    }
}

fn origin(transfer: &Transfer) -> Origin {
    let id = transfer.id.to_string();
    let correlation = transfer.correlation.as_deref().unwrap_or(&id);
    Origin {
        correlation: Some(correlation.into()),
        causation: Some(id.as_str().into()),
        actor: Arc::from(SERVICE),
    }
}

/// Returns what the event of a step says of it.
#[must_use]
pub fn booked(event: &Event) -> Reply {
    event.decline().map_or(Reply::Done, Reply::Declined)
}

/// Returns what the refusal of a step says of it; `None` where it says nothing.
#[must_use]
pub fn refused(refusal: &Refusal) -> Option<Reply> {
    let decided = |decline: Option<Decline>| Some(Reply::Decided(decline));
    match refusal {
        Refusal::CreditDecided(decline) => decided(*decline),
        Refusal::HoldDeclined(decline) => decided(Some(*decline)),
        Refusal::AccountNotFound
        | Refusal::AccountExists
        | Refusal::TransactionNotFound
        | Refusal::HoldNotFound
        | Refusal::NotDue
        | Refusal::AccountChanged { .. }
        | Refusal::TransferNotFound
        | Refusal::Stale
        | Refusal::NothingNew
        | Refusal::Destination(_)
        | Refusal::LetterExists
        | Refusal::Invalid { .. } => None,
    }
}
