//! These functions render the answers to requests about transfers, of version 1. They are frozen: a fixture for each outcome
//! holds every byte.

use crate::domain::event::Event;
use crate::domain::ids::TransactionId;
use crate::domain::metadata::Metadata;
use crate::domain::transfer::decline::TransferDecline;
use crate::domain::transfer::event::{Fact, Terms, TransferEvent};
use crate::domain::transfer::payout::{LearntBy, Settlement};
use crate::store::codec::json::{metadata, number, put, text};

use super::answer::Answer;

/// Renders the answer to what was asked of a transfer. The answer to the request is made of that event alone, so that it is
/// the same however far the transfer got.
pub(super) fn transfer(event: &Event, id: TransactionId, body: &TransferEvent) -> Answer {
    let mut out = Vec::with_capacity(512);
    match body.decline() {
        None => {
            accepted(event, id, body, &mut out);
            Answer { status: 202, body: out }
        }
        Some(decline) => {
            declined(event, id, body, decline, &mut out);
            Answer { status: 402, body: out }
        }
    }
}

fn accepted(event: &Event, id: TransactionId, body: &TransferEvent, out: &mut Vec<u8>) {
    put(out, &["{\"transaction_id\":\""]);
    event.id.write(out);
    put(out, &["\",\"kind\":\"", event.kind().name(), "\",\"outcome\":\"accepted\""]);
    match &body.fact {
        Fact::Requested { terms, metadata } => requested(terms, metadata, out),
        Fact::CancelRequested(reason) | Fact::Resumed(reason) | Fact::Abandoned(reason) => {
            named(id, out);
            put(out, &[",\"reason\":"]);
            text(reason.as_str(), out);
        }
        Fact::PayoutSettled(settled) if settled.learnt_by == LearntBy::Operator => {
            named(id, out);
            reported(settled, out);
        }
        // Nobody asked for these.
        Fact::TimedOut
        | Fact::PayoutSent(_)
        | Fact::PayoutSettled(_)
        | Fact::PayoutContradicted(_)
        | Fact::Stalled(_)
        | Fact::Completed { .. }
        | Fact::Unmoved(_)
        | Fact::Declined { .. } => {
            named(id, out);
            put(out, &[",\"state\":\"", body.state.name(), "\""]);
        }
    }
    ending(event, out);
}

fn requested(terms: &Terms, pairs: &Metadata, out: &mut Vec<u8>) {
    put(out, &[",\"from\":\"", terms.from.as_str(), "\",\"to\":\"", terms.to.as_str()]);
    put(out, &["\",\"currency\":\"", terms.currency.code(), "\",\"amount\":\""]);
    terms.amount.write(out);
    put(out, &["\",\"timeout_seconds\":"]);
    number(terms.timeout_seconds.get().into(), out);
    put(out, &[",\"deadline_at\":\""]);
    terms.deadline_at.write(out);
    out.push(b'"');
    metadata(pairs, out);
}

fn reported(settled: &Settlement, out: &mut Vec<u8>) {
    put(out, &[",\"payout\":\"", settled.outcome.name(), "\""]);
    if let Some(amount) = settled.amount {
        put(out, &[",\"amount\":\"", &amount.to_string(), "\""]);
    }
    if let Some(reference) = &settled.reference {
        put(out, &[",\"reference\":"]);
        text(reference.as_str(), out);
    }
    if let Some(reason) = &settled.reason {
        put(out, &[",\"reason\":"]);
        text(reason.as_str(), out);
    }
}

fn declined(
    event: &Event,
    id: TransactionId,
    body: &TransferEvent,
    decline: TransferDecline,
    out: &mut Vec<u8>,
) {
    let (title, detail) = words(decline);
    put(out, &["{\"type\":\"urn:bookonce:problem:", decline.code(), "\",\"title\":\"", title]);
    put(out, &["\",\"status\":402,\"detail\":\"", detail, "\",\"code\":\"", decline.code()]);
    put(out, &["\",\"recorded\":true,\"transaction_id\":\""]);
    event.id.write(out);
    put(out, &["\",\"kind\":\"", event.kind().name(), "\",\"outcome\":\"declined\""]);
    named(id, out);
    put(out, &[",\"state\":\"", body.state.name(), "\""]);
    ending(event, out);
}

fn words(decline: TransferDecline) -> (&'static str, &'static str) {
    match decline {
        TransferDecline::TransferEnded => ("Transfer ended", "The transfer has ended."),
        TransferDecline::TooLate => {
            ("Too late", "The payout may have been sent already, and its provider can't cancel it.")
        }
        TransferDecline::WrongState => {
            ("Wrong state", "The transfer is not in a state from which this can be done.")
        }
    }
}

fn named(id: TransactionId, out: &mut Vec<u8>) {
    put(out, &[",\"transfer\":\""]);
    id.write(out);
    out.push(b'"');
}

fn ending(event: &Event, out: &mut Vec<u8>) {
    put(out, &[",\"revision\":"]);
    number(event.revision, out);
    put(out, &[",\"recorded_at\":\""]);
    event.recorded_at.write(out);
    put(out, &["\"}"]);
}
