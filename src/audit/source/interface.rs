//! A source gives what is known of a journal before its first event, and then its lines, block by block.

use uuid::Uuid;

use crate::audit::error::Error;
use crate::audit::parse::manifest::Manifest;
use crate::audit::parse::read_block::Block;
use crate::audit::values::chain::{Chain, Hash};
use crate::audit::values::finding::Flaw;

/// A block has about this many bytes.
pub(super) const BLOCK_BYTES: usize = 512 * 1024;

/// A `SourceInfo` says what a source knows of a journal before it gives the first event.
#[derive(Debug, Clone)]
pub(crate) struct SourceInfo {
    /// This is what the events are chained to.
    pub(crate) chain: Chain,
    /// This says whether the first event that is to come is the journal's first.
    pub(crate) begins: bool,
    /// This is the journal's id, where the source says it.
    pub(crate) journal_id: Option<Uuid>,
    /// This is the position of the first event that is to come; 1 where that is not known (along streams, without a
    /// manifest).
    pub(crate) from: u64,
    /// This is the hash before it, where the source says it or it follows from the journal's id. Along streams: the
    /// running one.
    pub(crate) previous: Option<Hash>,
    /// This is the position of the last event that is to come, where the source says it. Nothing must rely on it.
    pub(crate) last: Option<u64>,
    /// This is how many bytes the journal has, about. It bounds the memory that is made ready.
    pub(crate) bytes: u64,
    /// This is the last line of a file, when it is a manifest, or what is wrong with that.
    pub(crate) manifest: Option<Result<Manifest, Flaw>>,
}

impl SourceInfo {
    /// Says all that is known of a journal of about so many bytes, which begins with its first event.
    #[must_use]
    pub(crate) fn unknown(chain: Chain, bytes: u64) -> Self {
        let (journal_id, previous, last, manifest) = (None, None, None, None);
        Self { chain, begins: true, journal_id, from: 1, previous, last, bytes, manifest }
    }
}

/// A source is a journal that is read once, from its beginning.
pub(crate) trait Source: Send {
    /// Says what is known before the first event.
    fn info(&self) -> &SourceInfo;

    /// Fills an empty block with the next lines. Gives `false` when there are no more after them.
    ///
    /// # Errors
    /// Fails when the lines can't be read.
    fn fill(&mut self, block: &mut Block) -> Result<bool, Error>;
}
