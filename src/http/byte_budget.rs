//! The budget of bytes bounds how much memory requests and answers under way take together.
//!
//! Without it, clients that send much slowly, or ask for much and take nothing, would fill the memory. Bodies of requests up to
//! [`SMALL_BODY`] and answers up to [`SMALL`] are not counted; all larger ones, and all streams, together hold at most
//! [`MOST`]. For one that no longer fits the client is told 503 `overloaded` before anything is booked: nothing is lost,
//! it asks again.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;

/// This is the most bytes of an answer that is not counted.
const SMALL: u64 = 32 * 1024;
/// This is the most bytes of a request's body that is not counted.
const SMALL_BODY: usize = 4 * 1024;
/// This is for how many bytes an answer counts whose length nobody knows beforehand: a feed, a statement as CSV.
const STREAM: u64 = 128 * 1024;
/// This is how many bytes are handed on at once.
const PIECE: usize = 16 * 1024;
/// This is the most bytes of all that is counted together.
const MOST: usize = 128 * 1024 * 1024;

/// A `Budget` has the bytes that are left for large requests and answers. It is cheap to clone.
#[derive(Clone)]
pub(crate) struct Budget(Arc<Semaphore>);

impl Default for Budget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

/// A `Held` has bytes of the budget, and gives them back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Held(Option<OwnedSemaphorePermit>);

impl Held {
    /// Says whether it has any.
    pub(crate) fn is_any(&self) -> bool {
        self.0.is_some()
    }
}

impl Budget {
    fn take(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        u32::try_from(bytes).ok().and_then(|n| Arc::clone(&self.0).try_acquire_many_owned(n).ok())
    }

    /// Makes `held` have at least so many bytes of the budget.
    ///
    /// # Errors
    /// Answers 503 where they are not left.
    pub(crate) fn hold(&self, held: &mut Held, bytes: usize) -> Result<(), Problem> {
        let more = bytes.saturating_sub(held.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if more == 0 || bytes <= SMALL_BODY {
            return Ok(());
        }
        let detail = "The requests and answers under way are too large together; come again.";
        let place = self.take(more as u64).ok_or_else(|| Problem::new(Code::Overloaded, detail).closing())?;
        match &mut held.0 {
            Some(before) => before.merge(place),
            None => held.0 = Some(place),
        }
        Ok(())
    }

    /// Takes the answer's bytes from the budget until it is sent or given up; it becomes a 503 where they are not left.
    pub(crate) fn spend(&self, response: Response) -> Response {
        let bytes = response.body().size_hint().exact().unwrap_or(STREAM);
        if bytes <= SMALL {
            return response;
        }
        match self.take(bytes) {
            Some(place) => counted(response, Held(Some(place))),
            None => {
                let detail = "Too many large answers are being sent; ask for less, or later.";
                Problem::new(Code::Overloaded, detail).into_response()
            }
        }
    }
}

/// Makes an answer hold these bytes until it is sent or given up.
pub(crate) fn counted(response: Response, held: Held) -> Response {
    response.map(|body| Body::new(Counted { body, piece: Bytes::new(), _held: held }))
}

/// A `Counted` is a large body that is counted. It goes out in small pieces, because a piece that was handed on is no
/// longer counted, and a peer that takes nothing would keep it in memory.
struct Counted {
    body: Body,
    piece: Bytes,
    _held: Held,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.piece.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.piece = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let length = self.piece.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.piece.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.piece.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let whole = self.body.size_hint().exact().map(|rest| rest.saturating_add(self.piece.len() as u64));
        whole.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;

    #[test]
    fn large_answers_have_room_for_so_many() {
        let budget = Budget::default();
        let large = || budget.spend(Response::new(Body::from(vec![b'x'; MOST / 2])));
        let held = [large(), large()];
        assert!(held.iter().all(|response| response.status() == StatusCode::OK));
        assert_eq!(large().status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(budget.spend(Response::new(Body::from("small"))).status(), StatusCode::OK);
        drop(held);
        assert_eq!(large().status(), StatusCode::OK);
    }

    #[test]
    fn requests_and_streams_take_of_the_same_room() {
        let budget = Budget::default();
        let mut held = Held::default();
        budget.hold(&mut held, SMALL_BODY).unwrap();
        assert!(held.0.is_none(), "a small body is not counted");
        budget.hold(&mut held, MOST / 2).unwrap();
        budget.hold(&mut held, MOST).unwrap();
        assert!(budget.hold(&mut Held::default(), SMALL_BODY + 1).is_err(), "nothing is left");
        let endless = || {
            let pieces = futures_util::stream::pending::<Result<Bytes, std::convert::Infallible>>();
            budget.spend(Response::new(Body::from_stream(pieces)))
        };
        assert_eq!(endless().status(), StatusCode::SERVICE_UNAVAILABLE);
        let answer = counted(Response::new(Body::from("booked")), held);
        assert_eq!(
            endless().status(),
            StatusCode::SERVICE_UNAVAILABLE,
            "the answer holds what its request held"
        );
        drop(answer);
        assert_eq!(endless().status(), StatusCode::OK);
    }
}
