//! A subscription that the node ends in good order, as one that shuts down may: no error, no more messages.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bookonce::store::eventstoredb::{Error, Store};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};

/// A node that confirms every subscription and ends it at once, with success.
async fn node() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service_fn(async |request: http::Request<hyper::body::Incoming>| {
                let known = request.uri().path().ends_with("/Read");
                // ReadResp { confirmation (2): { subscription_id (1): "" } }, framed.
                let confirmation: &[u8] = if known { &[0, 0, 0, 0, 2, 0x12, 0] } else { &[] };
                let mut good = http::HeaderMap::new();
                good.insert("grpc-status", http::HeaderValue::from_static(if known { "0" } else { "12" }));
                let body = Full::new(Bytes::from_static(confirmation))
                    .with_trailers(std::future::ready(Some(Ok(good))));
                let answer = http::Response::builder().header("content-type", "application/grpc").body(body);
                Ok::<_, Infallible>(answer.unwrap())
            });
            let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(serving.serve_connection(TokioIo::new(socket), service));
        }
    });
    address
}

/// Catches: the crate asking an ended subscription again and again within one poll, which nothing can interrupt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_ends_in_good_order_is_over() {
    let store = Store::new(&format!("esdb://{}?tls=false", node().await)).await.unwrap();
    let mut follow = store.follow(None).await.unwrap();
    let over = tokio::time::timeout(Duration::from_secs(5), follow.next()).await;
    assert!(matches!(over, Ok(Err(Error::Dropped(_)))), "{over:?}");
    assert!(store.follow(None).await.is_ok(), "and the store goes on");
}
