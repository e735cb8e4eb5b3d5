//! A chunk is a piece of the journal that is gone through line by line, with pauses where no more messages are wanted.

use bytes::Bytes;

/// A `Chunk` has lines of the journal, and how far they were gone through. It may share its bytes with other readers.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    bytes: Bytes,
    at: usize,
}

impl Chunk {
    /// Makes one of lines, each with its line feed.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        Self { bytes, at: 0 }
    }

    /// Says whether all of it was gone through.
    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Returns the next line without its line feed, and passes it.
    pub(super) fn line(&mut self) -> Option<Bytes> {
        let rest = self.bytes.get(self.at..)?;
        let length = memchr::memchr(b'\n', rest)?;
        let end = self.at.saturating_add(length);
        let line = self.bytes.slice(self.at..end);
        self.at = end.saturating_add(1);
        Some(line)
    }
}
