//! These tests run against a node of a few lines that does what the stand-in does not: it ends subscriptions in good
//! order, as a node that shuts down may, and looks at who asks.

use std::convert::Infallible;
use std::net::SocketAddr;

use bookonce::store::eventstoredb::{Error, Store};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};

/// A node that confirms every read and ends it at once, with success; for a reader other than `as_whom` (a header's
/// value) it denies access.
async fn node(as_whom: Option<&'static str>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service_fn(move |request: http::Request<hyper::body::Incoming>| async move {
                let known = request.uri().path().ends_with("/Read");
                // ReadResp { confirmation (2): { subscription_id (1): "" } }, framed.
                let confirmation: &[u8] = if known { &[0, 0, 0, 0, 2, 0x12, 0] } else { &[] };
                let mut good = http::HeaderMap::new();
                let who = request.headers().get("authorization").and_then(|value| value.to_str().ok());
                let status = match known {
                    true if as_whom.is_some() && who != as_whom => "7",
                    true => "0",
                    false => "12",
                };
                good.insert("grpc-status", http::HeaderValue::from_static(status));
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
    let store = Store::new(&format!("esdb://{}?tls=false", node(None).await)).await.unwrap();
    let mut follow = store.follow(None).await.unwrap();
    let over = tokio::time::timeout(crate::PATIENCE, follow.next()).await;
    assert!(matches!(over, Ok(Err(Error::Dropped(_)))), "{over:?}");
    assert!(store.follow(None).await.is_ok(), "and the store goes on");
}

/// Catches: a password that is sent as the connection string has to spell it.
#[tokio::test]
async fn user_and_password_are_sent_as_they_are_meant() {
    // adm in:p@ss:wärd
    let address = node(Some("Basic YWRtIGluOnBAc3M6d8OkcmQ=")).await;
    let right = Store::new(&format!("esdb://adm%20in:p%40ss%3Aw%C3%A4rd@{address}?tls=false")).await.unwrap();
    let stream = crate::fresh("alice");
    assert_eq!(right.stream(&stream, 0, 1).await, Ok(Vec::new()));
    assert_eq!(right.journal(0, 1).await, Ok(Vec::new()));
    let wrong = Store::new(&format!("esdb://admin:changeit@{address}?tls=false")).await.unwrap();
    assert_eq!(wrong.stream(&stream, 0, 1).await, Err(Error::Denied));
    assert_eq!(wrong.journal(0, 1).await, Err(Error::Denied));
    assert_eq!(wrong.follow(None).await.unwrap().next().await, Err(Error::Denied));
}
