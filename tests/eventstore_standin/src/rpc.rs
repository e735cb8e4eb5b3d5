//! This module accepts connections and passes each call to its function: HTTP/2 is done by hyper, the framing of gRPC
//! by tonic.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;
use tower::service_fn as handler;

use super::answer_cluster::Question;
use super::node::{Node, Wire};
use super::{answer_cluster, answer_read, answer_write};

/// What one message may hold: an append of 1 MiB must be refused by the rule for it, not by the framing.
const MOST_RECEIVED: usize = 64 << 20;

/// As a real node's web server has it: further calls on a connection wait. A subscription
/// holds one, and so does a batch session: with more than this on one connection the rest never begin.
const CALLS_AT_ONCE: u32 = 100;

type Answer = http::Response<Body>;

/// Accepts connections until `cut` says to end them all; `cut` counts how often that was.
pub async fn accept(listener: TcpListener, node: Arc<Node>, cut: watch::Receiver<u64>) {
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        tokio::spawn(connection(socket, Arc::clone(&node), cut.clone()));
    }
}

async fn connection(socket: TcpStream, node: Arc<Node>, mut cut: watch::Receiver<u64>) {
    drop(socket.set_nodelay(true));
    let wire = Wire::default();
    let cut_here = Arc::clone(&wire.0);
    let service = service_fn(move |request| {
        let (node, wire) = (Arc::clone(&node), wire.clone());
        async move { Ok::<_, Infallible>(call(node, wire, request).await) }
    });
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .max_concurrent_streams(CALLS_AT_ONCE)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .max_send_buf_size(64 << 10)
        .serve_connection(TokioIo::new(socket), service);
    cut.mark_unchanged();
    tokio::select! {
        _ = connection => {}
        () = cut_here.notified() => {}
        _ = cut.changed() => {}
    }
}

/// Answers a call, or ends it at its deadline, as a real node does; a silent one leaves even that out.
async fn call(node: Arc<Node>, wire: Wire, request: http::Request<Incoming>) -> Answer {
    let deadline = request.headers().get("grpc-timeout").and_then(|value| timeout(value.to_str().ok()?));
    let silent = node.faults.silent();
    if !node.lets_in(&request) {
        return Status::new(Code::Unauthenticated, "Unauthenticated").into_http();
    }
    let answer = route(node, wire, request);
    match deadline {
        Some(deadline) if !silent => match tokio::time::timeout(deadline, answer).await {
            Ok(answer) => answer,
            Err(_) => Status::new(Code::DeadlineExceeded, "Deadline Exceeded").into_http(),
        },
        _ => answer.await,
    }
}

/// `10S`, `200m`: hours, minutes, seconds, milli-, micro- and nanoseconds.
fn timeout(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

fn codec<Reply, Request>() -> Grpc<ProstCodec<Reply, Request>>
where
    Reply: prost::Message + Send + 'static,
    Request: prost::Message + Default + Send + 'static,
{
    Grpc::new(ProstCodec::default()).max_decoding_message_size(MOST_RECEIVED)
}

async fn route(node: Arc<Node>, wire: Wire, request: http::Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    match path.as_str() {
        "/event_store.client.streams.Streams/Read" => {
            let read = handler(move |request| answer_read::read(Arc::clone(&node), request));
            Grpc::new(answer_read::ReadCodec).server_streaming(read, request).await
        }
        "/event_store.client.streams.Streams/Append" => {
            let append =
                handler(move |request| answer_write::append(Arc::clone(&node), wire.clone(), request));
            codec().client_streaming(append, request).await
        }
        "/event_store.client.streams.Streams/BatchAppend" => {
            let batch = handler(move |request| answer_write::batch(Arc::clone(&node), wire.clone(), request));
            codec().streaming(batch, request).await
        }
        "/event_store.client.streams.Streams/Delete" => {
            let delete = handler(move |request| {
                answer_write::delete(Arc::clone(&node), wire.clone(), request, super::writer::Work::Delete)
            });
            codec().unary(delete, request).await
        }
        "/event_store.client.streams.Streams/Tombstone" => {
            let delete = handler(move |request| {
                answer_write::delete(Arc::clone(&node), wire.clone(), request, super::writer::Work::Tombstone)
            });
            codec().unary(delete, request).await
        }
        "/event_store.client.server_features.ServerFeatures/GetSupportedMethods" => {
            let features = handler(move |_: Question| answer_cluster::supported(Arc::clone(&node)));
            codec().unary(features, request).await
        }
        "/event_store.client.gossip.Gossip/Read" => {
            let gossip = handler(move |_: Question| answer_cluster::gossip(Arc::clone(&node)));
            codec().unary(gossip, request).await
        }
        _ => Status::new(Code::Unimplemented, "Service is unimplemented.").into_http(),
    }
}
