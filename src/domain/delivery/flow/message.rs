//! A message is an event that was chosen for a destination; and here is what the flow asks of its driver for one.

use crate::domain::delivery::failure::Failure;
use crate::domain::delivery::progress::Progress;
use crate::domain::stream::StreamName;

/// A `Message` is an event that was chosen, as far as the flow needs it. Its body is with the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// This is its position in the journal.
    pub position: u64,
    /// This is the stream of its event.
    pub stream: StreamName,
    /// This is the revision of its event there.
    pub revision: u64,
    /// These are the bytes that it takes in hand.
    pub bytes: usize,
}

/// A `Next` is what the driver of a destination is to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It sends a message once, and says what came of it (`Flow::answered`).
    Send {
        /// This is the message's position.
        position: u64,
        /// This is the number of this attempt, from 1.
        attempt: u32,
        /// This is true where a later message of its account went out before.
        is_late: bool,
    },
    /// It makes a claim durable, and says whether it is (`Flow::claimed`).
    Claim(Vec<u64>),
    /// It makes a dead letter durable, and says whether it is (`Flow::buried`).
    Bury(Dead),
    /// It reads a stream again, and says what it found (`Flow::found`).
    Read {
        /// This is the stream.
        stream: StreamName,
        /// It reads the events after this revision.
        after: u64,
        /// It reads no event after this position.
        to: u64,
    },
    /// It makes this durable, and says whether it is (`Flow::recorded`).
    Record(Box<Progress>),
    /// It pauses the destination, because the receiver is gone for ever. This is said once.
    Gone,
    /// It waits until this time of the monotonic clock, or until something happens.
    Wait(Option<u64>),
}

/// A `Dead` is a message that becomes a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    /// This is its position.
    pub position: u64,
    /// This is how often it failed.
    pub attempts: u32,
    /// This is why it failed the last time.
    pub failure: Failure,
}
