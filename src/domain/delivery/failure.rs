//! A failure says why an attempt to deliver a message came to nothing, and [`Blame`] says whose fault that is.
//!
//! Whose fault it is decides what happens next: a message at fault is parked, a destination at fault is waited for, and in
//! doubt it depends on whether other messages pass.

use std::sync::Arc;

use crate::domain::transfer::payout::Label;

/// This is the most characters of an error's text that are kept.
const LONGEST: usize = 256;

/// A `FailureClass` is the kind of a failure, as events and letters name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureClass {
    /// The receiver answered with an HTTP status that is no success.
    HttpStatus,
    /// No answer came: no address, no connection, no TLS, a timeout, or a connection that broke.
    NoAnswer,
    /// The address is one to which nothing may be sent.
    BlockedAddress,
    /// The message was claimed, and nobody knows whether it was sent.
    Unconfirmed,
    /// The destination was removed while the message was parked.
    DestinationRemoved,
    /// The message has not been tried yet: it waits behind an earlier one of its account.
    Waiting,
}

impl FailureClass {
    const ALL: [Self; 6] = [
        Self::HttpStatus,
        Self::NoAnswer,
        Self::BlockedAddress,
        Self::Unconfirmed,
        Self::DestinationRemoved,
        Self::Waiting,
    ];

    /// Returns its name in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HttpStatus => "http_status",
            Self::NoAnswer => "no_answer",
            Self::BlockedAddress => "blocked_address",
            Self::Unconfirmed => "unconfirmed",
            Self::DestinationRemoved => "destination_removed",
            Self::Waiting => "waiting",
        }
    }

    /// Returns the class with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// An `ErrorText` is the text of an error as it is kept: without control characters, and cut to 256 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorText(Arc<str>);

impl ErrorText {
    /// Makes one of any text.
    #[must_use]
    pub fn cut(text: &str) -> Self {
        let kept: String = text.chars().filter(|char| !char.is_control()).take(LONGEST).collect();
        Self(kept.into())
    }

    /// Reads a text that was kept; `None` where it could not have been.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.chars().count() <= LONGEST && !text.chars().any(char::is_control);
        fits.then(|| Self(text.into()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A `Failure` says why an attempt came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// This is its kind.
    pub class: FailureClass,
    /// This is the receiver's own code, such as an HTTP status.
    pub code: Option<Label>,
    /// This says it for a person.
    pub message: ErrorText,
}

impl Failure {
    /// Makes a failure without a code.
    #[must_use]
    pub fn new(class: FailureClass, message: &str) -> Self {
        Self { class, code: None, message: ErrorText::cut(message) }
    }

    /// Makes the failure that an HTTP status is.
    #[must_use]
    pub fn of_status(status: u16, message: &str) -> Self {
        let code = Label::parse(itoa::Buffer::new().format(status));
        Self { class: FailureClass::HttpStatus, code, message: ErrorText::cut(message) }
    }

    /// Makes the failure of a message that is not tried, because it waits behind an earlier one of its account.
    #[must_use]
    pub fn waiting() -> Self {
        Self::new(FailureClass::Waiting, "behind an earlier message of its account")
    }
}

/// A `Blame` says whose fault a failed attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The message is at fault: this receiver will not take it as it is.
    Message,
    /// The destination as a whole is at fault; it would fail with any message.
    Destination {
        /// This is true where no byte of the message can have left.
        is_unsent: bool,
    },
    /// Nobody knows whose fault it is, nor whether the message arrived.
    Doubt,
    /// The receiver says that it is gone for ever.
    Gone,
}

impl Blame {
    /// Returns whose fault the answer with this HTTP status is; `None` for a success.
    ///
    /// A redirect is not followed: it is the destination's fault, because every message would be redirected.
    #[must_use]
    pub fn of_status(status: u16) -> Option<Self> {
        match status {
            200..=299 => None,
            410 => Some(Self::Gone),
            401 | 403 | 404 | 405 | 429 | 503 | 300..=399 => Some(Self::Destination { is_unsent: false }),
            400..=499 => Some(Self::Message),
            _ => Some(Self::Doubt),
        }
    }
}

/// An `Attempted` says what came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempted {
    /// The receiver has the message.
    Delivered,
    /// It came to nothing.
    Failed {
        /// This says whose fault it is.
        blame: Blame,
        /// This says why.
        failure: Failure,
        /// This is for how many seconds the receiver wants to be left alone, where it said so.
        retry_after_seconds: Option<u64>,
    },
}
