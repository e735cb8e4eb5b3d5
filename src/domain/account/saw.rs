//! The running hash of an account says which IDs it has seen and how each ended. It is part of the state digest.

use sha2::{Digest, Sha256};

use crate::domain::event::Event;
use crate::domain::ids::Id;

use super::event::{AccountEvent, Fact, Terms};

/// Returns the running hash of seen IDs after one more event.
pub(super) fn saw(before: [u8; 32], event: &Event, body: &AccountEvent) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut text = Vec::with_capacity(64);
    hash.update(before);
    match event.id {
        Id::Client(id) => hash.update(id.as_bytes()),
        Id::Step { .. } | Id::Absent => {
            event.id.write(&mut text);
            hash.update(&text);
        }
    }
    match body.decline() {
        Some(decline) => {
            hash.update(b"declined:");
            hash.update(decline.code());
        }
        None => {
            hash.update(b"accepted:");
            hash.update(body.type_name());
        }
    }
    effect(body, &mut text);
    hash.update(&text);
    hash.finalize().into()
}

/// Writes what the event says of others that decisions depend on.
fn effect(body: &AccountEvent, out: &mut Vec<u8>) {
    out.clear();
    let mut named = |id: Id| {
        out.push(b'|');
        match id {
            Id::Client(id) => out.extend_from_slice(id.as_bytes()),
            Id::Step { .. } | Id::Absent => id.write(out),
        }
    };
    match &body.fact {
        Fact::Reversed { reverses, amount, .. } => {
            named(Id::Client(*reverses));
            amount.write(out);
        }
        Fact::Prevented { reverses, .. } => named(Id::Client(*reverses)),
        Fact::HoldPlaced { amount, terms } => {
            out.push(b'|');
            amount.write(out);
            out.push(b'|');
            match terms {
                Terms::Client { expires_in_seconds, .. } => {
                    out.extend_from_slice(itoa::Buffer::new().format(expires_in_seconds.get()).as_bytes());
                }
                Terms::Transfer { transfer, .. } => out.extend_from_slice(transfer.as_bytes()),
            }
        }
        Fact::HoldCaptured { hold, amount, .. } => {
            named(*hold);
            amount.write(out);
        }
        Fact::HoldReleased { hold, .. } | Fact::HoldPrevented { hold, .. } => named(*hold),
        Fact::HoldExpired { hold, .. } => named(Id::Client(*hold)),
        Fact::TransferCredited { transfer, amount, .. } => {
            named(Id::Client(*transfer));
            amount.write(out);
        }
        Fact::CreditPrevented { transfer, .. } => named(Id::Client(*transfer)),
        Fact::Corrected(corrected) => {
            out.push(b'|');
            corrected.signed().write(out);
        }
        Fact::AccountOpened { .. }
        | Fact::Deposited(_)
        | Fact::Withdrawn(_)
        | Fact::Frozen(_)
        | Fact::Unfrozen(_)
        | Fact::Closed(_)
        | Fact::OverdraftLimitChanged { .. }
        | Fact::Declined { .. } => {}
    }
}
