//! This export is of a journal that is chained along its streams.
//!
//! Whatever part is asked for, the journal is read from its beginning, because the head hash before the part covers all events
//! before it.

use std::io::Write;

use uuid::Uuid;

use crate::audit::carry::export::ExportError;
use crate::audit::parse::event_line;
use crate::audit::parse::manifest::Manifest;
use crate::audit::parse::read_block::{Block, last_hash};
use crate::audit::source::interface::Source;
use crate::audit::values::chain::{self, Hash};
use crate::audit::values::finding::{Finding, Findings, Place};

/// A streams exporter takes a journal's lines from the first on, and writes an export.
#[derive(Debug)]
pub(crate) struct StreamsExporter<W> {
    out: W,
    from: u64,
    to: u64,
    /// This is the position of the last line taken.
    at: u64,
    events: u64,
    /// This is the journal's id, and the head hash after the last line taken.
    head: Option<(Uuid, Hash)>,
    part: Option<Manifest>,
}

impl<W: Write> StreamsExporter<W> {
    /// Begins an export of the events from one position to another (by default all).
    pub(crate) fn new(out: W, from: Option<u64>, to: Option<u64>) -> Self {
        let (from, to) = (from.unwrap_or(1), to.unwrap_or(u64::MAX));
        Self { out, from, to, at: 0, events: 0, head: None, part: None }
    }

    /// Says after which position it needs lines; none when it has all.
    #[must_use]
    pub(crate) fn wants_after(&self) -> Option<u64> {
        (self.at < self.to).then_some(self.at)
    }

    /// Says how many events were read.
    #[must_use]
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// Takes the lines that come next.
    ///
    /// # Errors
    /// Fails when a line is no event's or does not come after the one before, or can't be written.
    pub(crate) fn take(&mut self, lines: &[u8]) -> Result<(), ExportError> {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let position = event_line::position(line, 0).filter(|position| *position > self.at);
            let position = position.ok_or(ExportError::Broken(self.at.saturating_add(1)))?;
            if position > self.to {
                self.at = self.to;
                return Ok(());
            }
            let (journal_id, previous_hash, last_hash) =
                self.follow(line).ok_or(ExportError::Broken(position))?;
            (self.at, self.events) = (position, self.events.saturating_add(1));
            if position < self.from {
                continue;
            }
            self.out.write_all(line).map_err(ExportError::Write)?;
            let (from, to, first_hash, count) = (position, position, None, 0);
            let begun = Manifest { journal_id, from, to, count, first_hash, last_hash, previous_hash };
            let part = self.part.get_or_insert(begun);
            (part.to, part.last_hash, part.count) = (position, last_hash, part.count.saturating_add(1));
        }
        Ok(())
    }

    /// Gives the journal's id, and the head hash before this line and after it.
    fn follow(&mut self, line: &[u8]) -> Option<(Uuid, Hash, Hash)> {
        let hash = last_hash(line)?;
        let (journal_id, before) = match self.head {
            Some(head) => head,
            None => event_id(line).map(|id| (id, chain::genesis(id)))?,
        };
        let after = chain::running(&before, &hash);
        self.head = Some((journal_id, after));
        Some((journal_id, before, after))
    }

    /// Writes the manifest, and returns it.
    ///
    /// # Errors
    /// Fails when there were no events between the positions, or it can't be written.
    pub(crate) fn finish(mut self) -> Result<Manifest, ExportError> {
        let manifest = self.part.ok_or(ExportError::None { from: self.from, to: self.to })?;
        self.out.write_all(manifest.line().as_bytes()).map_err(ExportError::Write)?;
        self.out.flush().map_err(ExportError::Write)?;
        Ok(manifest)
    }
}

/// Exports from a source that begins with the journal's first event, as far as it goes. An event that the ledger did not
/// write is left out, and then there is no manifest: an export that lacks something is none, and what it has is of use.
///
/// # Errors
/// Fails when the source can't be read or has found something wrong, and as [`StreamsExporter::take`] and
/// [`StreamsExporter::finish`].
pub(crate) fn from_streams(
    source: &mut dyn Source,
    (from, to): (Option<u64>, Option<u64>),
    out: impl Write,
    progress: &dyn Fn(u64),
) -> Result<Manifest, ExportError> {
    let mut exporter = StreamsExporter::new(out, from, to);
    let mut block = Block::default();
    let mut more = true;
    let mut findings = Findings::default();
    while more && exporter.wants_after().is_some() {
        block.clear();
        more = source.fill(&mut block)?;
        exporter.take(&block.bytes)?;
        if let (Some(flaw), Some(after)) = (block.broken.take(), exporter.wants_after()) {
            let position = block.says.unwrap_or(after.saturating_add(1));
            if position <= to.unwrap_or(u64::MAX) {
                findings.add(Finding { place: Place::Position(position), flaw });
            }
        }
        progress(exporter.events());
    }
    if findings.first().is_some() {
        exporter.out.flush().map_err(ExportError::Write)?;
        return Err(ExportError::Bad(findings));
    }
    exporter.finish()
}

/// Reads the id of the event in this line.
fn event_id(line: &[u8]) -> Option<Uuid> {
    const KEY: &[u8] = b"\"event_id\":\"";
    // No name before it can have a quote, so the first one is the key.
    let key = memchr::memmem::find(line, KEY)?;
    let id = line.get(key..)?.strip_prefix(KEY)?.first_chunk()?;
    chain::read_uuid(id).map(Uuid::from_u128)
}
