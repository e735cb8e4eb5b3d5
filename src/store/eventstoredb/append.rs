//! [`Store::append`] tries an append once and says what can be known of it afterwards.
//!
//! The connection takes the events from an iterator that can be shut. As long as it has not asked for the first event,
//! nothing of the append has left this process, and the append can be withdrawn for certain. So "not sent" is told from
//! "unknown" whatever the error says. (A call that was opened before it was withdrawn is at worst an append of nothing.)

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use eventstore::{AppendToStreamOptions, EventData, ExpectedRevision, Streaming, WriteResult};

use super::connection::{Links, is_over};
use super::{Appended, Epoch, Error, Proposed, Store, Way};
use crate::domain::stream::StreamName;

impl Store {
    /// Appends the events of one stream at exactly the expected revision; it tries once. It may be called again with the
    /// same events: they are stored once. Its future should be awaited to the end: when it is dropped before, the outcome is
    /// unknown.
    pub async fn append(&self, stream: &StreamName, proposed: &Proposed) -> Appended {
        if proposed.is_empty() {
            return Appended::NotSent(Error::Damaged("an append of nothing".to_owned()));
        }
        let Some(epoch) = self.proven(self.0.patience.connect).await else {
            return Appended::NotSent(Error::Unreachable(
                "it was not compared with what was seen before".into(),
            ));
        };
        let appended = match &self.0.way {
            Way::Links(links) => self.send(links, epoch, stream, proposed).await,
            Way::Node(node) => {
                node.append(stream.to_string(), proposed.expected(), proposed.unplaced()).await
            }
        };
        // A connection was lost meanwhile, so it is not known whether the node that acknowledged the append is the same store.
        if matches!(appended, Appended::Stored { .. }) && self.proven_epoch() != Some(epoch) {
            return Appended::Unknown("a connection was lost meanwhile".to_owned());
        }
        appended
    }

    async fn send(&self, links: &Links, epoch: Epoch, stream: &StreamName, proposed: &Proposed) -> Appended {
        let events: Option<Vec<EventData>> = proposed.wires().iter().map(event).collect();
        let Some(events) = events else {
            return Appended::NotSent(Error::Damaged("an event that is no JSON".to_owned()));
        };
        let live = match links.leader.live().await {
            Ok(live) => live,
            Err(why) => return Appended::NotSent(why),
        };
        // The connection may be another one than the one that was compared.
        if self.proven_epoch() != Some(epoch) {
            return Appended::NotSent(Error::Unreachable("the connection was lost".into()));
        }
        let begun = Instant::now();
        let patience = self.0.patience.append;
        let expected = proposed.expected().map_or(ExpectedRevision::NoStream, ExpectedRevision::Exact);
        let mut options = AppendToStreamOptions::default()
            .expected_revision(expected)
            .requires_leader(true)
            .deadline(patience * 9 / 10);
        if let Some(credentials) = &links.credentials {
            options = options.authenticated(credentials.clone());
        }
        let gate = Arc::new(Gate::default());
        let events = Streaming(Gated { gate: Arc::clone(&gate), events: events.into_iter() });
        // The crate leaves the deadline to the node, so it is kept here as well, for a node that is silent. The node's is
        // a little shorter: its answer comes before the connection is given up.
        let answer = tokio::time::timeout(
            patience,
            live.client.append_to_stream(stream.to_string(), &options, events),
        )
        .await;
        links.leader.took(begun, !matches!(answer, Ok(Ok(_))));
        match answer {
            Ok(Ok(written)) => stored(&written),
            Ok(Err(error)) => {
                // The crate goes to the leader that a node names by itself.
                if matches!(error, eventstore::Error::NotLeaderException(_)) {
                    self.doubt();
                }
                if is_over(&error) {
                    links.leader.give_up(&live);
                }
                failed(error, &gate)
            }
            Err(_) => {
                links.leader.give_up(&live);
                let why = "no answer in time".to_owned();
                if gate.shut() { Appended::NotSent(Error::Unreachable(why)) } else { Appended::Unknown(why) }
            }
        }
    }
}

fn event(wire: &super::proposed::Wire) -> Option<EventData> {
    // This can't fail: raw JSON is copied as it is.
    let event = EventData::json(wire.kind, &wire.data).ok()?;
    Some(event.id(wire.id).metadata(wire.metadata.clone()))
}

