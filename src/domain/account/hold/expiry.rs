//! The expiry of a hold is booked when its time has come, whatever the account's state is.

use crate::domain::account::Account;
use crate::domain::account::event::Fact;
use crate::domain::ids::TransactionId;
use crate::domain::time::Timestamp;

/// Returns the expiry that is due first at this time, and the hold that expires; `None` where none is due. The time is that
/// at which it would be recorded.
pub(in crate::domain) fn due(account: &Account, now: Timestamp) -> Option<(TransactionId, Fact)> {
    let (hold, at) = account.holds.next_to_expire()?;
    let id = hold.id.client().filter(|_| at <= now)?;
    Some((id, Fact::HoldExpired { hold: id, amount: hold.amount }))
}
