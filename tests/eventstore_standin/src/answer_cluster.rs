//! These calls answer what a client asks before it begins: which calls there are, and who leads.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::faults::Leader;
use super::node::Node;
use super::proto::cluster::{Cluster, EndPoint, FOLLOWER, LEADER, Member, Method, Supported, UNKNOWN};
use super::proto::{Empty, Id};
use super::writer::ticks;

const STREAMS: &[(&str, &[&str])] = &[
    ("append", &[]),
    ("batchappend", &["deadline_duration"]),
    ("delete", &[]),
    ("read", &["position", "events"]),
    ("tombstone", &[]),
];

pub async fn supported(node: Arc<Node>) -> Result<Response<Supported>, Status> {
    let method = |service: &str, name: &str, features: &[&str]| Method {
        name: name.to_owned(),
        service: format!("event_store.client.{service}"),
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
    };
    let mut methods: Vec<Method> =
        STREAMS.iter().map(|(name, features)| method("streams.streams", name, features)).collect();
    methods.push(method("gossip.gossip", "read", &[]));
    methods.push(method("server_features.serverfeatures", "getsupportedmethods", &[]));
    Ok(Response::new(Supported { methods, version: node.version.clone() }))
}

pub async fn gossip(node: Arc<Node>) -> Result<Response<Cluster>, Status> {
    let member = |instance: uuid::Uuid, state: i32, address: std::net::SocketAddr| Member {
        instance: Some(Id::text(instance)),
        time: ticks(),
        state,
        alive: true,
        end_point: Some(EndPoint { address: address.ip().to_string(), port: address.port().into() }),
    };
    let members = match node.faults.leader() {
        Leader::Here => vec![member(node.instance, LEADER, node.address)],
        Leader::Nobody => vec![member(node.instance, UNKNOWN, node.address)],
        Leader::At(leader) => vec![
            member(node.instance, FOLLOWER, node.address),
            member(uuid::Uuid::from_u128(u128::from(leader.port())), LEADER, leader),
        ],
    };
    Ok(Response::new(Cluster { members }))
}

/// What both are asked with.
pub type Question = Request<Empty>;
