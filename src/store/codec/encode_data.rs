//! What stands in an event's `data` is written here: what happened, by type, each with its keys in their order.

use crate::domain::account::decline::Decline;
use crate::domain::account::event::{AccountEvent, Fact, Movement, Terms};
use crate::domain::command::{Operation, Reason};
use crate::domain::ids::Id;
use crate::domain::money::Amount;
use crate::domain::stream::StreamName;

use super::encode_correction;
use super::json::{flag, metadata, number, put, text};

/// Writes the event's own part: what happened, by type.
pub(super) fn write(stream: &StreamName, event: &AccountEvent, out: &mut Vec<u8>) {
    match &event.fact {
        Fact::AccountOpened { overdraft_limit, metadata: pairs } => {
            put(out, &["\"currency\":\"", event.currency.code(), "\",\"overdraft_limit\":\""]);
            overdraft_limit.write(out);
            out.push(b'"');
            metadata(pairs, out);
        }
        Fact::Deposited(moved) | Fact::Withdrawn(moved) => movement(stream, event, moved, out),
        Fact::Reversed { reverses, amount, reason, partial, force, .. } => {
            put(out, &["\"reverses\":\""]);
            reverses.write(out);
            put(out, &["\",\"amount\":\""]);
            amount.write(out);
            put(out, &["\",\"currency\":\"", event.currency.code(), "\""]);
            entries(stream, event, out);
            put(out, &[",\"reason\":"]);
            text(reason.as_str(), out);
            flag("partial", *partial, out);
            flag("force", *force, out);
        }
        Fact::Prevented { reverses, reason, force } => {
            put(out, &["\"reverses\":\""]);
            reverses.write(out);
            put(out, &["\",\"currency\":\"", event.currency.code(), "\",\"reason\":"]);
            text(reason.as_str(), out);
            flag("force", *force, out);
        }
        Fact::Corrected(corrected) => {
            put(out, &["\"amount\":\""]);
            corrected.amount.write(out);
            put(out, &["\",\"currency\":\"", event.currency.code(), "\""]);
            entries(stream, event, out);
            encode_correction::booked(corrected, out);
        }
        Fact::Frozen(reason) | Fact::Unfrozen(reason) | Fact::Closed(reason) => {
            put(out, &["\"currency\":\"", event.currency.code(), "\",\"reason\":"]);
            text(reason.as_str(), out);
        }
        Fact::OverdraftLimitChanged { overdraft_limit, reason } => {
            put(out, &["\"overdraft_limit\":\""]);
            overdraft_limit.write(out);
            put(out, &["\",\"currency\":\"", event.currency.code(), "\",\"reason\":"]);
            text(reason.as_str(), out);
        }
        Fact::HoldPlaced { amount, terms } => {
            put(out, &["\"amount\":\""]);
            amount.write(out);
            put(out, &["\",\"currency\":\"", event.currency.code(), "\""]);
            placed(terms, out);
        }
        Fact::HoldCaptured { hold, amount, released, partial, metadata: pairs, to, .. } => {
            settled(*hold, *amount, event, out);
            entries(stream, event, out);
            if let Some(released) = released {
                put(out, &[",\"released\":\""]);
                released.write(out);
                out.push(b'"');
            }
            flag("partial", *partial, out);
            metadata(pairs, out);
            of_transfer(*hold, out);
            if let Some(to) = to {
                put(out, &[",\"to\":\"", to.as_str(), "\""]);
            }
        }
        Fact::HoldReleased { hold, amount, reason } => {
            settled(*hold, *amount, event, out);
            because(reason.as_ref(), out);
            of_transfer(*hold, out);
        }
        Fact::HoldExpired { hold, amount } => settled(Id::Client(*hold), *amount, event, out),
        Fact::HoldPrevented { hold, reason } => {
            put(out, &["\"hold\":\""]);
            hold.write(out);
            put(out, &["\",\"currency\":\"", event.currency.code(), "\""]);
            because(reason.as_ref(), out);
            of_transfer(*hold, out);
        }
        Fact::TransferCredited { transfer, amount, from } => {
            put(out, &["\"amount\":\""]);
            amount.write(out);
            put(out, &["\",\"currency\":\"", event.currency.code(), "\""]);
            entries(stream, event, out);
            put(out, &[",\"transfer\":\""]);
            transfer.write(out);
            put(out, &["\",\"from\":\"", from.as_str(), "\""]);
        }
        Fact::CreditPrevented { transfer, code } => {
            put(out, &["\"transfer\":\""]);
            transfer.write(out);
            put(out, &["\",\"currency\":\"", event.currency.code(), "\",\"code\":\"", code.code(), "\""]);
        }
        Fact::Declined { operation, decline } => {
            put(out, &["\"operation\":\"", operation.name(), "\",\"code\":\"", decline.code()]);
            put(out, &["\",\"currency\":\"", event.currency.code(), "\""]);
            declined(operation, out);
            if let Decline::Prevented(by) = decline {
                put(out, &[",\"prevented_by\":\""]);
                by.write(out);
                out.push(b'"');
            }
        }
    }
}

