//! [`Reader`] gives the journal as lines in the order of `$all`, rebuilt from the store's events. Its calls block, so they
//! are made from threads that may block.

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Handle;

use crate::store::codec::Line;
use crate::store::{Journal, ReadError};

use super::{Error, Foreign, Recorded, Store};

/// This is how many events are read at the same time, when each is asked for by itself.
const AT_ONCE: usize = 16;
/// This is how many events are read together at most.
const PAGE: usize = 1_000;

/// A `Reader` reads a store's journal from threads that may block.
#[derive(Clone, Debug)]
pub struct Reader {
    store: Store,
    runtime: Handle,
}

impl Reader {
    /// Makes a reader of this store.
    #[must_use]
    pub fn new(store: Store, runtime: Handle) -> Self {
        Self { store, runtime }
    }
}

impl Store {
    /// Reads the events at these positions, in their order. A position without an event is left out.
    ///
    /// # Errors
    /// Fails when the store can't be read.
    pub async fn all_at(&self, positions: &[u64]) -> Result<Vec<Recorded>, Error> {
        let found = stream::iter(positions.to_vec()).map(|position| self.at(position)).buffered(AT_ONCE);
        found.try_filter_map(async |found| Ok(found)).try_collect().await
    }
}

impl Journal for Reader {
    fn lines(&self, after: u64, limit: usize) -> Result<Vec<u8>, ReadError> {
        let mut out = Vec::new();
        let (mut after, mut left) = (after, limit);
        while left > 0 {
            let page = self.runtime.block_on(self.store.journal(after, left.min(PAGE)))?;
            let Some(last) = page.last() else { break };
            after = last.position;
            for recorded in &page {
                match recorded.line() {
                    Ok(line) => {
                        out.extend_from_slice(&line);
                        out.push(b'\n');
                        left -= 1;
                    }
                    // The rest is for a newer version to show; nothing behind it is shown without it.
                    Err(foreign) if foreign.newer().is_some() => {
                        return if out.is_empty() { Err(read_error(foreign)) } else { Ok(out) };
                    }
                    // It is not an event of the ledger: the journal does not show it. `verify` reports it, and its account
                    // is found to be damaged.
                    Err(foreign) => {
                        tracing::debug!(position = recorded.position, %foreign, "left out of the journal");
                    }
                }
            }
        }
        Ok(out)
    }

    fn line(&self, position: u64) -> Result<Vec<u8>, ReadError> {
        let found = self.runtime.block_on(self.store.at(position))?;
        let mut line = found.as_ref().ok_or_else(|| missing(position))?.line().map_err(read_error)?;
        line.push(b'\n');
        Ok(line)
    }

    fn event(&self, position: u64) -> Result<Line, ReadError> {
        let found = self.runtime.block_on(self.store.at(position))?;
        line(position, found.as_ref())
    }

    fn events(&self, positions: &[u64]) -> Result<Vec<Line>, ReadError> {
        let found = self.runtime.block_on(self.store.all_at(positions))?;
        let mut found = found.iter().peekable();
        positions
            .iter()
            .map(|position| line(*position, found.next_if(|recorded| recorded.position == *position)))
            .collect()
    }
}

fn line(position: u64, found: Option<&Recorded>) -> Result<Line, ReadError> {
    let read = found.ok_or_else(|| missing(position))?.read();
    read.map(|read| read.line).map_err(read_error)
}

fn missing(position: u64) -> ReadError {
    ReadError::Damaged(format!("there is no event at position {position} any more").into())
}

/// An event of a newer version can't be read by this one, and is no damage.
fn read_error(foreign: Foreign) -> ReadError {
    match foreign.newer() {
        Some(newer) => Error::Newer(newer).into(),
        None => ReadError::Damaged(foreign.into()),
    }
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        match error {
            Error::Unreachable(_)
            | Error::Untrusted(_)
            | Error::Dropped(_)
            | Error::NoSuchPosition(_)
            | Error::Newer(_) => Self::Unreachable(error.into()),
            Error::Deleted | Error::Damaged(_) => Self::Damaged(error.into()),
            Error::Settings(_) | Error::Denied | Error::TooLarge => Self::Failed(error.into()),
        }
    }
}
