//! A line is the way to one provider: it carries a request there and a reply back, and understands neither.

use std::future::Future;
use std::pin::Pin;

use crate::domain::ids::Id;
use crate::domain::transfer::call::Call;

/// This is the most bytes of a reply that are read. What is longer is no reply.
pub const LONGEST_REPLY: usize = 64 * 1024;

/// A `Request` is what is sent to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// This is what it is asked.
    pub call: Call,
    /// This is the payout's key, which is the same for all calls about it.
    pub key: Id,
    /// This is the body, JSON. A question has none.
    pub body: String,
}

/// A `Reply` is what came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// This is the HTTP status.
    pub status: u16,
    /// This is the whole body.
    pub body: Vec<u8>,
}

/// A `Replying` is a reply that is waited for; `None` where none came, or none that could be read.
pub type Replying<'a> = Pin<Box<dyn Future<Output = Option<Reply>> + Send + 'a>>;

/// A `Line` is the way to one provider. It sends a request once at most: a payout that is sent twice may be paid twice.
pub trait Line: Send + Sync {
    /// Sends a request, and waits for the reply. It needs no bound of its own: who waits stops waiting in time.
    fn send(&self, request: Request) -> Replying<'_>;
}
