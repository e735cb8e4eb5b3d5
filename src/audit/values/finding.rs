//! A finding says what is wrong with a journal, in plain words, and where.
//!
//! The texts here are what `bookonce verify` prints after `BAD`.

use std::fmt;

use uuid::Uuid;

/// A place says where something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is wrong at this position of the journal. Where an event is missing, this is the position that it should have.
    Position(u64),
    /// It is wrong in an export's last line.
    Manifest,
}

/// A finding is one thing that is wrong with a journal. Everything before the first one was found right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) place: Place,
    pub(crate) flaw: Flaw,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Position(position) => write!(f, "position {position}: {}", self.flaw),
            Place::Manifest => write!(f, "the manifest (the last line): {}", self.flaw),
        }
    }
}

/// The findings of an audit are listed up to a number, and counted beyond it: what is wrong with one account may be wrong with
/// a million, and the first hundred say enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    listed: Vec<Finding>,
    unlisted: u64,
    /// This is true when one of them is anything but an event of a newer version.
    any_wrong: bool,
}

impl Findings {
    /// At most this many findings are listed.
    pub(crate) const LISTED: usize = 100;

    /// Adds a finding.
    pub(crate) fn add(&mut self, finding: Finding) {
        self.any_wrong |= !finding.flaw.is_newer();
        if self.listed.len() < Self::LISTED {
            self.listed.push(finding);
        } else {
            self.unlisted = self.unlisted.saturating_add(1);
        }
    }

    /// Gives the findings that are listed, in the order in which they were found.
    #[must_use]
    pub(crate) fn listed(&self) -> &[Finding] {
        &self.listed
    }

    /// Says how many findings there are beyond those that are listed.
    #[must_use]
    pub(crate) fn unlisted(&self) -> u64 {
        self.unlisted
    }

    /// Says whether nothing was found but events that a newer version of this program wrote: nothing is known to be wrong, and
    /// what these events say can't be told.
    #[must_use]
    pub(crate) fn are_only_newer(&self) -> bool {
        !self.listed.is_empty() && !self.any_wrong
    }

    /// Gives the first finding.
    #[must_use]
    pub(crate) fn first(&self) -> Option<&Finding> {
        self.listed.first()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, finding) in self.listed.iter().enumerate() {
            write!(f, "{}{finding}", if number == 0 { "" } else { "\n" })?;
        }
        if self.unlisted > 0 {
            write!(f, "\n{} more findings are not listed", self.unlisted)?;
        }
        Ok(())
    }
}

