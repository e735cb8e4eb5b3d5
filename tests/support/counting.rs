//! [`Counting`] is a journal that counts how many single events are read of it. A read's cost is told by that, however
//! fast the machine is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bookonce::store::codec::Line;
use bookonce::store::{Journal, ReadError, Reader};

/// A `Counting` is a journal that counts the events that are read of it.
pub struct Counting {
    pub inner: Reader,
    pub events: Arc<AtomicUsize>,
}

impl Journal for Counting {
    fn lines(&self, after: u64, limit: usize) -> Result<Vec<u8>, ReadError> {
        self.inner.lines(after, limit)
    }

    fn event(&self, position: u64) -> Result<Line, ReadError> {
        self.events.fetch_add(1, Ordering::SeqCst);
        self.inner.event(position)
    }

    fn close(&self) {
        self.inner.close();
    }
}
