//! An export from a running service has the bytes of one from its folder.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};

use super::history::{
    JOURNAL, everything, export, lines, position_of, streams, streams_export, streams_manifest,
};
use crate::audit::carry::export::ExportError;
use crate::audit::carry::remote_export::{RemoteError, from_url};

/// Returns a service that has these lines, gives at most so many a page, and asks for a key.
async fn service(lines: Vec<String>, most: usize) -> String {
    let lines = Arc::new(lines);
    let position =
        |line: &String| crate::audit::parse::event_line::position(line.as_bytes(), 0).unwrap() as usize;
    let head = lines.last().map_or(0, position);
    let page = move |Query(query): Query<HashMap<String, usize>>, headers: HeaderMap| async move {
        assert_eq!(headers["accept"], "application/x-ndjson");
        if headers.get("authorization").is_none_or(|key| key != "Bearer secret") {
            return (StatusCode::UNAUTHORIZED, String::new());
        }
        let after = lines.iter().filter(|line| position(line) > query["after"]);
        let page = after.take(query["limit"].min(most));
        (StatusCode::OK, page.cloned().collect())
    };
    let head = Json(serde_json::json!({"journal_id": JOURNAL, "position": head, "hash": "00"}));
    let app = Router::new()
        .route("/v1/journal", get(page))
        .route("/v1/journal/head", get(move || async move { head.clone() }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn exported(
    url: &str,
    key: Option<&str>,
    range: (Option<u64>, Option<u64>),
) -> Result<Vec<u8>, RemoteError> {
    let mut out = Vec::new();
    from_url(url, key, range, &mut out, &|_| ()).await.map(|_| out)
}

#[tokio::test]
async fn it_is_read_page_by_page_whatever_a_page_holds() {
    let events = everything();
    for most in [1, 7, 1_000] {
        let url = service(lines(&events), most).await;
        assert_eq!(exported(&url, Some("secret"), (None, None)).await.unwrap(), export(&events));
        let part = super::audited(&exported(&url, Some("secret"), (Some(9), Some(20))).await.unwrap());
        assert_eq!((part.finding, part.from, part.position, part.whole), (None, 9, 20, true));
    }
    let url = service(Vec::new(), 1).await;
    assert_eq!(exported(&url, None, (None, None)).await.unwrap(), export(&[]));
}

#[tokio::test]
async fn a_service_on_another_store_is_read_from_the_beginning() {
    let events = everything();
    for most in [1, 7, 1_000] {
        let url = service(streams(&events), most).await;
        let whole = exported(&url, Some("secret"), (None, None)).await.unwrap();
        assert_eq!(whole, streams_export(&events));
        let range = (Some(position_of(9)), Some(position_of(20) + 1));
        let part = exported(&url, Some("secret"), range).await.unwrap();
        let lines = streams(&events);
        assert_eq!(
            String::from_utf8(part).unwrap(),
            lines[9..21].concat() + &streams_manifest(&lines, 9..21)
        );
    }
}

#[tokio::test]
async fn a_service_that_refuses_or_gives_other_lines_makes_no_export() {
    let mut told = lines(&everything());
    let url = service(told.clone(), 7).await;
    assert!(matches!(
        exported(&url, None, (None, None)).await,
        Err(RemoteError::Refused { status: 401, .. })
    ));
    told.remove(10);
    let url = service(told, 7).await;
    let broken = exported(&url, Some("secret"), (None, None)).await;
    assert!(matches!(broken, Err(RemoteError::Export(ExportError::Broken(11)))));
    let none = exported("http://127.0.0.1:1", None, (None, None)).await;
    assert!(matches!(none, Err(RemoteError::Connection { .. })));
}