/// A flaw is one thing that can be wrong with a journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    // The line by itself.
    #[error("the line is not written as an event is: at byte {byte} there should be `{expected}`")]
    Layout { byte: usize, expected: &'static str },
    #[error("the line is not UTF-8")]
    NotText,
    #[error("the line is cut: it has no line feed at its end")]
    Cut,
    #[error("the line is longer than {0} bytes, which no event is")]
    TooLong(usize),
    #[error("there is an empty line")]
    Empty,
    #[error("an event of type {0:?} is not known here, and nothing may be skipped")]
    UnknownType(String),
    #[error("version {0} of an event is not known here, and nothing may be skipped")]
    UnknownVersion(u64),
    #[error("{0:?} is not known here as the operation of a decline")]
    UnknownOperation(String),
    #[error("{0:?} is not known here as the code of a decline")]
    UnknownCode(String),
    #[error("{0:?} is no currency")]
    UnknownCurrency(String),
    #[error("{0} is not a moment as an event writes it")]
    NoMoment(&'static str),
    #[error("{0} is no sum with exactly the currency's decimals, or not one that may stand there")]
    NoSum(&'static str),
    #[error("{0} is no name of an account that may stand there")]
    NoName(&'static str),
    #[error("{0} is no transaction ID: a UUID in lower case that is not nil")]
    NoId(&'static str),
    #[error("{0} is no transaction ID, neither a client's UUID nor one of the service's own")]
    NoOwnId(&'static str),
    #[error("the transaction ID is not one that such an event may have")]
    OtherId,
    #[error("what the service books of its own accord has `service` as its actor, and names what it is for")]
    OwnMetadata,
    #[error("{0} is not a number of seconds that may stand there")]
    NoSeconds(&'static str),
    #[error("{what} is not {seconds} seconds after recorded_at")]
    NotAfter { what: &'static str, seconds: u64 },
    #[error("{0:?} is not known here as the state of a transfer")]
    UnknownState(String),
    #[error("{0:?} is not known here as a step of a transfer")]
    UnknownStep(String),
    #[error("what the provider said is longer than the ledger keeps, or has control characters")]
    LongWords,
    #[error("effective_at is not recorded_at, though the client gave none")]
    EffectiveAt,
    #[error("effective_at is more than five minutes after recorded_at")]
    InFuture,
    #[error("the keys of the metadata are not each once and in order")]
    MetadataOrder,
    #[error("`corrects` does not name 1 to 16 transactions, each once")]
    Corrects,
    #[error("the entry does not balance: its two amounts do not sum to zero")]
    Unbalanced,
    #[error("the entry's amounts are not those of the event's amount and kind")]
    EntryAmount,
    #[error("the entry is of another account than the event's stream")]
    EntryAccount,
    #[error("the event's id does not follow from its bytes")]
    EventId,
    #[error(
        "the hash does not follow from the hash before it and this event's bytes: one of the two was changed"
    )]
    Chain,
    // Its place in the journal.
    #[error("the event here says that it is at position {0}: one is missing, moved or put in")]
    Position(u64),
    #[error("the row here says that it begins at position {0}: a row is missing, moved or put in")]
    RowFirst(i64),
    #[error("the row here says that it has {says} events, and has {has}")]
    RowCount { says: i64, has: u64 },
    #[error("the row before this position has another time than its first event")]
    RowTime,
    #[error("a row of the journal's table does not hold what it should: {0}")]
    Row(&'static str),
    #[error(
        "the hash does not follow from the one before it in its stream and this event's bytes: one of the two was changed"
    )]
    StreamChain,
    #[error("recorded_at goes back")]
    TimeBack,
    #[error("the event is revision {says} of its stream, where {expected} comes next")]
    Revision { says: u64, expected: u64 },
    #[error("recorded_at goes back within the stream")]
    StreamTimeBack,
    #[error("the stream {stream} has an event here that the ledger did not write: {why}")]
    Foreign { stream: String, why: String },
    #[error(
        "the stream {stream} has an event here that a newer version of bookonce wrote, {what}: upgrade this program, and run \
         it again"
    )]
    Newer { stream: String, what: String },
    #[error("the transaction ID was seen before, at position {0}")]
    SeenBefore(u64),
    // What the rules say.
    #[error("an account that exists already is opened")]
    OpenedTwice,
    #[error("the account was never opened")]
    NotOpened,
    #[error("the currency is not the account's ({0})")]
    OtherCurrency(String),
    #[error("the event says {says}, and by the rules it is {ruled}")]
    Outcome { says: String, ruled: String },
    #[error("by the rules this request is refused and not recorded: {0}")]
    Unrecorded(&'static str),
    #[error("what is taken back is {says}, where {left} was left of the original")]
    Left { says: String, left: String },
    #[error(
        "what is taken back moves in the direction of the original, or on another of the ledger's own accounts"
    )]
    NotOffsetting,
    #[error("what is corrected is {says}, where the balance asked for needs {needs}")]
    Corrected { says: String, needs: String },
    #[error("prevented_by names another transaction than the one that prevents this")]
    PreventedBy,
    #[error("the answer's {field} is {says}, and by the journal it is {is}")]
    Answer { field: &'static str, says: String, is: String },
    // Holds.
    #[error("a hold of the account expired at {0}, and its expiry is not booked before this")]
    PastExpiry(String),
    #[error("the hold expires at {0}, which is not yet")]
    EarlyExpiry(String),
    #[error("an older hold of the account is to expire before this one")]
    ExpiryOrder,
    #[error("the hold is not open on this account")]
    HoldNotOpen,
    #[error("the event's amount and what is given back are {says}, and what is held is {held}")]
    HoldAmount { says: String, held: String },
    // Transfers.
    #[error("there is no TransferRequested before this with the ID {0}")]
    NoTransfer(Uuid),
    #[error("the transfer was requested already")]
    RequestedTwice,
    #[error("the transfer was asked for with another {0}")]
    OtherTransfer(&'static str),
    #[error("the step has come already")]
    StepTwice,
    #[error("the attempt is {says}, where {expected} comes next")]
    Attempt { says: u32, expected: u32 },
    #[error("the transfer has ended")]
    AfterEnd,
    #[error("a step that must not come yet: {0}")]
    TooEarly(&'static str),
    #[error("a transfer that is {state} has no {event}")]
    NoSuchEvent { state: &'static str, event: &'static str },
    #[error("the transfer's steps show another end: {0}")]
    OtherEnd(&'static str),
    #[error("the answer's state is {says}, and by the journal it is {is}")]
    AnswerState { says: &'static str, is: &'static str },
    #[error(
        "@transit is {is} {currency} here, and what transfers have credited and not yet captured is {expected}"
    )]
    Transit { currency: String, is: String, expected: String },
    // Destinations and letters.
    #[error("{0:?} is not known here as a word that may stand there")]
    UnknownWord(String),
    #[error("the destination was not set up before this")]
    NotSetUp,
    #[error("the destination can't have this now: {0}")]
    NotNow(&'static str),
    #[error("the term is {says}, and {is} serves the destination")]
    Term { says: u64, is: String },
    #[error("the destination has come to position {through}, and goes back to {says}")]
    ThroughBack { says: u64, through: u64 },
    #[error("the destination comes to position {0}, which is not before this event")]
    ThroughAhead(u64),
    #[error("the message of position {0} was claimed or settled before")]
    ClaimedTwice(u64),
    #[error("the destination's filter has not chosen position {0} for it, or it was settled before")]
    NotSelected(u64),
    #[error("the message of position {0} is not that event of that stream")]
    OtherMessage(u64),
    #[error("the message of position {position} is {says}, and by the journal it is not")]
    NotSo { position: u64, says: &'static str },
    #[error("the message of position {0} is said to be dead, and there is no letter of it before this")]
    NoLetter(u64),
    #[error("it says {says} as the number of {what}, and by the journal it is {is}")]
    Number { what: &'static str, says: u64, is: u64 },
    #[error("it is not the letter of its message: {0}")]
    Letter(&'static str),
    // The whole.
    #[error("the journal ends before this position, which was to have the hash expected: its end is missing")]
    EndsBeforeExpected,
    #[error("there is no event at this position, which was to have the hash expected")]
    NoneExpected,
    #[error(
        "the hash here is {0}, not the one expected: this event or one before it is not the one that was there"
    )]
    NotExpected(String),
    #[error("the file ends here, and its manifest says that it goes on to {0}: the end is cut off")]
    EndsBeforeManifest(u64),
    #[error("the event here is none that the file's manifest knows")]
    AfterManifest,
    #[error("its `{0}` is not that of the events before it")]
    Manifest(&'static str),
    #[error("it is not written as a manifest is")]
    ManifestLayout,
    #[error("its previous_hash is not the one that a journal with its journal_id begins with")]
    ManifestGenesis,
    #[error("its journal_id is not the id of the journal's first event")]
    ManifestId,
    #[error("the file has no manifest: whether it is whole can't be told")]
    NoManifest,
    #[error("the file begins at position {0}: a whole journal begins at 1")]
    NotWhole(u64),
    #[error("the database is damaged here: {0}")]
    Database(String),
}

impl Flaw {
    /// Gives the stream of an event in a store that could not be read as one of this program.
    pub(crate) fn unread(&self) -> Option<&str> {
        if let Self::Foreign { stream, .. } | Self::Newer { stream, .. } = self { Some(stream) } else { None }
    }

    /// Says whether it is an event that a newer version of this program wrote.
    pub(crate) fn is_newer(&self) -> bool {
        matches!(self, Self::Newer { .. })
    }
}
