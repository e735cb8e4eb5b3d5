//! These functions make and read the rows of the catalog's state: what each kind is about, its key, and its value.

use crate::domain::account::hold::open_holds::OpenHolds;
use crate::domain::account::{Account, Status};
use crate::domain::currency::Currency;
use crate::domain::ids::{CounterAccount, Id, TransactionId};
use crate::domain::money::Money;
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::store::chain::Hash;

use super::error::IndexError;
use super::hold_rows;
use super::layers::{InternalKey, Tracked};
use super::lsm::memtable::{Note, ReversedKey};
use super::record::StreamKey;
use super::spans::{Moved, Span};
use super::transfer_row;

/// A transfer that has ended keeps its row from this revision on, so that no more events than this are read to know how one
/// stands.
pub const LONG: u64 = 64;

/// A `Kind` says what a row of state is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum Kind {
    /// The row is about a guarded account, by name.
    Account = 1,
    /// The row says how much of a transaction was reversed, by ID and stream.
    Reversed = 2,
    /// The row is about one of the ledger's own accounts, by currency and name.
    Internal = 3,
    /// The row names an ID that two streams have, by ID.
    Twice = 4,
    /// The row names a stream that is damaged, by name.
    Damaged = 5,
    /// The row says how many events a stream lacks, by name.
    Missing = 6,
    /// The row is the timer of a stream, by time and stream. It has no value.
    Timer = 7,
    /// The row is about a transfer that has not ended, or that has so many events of its own that they are not read again
    /// each time, by ID.
    Transfer = 10,
    /// The row says what the backdated events of a span of time moved, by stream and span.
    Moved = 20,
}

impl Kind {
    /// These are all the kinds. A catalog with a row of another kind is not opened.
    const ALL: [Self; 9] = [
        Self::Account,
        Self::Reversed,
        Self::Internal,
        Self::Twice,
        Self::Damaged,
        Self::Missing,
        Self::Timer,
        Self::Transfer,
        Self::Moved,
    ];

    /// Returns the kind with this number.
    pub fn of(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i64 == number)
    }
}

/// Returns the kind and the key of the row that says how a stream stands.
pub fn stream_row(stream: &StreamName) -> (Kind, &[u8]) {
    match stream {
        StreamName::Account(name) => (Kind::Account, name.as_str().as_bytes()),
        StreamName::Transfer(id) => (Kind::Transfer, id.as_bytes()),
    }
}

/// Says whether a stream that stands so has a row. Nothing is kept of a transfer that has ended but its IDs, which lead to its
/// events; where those are many, it has a row all the same.
pub fn has_row(state: &State) -> bool {
    state.transfer().is_none_or(|transfer| !transfer.stage.is_end() || transfer.revision >= LONG)
}

/// Returns how a stream stands, as a row's value.
pub fn state_value(tracked: &Tracked) -> String {
    let hash = tracked.hash.map_or_else(String::new, |hash| format!(" {hash}"));
    let account = match &tracked.state {
        State::Account(account) => account,
        State::Transfer(transfer) => return format!("{}{hash}", transfer_row::value(transfer)),
    };
    let holds = hold_rows::write(&account.holds);
    format!(
        "{} {} {} {} {} {}{holds}{hash}",
        account.currency,
        account.balance,
        account.overdraft_limit,
        account.status.name(),
        account.revision,
        hex::encode(account.seen)
    )
}

/// Returns how a stream stands, from its row.
pub fn read_state(stream: &StreamName, value: &str) -> Result<Tracked, IndexError> {
    let name = match stream {
        StreamName::Account(name) => name,
        StreamName::Transfer(id) => return read_transfer(*id, stream, value),
    };
    let read = || {
        let mut parts = value.split(' ').peekable();
        let currency = Currency::parse(parts.next()?)?;
        let mut account = Account {
            name: name.clone(),
            currency,
            balance: Money::read(parts.next()?, currency)?,
            overdraft_limit: Money::read(parts.next()?, currency)?,
            status: Status::parse(parts.next()?)?,
            holds: OpenHolds::default(),
            revision: parts.next()?.parse().ok()?,
            seen: Hash::parse(parts.next()?)?.0,
        };
        if let Some(holds) = parts.next_if(|part| part.starts_with(hold_rows::MARK)) {
            account.holds = hold_rows::read(holds, currency)?;
        }
        let hash = match parts.next() {
            Some(text) => Some(Hash::parse(text)?),
            None => None,
        };
        let state = State::Account(account);
        parts.next().is_none().then(|| Tracked { key: StreamKey::of(stream), state, hash })
    };
    read().ok_or_else(|| IndexError::damaged("an account's row can't be read"))
}

