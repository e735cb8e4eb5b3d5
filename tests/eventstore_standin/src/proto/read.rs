//! These are the messages of `Streams.Read`: reads and subscriptions, of one stream and of `$all`.

use std::collections::BTreeMap;

use super::{Empty, Id, Position, StreamName};

#[derive(Clone, PartialEq, prost::Message)]
pub struct ReadRequest {
    #[prost(message, optional, tag = "1")]
    pub options: Option<ReadOptions>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ReadOptions {
    #[prost(oneof = "Source", tags = "1, 2")]
    pub source: Option<Source>,
    /// 0 is forwards, 1 is backwards.
    #[prost(int32, tag = "3")]
    pub direction: i32,
    #[prost(bool, tag = "4")]
    pub resolve_links: bool,
    #[prost(oneof = "Extent", tags = "5, 6")]
    pub extent: Option<Extent>,
    #[prost(oneof = "FilterChoice", tags = "7, 8")]
    pub filter: Option<FilterChoice>,
    #[prost(message, optional, tag = "9")]
    pub id_form: Option<IdChoice>,
    #[prost(message, optional, tag = "10")]
    pub control: Option<Control>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Source {
    #[prost(message, tag = "1")]
    Stream(StreamSource),
    #[prost(message, tag = "2")]
    All(AllSource),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct StreamSource {
    #[prost(message, optional, tag = "1")]
    pub stream: Option<StreamName>,
    #[prost(oneof = "FromRevision", tags = "2, 3, 4")]
    pub from: Option<FromRevision>,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub enum FromRevision {
    #[prost(uint64, tag = "2")]
    Revision(u64),
    #[prost(message, tag = "3")]
    Start(Empty),
    #[prost(message, tag = "4")]
    End(Empty),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AllSource {
    #[prost(oneof = "FromPosition", tags = "1, 2, 3")]
    pub from: Option<FromPosition>,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub enum FromPosition {
    #[prost(message, tag = "1")]
    Position(Position),
    #[prost(message, tag = "2")]
    Start(Empty),
    #[prost(message, tag = "3")]
    End(Empty),
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub enum Extent {
    #[prost(uint64, tag = "5")]
    Count(u64),
    #[prost(message, tag = "6")]
    Subscription(Empty),
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum FilterChoice {
    #[prost(message, tag = "7")]
    Filter(FilterOptions),
    #[prost(message, tag = "8")]
    None(Empty),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct FilterOptions {
    #[prost(oneof = "FilterOn", tags = "1, 2")]
    pub on: Option<FilterOn>,
    #[prost(oneof = "Window", tags = "3, 4")]
    pub window: Option<Window>,
    #[prost(uint32, tag = "5")]
    pub checkpoint_interval: u32,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum FilterOn {
    #[prost(message, tag = "1")]
    Stream(Expression),
    #[prost(message, tag = "2")]
    EventType(Expression),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Expression {
    #[prost(string, tag = "1")]
    pub regex: String,
    #[prost(string, repeated, tag = "2")]
    pub prefix: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub enum Window {
    #[prost(uint32, tag = "3")]
    Max(u32),
    #[prost(message, tag = "4")]
    Count(Empty),
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct IdChoice {
    #[prost(oneof = "IdWanted", tags = "1, 2")]
    pub wanted: Option<IdWanted>,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub enum IdWanted {
    #[prost(message, tag = "1")]
    Structured(Empty),
    #[prost(message, tag = "2")]
    Text(Empty),
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Control {
    #[prost(uint32, tag = "1")]
    pub compatibility: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ReadReply {
    #[prost(oneof = "Content", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9")]
    pub content: Option<Content>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Content {
    #[prost(message, boxed, tag = "1")]
    Event(Box<ReadEvent>),
    #[prost(message, tag = "2")]
    Confirmation(Confirmation),
    #[prost(message, tag = "3")]
    Checkpoint(Position),
    /// Carries the stream's name in its field 1.
    #[prost(message, tag = "4")]
    StreamNotFound(NotFound),
    #[prost(uint64, tag = "5")]
    FirstStreamRevision(u64),
    #[prost(uint64, tag = "6")]
    LastStreamRevision(u64),
    #[prost(message, tag = "7")]
    LastAllPosition(Position),
    #[prost(message, tag = "8")]
    CaughtUp(Empty),
    #[prost(message, tag = "9")]
    FellBehind(Empty),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Confirmation {
    #[prost(string, tag = "1")]
    pub subscription_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct NotFound {
    #[prost(message, optional, tag = "1")]
    pub stream: Option<StreamName>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ReadEvent {
    #[prost(message, optional, tag = "1")]
    pub event: Option<Recorded>,
    /// Never set here: links are not resolved, and no projection makes any.
    #[prost(message, optional, tag = "2")]
    pub link: Option<Recorded>,
    #[prost(oneof = "CommitPosition", tags = "3, 4")]
    pub position: Option<CommitPosition>,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub enum CommitPosition {
    #[prost(uint64, tag = "3")]
    At(u64),
    #[prost(message, tag = "4")]
    None(Empty),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Recorded {
    #[prost(message, optional, tag = "1")]
    pub id: Option<Id>,
    #[prost(message, optional, tag = "2")]
    pub stream: Option<StreamName>,
    #[prost(uint64, tag = "3")]
    pub revision: u64,
    #[prost(uint64, tag = "4")]
    pub prepare: u64,
    #[prost(uint64, tag = "5")]
    pub commit: u64,
    /// `type`, `content-type` and `created` (ticks of 100 ns since 1970).
    #[prost(btree_map = "string, string", tag = "6")]
    pub metadata: BTreeMap<String, String>,
    #[prost(bytes = "vec", tag = "7")]
    pub custom_metadata: Vec<u8>,
    #[prost(bytes = "vec", tag = "8")]
    pub data: Vec<u8>,
}
