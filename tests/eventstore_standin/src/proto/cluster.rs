//! These are the messages of `ServerFeatures.GetSupportedMethods` and `Gossip.Read`.

use super::Id;

#[derive(Clone, PartialEq, prost::Message)]
pub struct Supported {
    #[prost(message, repeated, tag = "1")]
    pub methods: Vec<Method>,
    #[prost(string, tag = "2")]
    pub version: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Method {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub service: String,
    #[prost(string, repeated, tag = "3")]
    pub features: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Cluster {
    #[prost(message, repeated, tag = "1")]
    pub members: Vec<Member>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Member {
    #[prost(message, optional, tag = "1")]
    pub instance: Option<Id>,
    /// Ticks of 100 ns since 1970.
    #[prost(int64, tag = "2")]
    pub time: i64,
    /// One of the constants below.
    #[prost(int32, tag = "3")]
    pub state: i32,
    #[prost(bool, tag = "4")]
    pub alive: bool,
    #[prost(message, optional, tag = "5")]
    pub end_point: Option<EndPoint>,
}

pub const UNKNOWN: i32 = 2;
pub const FOLLOWER: i32 = 6;
pub const LEADER: i32 = 8;

#[derive(Clone, PartialEq, prost::Message)]
pub struct EndPoint {
    #[prost(string, tag = "1")]
    pub address: String,
    #[prost(uint32, tag = "2")]
    pub port: u32,
}
