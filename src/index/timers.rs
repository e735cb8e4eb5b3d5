//! The timers say on which streams the service is to book something of its own accord, by time: the expiry of a hold on an
//! account, the deadline of a transfer. They lie in the catalog, one row for each stream that has one: its next. Only those of
//! events that are not in the files yet are in memory.
//!
//! A timer is not believed: the state of its stream says whether anything is due. So a timer that is past does no harm, and one
//! of which the hold was settled is taken out when it is looked at, or with the row of its stream.

use crate::domain::ids::TransactionId;
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::domain::transfer::Transfer;

use super::error::IndexError;
use super::handle::Index;
use super::lsm::memtable::Memtable;
use super::rows::Kind;
use super::timer_key::read_timer_key;

/// A `Due` is a stream on which something has come to its time.
#[derive(Clone, Debug)]
pub struct Due {
    /// This is the timer, after which the next page begins.
    pub timer: Vec<u8>,
    /// This is the stream.
    pub stream: StreamName,
    /// This is when the first of what is due was due.
    pub at: Timestamp,
    /// This is what is due first.
    pub what: DueThing,
    /// This is how many events are due.
    pub count: usize,
}

/// A `DueThing` is what has come to its time on a stream.
#[derive(Clone, Debug)]
pub enum DueThing {
    /// This hold expires.
    Expiry(TransactionId),
    /// The deadline of this transfer is over.
    Deadline(Box<Transfer>),
}

impl Index {
    /// Returns the number of holds that are open.
    #[must_use]
    pub fn open_holds(&self) -> u64 {
        let state = self.0.state.read();
        let in_memory: i64 = state.in_memory().map(Memtable::open_holds).sum();
        u64::try_from(state.open_holds.saturating_add(in_memory)).unwrap_or(0)
    }

    /// Says whether any stream may have a timer. It looks at memory alone.
    #[must_use]
    pub fn has_timers(&self) -> bool {
        let state = self.0.state.read();
        state.has_timers || state.in_memory().any(Memtable::has_timers)
    }

    /// Looks through up to `limit` timers after this one, and returns the streams on which something is due at this time, in
    /// the order of their timers; and the timer after which to go on, where there are more that may be due.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn due(
        &self,
        now: Timestamp,
        after: &[u8],
        limit: usize,
    ) -> Result<(Vec<Due>, Option<Vec<u8>>), IndexError> {
        let mut timers: Vec<Vec<u8>> = {
            let state = self.0.state.read();
            state.in_memory().flat_map(|memory| memory.timers(after, limit)).cloned().collect()
        };
        let rows = self.with_reader(|catalog| self.0.proven.states(catalog, Kind::Timer, after, limit))?;
        timers.extend(rows.into_iter().map(|(key, _)| key));
        timers.sort_unstable();
        timers.dedup();
        timers.truncate(limit);
        let is_full = timers.len() == limit;
        let (mut found, mut past) = (Vec::new(), Vec::new());
        let mut next = timers.last().filter(|_| is_full).cloned();
        for timer in timers {
            let Some((at, stream)) = read_timer_key(&timer) else {
                return Err(IndexError::damaged("a timer can't be read"));
            };
            if at > now {
                next = None;
                break;
            }
            match self.due_of(&timer, &stream, now)? {
                Some(due) => found.push(due),
                None => past.push(timer),
            }
        }
        if !past.is_empty() {
            let mut state = self.0.state.write();
            past.iter().for_each(|timer| state.active.forget_timer(timer));
        }
        Ok((found, next))
    }

    /// Returns what is due of a stream at this time; `None` where nothing is.
    fn due_of(&self, timer: &[u8], stream: &StreamName, now: Timestamp) -> Result<Option<Due>, IndexError> {
        let Some(tracked) = self.tracked(stream)? else { return Ok(None) };
        let account = match tracked.state {
            State::Account(account) => account,
            State::Delivery(..) | State::Letter(_) => return Ok(None),
            State::Transfer(transfer) => {
                let Some(at) = transfer.timer().filter(|at| *at <= now) else { return Ok(None) };
                let what = DueThing::Deadline(Box::new(transfer));
                return Ok(Some(Due { timer: timer.to_vec(), stream: stream.clone(), at, what, count: 1 }));
            }
        };
        let first = account.holds.next_to_expire().filter(|(_, at)| *at <= now);
        let Some((hold, at)) = first.and_then(|(hold, at)| Some((hold.id.client()?, at))) else {
            return Ok(None);
        };
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let count = account.holds.iter().take_while(|hold| is_due(hold.expires_at)).count();
        let what = DueThing::Expiry(hold);
        Ok(Some(Due { timer: timer.to_vec(), stream: stream.clone(), at, what, count }))
    }
}
