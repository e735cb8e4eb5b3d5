//! The open holds of an account stand in the account's row, so that one look-up has all that a decision needs.
//!
//! A row of a thousand open holds has about 60 KB. It is written only when the account changed, and at most once for each
//! checkpoint. A row of an account without holds has nothing of it.

use std::fmt::Write;

use crate::domain::account::hold::open_holds::{Hold, OpenHolds};
use crate::domain::currency::Currency;
use crate::domain::ids::Id;
use crate::domain::money::{Amount, Money};
use crate::domain::time::Timestamp;

/// The part of a row that has the holds begins with this. No other part does.
pub(super) const MARK: char = '+';

/// Returns the holds as a part of a row, with the space before it; nothing where there are none.
pub(super) fn write(holds: &OpenHolds) -> String {
    let mut text = String::new();
    for hold in holds.iter() {
        let before = if text.is_empty() { " +" } else { "," };
        let expires = hold.expires_at.map_or_else(String::new, |at| at.micros().to_string());
        // Writing to a string can't fail.
        let _infallible = write!(text, "{before}{}/{}/{expires}", hold.id, hold.amount);
    }
    text
}

/// Returns the holds that a part of a row has; `None` for a part that `write` can't have made.
pub(super) fn read(part: &str, currency: Currency) -> Option<OpenHolds> {
    let mut holds = OpenHolds::default();
    for text in part.strip_prefix(MARK)?.split(',') {
        let mut fields = text.split('/');
        let id = Id::parse(fields.next()?)?;
        let amount = Amount::new(Money::read(fields.next()?, currency)?)?;
        let expires_at = match fields.next()? {
            "" => None,
            micros => Some(Timestamp::from_micros(micros.parse().ok()?)),
        };
        let is_whole = fields.next().is_none() && holds.restore(Hold { id, amount, expires_at });
        if !is_whole {
            return None;
        }
    }
    Some(holds)
}
