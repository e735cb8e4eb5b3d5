//! These functions render the answers of version 1. They are frozen: a fixture for each outcome holds every byte.

use crate::domain::account::corrected::Corrected;
use crate::domain::account::decline::Decline;
use crate::domain::account::event::{AccountEvent, Fact};
use crate::domain::event::Event;
use crate::domain::ids::AccountName;
use crate::store::codec::json::{ids, metadata, put, text};

use super::answer::Answer;
use super::holds;

/// Renders the answer to a command on an account.
pub(super) fn account(event: &Event, name: &AccountName, body: &AccountEvent) -> Answer {
    let mut out = Vec::with_capacity(512);
    match body.decline() {
        None => {
            accepted(event, name, body, &mut out);
            Answer { status: 201, body: out }
        }
        Some(decline) => {
            declined(event, name, body, decline, &mut out);
            Answer { status: 402, body: out }
        }
    }
}

fn accepted(event: &Event, account: &AccountName, body: &AccountEvent, out: &mut Vec<u8>) {
    put(out, &["{\"transaction_id\":\""]);
    event.id.write(out);
    put(out, &["\",\"kind\":\"", event.kind().name(), "\",\"outcome\":\"accepted\",\"account\":\""]);
    put(out, &[account.as_str(), "\",\"currency\":\"", body.currency.code(), "\""]);
    own(body, out);
    standing(body, out);
    if let Some(entries) = body.entries() {
        put(out, &[",\"entries\":[{\"account\":\"", account.as_str(), "\",\"amount\":\""]);
        entries.guarded.write(out);
        put(out, &["\"},{\"account\":\"", entries.counter_account.as_str(), "\",\"amount\":\""]);
        entries.guarded.negated().write(out);
        put(out, &["\"}]"]);
    }
    ending(event, out);
}

/// Writes the fields that only this kind of answer has.
fn own(body: &AccountEvent, out: &mut Vec<u8>) {
    match &body.fact {
        Fact::AccountOpened { overdraft_limit, metadata: pairs } => {
            put(out, &[",\"status\":\"open\",\"overdraft_limit\":\"", &overdraft_limit.to_string(), "\""]);
            metadata(pairs, out);
        }
        Fact::Deposited(moved) | Fact::Withdrawn(moved) => {
            put(out, &[",\"amount\":\""]);
            moved.amount.write(out);
            out.push(b'"');
            if moved.effective_at_given {
                put(out, &[",\"effective_at\":\"", &body.effective_at.to_string(), "\""]);
            }
            metadata(&moved.metadata, out);
        }
        Fact::Reversed { reverses, amount, reason, .. } => {
            put(out, &[",\"amount\":\"", &amount.to_string(), "\",\"reverses\":\"", &reverses.to_string()]);
            put(out, &["\",\"reason\":"]);
            text(reason.as_str(), out);
        }
        Fact::Prevented { reverses, reason, .. } => {
            put(out, &[",\"reverses\":\"", &reverses.to_string(), "\",\"reason\":"]);
            text(reason.as_str(), out);
        }
        Fact::Corrected(corrected) => correction(body, corrected, out),
        Fact::Frozen(reason) => status("frozen", reason.as_str(), out),
        Fact::Unfrozen(reason) => status("open", reason.as_str(), out),
        Fact::Closed(reason) => status("closed", reason.as_str(), out),
        Fact::OverdraftLimitChanged { overdraft_limit, reason } => {
            put(out, &[",\"overdraft_limit\":\"", &overdraft_limit.to_string(), "\",\"reason\":"]);
            text(reason.as_str(), out);
        }
        Fact::HoldPlaced { .. }
        | Fact::HoldCaptured { .. }
        | Fact::HoldReleased { .. }
        | Fact::HoldExpired { .. }
        | Fact::HoldPrevented { .. }
        | Fact::TransferCredited { .. }
        | Fact::CreditPrevented { .. } => holds::own(&body.fact, out),
        Fact::Declined { .. } => {}
    }
}

