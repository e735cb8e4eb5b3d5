//! A webhook is a destination to which each message is posted over HTTP.
//!
//! A call sends once: redirects are not followed, no proxy is taken from the environment, and the client's own retries are off.
//! An answer counts when it has come within 15 s; 64 KiB of it are read. A slow receiver holds its own place among the messages
//! under way, and nothing else.

use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect, retry};

use crate::domain::delivery::failure::{Attempted, Blame, Failure, FailureClass};
use crate::domain::time::Timestamp;
use crate::signature::{Secret, sign};

use super::message::{self, Message};
use super::resolver::{BlockedAddress, Guard, LookUp, system};
use super::target::Target;

/// An attempt that is not answered after this time has failed.
const PATIENCE: Duration = Duration::from_secs(15);
/// This is how long the connection may take. It is shorter, so that a connection which is not made is known to be none.
const CONNECT: Duration = Duration::from_secs(10);
/// This is the most bytes of an answer that are read.
const LONGEST_ANSWER: usize = 64 * 1024;
/// This is how many bytes are kept of an answer that refuses a message.
const SHOWN: usize = 256;

/// A `Webhook` is the way to one destination over HTTP.
pub struct Webhook {
    http: Client,
    target: Target,
    secrets: Vec<Secret>,
    patience: Duration,
}

/// What differs from attempt to attempt, which is in headers.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// This is its number, from 1.
    pub number: u32,
    /// This is the term of who sends it.
    pub term: u64,
    /// This is true where a later message of its account went out before.
    pub is_late: bool,
    /// This is the time that is signed.
    pub at: Timestamp,
}

impl Webhook {
    /// Makes the way to a target. Each request is signed with each of the secrets.
    ///
    /// # Errors
    /// Fails when TLS can't be set up.
    pub fn new(target: Target, secrets: Vec<Secret>) -> Result<Self, reqwest::Error> {
        Self::with(target, secrets, PATIENCE, system())
    }

    /// Makes one whose hosts are looked up, and whose answers are waited for, in another way. It is for tests.
    ///
    /// # Errors
    /// Fails as [`Webhook::new`] does.
    pub fn with_look_up(
        target: Target,
        secrets: Vec<Secret>,
        patience: Duration,
        look_up: impl Fn(&str) -> std::io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Result<Self, reqwest::Error> {
        Self::with(target, secrets, patience, Arc::new(look_up))
    }

    fn with(
        target: Target,
        secrets: Vec<Secret>,
        patience: Duration,
        look_up: LookUp,
    ) -> Result<Self, reqwest::Error> {
        let guard = Guard { allowed: target.allowed.clone(), look_up };
        let http = Client::builder()
            .user_agent(concat!("bookonce/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .connect_timeout(CONNECT.min(patience))
            .dns_resolver(Arc::new(guard))
            .tcp_nodelay(true)
            .no_proxy()
            .build()?;
        Ok(Self { http, target, secrets, patience })
    }

    /// Sends a message once, and says what came of it.
    pub async fn send(&self, message: &Message, attempt: Attempt) -> Attempted {
        match tokio::time::timeout(self.patience, self.attempt(message, attempt)).await {
            Ok(came) => came,
            Err(_) => in_doubt("no answer came in time"),
        }
    }

    async fn attempt(&self, message: &Message, attempt: Attempt) -> Attempted {
        let at_seconds = attempt.at.micros().div_euclid(1_000_000);
        let mut request = self
            .http
            .post(self.target.url.clone())
            .header(CONTENT_TYPE, message::CONTENT_TYPE)
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", at_seconds)
            .header("idempotency-key", format!("\"{}\"", message.id))
            .header("bookonce-attempt", attempt.number)
            .header("bookonce-term", attempt.term);
        if message.position > 0 {
            request = request.header("bookonce-position", message.position);
        }
        if attempt.is_late {
            request = request.header("bookonce-late", "true");
        }
        if !self.secrets.is_empty() {
            let signature = sign(&self.secrets, &message.id, at_seconds, &message.body);
            request = request.header("webhook-signature", signature);
        }
        match request.body(message.body.clone()).send().await {
            Ok(response) => answered(response, attempt.at).await,
            Err(error) => unanswered(&error),
        }
    }
}

/// Reads an answer. What it says counts once it has come whole, or 64 KiB of it have.
async fn answered(mut response: Response, now: Timestamp) -> Attempted {
    let status = response.status();
    let retry_after_seconds =
        response.headers().get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, now));
    let (mut shown, mut read) = (Vec::new(), 0_usize);
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = SHOWN.saturating_sub(shown.len());
                shown.extend(chunk.iter().take(room));
                read = read.saturating_add(chunk.len());
                if read >= LONGEST_ANSWER {
                    break;
                }
            }
            Ok(None) => break,
            Err(_) => return in_doubt("the answer broke off"),
        }
    }
    let Some(blame) = Blame::of_status(status.as_u16()) else { return Attempted::Delivered };
    let failure = Failure::of_status(status.as_u16(), &told(status, &shown));
    Attempted::Failed { blame, failure, retry_after_seconds }
}

fn told(status: StatusCode, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    if body.trim().is_empty() {
        status.canonical_reason().unwrap_or_default().to_owned()
    } else {
        body.into()
    }
}

/// Says what came of an attempt without an answer. Where no connection was made, no byte of the message left.
fn unanswered(error: &reqwest::Error) -> Attempted {
    let mut cause = error.source();
    let mut last = String::new();
    while let Some(inner) = cause {
        if let Some(BlockedAddress(address)) = inner.downcast_ref() {
            let failure = format!("the host has the blocked address {address}");
            return unsent(Failure::new(FailureClass::BlockedAddress, &failure));
        }
        last = inner.to_string();
        cause = inner.source();
    }
    if error.is_connect() { unsent(Failure::new(FailureClass::NoAnswer, &last)) } else { in_doubt(&last) }
}

fn unsent(failure: Failure) -> Attempted {
    let blame = Blame::Destination { is_unsent: true };
    Attempted::Failed { blame, failure, retry_after_seconds: None }
}

fn in_doubt(message: &str) -> Attempted {
    let failure = Failure::new(FailureClass::NoAnswer, message);
    Attempted::Failed { blame: Blame::Doubt, failure, retry_after_seconds: None }
}

/// Reads `Retry-After`: seconds, or a date. A date that is over asks for nothing. Who heeds it bounds it.
fn retry_after(text: &str, now: Timestamp) -> Option<u64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has ask for longer than anybody waits.
        return Some(text.parse().unwrap_or(u64::MAX));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second();
    u64::try_from(at.saturating_sub(now.micros().div_euclid(1_000_000))).ok()
}
