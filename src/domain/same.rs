//! A request is compared here with the one that its ID was first used for. The outcome is a list of the fields that
//! differ; it is empty where it is the same request again.

use super::command::{BalanceChange, Command, Correction, Move, Operation};
use super::delivery::decide::{After, DeliveryOperation};
use super::event::Event;
use super::metadata::Metadata;
use super::stream::StreamName;
use super::transfer::command::TransferOperation;

/// A `Difference` is a field in which a request differs from the one that its ID was first used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// This is the field's name in the request.
    pub field: String,
    /// This is its value in the first request; `None` where it was left out.
    pub first: Option<String>,
    /// This is its value in this request; `None` where it was left out.
    pub now: Option<String>,
}

/// Compares a command with the event that was recorded with its ID. No difference: it is the same request again.
///
/// Neither the origin (who asks, and why) nor the way in which a number is written is compared.
#[must_use]
pub fn differences(first: &Event, now: &Command) -> Vec<Difference> {
    let mut found = Vec::new();
    let before = fields(&first.request());
    let after = fields(&now.operation);
    let mut compare = |field: &str, first: Option<String>, now: Option<String>| {
        if first != now {
            found.push(Difference { field: field.to_owned(), first, now });
        }
    };
    compare("operation", Some(first.request().name().into()), Some(now.operation.name().into()));
    compare("account", account(&first.stream), account(&now.stream));
    compare("destination", destination(&first.stream), destination(&now.stream));
    compare("transfer", transfer(&first.stream, &first.request()), transfer(&now.stream, &now.operation));
    for (field, value) in &before {
        let other = after.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone());
        compare(field, Some(value.clone()), other);
    }
    for (field, value) in after {
        if !before.iter().any(|(name, _)| *name == field) {
            compare(&field, None, Some(value));
        }
    }
    found
}

fn account(stream: &StreamName) -> Option<String> {
    stream.account().map(ToString::to_string)
}

/// Returns the destination that something is asked of.
fn destination(stream: &StreamName) -> Option<String> {
    stream.destination().map(ToString::to_string)
}

/// Returns the transfer that something is asked of. A request for a transfer names none: its ID is the transfer's.
fn transfer(stream: &StreamName, operation: &Operation) -> Option<String> {
    let is_request = matches!(operation, Operation::Transfer(TransferOperation::Request(_)));
    stream.transfer().filter(|_| !is_request).map(|id| id.to_string())
}

/// Returns the fields of a request that have a meaning, each in one canonical text. A field that was left out is listed
/// with its default; where it has no default, it is missing.
fn fields(operation: &Operation) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut field = |name: &str, value: String| fields.push((name.to_owned(), value));
    match operation {
        Operation::Open(opening) => {
            field("currency", opening.currency.to_string());
            field("overdraft_limit", number(&opening.overdraft_limit.to_string()));
            metadata(&opening.metadata, &mut fields);
        }
        Operation::Deposit(asked) | Operation::Withdraw(asked) => moved(asked, &mut fields),
        Operation::Reverse(asked) => {
            field("reverses", asked.reverses.to_string());
            if let Some(amount) = asked.amount {
                field("amount", number(&amount.to_string()));
            }
            field("reason", asked.reason.as_str().to_owned());
            field("force", asked.force.to_string());
        }
        Operation::Correct(asked) => corrected(asked, &mut fields),
        Operation::Freeze(reason) | Operation::Unfreeze(reason) | Operation::Close(reason) => {
            field("reason", reason.as_str().to_owned());
        }
        Operation::SetOverdraftLimit(change) => {
            field("overdraft_limit", number(&change.overdraft_limit.to_string()));
            field("reason", change.reason.as_str().to_owned());
        }
        Operation::Hold(asked) => {
            field("amount", number(&asked.amount.to_string()));
            field("expires_in_seconds", asked.expires_in_seconds.get().to_string());
            metadata(&asked.metadata, &mut fields);
        }
        Operation::Capture(asked) => {
            field("hold", asked.hold.to_string());
            if let Some(amount) = asked.amount {
                field("amount", number(&amount.to_string()));
            }
            field("counter_account", asked.counter_account.to_string());
            metadata(&asked.metadata, &mut fields);
        }
        Operation::Release(asked) => {
            field("hold", asked.hold.to_string());
            if let Some(reason) = &asked.reason {
                field("reason", reason.as_str().to_owned());
            }
        }
        Operation::Expire(hold) => field("hold", hold.to_string()),
        Operation::TransferHold(asked) => {
            field("transfer", asked.transfer.to_string());
            field("amount", number(&asked.amount.to_string()));
            field("to", asked.to.to_string());
        }
        Operation::TransferCredit(asked) => {
            field("transfer", asked.transfer.to_string());
            field("amount", number(&asked.amount.to_string()));
            field("from", asked.from.to_string());
        }
        Operation::RuleOut(asked) => {
            field("transfer", asked.transfer.to_string());
            field("code", asked.code.code().to_owned());
        }
        Operation::Transfer(asked) => of_transfer(asked, &mut fields),
        Operation::Delivery(asked) => of_delivery(asked, &mut fields),
        // It has no ID, so that it is compared with nothing.
        Operation::Letter(_) => {}
    }
    fields
}