fn correction(body: &AccountEvent, corrected: &Corrected, out: &mut Vec<u8>) {
    put(out, &[",\"amount\":\"", &corrected.amount.to_string(), "\",\"direction\":\""]);
    put(out, &[corrected.direction.name(), "\""]);
    if corrected.effective_at_given() {
        put(out, &[",\"effective_at\":\"", &body.effective_at.to_string(), "\""]);
    }
    put(out, &[",\"reason\":"]);
    text(corrected.reason.as_str(), out);
    if !corrected.corrects.is_empty() {
        put(out, &[",\"corrects\":"]);
        ids(&corrected.corrects, out);
    }
}

fn declined(event: &Event, account: &AccountName, body: &AccountEvent, decline: Decline, out: &mut Vec<u8>) {
    let (title, detail) = words(decline);
    put(out, &["{\"type\":\"urn:bookonce:problem:", decline.code(), "\",\"title\":\"", title]);
    put(out, &["\",\"status\":402,\"detail\":\"", detail, "\",\"code\":\"", decline.code()]);
    put(out, &["\",\"recorded\":true,\"transaction_id\":\""]);
    event.id.write(out);
    put(out, &["\",\"kind\":\"", event.kind().name(), "\",\"outcome\":\"declined\",\"account\":\""]);
    put(out, &[account.as_str(), "\",\"currency\":\"", body.currency.code(), "\""]);
    if let Decline::Prevented(by) = decline {
        put(out, &[",\"prevented_by\":\"", &by.to_string(), "\""]);
    }
    standing(body, out);
    ending(event, out);
}

fn words(decline: Decline) -> (&'static str, &'static str) {
    match decline {
        Decline::InsufficientFunds => {
            ("Insufficient funds", "The account has not enough available for this amount.")
        }
        Decline::BalanceTooLarge => {
            ("Balance too large", "The account's balance would pass the largest that the ledger keeps.")
        }
        Decline::AccountFrozen => ("Account frozen", "The account is frozen: nothing may go out of it."),
        Decline::AccountClosed => ("Account closed", "The account is closed."),
        Decline::AccountNotEmpty => {
            ("Account not empty", "An account can be closed only when its balance is zero.")
        }
        Decline::WrongState => ("Wrong state", "The account is not in a state from which this can be done."),
        Decline::ReversalExceedsOriginal => {
            ("Reversal exceeds original", "More would be taken back than is left of the original.")
        }
        Decline::Prevented(_) => {
            ("Prevented", "A reversal of this transaction came before it and ruled it out.")
        }
        Decline::HoldsOpen => {
            ("Holds open", "An account can be closed only when nothing is set aside on it.")
        }
        Decline::TooManyHolds => ("Too many holds", "The account has as many open holds as it may have."),
        Decline::HoldExpired => {
            ("Hold expired", "The hold expired before this came: it sets nothing aside any more.")
        }
        Decline::HoldAlreadySettled => {
            ("Hold already settled", "The hold was captured, released or ruled out before this came.")
        }
        Decline::CaptureExceedsHold => {
            ("Capture exceeds hold", "More would be captured than the hold sets aside.")
        }
        Decline::NotReversible => {
            ("Not reversible", "The transaction to be reversed moved no money, or was itself a reversal.")
        }
    }
}

fn standing(body: &AccountEvent, out: &mut Vec<u8>) {
    put(out, &[",\"balance\":\""]);
    body.answer.balance.write(out);
    put(out, &["\",\"available\":\""]);
    body.answer.available.write(out);
    out.push(b'"');
}

fn ending(event: &Event, out: &mut Vec<u8>) {
    put(out, &[",\"revision\":", itoa::Buffer::new().format(event.revision), ",\"recorded_at\":\""]);
    event.recorded_at.write(out);
    put(out, &["\"}"]);
}

fn status(status: &str, reason: &str, out: &mut Vec<u8>) {
    put(out, &[",\"status\":\"", status, "\",\"reason\":"]);
    text(reason, out);
}
