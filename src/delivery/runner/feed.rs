//! The feed brings the journal's lines to a flow, as many as it wants.

use std::time::{Duration, Instant};

use crate::delivery::chunk::Chunk;
use crate::delivery::port::{Tail, Unreadable};
use crate::tasks;

/// This is how long it waits after the journal could not be read.
const REST: Duration = Duration::from_secs(1);

/// A `Feed` has the lines that were read and are not taken in yet.
pub(super) struct Feed {
    tail: Box<dyn Tail>,
    pub(super) chunk: Chunk,
    not_before: Option<Instant>,
}

impl Feed {
    pub(super) fn new(tail: Box<dyn Tail>) -> Self {
        Self { tail, chunk: Chunk::default(), not_before: None }
    }

    /// Waits for the next lines. The future may be dropped before it is ready. After a failure the next one is slow.
    pub(super) async fn fill(&mut self) -> Result<(), Unreadable> {
        if let Some(until) = self.not_before {
            tasks::sleep(until.saturating_duration_since(tasks::now())).await;
            self.not_before = None;
        }
        match self.tail.next().await {
            Ok(chunk) => {
                self.chunk = chunk;
                Ok(())
            }
            Err(error) => {
                self.not_before = tasks::now().checked_add(REST);
                Err(error)
            }
        }
    }
}
