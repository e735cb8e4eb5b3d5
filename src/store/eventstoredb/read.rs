//! These functions of [`Store`] read: the events of a stream, what limits a stream, the event at a position, the journal.

use std::time::Instant;

use eventstore::{
    Client, Position, ReadAllOptions, ReadStream, ReadStreamOptions, RecordedEvent, ResolvedEvent,
    StreamPosition,
};

use super::connection::{Link, Whom, is_over};
use super::hidden::cuts;
use super::names::{LAST_REVISION, METADATA};
use super::node::{From, Range};
use super::{Error, Recorded, Store, Way};
use crate::domain::stream::StreamName;

/// A `Page` has events that were read of `$all`, and says how far it was read for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// These are the ledger's events.
    pub events: Vec<Recorded>,
    /// This is the position of the last record that was looked at, of whatever stream: everything up to there was seen.
    pub seen: u64,
}

/// This is how many events of `$all` are asked for at once: the fewest and the most.
const PAGE: std::ops::RangeInclusive<usize> = 32..=4_096;

impl Store {
    /// Reads at most `limit` events of a stream from the leader, from a revision on (inclusive). There are none when the
    /// stream does not exist, or was deleted but can come back.
    ///
    /// # Errors
    /// Fails with [`Error::Deleted`] for a tombstone; otherwise when they can't be read to the end.
    pub async fn stream(&self, stream: &StreamName, from: u64, limit: usize) -> Result<Vec<Recorded>, Error> {
        if from > LAST_REVISION {
            return Ok(Vec::new());
        }
        self.some(stream.to_string(), Range { from: From::At(from), backwards: false, limit }).await
    }

