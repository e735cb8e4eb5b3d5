//! [`Newest`] says how far the store is, as its leader says, without reading all that is in between.

use eventstore::{Client, Position, ReadAllOptions, StreamPosition};

use super::node::{From, Range};
use super::{Error, Recorded, Store, Way};
use crate::domain::stream::StreamName;

/// This is how many records are read back at once after the first one alone, which is mostly the ledger's.
const PAGE: std::ops::RangeInclusive<usize> = 64..=4_096;

/// A `Newest` says where a store ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Newest {
    /// This is the ledger's last event behind the place from which it was looked for, if there is one.
    pub ours: Option<u64>,
    /// This is the last record of all, of whatever stream.
    pub last: u64,
}

impl Store {
    /// Looks for the ledger's last event behind a position, from the end back. It asks the leader.
    ///
    /// # Errors
    /// Fails when `$all` can't be read.
    pub async fn newest(&self, behind: u64) -> Result<Newest, Error> {
        let mut newest = Newest::default();
        let (mut from, mut count) = (From::End, 1);
        loop {
            let page = self.back(from, count).await?;
            if let Some(first) = page.first() {
                newest.last = newest.last.max(first.position);
            }
            let ours = page.iter().find(|record| StreamName::is_claimed(&record.stream));
            if let Some(ours) = ours.filter(|ours| ours.position > behind) {
                newest.ours = Some(ours.position);
                return Ok(newest);
            }
            match page.last().filter(|last| last.position > behind && ours.is_none()) {
                Some(last) => {
                    from = From::At(last.position);
                    count = (count * 2).clamp(*PAGE.start(), *PAGE.end());
                }
                None => return Ok(newest),
            }
        }
    }

    /// Reads records of `$all` before a place, the last first.
    async fn back(&self, from: From, count: usize) -> Result<Vec<Recorded>, Error> {
        let links = match &self.0.way {
            Way::Links(links) => links,
            Way::Node(node) => return node.all(Range { from, backwards: true, limit: count }).await,
        };
        let from = match from {
            From::Start => StreamPosition::Start,
            From::At(at) => StreamPosition::Position(Position { commit: at, prepare: at }),
            From::End => StreamPosition::End,
        };
        let mut options =
            ReadAllOptions::default().position(from).backwards().max_count(count).requires_leader(true);
        if let Some(credentials) = &links.credentials {
            options = options.authenticated(credentials.clone());
        }
        let mut found = Vec::new();
        let open = async |client: &Client| client.read_all(&options).await;
        self.read(&links.probe, open, |record| found.push(record)).await?;
        Ok(found)
    }
}
