//! One append, tried once, and what can be known of it afterwards.
//!
//! The events are handed to the connection by an iterator that can be stopped: as long as the connection has not asked
//! for the first one, nothing of the append can have left, and it can be withdrawn for certain. That is how "not sent"
//! is told from "nobody knows", whatever the error says. (A call that was opened and then withdrawn is at worst an append
//! of nothing.)

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use eventstore::{AppendToStreamOptions, EventData, ExpectedRevision, Streaming, WriteResult};

use super::connection::is_over;
use super::{Error, Proposed, Store};
use crate::domain::stream::StreamName;

/// What became of an append, as far as this attempt can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Acknowledged, now or as a repeat: these events are in the stream.
    Stored {
        /// The revision of its last event, as the node says.
        last_revision: u64,
        /// The position of its last event, when the node says one.
        position: Option<u64>,
    },
    /// Another event is or was there: the expected revision was refused. Nothing was stored by this attempt. The other
    /// one may not be readable yet, and may yet vanish with its leader.
    Conflict,
    /// Nobody can know: a deadline, a lost connection, an error of the server's, no answer.
    Unknown(String),
    /// Certainly not stored by this attempt: it was never sent, or refused by rule before anything was done.
    NotSent(Error),
    /// The stream was deleted for ever.
    Deleted,
}

impl Store {
    /// Appends the events of one stream at exactly the expected revision. Tries once. May be called again with the same
    /// events: they are stored once. The answer is to be waited for: of a call that was dropped half-way nobody knows.
    pub async fn append(&self, stream: &StreamName, proposed: &Proposed) -> Appended {
        let events: Option<Vec<EventData>> = proposed.wires().iter().map(event).collect();
        let Some(events) = events.filter(|events| !events.is_empty()) else {
            return Appended::NotSent(Error::Damaged("an append of nothing".to_owned()));
        };
        let Some(epoch) = self.proven(self.0.patience.append).await else {
            return Appended::NotSent(Error::Unreachable(
                "it was not compared with what was seen before".into(),
            ));
        };
        let live = match self.0.leader.live().await {
            Ok(live) => live,
            Err(why) => return Appended::NotSent(why),
        };
        // Another connection than the one that was compared, perhaps.
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
        if let Some(credentials) = &self.0.credentials {
            options = options.authenticated(credentials.clone());
        }
        let gate = Arc::new(Gate::default());
        let events = Streaming(Gated { gate: Arc::clone(&gate), events: events.into_iter() });
        // The crate leaves the deadline to the node: when the node is silent nobody keeps it. The node's is a little
        // shorter, so that its answer comes before the connection is given up.
        let answer = tokio::time::timeout(
            patience,
            live.client.append_to_stream(stream.to_string(), &options, events),
        )
        .await;
        self.0.leader.took(begun, !matches!(answer, Ok(Ok(_))));
        match answer {
            // A connection was lost meanwhile: who acknowledged it, and is that the store?
            Ok(Ok(_)) if self.proven_epoch() != Some(epoch) => {
                Appended::Unknown("a connection was lost meanwhile".to_owned())
            }
            Ok(Ok(written)) => stored(&written),
            Ok(Err(error)) => {
                // The crate goes to the leader that a node names by itself.
                if matches!(error, eventstore::Error::NotLeaderException(_)) {
                    self.doubt();
                }
                if is_over(&error) {
                    self.0.leader.give_up(&live);
                }
                failed(error, &gate)
            }
            Err(_) => {
                self.0.leader.give_up(&live);
                let why = "no answer in time".to_owned();
                if gate.shut() { Appended::NotSent(Error::Unreachable(why)) } else { Appended::Unknown(why) }
            }
        }
    }
}

fn event(wire: &super::proposed::Wire) -> Option<EventData> {
    // Raw JSON is copied as it is: it can't fail.
    let event = EventData::json(wire.kind, &wire.data).ok()?;
    Some(event.id(wire.id).metadata(wire.metadata.clone()))
}

fn stored(written: &WriteResult) -> Appended {
    let at = written.position;
    // "No position" comes as the very first one, where no event of a stream can be. One that is committed apart from
    // its writing is found damaged when it is read.
    let position = (at.commit > 0 && at.commit == at.prepare).then_some(at.commit);
    Appended::Stored { last_revision: written.next_expected_version, position }
}

fn failed(error: eventstore::Error, gate: &Gate) -> Appended {
    use eventstore::Error as E;
    match error {
        E::WrongExpectedVersion { .. } => Appended::Conflict,
        E::ResourceDeleted => Appended::Deleted,
        // Refused before a node looks at the events: all of it, or a part that is thrown away with the call.
        E::AccessDenied => Appended::NotSent(Error::Denied),
        E::NotLeaderException(_) => Appended::NotSent(error.into()),
        E::Grpc { ref message, .. } if message.starts_with("Maximum Append Size") => {
            Appended::NotSent(Error::TooLarge)
        }
        // From before the call is made.
        E::ConnectionClosed | E::GrpcConnectionError(_) => Appended::NotSent(error.into()),
        // From before it, under way, or after it: only the gate knows.
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

/// Whether events may still go out, or did.
#[derive(Default)]
struct Gate(AtomicU8);

const WAITING: u8 = 0;
const OPEN: u8 = 1;
const SHUT: u8 = 2;

impl Gate {
    /// Lets events out, unless it was shut before.
    fn open(&self) -> bool {
        let was = self.0.compare_exchange(WAITING, OPEN, Ordering::AcqRel, Ordering::Acquire);
        was != Err(SHUT)
    }

    /// Lets nothing out any more; `false` when something went out before.
    fn shut(&self) -> bool {
        let was = self.0.compare_exchange(WAITING, SHUT, Ordering::AcqRel, Ordering::Acquire);
        was != Err(OPEN)
    }
}

/// The events, as the connection asks for them.
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
