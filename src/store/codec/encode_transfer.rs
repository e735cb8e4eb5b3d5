//! These functions write the `data` of a transfer's events, in version 1.

use crate::domain::money::WrittenAmount;
use crate::domain::transfer::command::{EndCode, Reported, TransferOperation, Unmoved};
use crate::domain::transfer::event::{Fact, Terms, TransferEvent};
use crate::domain::transfer::payout::{Label, Sending, Settlement};

use crate::domain::ids::Step;

use super::json::{flag, metadata, number, put, text};

/// Writes the event's own part: what happened, by type.
pub(super) fn data(event: &TransferEvent, out: &mut Vec<u8>) {
    match &event.fact {
        Fact::Requested { terms, metadata: pairs } => {
            requested(terms, out);
            metadata(pairs, out);
        }
        Fact::CancelRequested(reason) | Fact::Resumed(reason) | Fact::Abandoned(reason) => {
            put(out, &["\"reason\":"]);
            text(reason.as_str(), out);
        }
        Fact::TimedOut | Fact::Unmoved(Unmoved::Cancelled) => {}
        Fact::PayoutSent(sending) => sent(sending, out),
        Fact::PayoutSettled(settled) | Fact::PayoutContradicted(settled) => settlement(settled, out),
        Fact::Stalled(stall) => {
            put(out, &["\"step\":\"", stall.step.name(), "\",\"code\":\"", stall.code.code(), "\""]);
        }
        Fact::Completed { amount, currency } => {
            put(out, &["\"amount\":\""]);
            amount.write(out);
            put(out, &["\",\"currency\":\"", currency.code(), "\""]);
        }
        Fact::Unmoved(Unmoved::Declined { step, code } | Unmoved::Compensated { step, code }) => {
            ended(*step, *code, out);
        }
        Fact::Declined { operation, decline } => {
            put(out, &["\"operation\":\"", operation.name(), "\",\"code\":\"", decline.code(), "\""]);
            declined(operation, out);
        }
    }
}

fn requested(terms: &Terms, out: &mut Vec<u8>) {
    put(out, &["\"from\":\"", terms.from.as_str(), "\",\"to\":\"", terms.to.as_str(), "\",\"amount\":\""]);
    terms.amount.write(out);
    put(out, &["\",\"currency\":\"", terms.currency.code(), "\",\"timeout_seconds\":"]);
    number(terms.timeout_seconds.get().into(), out);
    put(out, &[",\"deadline_at\":\""]);
    terms.deadline_at.write(out);
    out.push(b'"');
}

fn sent(sending: &Sending, out: &mut Vec<u8>) {
    put(out, &["\"provider\":"]);
    text(sending.provider.as_str(), out);
    put(out, &[",\"repeat\":\"", sending.repeat.name(), "\""]);
    flag("cancellable", sending.cancellable, out);
    label("claim", Some(&sending.claim), out);
}

fn settlement(settled: &Settlement, out: &mut Vec<u8>) {
    put(out, &["\"outcome\":\"", settled.outcome.name()]);
    put(out, &["\",\"learnt_by\":\"", settled.learnt_by.name(), "\""]);
    amount(settled.amount, out);
    label("reference", settled.reference.as_ref(), out);
    label("code", settled.code.as_ref(), out);
    if let Some(reason) = &settled.reason {
        put(out, &[",\"reason\":"]);
        text(reason.as_str(), out);
    }
}

fn ended(step: Option<Step>, code: EndCode, out: &mut Vec<u8>) {
    if let Some(step) = step {
        put(out, &["\"step\":\"", step.name(), "\","]);
    }
    put(out, &["\"code\":\"", code.as_str(), "\""]);
}

/// Writes the fields of a declined request.
fn declined(operation: &TransferOperation, out: &mut Vec<u8>) {
    match operation {
        TransferOperation::Cancel(reason)
        | TransferOperation::Retry(reason)
        | TransferOperation::Abandon(reason) => {
            put(out, &[",\"reason\":"]);
            text(reason.as_str(), out);
        }
        TransferOperation::Outcome(asked) => reported(asked, out),
        // These are never declined.
        TransferOperation::Request(_)
        | TransferOperation::TimeOut
        | TransferOperation::Stall { .. }
        | TransferOperation::End { .. }
        | TransferOperation::Send(_)
        | TransferOperation::Settle(_)
        | TransferOperation::Contradict { .. }
        | TransferOperation::Confirm { .. } => {}
    }
}

/// Writes an operator's word on a payout, as further members.
pub(super) fn reported(asked: &Reported, out: &mut Vec<u8>) {
    put(out, &[",\"outcome\":\"", asked.outcome.name(), "\""]);
    amount(asked.amount, out);
    label("reference", asked.reference.as_ref(), out);
    put(out, &[",\"reason\":"]);
    text(asked.reason.as_str(), out);
}

fn amount(amount: Option<WrittenAmount>, out: &mut Vec<u8>) {
    if let Some(amount) = amount {
        put(out, &[",\"amount\":\"", &amount.to_string(), "\""]);
    }
}

fn label(name: &str, label: Option<&Label>, out: &mut Vec<u8>) {
    if let Some(label) = label {
        put(out, &[",\"", name, "\":"]);
        text(label.as_str(), out);
    }
}
