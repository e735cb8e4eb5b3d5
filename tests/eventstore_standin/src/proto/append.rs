//! These are the messages of `Streams.Append`, `Streams.BatchAppend`, `Streams.Delete` and `Streams.Tombstone`.

use std::collections::BTreeMap;

use super::{Empty, Id, Position, StreamName};

/// What every write says of the stream it expects to find; its fields are 2 to 5 wherever it stands.
#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub enum Expected {
    #[prost(uint64, tag = "2")]
    Revision(u64),
    #[prost(message, tag = "3")]
    NoStream(Empty),
    #[prost(message, tag = "4")]
    Any(Empty),
    #[prost(message, tag = "5")]
    StreamExists(Empty),
}

/// The stream and what is expected of it: the options of an append, a delete and a tombstone.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Target {
    #[prost(message, optional, tag = "1")]
    pub stream: Option<StreamName>,
    #[prost(oneof = "Expected", tags = "2, 3, 4, 5")]
    pub expected: Option<Expected>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AppendRequest {
    #[prost(oneof = "AppendPart", tags = "1, 2")]
    pub part: Option<AppendPart>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum AppendPart {
    #[prost(message, tag = "1")]
    Target(Target),
    #[prost(message, tag = "2")]
    Event(Proposed),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Proposed {
    #[prost(message, optional, tag = "1")]
    pub id: Option<Id>,
    #[prost(btree_map = "string, string", tag = "2")]
    pub metadata: BTreeMap<String, String>,
    #[prost(bytes = "vec", tag = "3")]
    pub custom_metadata: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub data: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct AppendReply {
    #[prost(oneof = "AppendResult", tags = "1, 2")]
    pub result: Option<AppendResult>,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub enum AppendResult {
    #[prost(message, tag = "1")]
    Success(Appended),
    #[prost(message, tag = "2")]
    WrongVersion(WrongVersion),
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Appended {
    #[prost(oneof = "Current", tags = "1, 2")]
    pub current: Option<Current>,
    #[prost(oneof = "Place", tags = "3, 4")]
    pub place: Option<Place>,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub enum Current {
    #[prost(uint64, tag = "1")]
    Revision(u64),
    #[prost(message, tag = "2")]
    NoStream(Empty),
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub enum Place {
    #[prost(message, tag = "3")]
    At(Position),
    #[prost(message, tag = "4")]
    None(Empty),
}

/// Says everything twice: in the fields of release 20.6.0 and in today's.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct WrongVersion {
    #[prost(uint64, optional, tag = "1")]
    pub old_current: Option<u64>,
    #[prost(message, optional, tag = "2")]
    pub old_no_stream: Option<Empty>,
    #[prost(uint64, optional, tag = "3")]
    pub old_expected: Option<u64>,
    #[prost(message, optional, tag = "4")]
    pub old_any: Option<Empty>,
    #[prost(message, optional, tag = "5")]
    pub old_exists: Option<Empty>,
    #[prost(uint64, optional, tag = "6")]
    pub current: Option<u64>,
    #[prost(message, optional, tag = "7")]
    pub current_no_stream: Option<Empty>,
    #[prost(uint64, optional, tag = "8")]
    pub expected: Option<u64>,
    #[prost(message, optional, tag = "9")]
    pub expected_any: Option<Empty>,
    #[prost(message, optional, tag = "10")]
    pub expected_exists: Option<Empty>,
    #[prost(message, optional, tag = "11")]
    pub expected_no_stream: Option<Empty>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct BatchRequest {
    #[prost(message, optional, tag = "1")]
    pub correlation: Option<Id>,
    /// Only in the first part of an append; the deadlines in its fields 6 and 7 are not read.
    #[prost(message, optional, tag = "2")]
    pub target: Option<Target>,
    #[prost(message, repeated, tag = "3")]
    pub events: Vec<Proposed>,
    #[prost(bool, tag = "4")]
    pub last: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct BatchReply {
    #[prost(message, optional, tag = "1")]
    pub correlation: Option<Id>,
    #[prost(oneof = "BatchResult", tags = "2, 3")]
    pub result: Option<BatchResult>,
    #[prost(message, optional, tag = "4")]
    pub stream: Option<StreamName>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum BatchResult {
    #[prost(message, tag = "2")]
    Error(RichStatus),
    #[prost(message, tag = "3")]
    Success(Appended),
}

/// A status as this protocol has it: with one detail, where other services have a list.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RichStatus {
    #[prost(int32, tag = "1")]
    pub code: i32,
    #[prost(string, tag = "2")]
    pub message: String,
    #[prost(message, optional, tag = "3")]
    pub detail: Option<AnyMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AnyMessage {
    #[prost(string, tag = "1")]
    pub type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

/// The detail of a wrong version in a batch; its fields are not those of [`WrongVersion`].
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct WrongVersionDetail {
    #[prost(uint64, optional, tag = "1")]
    pub current: Option<u64>,
    #[prost(message, optional, tag = "2")]
    pub current_no_stream: Option<Empty>,
    #[prost(uint64, optional, tag = "3")]
    pub expected: Option<u64>,
    #[prost(message, optional, tag = "4")]
    pub expected_any: Option<Empty>,
    #[prost(message, optional, tag = "5")]
    pub expected_exists: Option<Empty>,
    #[prost(message, optional, tag = "6")]
    pub expected_no_stream: Option<Empty>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct DeletedDetail {
    #[prost(message, optional, tag = "1")]
    pub stream: Option<StreamName>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct TooLargeDetail {
    #[prost(uint32, tag = "1")]
    pub most_bytes: u32,
}

/// Of a delete and of a tombstone.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DeleteRequest {
    #[prost(message, optional, tag = "1")]
    pub target: Option<Target>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct DeleteReply {
    #[prost(oneof = "DeletedAt", tags = "1, 2")]
    pub place: Option<DeletedAt>,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub enum DeletedAt {
    #[prost(message, tag = "1")]
    At(Position),
    #[prost(message, tag = "2")]
    None(Empty),
}
