//! [`Watched`] is a destination that another instance serves, looked at for something to send: the flow of who would take it
//! now says whether there is anything to do.
//!
//! It reads the journal's tail as who serves does, up to the first message that could be sent, and begins anew when something
//! was recorded of the destination.

use std::time::{Duration, Instant};

use crate::domain::delivery::flow::{Flow, Next};
use crate::domain::time::Timestamp;
use crate::tasks;

use super::beats::Beats;
use super::chosen::{Chooser, for_flow};
use super::feed::Feed;

/// A `Watched` is a destination as it stands at a revision, and what was read behind that.
pub(super) struct Watched {
    /// This is the revision.
    pub(super) revision: u64,
    pub(super) flow: Flow,
    pub(super) feed: Feed,
    pub(super) chooser: Chooser,
    pub(super) beats: Beats,
    /// This is true where a line is none that this program knows: nothing is read any more.
    pub(super) is_blind: bool,
}

impl Watched {
    /// Says whether there is something to send. Where there is nothing yet, it waits for so long at most.
    pub(super) async fn finds_work(&mut self, wall: Timestamp, most: Duration) -> bool {
        let end: Option<Instant> = tasks::now().checked_add(most);
        loop {
            if self.has_work(wall) {
                return true;
            }
            let left = end.map(|end| end.saturating_duration_since(tasks::now())).unwrap_or_default();
            if self.is_blind || left.is_zero() {
                tasks::sleep(left).await;
                return false;
            }
            match tasks::timeout(left, self.feed.fill()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return self.has_work(wall),
            }
        }
    }

    fn has_work(&mut self, wall: Timestamp) -> bool {
        loop {
            if !matches!(self.flow.next(&self.beats.beat(wall)), Next::Wait(_)) {
                return true;
            }
            if self.is_blind {
                return false;
            }
            let Some(line) = self.feed.chunk.line() else { return false };
            match self.chooser.look(&line) {
                Ok((position, None)) => self.flow.read_to(position),
                Ok((_, Some(message))) => self.flow.offer(for_flow(&message)),
                Err(_) => self.is_blind = true,
            }
        }
    }
}
