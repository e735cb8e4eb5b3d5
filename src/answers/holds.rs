//! These functions render what is special in the answers about holds and about the steps of transfers, in version 1. They are
//! frozen, as those of `v1`.

use crate::domain::account::event::{Fact, Terms};
use crate::domain::command::Reason;
use crate::domain::ids::Id;
use crate::domain::money::Amount;
use crate::store::codec::json::{metadata, put, text};

/// Writes the fields that only this kind of answer has.
pub(super) fn own(fact: &Fact, out: &mut Vec<u8>) {
    match fact {
        Fact::HoldPlaced { amount: sum, terms } => {
            amount("amount", *sum, out);
            match terms {
                Terms::Client { expires_at, metadata: pairs, .. } => {
                    put(out, &[",\"expires_at\":\"", &expires_at.to_string(), "\""]);
                    metadata(pairs, out);
                }
                Terms::Transfer { transfer, to } => {
                    put(out, &[",\"transfer\":\"", &transfer.to_string(), "\",\"to\":\"", to.as_str(), "\""]);
                }
            }
        }
        Fact::HoldCaptured { hold: id, amount: sum, released, metadata: pairs, to, .. } => {
            hold(*id, out);
            amount("amount", *sum, out);
            if let Some(released) = released {
                amount("released", *released, out);
            }
            metadata(pairs, out);
            of_transfer(*id, out);
            if let Some(to) = to {
                put(out, &[",\"to\":\"", to.as_str(), "\""]);
            }
        }
        Fact::HoldReleased { hold: id, amount: sum, reason } => {
            hold(*id, out);
            amount("amount", *sum, out);
            because(reason.as_ref(), out);
            of_transfer(*id, out);
        }
        Fact::HoldExpired { hold: id, amount: sum } => {
            hold(Id::Client(*id), out);
            amount("amount", *sum, out);
        }
        Fact::HoldPrevented { hold: id, reason } => {
            hold(*id, out);
            because(reason.as_ref(), out);
            of_transfer(*id, out);
        }
        Fact::TransferCredited { transfer, amount: sum, from } => {
            amount("amount", *sum, out);
            put(out, &[",\"transfer\":\"", &transfer.to_string(), "\",\"from\":\"", from.as_str(), "\""]);
        }
        Fact::CreditPrevented { transfer, code } => {
            put(out, &[",\"transfer\":\"", &transfer.to_string(), "\",\"code\":\"", code.code(), "\""]);
        }
        Fact::AccountOpened { .. }
        | Fact::Deposited(_)
        | Fact::Withdrawn(_)
        | Fact::Reversed { .. }
        | Fact::Prevented { .. }
        | Fact::Corrected(_)
        | Fact::Frozen(_)
        | Fact::Unfrozen(_)
        | Fact::Closed(_)
        | Fact::OverdraftLimitChanged { .. }
        | Fact::Declined { .. } => {}
    }
}

fn hold(id: Id, out: &mut Vec<u8>) {
    put(out, &[",\"hold\":\""]);
    id.write(out);
    out.push(b'"');
}

fn amount(name: &str, amount: Amount, out: &mut Vec<u8>) {
    put(out, &[",\"", name, "\":\""]);
    amount.write(out);
    out.push(b'"');
}

fn of_transfer(hold: Id, out: &mut Vec<u8>) {
    if let Some(transfer) = hold.transfer() {
        put(out, &[",\"transfer\":\"", &transfer.to_string(), "\""]);
    }
}

fn because(reason: Option<&Reason>, out: &mut Vec<u8>) {
    if let Some(reason) = reason {
        put(out, &[",\"reason\":"]);
        text(reason.as_str(), out);
    }
}
