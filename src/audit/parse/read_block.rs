//! A block: some rows or lines of a journal, read at once, checked by themselves on any thread.

use crate::audit::parse::event_line;
use crate::audit::values::chain::{self, Chain, Hash, Hasher};
use crate::audit::values::event::Event;
use crate::audit::values::finding::Flaw;

/// The longest line that can be an event's: a request has at most 64 KiB, and each of its bytes at most six in JSON.
pub(crate) const LONGEST_LINE: usize = 1 << 20;
/// What stands at the end of each line: the hash's 64 digits, `"}` and a line feed.
const TAIL: usize = 64 + 3;

/// What a row of the journal's table says of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowClaim {
    /// The position of its first event.
    pub(crate) first: i64,
    /// How many events it has.
    pub(crate) count: i64,
    /// The time of its first event.
    pub(crate) recorded_at: Vec<u8>,
}

/// A row, or a run of lines of a file, which claims nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// What it says, in a table.
    pub(crate) claim: Option<RowClaim>,
    /// Where in the block it ends.
    pub(crate) end: usize,
}

/// Rows as they were read. Blocks are handed round and filled again, so that the memory of a run is bounded.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The lines, each with its line feed.
    pub(crate) bytes: Vec<u8>,
    /// How they are parted.
    pub(crate) rows: Vec<Row>,
    /// The hash that stands before the first line, where it is known.
    pub(crate) previous: Option<Hash>,
    /// What the source found wrong behind the last row.
    pub(crate) broken: Option<Flaw>,
    /// The position of what it found, where it knows that.
    pub(crate) says: Option<u64>,
}

impl Block {
    /// Empties it.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
        self.previous = None;
        self.broken = None;
        self.says = None;
    }

    /// The hash that its last line says it has. A line that does not end so is found to be wrong by [`read`](Self::read).
    #[must_use]
    pub(crate) fn last_hash(&self) -> Option<Hash> {
        last_hash(&self.bytes)
    }

    /// Reads every line, up to the first that is wrong by itself. Where the chain runs along each stream, what a line is
    /// chained to is not checked here: that needs the streams up to it.
    pub(crate) fn read(&self, chain: Chain, hasher: &mut Hasher, into: &mut ParsedLines) {
        into.events.clear();
        into.rows.clear();
        (into.broken, into.says) = (None, None);
        let mut previous = self.previous.filter(|_| chain == Chain::Journal);
        let mut at = 0;
        for row in &self.rows {
            while at < row.end && into.broken.is_none() {
                let line = self.bytes.get(at..row.end).unwrap_or_default();
                let begin = at;
                let read = match memchr::memchr(b'\n', line) {
                    None => Err(Flaw::Cut),
                    Some(length) => {
                        let end = at.saturating_add(length);
                        let whole = self.bytes.get(..end).unwrap_or_default();
                        at = end.saturating_add(1);
                        event_line::read(whole, begin, previous.as_ref(), hasher)
                    }
                };
                match read {
                    Ok(event) => {
                        previous = Some(event.hash).filter(|_| chain == Chain::Journal);
                        into.events.push(event);
                    }
                    Err(flaw) => {
                        into.broken = Some(flaw);
                        into.says = event_line::position(&self.bytes, begin);
                    }
                }
            }
            into.rows.push(into.events.len());
            if into.broken.is_some() {
                return;
            }
        }
    }
}

/// The hash at the end of the last of some lines.
#[must_use]
pub(crate) fn last_hash(lines: &[u8]) -> Option<Hash> {
    let tail = lines.get(lines.len().checked_sub(TAIL)?..)?;
    chain::read(tail.get(..64)?).filter(|_| tail.ends_with(b"\"}\n"))
}

/// The lines of a block, read.
#[derive(Debug, Default)]
pub(crate) struct ParsedLines {
    /// Its events, up to the first line that is wrong.
    pub(crate) events: Vec<Event>,
    /// For each row that was reached, the number of events up to its end.
    pub(crate) rows: Vec<usize>,
    /// What is wrong with the line after the last event.
    pub(crate) broken: Option<Flaw>,
    /// The position that this line says it has.
    pub(crate) says: Option<u64>,
}
