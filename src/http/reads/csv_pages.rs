//! A statement as CSV is written page after page. A page is read when the one before it was sent, so that a long statement
//! takes no more memory than a short one. Where a page can't be read the answer breaks off without its end, and a client sees
//! that it is not whole.

use axum::body::{Body, Bytes};
use csv::{Terminator, Writer, WriterBuilder};
use futures_util::stream;

/// A `Failed` is why an answer breaks off.
pub(super) type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A `Pages` is a statement of several pages.
pub(super) trait Pages: Send + 'static {
    /// This is a page.
    type Page: Send;

    /// Writes the rows of a page. The first one has the names of the columns, too.
    ///
    /// # Errors
    /// Fails when a row has not as many cells as the one before it.
    fn write(&self, page: &Self::Page, is_first: bool, to: &mut Writer<Vec<u8>>) -> csv::Result<()>;

    /// Reads the page that follows; `None` after the last one.
    ///
    /// # Errors
    /// Fails when the ledger can't be read, or has not the account any more.
    fn after(&mut self, page: &Self::Page)
    -> impl Future<Output = Result<Option<Self::Page>, Failed>> + Send;
}

/// Writes a statement whose first page is `first` as CSV (RFC 4180), and reads the others when they are wanted.
pub(super) fn written<P: Pages>(pages: P, first: P::Page) -> Body {
    Body::from_stream(stream::try_unfold((pages, first, false), |(mut pages, page, is_sent)| async move {
        let page = if is_sent { pages.after(&page).await? } else { Some(page) };
        let Some(page) = page else { return Ok::<_, Failed>(None) };
        let mut out = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
        pages.write(&page, !is_sent, &mut out)?;
        Ok(Some((Bytes::from(out.into_inner()?), (pages, page, true))))
    }))
}