/// Writes the terms of a hold.
fn placed(terms: &Terms, out: &mut Vec<u8>) {
    match terms {
        Terms::Client { expires_in_seconds, expires_at, metadata: pairs } => {
            put(out, &[",\"expires_in_seconds\":"]);
            number(expires_in_seconds.get().into(), out);
            put(out, &[",\"expires_at\":\""]);
            expires_at.write(out);
            out.push(b'"');
            metadata(pairs, out);
        }
        Terms::Transfer { transfer, to } => {
            put(out, &[",\"transfer\":\""]);
            transfer.write(out);
            put(out, &["\",\"to\":\"", to.as_str(), "\""]);
        }
    }
}

/// Writes the hold that is settled, and the amount.
fn settled(hold: Id, amount: Amount, event: &AccountEvent, out: &mut Vec<u8>) {
    put(out, &["\"hold\":\""]);
    hold.write(out);
    put(out, &["\",\"amount\":\""]);
    amount.write(out);
    put(out, &["\",\"currency\":\"", event.currency.code(), "\""]);
}

/// Writes the transfer whose hold it is, if it is one's.
fn of_transfer(hold: Id, out: &mut Vec<u8>) {
    if let Some(transfer) = hold.transfer() {
        put(out, &[",\"transfer\":\""]);
        transfer.write(out);
        out.push(b'"');
    }
}

fn because(reason: Option<&Reason>, out: &mut Vec<u8>) {
    if let Some(reason) = reason {
        put(out, &[",\"reason\":"]);
        text(reason.as_str(), out);
    }
}

fn movement(stream: &StreamName, event: &AccountEvent, moved: &Movement, out: &mut Vec<u8>) {
    put(out, &["\"amount\":\""]);
    moved.amount.write(out);
    put(out, &["\",\"currency\":\"", event.currency.code(), "\""]);
    entries(stream, event, out);
    flag("effective_at_given", moved.effective_at_given, out);
    metadata(&moved.metadata, out);
}

fn entries(stream: &StreamName, event: &AccountEvent, out: &mut Vec<u8>) {
    let (Some(account), Some(entries)) = (stream.account(), event.entries()) else { return };
    put(out, &[",\"entries\":[{\"account\":\"", account.as_str(), "\",\"amount\":\""]);
    entries.guarded.write(out);
    put(out, &["\"},{\"account\":\"", entries.counter_account.as_str(), "\",\"amount\":\""]);
    entries.guarded.negated().write(out);
    put(out, &["\"}]"]);
}

/// Writes the fields of a declined request, as the event of the same request would have them if it was accepted.
fn declined(operation: &Operation, out: &mut Vec<u8>) {
    match operation {
        Operation::Open(_) | Operation::Transfer(_) | Operation::Delivery(_) | Operation::Letter(_) => {}
        Operation::Deposit(asked) | Operation::Withdraw(asked) => {
            put(out, &[",\"amount\":\"", &asked.amount.to_string(), "\",\"counter_account\":\""]);
            put(out, &[asked.counter_account.as_str(), "\""]);
            flag("effective_at_given", asked.effective_at.is_some(), out);
            metadata(&asked.metadata, out);
        }
        Operation::Reverse(asked) => {
            put(out, &[",\"reverses\":\""]);
            asked.reverses.write(out);
            out.push(b'"');
            if let Some(amount) = asked.amount {
                put(out, &[",\"amount\":\"", &amount.to_string(), "\""]);
            }
            put(out, &[",\"reason\":"]);
            text(asked.reason.as_str(), out);
            flag("force", asked.force, out);
        }
        Operation::Correct(asked) => encode_correction::declined(asked, out),
        Operation::Freeze(reason) | Operation::Unfreeze(reason) | Operation::Close(reason) => {
            put(out, &[",\"reason\":"]);
            text(reason.as_str(), out);
        }
        Operation::SetOverdraftLimit(change) => {
            put(out, &[",\"overdraft_limit\":\"", &change.overdraft_limit.to_string(), "\",\"reason\":"]);
            text(change.reason.as_str(), out);
        }
        Operation::Hold(asked) => {
            put(out, &[",\"amount\":\"", &asked.amount.to_string(), "\",\"expires_in_seconds\":"]);
            number(asked.expires_in_seconds.get().into(), out);
            metadata(&asked.metadata, out);
        }
        Operation::Capture(asked) => {
            put(out, &[",\"hold\":\"", &asked.hold.to_string(), "\""]);
            if let Some(amount) = asked.amount {
                put(out, &[",\"amount\":\"", &amount.to_string(), "\""]);
            }
            put(out, &[",\"counter_account\":\"", asked.counter_account.as_str(), "\""]);
            metadata(&asked.metadata, out);
        }
        Operation::Release(asked) => {
            put(out, &[",\"hold\":\"", &asked.hold.to_string(), "\""]);
            because(asked.reason.as_ref(), out);
        }
        Operation::TransferHold(asked) => {
            put(out, &[",\"transfer\":\"", &asked.transfer.to_string(), "\",\"amount\":\""]);
            put(out, &[&asked.amount.to_string(), "\",\"to\":\"", asked.to.as_str(), "\""]);
        }
        Operation::TransferCredit(asked) => {
            put(out, &[",\"transfer\":\"", &asked.transfer.to_string(), "\",\"amount\":\""]);
            put(out, &[&asked.amount.to_string(), "\",\"from\":\"", asked.from.as_str(), "\""]);
        }
        // Neither of these is ever declined.
        Operation::Expire(hold) => put(out, &[",\"hold\":\"", &hold.to_string(), "\""]),
        Operation::RuleOut(asked) => {
            put(out, &[",\"transfer\":\"", &asked.transfer.to_string(), "\""]);
        }
    }
}
