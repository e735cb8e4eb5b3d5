//! The budget of responses bounds how much memory large answers take together.
//!
//! Without it, clients that ask for much and take nothing would fill the memory. Answers to reads up to [`SMALL`] are not
//! counted; all larger ones together hold at most [`MOST`]. For one that no longer fits the client is told 503 `overloaded`:
//! nothing is lost, it asks again.

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
/// This is how many bytes are handed on at once.
const PIECE: usize = 16 * 1024;
/// This is the most bytes of all counted answers together, while they are being sent.
const MOST: usize = 128 * 1024 * 1024;

/// A `Budget` has the bytes that are left for large answers. It is cheap to clone.
#[derive(Clone)]
pub(crate) struct Budget(Arc<Semaphore>);

impl Default for Budget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

impl Budget {
    /// Takes the answer's bytes from the budget until it is sent or given up; it becomes a 503 where they are not left.
    pub(crate) fn spend(&self, response: Response) -> Response {
        let bytes = response.body().size_hint().exact().unwrap_or_default();
        if bytes <= SMALL {
            return response;
        }
        let place =
            u32::try_from(bytes).ok().and_then(|n| Arc::clone(&self.0).try_acquire_many_owned(n).ok());
        match place {
            Some(place) => {
                response.map(|body| Body::new(Counted { body, piece: Bytes::new(), _place: place }))
            }
            None => {
                let detail = "Too many large answers are being sent; ask for less, or later.";
                Problem::new(Code::Overloaded, detail).into_response()
            }
        }
    }
}

/// A `Counted` is a large body that is counted. It goes out in small pieces, because a piece that was handed on is no
/// longer counted, and a peer that takes nothing would keep it in memory.
struct Counted {
    body: Body,
    piece: Bytes,
    _place: OwnedSemaphorePermit,
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
}
