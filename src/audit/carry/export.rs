//! An export is the journal's lines as they are stored, and a manifest after them. The same journal gives the same bytes.

use std::io::{self, Write};
use std::path::Path;

use uuid::Uuid;

use crate::audit::error::Error;
use crate::audit::parse::cursor::Cursor;
use crate::audit::parse::manifest::Manifest;
use crate::audit::parse::read_block::{Block, last_hash};
use crate::audit::source::folder::Folder;
use crate::audit::source::interface::Source;
use crate::audit::values::chain::{self, Hash};
use crate::audit::values::finding::Findings;

/// An export error says why an export stops before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    /// The journal can't be read.
    #[error(transparent)]
    Audit(#[from] Error),
    /// The output can't be written.
    #[error("can't write the export")]
    Write(#[source] io::Error),
    /// The journal does not have the positions that were asked for.
    #[error("positions {from} to {to} can't be exported: the journal has positions 1 to {head}")]
    Range { from: u64, to: u64, head: u64 },
    /// The journal does not have the line that should come next.
    #[error(
        "the journal does not have the event at position {0} where it should be; `bookonce verify` says more"
    )]
    Broken(u64),
    /// The source has found these in place of lines.
    #[error("the journal can't be exported as a whole, so that the export has no manifest:\n{0}")]
    Bad(Findings),
    /// There are no events between the positions asked for.
    #[error("there are no events to export{}", between(*from, *to))]
    None { from: u64, to: u64 },
}

/// Says where nothing was found, when only a part was asked for.
fn between(from: u64, to: u64) -> String {
    match (from, to) {
        (1, u64::MAX) => String::new(),
        (_, u64::MAX) => format!(" from position {from} on"),
        _ => format!(" between the positions {from} and {to}"),
    }
}

/// An exporter takes lines and writes an export: it leaves out what was not asked for, and keeps what the manifest needs.
#[derive(Debug)]
pub(crate) struct Exporter<W> {
    out: W,
    journal_id: Uuid,
    from: u64,
    to: u64,
    /// This is the position that comes next. It begins one before `from`, because the hash there is needed.
    next: u64,
    previous: Hash,
    first: Option<Hash>,
    last: Option<Hash>,
}

impl<W: Write> Exporter<W> {
    /// Begins an export of these positions (by default all) of the journal with this id and head.
    ///
    /// # Errors
    /// Fails when the journal does not have these positions.
    pub(crate) fn new(
        out: W,
        journal_id: Uuid,
        head: u64,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<Self, ExportError> {
        let (from, to) = (from.unwrap_or(1), to.unwrap_or(head));
        let all_of_nothing = from == 1 && to == 0 && head == 0;
        if !all_of_nothing && (from == 0 || from > to || to > head) {
            return Err(ExportError::Range { from, to, head });
        }
        let (next, previous) = (from.saturating_sub(1).max(1), chain::genesis(journal_id));
        Ok(Self { out, journal_id, from, to, next, previous, first: None, last: None })
    }

    /// Says the position of the line that it needs next; none when it has all.
    #[must_use]
    pub(crate) fn wants(&self) -> Option<u64> {
        (self.next <= self.to).then_some(self.next)
    }

    /// Takes lines, which may begin before and end after what it needs.
    ///
    /// # Errors
    /// Fails when a line is not the one that comes next, or can't be written.
    pub(crate) fn take(&mut self, lines: &[u8]) -> Result<(), ExportError> {
        let broken = |position| move || ExportError::Broken(position);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            if self.next > self.to {
                return Ok(());
            }
            let mut cursor = Cursor::new(line, 0);
            let position = cursor.literal("{\"position\":").and_then(|()| cursor.number()).ok();
            let position = position.ok_or_else(broken(self.next))?;
            if position < self.next {
                continue;
            }
            let hash = last_hash(line).filter(|_| position == self.next).ok_or_else(broken(self.next))?;
            self.next = self.next.saturating_add(1);
            if position < self.from {
                self.previous = hash;
                continue;
            }
            self.first.get_or_insert(hash);
            self.last = Some(hash);
            self.out.write_all(line).map_err(ExportError::Write)?;
        }
        Ok(())
    }

    /// Writes the manifest, and returns it.
    ///
    /// # Errors
    /// Fails when lines are missing, or it can't be written.
    pub(crate) fn finish(mut self) -> Result<Manifest, ExportError> {
        if self.next <= self.to {
            return Err(ExportError::Broken(self.next));
        }
        let manifest = Manifest {
            journal_id: self.journal_id,
            from: self.from,
            to: self.to,
            count: self.to.saturating_add(1).saturating_sub(self.from),
            first_hash: Some(self.first.unwrap_or(self.previous)),
            last_hash: self.last.unwrap_or(self.previous),
            previous_hash: self.previous,
        };
        self.out.write_all(manifest.line().as_bytes()).map_err(ExportError::Write)?;
        self.out.flush().map_err(ExportError::Write)?;
        Ok(manifest)
    }
}

/// Exports from a data folder, up to the head that it has when this begins.
///
/// # Errors
/// Fails when the folder can't be read, the output can't be written, or lines are missing.
pub(crate) fn from_folder(
    folder: &Path,
    (from, to): (Option<u64>, Option<u64>),
    out: impl Write,
    progress: &dyn Fn(u64),
) -> Result<Manifest, ExportError> {
    let mut source = Folder::open(folder)?;
    let info = source.info();
    let journal_id = info.journal_id.unwrap_or_default();
    let mut exporter = Exporter::new(out, journal_id, info.last.unwrap_or(0), from, to)?;
    if let Some(position) = exporter.wants() {
        source.skip_to(position)?;
    }
    let mut block = Block::default();
    while let Some(next) = exporter.wants() {
        block.clear();
        let more = source.fill(&mut block)?;
        exporter.take(&block.bytes)?;
        progress(next);
        if !more {
            break;
        }
    }
    exporter.finish()
}
