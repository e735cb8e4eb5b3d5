//! `export` of a journal that is chained along its streams. Whatever part is asked for, it is read from the beginning: the
//! head's hash before the part runs over all events that went before.

use std::io::Write;

use uuid::Uuid;

use super::block::{Block, last_hash};
use super::chain::{self, Hash};
use super::export::ExportError;
use super::flaw::{Finding, Place};
use super::line;
use super::manifest::Manifest;
use super::source::Source;

/// Exports the events at these positions (by default all) and those between them, as far as the source goes.
///
/// # Errors
/// When the source can't be read or the export written, there are no events there, or a line is none or does not come
/// after the one before.
pub fn from_streams(
    source: &mut dyn Source,
    (from, to): (Option<u64>, Option<u64>),
    mut out: impl Write,
    progress: &dyn Fn(u64),
) -> Result<Manifest, ExportError> {
    let (from, to) = (from.unwrap_or(1), to.unwrap_or(u64::MAX));
    let mut head = Head::default();
    let mut part: Option<Manifest> = None;
    let mut block = Block::default();
    let (mut more, mut passed) = (true, false);
    while more && !passed {
        block.clear();
        more = source.fill(&mut block)?;
        for line in block.bytes.split_inclusive(|byte| *byte == b'\n') {
            let position = line::position(line, 0).filter(|position| *position > head.position);
            let position = position.ok_or(ExportError::Broken(head.position + 1))?;
            passed = position > to;
            if passed {
                break;
            }
            let (journal_id, previous_hash, last_hash) = head.take(line, position)?;
            if position < from {
                continue;
            }
            out.write_all(line).map_err(ExportError::Write)?;
            let (from, first_hash, count) = (position, None, 0);
            let part = part.get_or_insert(Manifest {
                journal_id,
                from,
                to: position,
                count,
                first_hash,
                last_hash,
                previous_hash,
            });
            (part.to, part.last_hash, part.count) = (position, last_hash, part.count + 1);
        }
        let position = block.says.unwrap_or(head.position + 1);
        if let Some(flaw) = block.broken.take().filter(|_| !passed && position <= to) {
            return Err(ExportError::Bad(Finding { place: Place::Position(position), flaw }));
        }
        progress(head.events);
    }
    let manifest = part.ok_or(ExportError::None { from, to })?;
    out.write_all(manifest.line().as_bytes()).map_err(ExportError::Write)?;
    out.flush().map_err(ExportError::Write)?;
    Ok(manifest)
}

/// The journal's head after the lines that were read.
#[derive(Debug, Default)]
struct Head {
    position: u64,
    events: u64,
    /// The journal's id and the hash.
    begun: Option<(Uuid, Hash)>,
}

impl Head {
    /// Takes a line. Gives the journal's id, and the head's hash before the line and with it.
    fn take(&mut self, line: &[u8], position: u64) -> Result<(Uuid, Hash, Hash), ExportError> {
        let broken = || ExportError::Broken(position);
        let hash = last_hash(line).ok_or_else(broken)?;
        let (journal_id, before) = match self.begun {
            Some(begun) => begun,
            None => {
                let id = event_id(line).ok_or_else(broken)?;
                (id, chain::genesis(id))
            }
        };
        let after = chain::running(&before, &hash);
        *self = Self { position, events: self.events + 1, begun: Some((journal_id, after)) };
        Ok((journal_id, before, after))
    }
}

/// The id of the event in this line.
fn event_id(line: &[u8]) -> Option<Uuid> {
    const KEY: &[u8] = b"\"event_id\":\"";
    // No name before it can have a quote, so the first one is the key.
    let start = memchr::memmem::find(line, KEY)? + KEY.len();
    let id = line.get(start..)?.first_chunk()?;
    chain::read_uuid(id).map(Uuid::from_u128)
}
