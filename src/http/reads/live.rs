//! The live feed shows the journal as it grows, as server-sent events (WHATWG HTML, section 9.2).
//!
//! The `id` of each is its position, so that a browser that comes back resumes by itself. The feed takes the
//! next events only when its client has taken what it was sent. It ends when the service stops.
//! At most [`Config::feeds`](crate::http::Config) are open at once; one that was up to date and then is behind for
//! [`Config::feed_behind`](crate::http::Config) is cut off with a reason, so that it does not make the store read old events
//! again and again.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::http::app::App;
use crate::http::openapi::responses;
use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;
use crate::http::reads::min_position::{goes_on_after, wait};
use crate::http::reply::bytes_of;
use crate::http::request::caller::Caller;
use crate::http::request::negotiate::{self, EVENTS};
use crate::http::request::parameters::{JournalFilter, MinPosition};
use crate::http::request::query::Params;
use crate::http::server::peer::{Peer, Stage};
use crate::ledger::{Follower, Position, ReadError};
use crate::store::codec;
use crate::store::lines_of;

/// This is the header that makes a proxy such as nginx pass on at once what it would gather.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// New events as they are recorded.
#[utoipa::path(get, path = "/v1/journal/live", operation_id = "follow_journal", tag = "journal", security(("key" = [])),
    params(JournalFilter, MinPosition,
        ("Last-Event-ID" = Option<u64>, Header, description = "The last position seen; before `after`.")),
    responses((status = 200, body = String, content_type = "text/event-stream",
        description = "Events without end, each as it is stored (a `JournalEvent`); `id` is the position."),
        responses::ReadProblems))]
pub(crate) async fn live(
    State(app): State<App>,
    _caller: Caller,
    peer: Option<Extension<Peer>>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &[JournalFilter::NAMES, MinPosition::NAMES])?;
    let resumed = match request.headers().get("last-event-id") {
        // A client that has seen nothing yet may send an empty one.
        None => None,
        Some(id) if id.as_bytes().trim_ascii().is_empty() => None,
        Some(id) => {
            let position = id.to_str().ok().and_then(|text| text.parse::<Position>().ok());
            Some(position.ok_or_else(|| Problem::field("Last-Event-ID", "must be a position"))?)
        }
    };
    let after = resumed.or(params.position("after")?).unwrap_or_default();
    negotiate::choose(request.headers(), &[EVENTS])?;
    wait(&app, &params).await?;
    goes_on_after(&app, after).await?;
    let place = Arc::clone(app.feeds()).try_acquire_owned().map_err(|_| {
        let detail = "As many live feeds are open as are allowed.";
        Problem::new(Code::Overloaded, detail)
    })?;
    let feed = Feed {
        follower: app.ledger().follow(after),
        after,
        app,
        stages: peer.map(|Extension(peer)| peer.stages),
        greeted: false,
        ended: false,
        _place: place,
    };
    let body = Body::from_stream(stream::unfold(feed, |mut feed| async move {
        let chunk = feed.next().await.transpose()?;
        Some((chunk, feed))
    }));
    let mut response = bytes_of(EVENTS, body);
    response.headers_mut().insert(UNBUFFERED, HeaderValue::from_static("no"));
    Ok(response)
}

/// This is the last event of a feed whose client takes too little. It has no `id`, so that the client resumes after the last
/// one that it took.
const CUT_OFF: &[u8] =
    b"event: cut_off\ndata: {\"code\":\"too_slow\",\"detail\":\"The feed was behind for too long: it took \
    events more slowly than they were recorded. It can be resumed.\"}\n\n";

struct Feed {
    follower: Follower,
    /// The last position that was sent.
    after: Position,
    app: App,
    stages: Option<watch::Receiver<Stage>>,
    greeted: bool,
    /// This is true when the feed was cut off.
    ended: bool,
    /// This is its place among the feeds.
    _place: OwnedSemaphorePermit,
}

impl Feed {
    /// What to send next; nothing at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Ok(Some(Bytes::from_static(b"retry: 1000\n\n")));
        }
        if self.ended {
            return Ok(None);
        }
        if self.follower.behind_for() > self.app.config().feed_behind {
            self.ended = true;
            return Ok(Some(Bytes::from_static(CUT_OFF)));
        }
        let lines = tokio::select! {
            lines = self.follower.next() => lines?,
            // What was recorded before is sent before the end; there is no waiting for it.
            () = stopping(&mut self.stages) => match self.app.ledger().head().position {
                head if head > self.after => self.follower.next().await?,
                _ => return Ok(None),
            },
            () = tokio::time::sleep(self.app.config().heartbeat) => {
                return Ok(Some(Bytes::from_static(b": still here\n\n")));
            }
        };
        self.after = lines.last;
        Ok(Some(lines.formed(events)))
    }
}

/// Lines of the journal as server-sent events.
fn events(lines: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(lines.len() + 64);
    for line in lines_of(lines) {
        if let Some(position) = codec::position_of(line) {
            out.extend_from_slice(b"id: ");
            out.extend_from_slice(itoa::Buffer::new().format(position).as_bytes());
            out.push(b'\n');
        }
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.extend_from_slice(b"\n\n");
    }
    out.into()
}

/// Ends when the service begins to stop.
async fn stopping(stages: &mut Option<watch::Receiver<Stage>>) {
    match stages {
        Some(stages) => {
            let _stopping_or_gone = stages.wait_for(|stage| *stage != Stage::Serving).await;
        }
        None => std::future::pending().await,
    }
}
