//! A message is what a receiver needs to know of one that came: who sent it, what it is about, and by what it is known again.

use serde::Deserialize;

use crate::domain::ids::Id;
use crate::domain::time::Timestamp;

/// A `Message` is one that came. Its `data` stays in the body, for whoever makes the effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// This is its id, which is the same whenever it comes.
    pub id: String,
    /// This is the ledger and the destination that sent it.
    pub sender: String,
    /// This is its type, such as `bookonce.Withdrawn`.
    pub kind: String,
    /// This is the stream of its event, such as `account-alice`.
    pub subject: String,
    /// This is the revision of its event in that stream; `None` where it is of no event.
    pub revision: Option<u64>,
    /// This is the transaction that its event belongs to; `None` where it is of no event.
    pub transaction: Option<String>,
    /// This is when its event was recorded, with six decimals, so that texts have the order of the times.
    pub time: String,
}

/// The reason why a body is no message of a ledger. It is to be refused (400).
#[derive(Debug, thiserror::Error)]
pub enum BadMessage {
    /// It is no event in the JSON of `CloudEvents`.
    #[error("it is no CloudEvent in JSON")]
    Json(#[source] serde_json::Error),
    /// A field of it is not what a ledger writes.
    #[error("its field {0} is not what a ledger writes")]
    Field(&'static str),
}

#[derive(Deserialize)]
struct Envelope {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: String,
    revision: Option<String>,
    transactionid: Option<String>,
}

impl Message {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// Fails when it is not what a ledger sends. Nothing is guessed.
    pub fn parse(body: &[u8]) -> Result<Self, BadMessage> {
        let read: Envelope = serde_json::from_slice(body).map_err(BadMessage::Json)?;
        let field = |is_right: bool, name| if is_right { Ok(()) } else { Err(BadMessage::Field(name)) };
        field(read.specversion == "1.0", "specversion")?;
        field(read.kind.starts_with("bookonce."), "type")?;
        field(!read.subject.is_empty(), "subject")?;
        field(Timestamp::read(&read.time).is_some(), "time")?;
        let (_, destination) = read.id.rsplit_once('.').ok_or(BadMessage::Field("id"))?;
        let sender = format!("{} {destination}", read.source);
        let revision = read.revision.as_deref().map(number).transpose()?;
        field(read.transactionid.as_deref().is_none_or(|id| Id::parse(id).is_some()), "transactionid")?;
        Ok(Self {
            sender,
            id: read.id,
            kind: read.kind,
            subject: read.subject,
            revision,
            transaction: read.transactionid,
            time: read.time,
        })
    }
}

/// Reads a number as a ledger writes it: digits, and no others than are needed.
fn number(text: &str) -> Result<u64, BadMessage> {
    let read = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
    read.ok_or(BadMessage::Field("revision"))
}