/// Returns how a transfer's stream stands, from its row.
fn read_transfer(id: TransactionId, stream: &StreamName, value: &str) -> Result<Tracked, IndexError> {
    let read = || {
        let mut parts = value.split(' ');
        let transfer = transfer_row::read(id, &mut parts)?;
        let hash = match parts.next() {
            Some(text) => Some(Hash::parse(text)?),
            None => None,
        };
        let state = State::Transfer(transfer);
        parts.next().is_none().then(|| Tracked { key: StreamKey::of(stream), state, hash })
    };
    read().ok_or_else(|| IndexError::damaged("a transfer's row can't be read"))
}

/// Returns the timer of a stream of which this is the row.
pub fn timer(stream: &StreamName, value: &str) -> Result<Option<Timestamp>, IndexError> {
    // Most accounts have no holds, and need not be read.
    if matches!(stream, StreamName::Account(_)) && !value.contains(hold_rows::MARK) {
        return Ok(None);
    }
    Ok(read_state(stream, value)?.state.timer())
}

/// Returns a note's kind, key and value.
pub fn note_row(note: &Note) -> (Kind, Vec<u8>, String) {
    match note {
        Note::Twice(id) => (Kind::Twice, id_row_key(*id), id.to_string()),
        Note::Missing(stream, count) => (Kind::Missing, stream.to_string().into_bytes(), count.to_string()),
        Note::Damaged(stream, why) => (Kind::Damaged, stream.to_string().into_bytes(), why.clone()),
    }
}

/// Returns the note that a row holds.
pub fn read_note(kind: Kind, key: &[u8], value: String) -> Option<Note> {
    match kind {
        Kind::Twice => Id::parse(&value).map(Note::Twice),
        Kind::Damaged => Some(Note::Damaged(StreamName::parse(std::str::from_utf8(key).ok()?)?, value)),
        Kind::Missing => {
            Some(Note::Missing(StreamName::parse(std::str::from_utf8(key).ok()?)?, value.parse().ok()?))
        }
        Kind::Account | Kind::Reversed | Kind::Internal | Kind::Timer | Kind::Transfer | Kind::Moved => None,
    }
}

/// Returns a sum in a currency as a row's value.
pub fn sum_value(currency: Currency, sum: Money) -> String {
    format!("{currency} {sum}")
}

/// Returns the sum that a row holds.
pub fn read_sum(value: &str) -> Result<(Currency, Money), IndexError> {
    let read = || {
        let (currency, sum) = value.split_once(' ')?;
        let currency = Currency::parse(currency)?;
        Some((currency, Money::read(sum, currency)?))
    };
    read().ok_or_else(|| IndexError::damaged("a sum's row can't be read"))
}

/// Returns the key of what a stream moved in a span of time. No name has a zero byte.
pub fn moved_key(stream: &StreamName, (length, number): Span) -> Vec<u8> {
    let mut key = stream.to_string().into_bytes();
    key.extend([0, length]);
    key.extend(number.to_be_bytes());
    key
}

/// Returns what was moved in a span of time, as a row's value.
pub fn moved_value(currency: Currency, moved: &Moved) -> String {
    let last = moved.last.map_or_else(|| "-".to_owned(), |last| last.to_string());
    format!("{currency} {} {} {last}", moved.happened, moved.recorded)
}

/// Returns what was moved in a span of time, from its row.
pub fn read_moved(value: &str) -> Result<(Currency, Moved), IndexError> {
    let read = || {
        let mut parts = value.split(' ');
        let currency = Currency::parse(parts.next()?)?;
        let happened = Money::read(parts.next()?, currency)?;
        let recorded = Money::read(parts.next()?, currency)?;
        let last = match parts.next()? {
            "-" => None,
            last => Some(last.parse().ok()?),
        };
        parts.next().is_none().then_some((currency, Moved { happened, recorded, last }))
    };
    read().ok_or_else(|| IndexError::damaged("what a span of time moved can't be read"))
}

/// Returns the key of one of the ledger's own accounts.
pub fn internal_key((name, currency): &InternalKey) -> Vec<u8> {
    format!("{} {currency}", name.as_str()).into_bytes()
}

/// Returns the ledger's own account with this key.
pub fn read_internal_key(key: &[u8]) -> Option<InternalKey> {
    let (name, currency) = std::str::from_utf8(key).ok()?.split_once(' ')?;
    Some((CounterAccount::parse(name)?, Currency::parse(currency)?))
}

/// Returns the key of the row that says how much of an ID was taken back on a stream.
pub fn reversed_row_key((id, stream): &ReversedKey) -> Vec<u8> {
    format!("{id} {stream}").into_bytes()
}

/// Returns the key of a row that is about an ID.
pub fn id_row_key(id: Id) -> Vec<u8> {
    id.to_string().into_bytes()
}
