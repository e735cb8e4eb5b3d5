//! A long answer is sent only for as long as its caller may have it. Whether a key is good is asked when a request
//! comes. For an answer that takes long, such as the live feed, it is asked again each half second, and the answer ends
//! when the key is no longer good.
//!
//! A feed ends as it does when the service stops. Any other answer is cut off, so that nobody takes a part of it for
//! the whole.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::app::App;
use super::request::caller::Credentials;
use super::request::negotiate::EVENTS;
use crate::ledger::permission::Act;

/// This is the most bytes of an answer that is sent at once, and not asked about.
const SHORT: u64 = 32 * 1024;
/// This is how often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Makes an answer end when `credentials` are no longer good for `act`. A short one stays as it is.
pub(crate) fn watched(response: Response, app: &App, credentials: Credentials, act: Act) -> Response {
    if response.body().size_hint().exact().is_some_and(|bytes| bytes <= SHORT) {
        return response;
    }
    let endless = response.headers().get(CONTENT_TYPE).is_some_and(|form| form == EVENTS);
    let app = app.clone();
    response.map(|body| {
        Body::new(Watched::new(body, endless, ASK_EVERY, move || credentials.may_still(&app, act)))
    })
}

struct Watched<F> {
    body: Body,
    endless: bool,
    may_still: F,
    asking: Interval,
    ended: bool,
}

impl<F: Fn() -> bool> Watched<F> {
    fn new(body: Body, endless: bool, every: Duration, may_still: F) -> Self {
        let mut asking = interval(every);
        asking.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { body, endless, may_still, asking, ended: false }
    }
}

impl<F: Fn() -> bool + Unpin> HttpBody for Watched<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        while !self.ended && self.asking.poll_tick(context).is_ready() {
            self.ended = !(self.may_still)();
        }
        match (self.ended, self.endless) {
            (false, _) => {
                let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
                Poll::Ready(frame)
            }
            (true, true) => Poll::Ready(None),
            (true, false) => Poll::Ready(Some(Err(axum::Error::new("the key is no longer good")))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures_util::{StreamExt, stream};

    /// Returns what comes of a body that goes on and on after its key went.
    async fn ended(endless: bool) -> (usize, Option<axum::Error>) {
        let good = Arc::new(AtomicBool::new(true));
        let key = Arc::clone(&good);
        let pieces = stream::repeat_with(|| Ok::<_, axum::Error>(Bytes::from_static(b"a piece")));
        let body = Body::from_stream(pieces.take(MOST));
        let every = Duration::from_millis(1);
        let watched = Watched::new(body, endless, every, move || key.load(Ordering::Relaxed));
        let mut pieces = Body::new(watched).into_data_stream();
        assert!(pieces.next().await.unwrap().is_ok());
        good.store(false, Ordering::Relaxed);
        let mut sent = 1;
        while let Some(piece) = pieces.next().await {
            // As a socket does, that has taken enough for now: the clock of the runtime goes on only between tasks.
            tokio::task::yield_now().await;
            match piece {
                Ok(_) => sent += 1,
                Err(error) => return (sent, Some(error)),
            }
        }
        (sent, None)
    }

    const MOST: usize = 1_000_000;

    /// Guards against a body that nobody asks about, which would go on to its end.
    #[tokio::test]
    async fn a_long_answer_ends_when_its_key_goes() {
        let (sent, cut) = ended(true).await;
        assert!(sent < MOST && cut.is_none(), "a feed just ends, after {sent}");
        let (sent, cut) = ended(false).await;
        assert!(sent < MOST && cut.is_some(), "an answer that could be taken for whole is cut off");
    }
}