fn stored(written: &WriteResult) -> Appended {
    let at = written.position;
    // "No position" comes as position 0, where no event of a stream can be. An event whose commit and prepare positions
    // differ is found to be damaged when it is read.
    let position = (at.commit > 0 && at.commit == at.prepare).then_some(at.commit);
    Appended::Stored { last_revision: written.next_expected_version, position }
}

fn failed(error: eventstore::Error, gate: &Gate) -> Appended {
    use eventstore::Error as E;
    match error {
        E::WrongExpectedVersion { .. } => Appended::Conflict,
        E::ResourceDeleted => Appended::Deleted,
        // The node refuses these before it stores anything.
        E::AccessDenied => Appended::NotSent(Error::Denied),
        E::NotLeaderException(_) => Appended::NotSent(error.into()),
        E::Grpc { ref message, .. } if message.starts_with("Maximum Append Size") => {
            Appended::NotSent(Error::TooLarge)
        }
        // These come before the call is made.
        E::ConnectionClosed | E::GrpcConnectionError(_) => Appended::NotSent(error.into()),
        // These may come before the events were sent or after it: only the gate knows which.
        E::ServerError(_)
        | E::Grpc { .. }
        | E::InternalParsingError(_)
        | E::ResourceAlreadyExists
        | E::ResourceNotFound
        | E::UnsupportedFeature
        | E::InternalClientError
        | E::DeadlineExceeded
        | E::InitializationError(_)
        | E::IllegalStateError(_) => {
            if gate.shut() {
                Appended::NotSent(error.into())
            } else {
                Appended::Unknown(error.to_string())
            }
        }
    }
}

/// A `Gate` stands between the events and the connection: it is waiting, open or shut, and changes once.
#[derive(Default)]
struct Gate(AtomicU8);

const WAITING: u8 = 0;
const OPEN: u8 = 1;
const SHUT: u8 = 2;

impl Gate {
    /// Opens the gate for the connection. Returns `false` when it was shut before.
    fn open(&self) -> bool {
        let was = self.0.compare_exchange(WAITING, OPEN, Ordering::AcqRel, Ordering::Acquire);
        was != Err(SHUT)
    }

    /// Shuts the gate. Returns `false` when it was open before: events may have gone out.
    fn shut(&self) -> bool {
        let was = self.0.compare_exchange(WAITING, SHUT, Ordering::AcqRel, Ordering::Acquire);
        was != Err(OPEN)
    }
}

/// A `Gated` has the events behind the gate. The connection takes them one by one.
struct Gated {
    gate: Arc<Gate>,
    events: std::vec::IntoIter<EventData>,
}

impl Iterator for Gated {
    type Item = EventData;

    fn next(&mut self) -> Option<EventData> {
        if self.gate.open() { self.events.next() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_that_was_shut_lets_nothing_out_and_one_that_was_open_can_not_be_shut() {
        let gate = Gate::default();
        assert!(gate.shut() && gate.shut() && !gate.open());
        let gate = Gate::default();
        assert!(gate.open() && gate.open() && !gate.shut());
    }

    /// Catches: an error that comes after sending and is taken for a refusal.
    #[test]
    fn after_events_went_out_only_a_refusal_by_rule_is_certain() {
        use eventstore::Error as E;
        let sent = Gate::default();
        sent.open();
        let aborted = |message: &str| E::Grpc { code: 10.into(), message: message.to_owned() };
        for error in [
            E::ServerError("reset".into()),
            E::DeadlineExceeded,
            E::ResourceNotFound,
            E::UnsupportedFeature,
            E::InternalClientError,
            aborted("Operation timed out: Commit timeout"),
        ] {
            assert!(matches!(failed(error.clone(), &sent), Appended::Unknown(_)), "{error}");
            assert!(matches!(failed(error.clone(), &Gate::default()), Appended::NotSent(_)), "{error}");
        }
        let too_large = aborted("Maximum Append Size of 1048576 Exceeded.");
        assert_eq!(failed(too_large, &sent), Appended::NotSent(Error::TooLarge));
        assert_eq!(failed(E::AccessDenied, &sent), Appended::NotSent(Error::Denied));
        assert_eq!(failed(E::ResourceDeleted, &sent), Appended::Deleted);
    }
}
