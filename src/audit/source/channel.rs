//! A journal comes through a channel from a store that the auditor does not know, line by line, in the journal's order.
//!
//! The channel is bounded, so that a store that is faster than the auditor waits. That the feeder goes away without saying that
//! it was at the end is an error, and is never taken for the end.

use crossbeam_channel::{Receiver, RecvError, Sender, bounded};

use crate::audit::error::Error;
use crate::audit::parse::read_block::{Block, Row};
use crate::audit::source::interface::{BLOCK_BYTES, Source, SourceInfo};
use crate::audit::values::chain::Chain;
use crate::audit::values::finding::Flaw;

/// At most this many pieces wait in the channel. A piece is a page of lines, which has some megabytes.
const WAITING: usize = 4;

/// A piece is what a feeder gives at once.
#[derive(Debug)]
enum Piece {
    /// The piece has whole lines, each with its line feed.
    Lines(Vec<u8>),
    /// There is an event that the ledger did not write, or a newer version of it.
    Unread { position: u64, flaw: Flaw },
    /// The store can't be read.
    Failed(Box<dyn std::error::Error + Send + Sync>),
    /// There are no more lines.
    End,
}

/// The auditor does not listen any more: it has found something, or was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the auditor listens no more")]
pub(crate) struct AuditorGone;

/// The feeder is the end of the channel at which lines are put in.
#[derive(Debug, Clone)]
pub(crate) struct Feeder(Sender<Piece>);

impl Feeder {
    /// Hands over the next lines, each with its line feed. Waits while the auditor is behind.
    ///
    /// # Errors
    /// Fails when nobody listens, so that there is no use in going on.
    pub(crate) fn lines(&self, lines: Vec<u8>) -> Result<(), AuditorGone> {
        self.give(Piece::Lines(lines))
    }

    /// Tells of an event in one of the ledger's streams that the ledger did not write. Nothing behind it is looked at in this
    /// stream; what comes of other streams is.
    ///
    /// # Errors
    /// Fails when nobody listens, so that there is no use in going on.
    pub(crate) fn foreign(&self, stream: String, position: u64, why: String) -> Result<(), AuditorGone> {
        self.give(Piece::Unread { position, flaw: Flaw::Foreign { stream, why } })
    }

    /// Tells of an event that a newer version of this program wrote. Nothing behind it is looked at in this stream; what
    /// comes of other streams is.
    ///
    /// # Errors
    /// Fails when nobody listens, so that there is no use in going on.
    pub(crate) fn newer(&self, stream: String, position: u64, what: String) -> Result<(), AuditorGone> {
        self.give(Piece::Unread { position, flaw: Flaw::Newer { stream, what } })
    }

    /// Says that the store can't be read.
    ///
    /// # Errors
    /// Fails when nobody listens, so that there is no use in going on.
    pub(crate) fn failed(self, why: Box<dyn std::error::Error + Send + Sync>) -> Result<(), AuditorGone> {
        self.give(Piece::Failed(why))
    }

    /// Says that there are no more lines.
    ///
    /// # Errors
    /// Fails when nobody listens.
    pub(crate) fn end(self) -> Result<(), AuditorGone> {
        self.give(Piece::End)
    }

    fn give(&self, piece: Piece) -> Result<(), AuditorGone> {
        self.0.send(piece).map_err(|_| AuditorGone)
    }
}

/// A `FedJournal` is a journal that comes through a channel, whole, and chained along its streams.
#[derive(Debug)]
pub(crate) struct FedJournal {
    info: SourceInfo,
    pieces: Receiver<Piece>,
}

/// Makes a channel: the feeder, and the journal that comes out.
#[must_use]
pub(crate) fn fed() -> (Feeder, FedJournal) {
    let (give, pieces) = bounded(WAITING);
    let info = SourceInfo::unknown(Chain::Streams, 0);
    (Feeder(give), FedJournal { info, pieces })
}

impl Source for FedJournal {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn fill(&mut self, block: &mut Block) -> Result<bool, Error> {
        let mut more = Ok(true);
        while block.bytes.len() < BLOCK_BYTES {
            match self.pieces.recv() {
                Ok(Piece::Lines(lines)) => {
                    block.bytes.extend_from_slice(&lines);
                    continue;
                }
                // The block ends here, because what is wrong stands behind its last line. The next one goes on.
                Ok(Piece::Unread { position, flaw }) => {
                    (block.broken, block.says) = (Some(flaw), Some(position));
                }
                Ok(Piece::End) => more = Ok(false),
                Ok(Piece::Failed(why)) => more = Err(Error::Store(why)),
                Err(RecvError) => more = Err(Error::Store("whoever read it has gone".into())),
            }
            break;
        }
        block.rows.push(Row { claim: None, end: block.bytes.len() });
        more
    }
}
