//! An ID history is one hash over all IDs that came to an account or a transfer, and what became of each. The state digest is
//! made of it.

use sha2::{Digest, Sha256};

use crate::audit::values::event::AccountBody;
use crate::audit::values::fact::Fact;
use crate::audit::values::hold::{Captured, CreditFact, HoldFact, Placed};
use crate::audit::values::id::Id;
use crate::audit::values::money;
use crate::audit::values::transfer::TransferFact;

/// Computes an account's hash after one more event. It covers the ID, what became of it, and what it reversed, ruled out,
/// corrected or settled.
#[must_use]
pub(crate) fn after(before: &[u8; 32], id: Id, body: &AccountBody) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(before);
    add_id(&mut hash, id);
    match &body.fact {
        Fact::Declined { code, .. } => {
            hash.update(b"declined:");
            hash.update(code.text());
        }
        Fact::Opened { .. }
        | Fact::Moved { .. }
        | Fact::Reversed { .. }
        | Fact::Prevented { .. }
        | Fact::Corrected { .. }
        | Fact::Hold(_)
        | Fact::Credit(_)
        | Fact::Changed(_)
        | Fact::LimitChanged { .. } => {
            hash.update(b"accepted:");
            hash.update(body.fact.type_name());
        }
    }
    let show = |amount: i128| money::show(amount, body.currency);
    match &body.fact {
        Fact::Reversed { reverses, amount, .. } => {
            hash.update(b"|");
            hash.update(reverses.to_be_bytes());
            hash.update(show(*amount));
        }
        Fact::Prevented { reverses } => {
            hash.update(b"|");
            hash.update(reverses.to_be_bytes());
        }
        Fact::Corrected { signed, .. } => {
            hash.update(b"|");
            hash.update(show(*signed));
        }
        Fact::Hold(fact) => add_hold(&mut hash, fact, show),
        Fact::Credit(fact) => match **fact {
            CreditFact::Booked { amount, side } => {
                hash.update(b"|");
                hash.update(side.transfer.to_be_bytes());
                hash.update(show(amount));
            }
            CreditFact::RuledOut { transfer, .. } => {
                hash.update(b"|");
                hash.update(transfer.to_be_bytes());
            }
        },
        Fact::Opened { .. }
        | Fact::Moved { .. }
        | Fact::Changed(_)
        | Fact::LimitChanged { .. }
        | Fact::Declined { .. } => {}
    }
    hash.finalize().into()
}

/// Computes a transfer's hash after one more event of its own stream. It covers the ID and what became of it.
#[must_use]
pub(crate) fn after_transfers(before: &[u8; 32], id: Id, fact: &TransferFact) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(before);
    add_id(&mut hash, id);
    if let TransferFact::Refused { code, .. } = fact {
        hash.update(b"declined:");
        hash.update(code.text());
    } else {
        hash.update(b"accepted:");
        hash.update(fact.type_name());
    }
    hash.finalize().into()
}

fn add_hold(hash: &mut Sha256, fact: &HoldFact, show: impl Fn(i128) -> String) {
    hash.update(b"|");
    match fact {
        HoldFact::Placed { amount, placed } => {
            hash.update(show(*amount));
            hash.update(b"|");
            match placed {
                Placed::Until { seconds, .. } => hash.update(seconds.to_string()),
                Placed::For(side) => hash.update(side.transfer.to_be_bytes()),
            }
        }
        HoldFact::Captured(Captured { hold, amount, .. }) => {
            add_id(hash, *hold);
            hash.update(show(*amount));
        }
        HoldFact::Released { hold, .. } | HoldFact::Expired { hold, .. } | HoldFact::Prevented { hold } => {
            add_id(hash, *hold);
        }
    }
}

/// Adds the 16 bytes of a client's ID, or the text of one of the service's own.
#[inline]
fn add_id(hash: &mut Sha256, id: Id) {
    match id {
        Id::Client(id) => hash.update(id.to_be_bytes()),
        Id::Own(_) | Id::Absent => hash.update(id.to_string()),
    }
}
