//! A span says where in a block's bytes a name or a text stands, so that an event need not copy it.

/// A span is a part of a block's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Makes the span between two places of a block. A block is far shorter than 4 GiB.
    #[must_use]
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let fit = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: fit(start), end: fit(end) }
    }

    /// Gives its bytes, from the block that it was made for.
    #[must_use]
    pub(crate) fn of(self, block: &[u8]) -> &[u8] {
        block.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Gives all that stands in the block before it.
    #[must_use]
    pub(crate) fn before(self, block: &[u8]) -> Option<&[u8]> {
        block.get(..self.start as usize)
    }
}