/// Only what an operator asks of a destination has an ID, so that it can come again.
fn of_delivery(operation: &DeliveryOperation, fields: &mut Vec<(String, String)>) {
    let mut field = |name: &str, value: String| fields.push((name.to_owned(), value));
    match operation {
        DeliveryOperation::Pause { reason, .. } => {
            reason.iter().for_each(|reason| field("reason", reason.as_str().to_owned()));
        }
        DeliveryOperation::Resume(asked) => {
            match asked.after {
                Some(After::Position(after)) => field("after", after.to_string()),
                Some(After::Head(_)) => field("after", "head".to_owned()),
                None => {}
            }
            field("reason", asked.reason.as_str().to_owned());
        }
        DeliveryOperation::Set { .. }
        | DeliveryOperation::Remove
        | DeliveryOperation::Take { .. }
        | DeliveryOperation::Challenge { .. }
        | DeliveryOperation::Confirm { .. }
        | DeliveryOperation::Release { .. }
        | DeliveryOperation::Test { .. }
        | DeliveryOperation::Claim { .. }
        | DeliveryOperation::Progress(_) => {}
    }
}

fn of_transfer(operation: &TransferOperation, fields: &mut Vec<(String, String)>) {
    let mut field = |name: &str, value: String| fields.push((name.to_owned(), value));
    match operation {
        TransferOperation::Request(asked) => {
            field("from", asked.from.to_string());
            field("to", asked.to.to_string());
            field("amount", number(&asked.amount.to_string()));
            field("timeout_seconds", asked.timeout_seconds.get().to_string());
            metadata(&asked.metadata, fields);
        }
        TransferOperation::Cancel(reason)
        | TransferOperation::Retry(reason)
        | TransferOperation::Abandon(reason) => field("reason", reason.as_str().to_owned()),
        TransferOperation::Outcome(asked) => {
            field("outcome", asked.outcome.name().to_owned());
            if let Some(amount) = asked.amount {
                field("amount", number(&amount.to_string()));
            }
            if let Some(reference) = &asked.reference {
                field("reference", reference.as_str().to_owned());
            }
            field("reason", asked.reason.as_str().to_owned());
        }
        TransferOperation::End { end, .. } => field("end", format!("{end:?}")),
        TransferOperation::Stall { stall, .. } => field("stall", format!("{stall:?}")),
        TransferOperation::Send(sending) => field("claim", sending.claim.as_str().to_owned()),
        TransferOperation::Settle(said) | TransferOperation::Contradict { said, .. } => {
            field("outcome", said.outcome.name().to_owned());
            if let Some(amount) = said.amount {
                field("amount", number(&amount.to_string()));
            }
        }
        TransferOperation::TimeOut | TransferOperation::Confirm { .. } => {}
    }
}

fn moved(asked: &Move, fields: &mut Vec<(String, String)>) {
    fields.push(("amount".to_owned(), number(&asked.amount.to_string())));
    fields.push(("counter_account".to_owned(), asked.counter_account.to_string()));
    if let Some(at) = asked.effective_at {
        fields.push(("effective_at".to_owned(), at.to_string()));
    }
    metadata(&asked.metadata, fields);
}

fn corrected(asked: &Correction, fields: &mut Vec<(String, String)>) {
    let mut field = |name: &str, value: String| fields.push((name.to_owned(), value));
    match &asked.change {
        BalanceChange::To { balance, .. } => field("balance", number(&balance.to_string())),
        BalanceChange::By { amount, direction, .. } => {
            field("amount", number(&amount.to_string()));
            field("direction", direction.name().to_owned());
        }
    }
    if let Some(revision) = asked.change.expected_revision() {
        field("expected_revision", revision.to_string());
    }
    if let Some(at) = asked.change.effective_at() {
        field("effective_at", at.to_string());
    }
    field("reason", asked.reason.as_str().to_owned());
    if !asked.corrects.is_empty() {
        let ids: Vec<String> = asked.corrects.iter().map(ToString::to_string).collect();
        field("corrects", ids.join(", "));
    }
    field("force", asked.force.to_string());
}

fn metadata(metadata: &Metadata, fields: &mut Vec<(String, String)>) {
    fields.extend(metadata.iter().map(|(key, value)| (format!("metadata.{key}"), value.to_owned())));
}

/// Returns a decimal without the zeros at its end, which say only how it was written.
fn number(text: &str) -> String {
    match text.split_once('.') {
        Some((whole, fraction)) => {
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
        }
        None => text.to_owned(),
    }
}
