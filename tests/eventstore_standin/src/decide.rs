//! [`decide`] says whether a write is taken, was taken before, or conflicts. The rules are a real node's, with their
//! holes.
//!
//! Ids are compared, never bodies. Below the current revision the ids stored there decide; at the current revision
//! nothing is compared at all, so the same id is written twice. With no exact revision only ids seen lately count.

use uuid::Uuid;

use super::log::Log;
use super::metadata::found;
use super::proto::append::Expected;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Write it; `revives` says that the stream was deleted and comes back by this.
    Write {
        revives: bool,
    },
    /// The ids are stored already: acknowledged again as of its last event. The position is unknown when the event
    /// is not shown any more.
    Repeated {
        last: u64,
        position: Option<u64>,
    },
    /// The ids are stored, but not yet shown: a real node drops such a repeat without an answer.
    RepeatedTooEarly,
    /// `None`: there is no stream.
    Wrong {
        current: Option<u64>,
    },
    Deleted,
}

/// Judges a write to a stream. `mark` is where readers' sight ends.
pub fn decide(log: &Log, mark: usize, stream: &str, expected: Expected, ids: &[Uuid]) -> Verdict {
    let state = log.stream(stream);
    if state.is_some_and(|state| state.tombstoned) {
        return Verdict::Deleted;
    }
    let current = state.map_or(-1, super::log::Stream::last);
    let deleted = state.is_some_and(|state| state.limits.deleted());
    let wrong = Verdict::Wrong { current: u64::try_from(current).ok() };
    let expected = match expected {
        Expected::Any(_) => return loosely(log, mark, stream, deleted, wrong, ids),
        Expected::StreamExists(_) if deleted => return Verdict::Deleted,
        Expected::StreamExists(_) => {
            let described = || log.stream(&format!("$${stream}")).is_some_and(|meta| meta.last() >= 0);
            if current < 0 && !described() {
                return wrong;
            }
            return loosely(log, mark, stream, deleted, wrong, ids);
        }
        Expected::NoStream(_) => -1,
        Expected::Revision(revision) => revision.cast_signed(),
    };
    if expected >= current {
        return if expected == current { Verdict::Write { revives: deleted } } else { wrong };
    }
    for (revision, id) in (expected + 1..).zip(ids) {
        let stored = log.at(stream, revision.cast_unsigned()).is_some_and(|entry| entry.id == *id);
        if !stored {
            let revives = revision == expected + 1 && expected == -1 && deleted;
            return if revives { Verdict::Write { revives } } else { wrong };
        }
    }
    if ids.is_empty() {
        return wrong;
    }
    repeated(log, mark, stream, (expected + i64::try_from(ids.len()).unwrap()).cast_unsigned())
}

/// With no exact revision: known when every id was written to this stream lately, a conflict when only the first were.
fn loosely(log: &Log, mark: usize, stream: &str, deleted: bool, wrong: Verdict, ids: &[Uuid]) -> Verdict {
    let mut last = None;
    for id in ids {
        match log.remembered(stream, *id) {
            Some(revision) => last = Some(revision),
            None if last.is_none() => return Verdict::Write { revives: deleted },
            None => return wrong,
        }
    }
    last.map_or(Verdict::Write { revives: deleted }, |last| repeated(log, mark, stream, last))
}

fn repeated(log: &Log, mark: usize, stream: &str, last: u64) -> Verdict {
    let Some(state) = log.stream(stream) else { return Verdict::RepeatedTooEarly };
    if (state.visible(mark) as u64) <= last {
        return Verdict::RepeatedTooEarly;
    }
    let shown = found(Some(state), mark) == super::metadata::Found::Yes
        && last >= state.limits.first(stream, state.last().cast_unsigned());
    let position = log.at(stream, last).filter(|_| shown).map(|entry| entry.position);
    Verdict::Repeated { last, position }
}