    /// Reads what [`Store::stream`] reads, backwards.
    ///
    /// # Errors
    /// Fails as [`Store::stream`] does.
    pub async fn stream_back(
        &self,
        stream: &StreamName,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, Error> {
        let from = if from > LAST_REVISION { From::End } else { From::At(from) };
        self.some(stream.to_string(), Range { from, backwards: true, limit }).await
    }

    /// Asks the leader what cuts or deletes a stream. Returns `None` when nothing does.
    ///
    /// # Errors
    /// Fails with [`Error::Deleted`] for a tombstone; otherwise when it can't be read.
    pub async fn cut(&self, stream: &StreamName) -> Result<Option<String>, Error> {
        // A tombstone is not in the metadata: it is found by reading the stream.
        let (cut, found) = tokio::join!(self.limited(stream), self.stream_back(stream, u64::MAX, 1));
        found.and(cut)
    }

    /// Does what [`Store::cut`] does, but does not look for a tombstone: this is for callers that read the stream anyway.
    ///
    /// # Errors
    /// Fails when the metadata can't be read.
    pub async fn limited(&self, stream: &StreamName) -> Result<Option<String>, Error> {
        let last = Range { from: From::End, backwards: true, limit: 1 };
        let metadata = self.some(format!("{METADATA}{stream}"), last).await?;
        Ok(metadata.first().and_then(|metadata| cuts(&metadata.data)))
    }

    /// Reads the event at exactly this position of `$all`. Returns `None` when there is none. A node that follows may not
    /// have an event yet that another node showed; in that case the leader is asked.
    ///
    /// # Errors
    /// Fails when it can't be read.
    pub async fn at(&self, position: u64) -> Result<Option<Recorded>, Error> {
        match self.at_node(Whom::Any, position).await? {
            None => self.at_leader(position).await,
            found => Ok(found),
        }
    }

    /// Does what [`Store::at`] does, and asks the leader alone.
    ///
    /// # Errors
    /// Fails when it can't be read.
    pub async fn at_leader(&self, position: u64) -> Result<Option<Recorded>, Error> {
        self.at_node(Whom::Leader, position).await
    }

    async fn at_node(&self, whom: Whom, position: u64) -> Result<Option<Recorded>, Error> {
        let mut found = None;
        match self.all(whom, Some(position), 1, |event| found = Some(event)).await {
            // A node answers with this error where it has no record instead of reading on.
            Err(Error::NoSuchPosition(_)) => {}
            read => read?,
        }
        Ok(found.filter(|found| found.position == position))
    }

    /// Reads at most `limit` events of the ledger after a position, in the order of `$all`. There are fewer only at the end
    /// of `$all`.
    ///
    /// # Errors
    /// Fails with [`Error::NoSuchPosition`] when no record begins there; otherwise when `$all` can't be read.
    pub async fn journal(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, Error> {
        Ok(self.of_all(after, limit, StreamName::is_claimed).await?.events)
    }

    /// Reads what [`Store::journal`] reads, and the metadata of its streams: all that a subscription shows.
    ///
    /// # Errors
    /// Fails as [`Store::journal`] does.
    pub async fn followable(&self, after: u64, limit: usize) -> Result<Page, Error> {
        let wanted = |stream: &str| StreamName::is_claimed(stream.strip_prefix(METADATA).unwrap_or(stream));
        self.of_all(after, limit, wanted).await
    }

    async fn of_all(&self, after: u64, limit: usize, wanted: impl Fn(&str) -> bool) -> Result<Page, Error> {
        let (mut found, mut last) = (Vec::new(), after);
        let mut page = limit.saturating_add(1).clamp(*PAGE.start(), *PAGE.end());
        while found.len() < limit {
            let from = last;
            let take = |event: Recorded| {
                if event.position > last && found.len() < limit {
                    last = event.position;
                    if wanted(&event.stream) {
                        found.push(event);
                    }
                }
            };
            self.all(Whom::Any, (from > 0).then_some(from), page, take).await?;
            if last == from {
                break;
            }
            page = (page * 2).min(*PAGE.end());
        }
        Ok(Page { events: found, seen: last })
    }

    /// Reads events of `$all` from a position on (inclusive), of any stream.
    async fn all(
        &self,
        whom: Whom,
        from: Option<u64>,
        limit: usize,
        take: impl FnMut(Recorded),
    ) -> Result<(), Error> {
        let asked = from.unwrap_or_default();
        let links = match &self.0.way {
            Way::Links(links) => links,
            Way::Node(node) => {
                let from = from.map_or(From::Start, From::At);
                node.all(Range { from, backwards: false, limit }).await?.into_iter().for_each(take);
                return Ok(());
            }
        };
        let from = from.map_or(StreamPosition::Start, |from| {
            StreamPosition::Position(Position { commit: from, prepare: from })
        });
        let mut options = ReadAllOptions::default().position(from).forwards().max_count(limit);
        if let Some(credentials) = &links.credentials {
            options = options.authenticated(credentials.clone());
        }
        let read =
            self.read(links.to(whom), async |client: &Client| client.read_all(&options).await, take).await;
        read.map_err(|error| {
            let nowhere = matches!(&error, Error::Unreachable(why) if is_no_place(why));
            if nowhere { Error::NoSuchPosition(asked) } else { error }
        })
    }

    async fn some(&self, stream: String, range: Range) -> Result<Vec<Recorded>, Error> {
        if range.limit == 0 {
            return Ok(Vec::new());
        }
        let links = match &self.0.way {
            Way::Links(links) => links,
            Way::Node(node) => return node.stream(stream, range).await,
        };
        let from = match range.from {
            From::Start => StreamPosition::Start,
            From::At(revision) => StreamPosition::Position(revision),
            From::End => StreamPosition::End,
        };
        let options = ReadStreamOptions::default().position(from);
        let options = if range.backwards { options.backwards() } else { options.forwards() };
        let mut options = options.requires_leader(true).max_count(range.limit);
        if let Some(credentials) = &links.credentials {
            options = options.authenticated(credentials.clone());
        }
        let mut found = Vec::new();
        let open = async |client: &Client| client.read_stream(stream.as_str(), &options).await;
        self.read(&links.leader, open, |event| found.push(event)).await?;
        Ok(found)
    }

    /// Opens a read and takes all of its events. It is an error when the end is not reached.
    pub(super) async fn read(
        &self,
        link: &Link,
        open: impl AsyncFnOnce(&Client) -> Result<ReadStream, eventstore::Error>,
        mut take: impl FnMut(Recorded),
    ) -> Result<(), Error> {
        let live = link.live().await?;
        let begun = Instant::now();
        let patience = self.0.patience.read;
        let read = async {
            let Ok(opened) = tokio::time::timeout(patience, open(&live.client)).await else {
                return Err(Trouble::Silence);
            };
            let mut reading = opened?;
            link.took(begun, false);
            loop {
                match tokio::time::timeout(patience, reading.next()).await {
                    Err(_) => return Err(Trouble::Silence),
                    Ok(Ok(Some(event))) => take(recorded(event).map_err(Trouble::Wrong)?),
                    // There is no such stream. A node says it in the answer, or as the error of the call.
                    Ok(Ok(None) | Err(eventstore::Error::ResourceNotFound)) => return Ok(()),
                    Ok(Err(error)) => return Err(error.into()),
                }
            }
        };
        match read.await {
            Ok(()) => Ok(()),
            Err(Trouble::Wrong(error)) => Err(error),
            Err(Trouble::Silence) => {
                link.give_up(&live);
                link.took(begun, true);
                Err(Error::Unreachable("no answer in time".to_owned()))
            }
            Err(Trouble::Refused(error)) => {
                // The crate itself leaves that connection, too.
                if is_no_place(&error.to_string()) {
                    self.doubt();
                } else if is_over(&error) {
                    link.give_up(&live);
                }
                Err(error.into())
            }
        }
    }
}

/// Says whether a node found no record where it was to read from. The node says only that the read failed, and it says
/// so of no other read.
fn is_no_place(why: &str) -> bool {
    why.contains("Unexpected ReadAllResult") || why.to_ascii_lowercase().contains("invalid position")
}

/// `Trouble` says why a read did not reach its end.
enum Trouble {
    Silence,
    Refused(eventstore::Error),
    Wrong(Error),
}

impl std::convert::From<eventstore::Error> for Trouble {
    fn from(error: eventstore::Error) -> Self {
        Self::Refused(error)
    }
}

/// Takes an event as it stands in `$all` or in its stream. Links are not followed.
pub(super) fn recorded(event: ResolvedEvent) -> Result<Recorded, Error> {
    let Some(event) = event.link.or(event.event) else {
        return Err(Error::Damaged("a message with no event in it".to_owned()));
    };
    let RecordedEvent { stream_id, id, revision, event_type, data, custom_metadata, position, .. } = event;
    // Only the ledger's own events are looked up by their position.
    if position.commit != position.prepare && StreamName::is_claimed(&stream_id) {
        return Err(Error::Damaged(format!("the event at {position} was committed apart from its writing")));
    }
    Ok(Recorded {
        position: position.commit,
        stream: stream_id,
        revision,
        event_id: id,
        kind: event_type,
        data,
        metadata: custom_metadata,
    })
}
