//! A block is some rows or lines of a journal that were read at once.
//!
//! The lines of a block are parsed and checked by themselves, so that any thread can do it.

use crate::audit::parse::{event_line, newer};
use crate::audit::values::chain::{self, Chain, Hash, Hasher};
use crate::audit::values::event::Event;
use crate::audit::values::finding::Flaw;
use crate::audit::values::span::Span;

/// No event has a longer line: a request has at most 64 KiB, and each of its bytes takes at most six in JSON.
pub(crate) const LONGEST_LINE: usize = 1 << 20;
/// Each line ends with this many bytes of known form: the hash's 64 digits, `"}` and a line feed.
const TAIL: usize = 64 + 3;

/// A row's claim is what the journal's table says of the events in the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowClaim {
    /// This is the position of its first event.
    pub(crate) first: i64,
    /// This is how many events it has.
    pub(crate) count: i64,
    /// This is the time of its first event.
    pub(crate) recorded_at: Vec<u8>,
}

/// A `Row` is a row of the journal's table, or some lines of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// This is what the table says of it. Lines of a file claim nothing.
    pub(crate) claim: Option<RowClaim>,
    /// This is the place in the block where it ends.
    pub(crate) end: usize,
}

/// A block holds rows as they were read. Blocks are filled again and again, so that the memory of an audit is bounded.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// These are the lines, each with its line feed.
    pub(crate) bytes: Vec<u8>,
    /// These are the rows that the lines belong to.
    pub(crate) rows: Vec<Row>,
    /// This is the hash that stands before the first line, where it is known.
    pub(crate) previous: Option<Hash>,
    /// This is what the source found wrong behind the last row.
    pub(crate) broken: Option<Flaw>,
    /// This is the position of what the source found, where it knows that.
    pub(crate) says: Option<u64>,
}

impl Block {
    /// Empties the block.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
        self.previous = None;
        self.broken = None;
        self.says = None;
    }

    /// Gives the hash that the last line says it has. A last line without one is found to be wrong by [`parse`](Self::parse).
    #[must_use]
    pub(crate) fn last_hash(&self) -> Option<Hash> {
        last_hash(&self.bytes)
    }

    /// Parses every line. A line that is wrong by itself is put beside the others. Where the chain runs along each stream, what
    /// a line is chained to is not checked here: that needs the streams up to it.
    pub(crate) fn parse(&self, chain: Chain, hasher: &mut Hasher, into: &mut ParsedLines) {
        into.lines.clear();
        into.rows.clear();
        let mut previous = self.previous.filter(|_| chain == Chain::Journal);
        let mut at = 0;
        for row in &self.rows {
            while at < row.end {
                let begin = at;
                let line = self.bytes.get(at..row.end).unwrap_or_default();
                let length = memchr::memchr(b'\n', line);
                let end = at.saturating_add(length.unwrap_or(line.len()));
                let whole = self.bytes.get(..end).unwrap_or_default();
                at = end.saturating_add(usize::from(length.is_some()));
                let read = match length {
                    None => Err(Flaw::Cut),
                    Some(_) => event_line::read(whole, begin, previous.as_ref(), hasher),
                };
                previous = match &read {
                    Ok(event) => Some(event.hash),
                    // The next line is held against what this one says of itself.
                    Err(_) => last_hash(self.bytes.get(begin..at).unwrap_or_default()),
                }
                .filter(|_| chain == Chain::Journal);
                into.lines.push(read.map_err(|flaw| {
                    let flaw = newer::of(whole, begin, &flaw, hasher).unwrap_or(flaw);
                    let alone = (flaw == Flaw::Chain).then(|| event_line::read(whole, begin, None, hasher));
                    let event = alone.and_then(Result::ok);
                    let says = event_line::position(&self.bytes, begin);
                    let is_newer = flaw.is_newer();
                    let stream = event_line::stream_of(whole, begin)
                        .or_else(|| event_line::named_stream(whole, begin).filter(|_| is_newer));
                    Box::new(BrokenLine { flaw, says, stream, event })
                }));
            }
            into.rows.push(into.lines.len());
        }
    }
}

/// Gives the hash at the end of the last of some lines.
#[must_use]
pub(crate) fn last_hash(lines: &[u8]) -> Option<Hash> {
    let tail = lines.get(lines.len().checked_sub(TAIL)?..)?;
    chain::read(tail.get(..64)?).filter(|_| tail.ends_with(b"\"}\n"))
}

/// A parsed line is an event, or a line that is wrong by itself.
pub(crate) type ParsedLine = Result<Event, Box<BrokenLine>>;

/// Parsed lines are what the lines of a block say.
#[derive(Debug, Default)]
pub(crate) struct ParsedLines {
    /// These are the lines of the block.
    pub(crate) lines: Vec<ParsedLine>,
    /// This is, for each row, the number of lines up to its end.
    pub(crate) rows: Vec<usize>,
}

/// A broken line is one that is wrong by itself.
#[derive(Debug)]
pub(crate) struct BrokenLine {
    /// This is what is wrong with it.
    pub(crate) flaw: Flaw,
    /// This is the position that it says it has.
    pub(crate) says: Option<u64>,
    /// This is the name of the stream that it says it is in.
    pub(crate) stream: Option<Span>,
    /// This is the event, where only its hash does not follow from the one before it. That one may be missing or changed.
    pub(crate) event: Option<Event>,
}
