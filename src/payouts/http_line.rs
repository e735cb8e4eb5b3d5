//! [`HttpLine`] is the line that ships: one request over HTTP for each call, on a connection of its own.
//!
//! Nothing is sent twice behind the back of who asks: redirects are not followed, no connection is kept, and the client's own
//! retries are off. A kept connection that breaks under a request would leave open whether it arrived.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, Url, redirect, retry};

use crate::domain::transfer::call::Call;

use super::line::{LONGEST_REPLY, Line, Reply, Replying, Request};

/// This stands for the payout's key in the addresses of questions and cancels.
pub(super) const KEY: &str = "{key}";
/// This is how long the connection to a provider may take.
const CONNECT: Duration = Duration::from_secs(10);

/// `Addresses` are where a provider is asked.
#[derive(Debug)]
pub(super) struct Addresses {
    /// This is where payouts are sent.
    pub(super) pay: Url,
    /// This is where it is asked, with the place of the key.
    pub(super) ask: Option<String>,
    /// This is where a payout is cancelled, with the place of the key.
    pub(super) cancel: Option<String>,
}

/// An `HttpLine` is the way to one provider over HTTP.
pub(super) struct HttpLine {
    http: Client,
    addresses: Addresses,
}

impl HttpLine {
    /// Makes the line to these addresses. The token goes with each request.
    ///
    /// # Errors
    /// Fails when TLS can't be set up.
    pub(super) fn new(addresses: Addresses, token: Option<HeaderValue>) -> Result<Self, reqwest::Error> {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, token);
        }
        let http = Client::builder()
            .default_headers(headers)
            .user_agent(concat!("bookonce/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .no_proxy()
            .build()?;
        Ok(Self { http, addresses })
    }

    fn request(&self, request: Request) -> Option<RequestBuilder> {
        let key = request.key.to_string();
        let post = |to: Url| {
            self.http
                .post(to)
                .header("Idempotency-Key", format!("\"{key}\""))
                .header(CONTENT_TYPE, "application/json")
                .body(request.body.clone())
        };
        match request.call {
            Call::Pay => Some(post(self.addresses.pay.clone())),
            Call::Ask => Some(self.http.get(with_key(self.addresses.ask.as_deref()?, &key)?)),
            Call::Cancel => Some(post(with_key(self.addresses.cancel.as_deref()?, &key)?)),
        }
    }
}

/// Puts the key into an address. It has colons, which are written as `%3A`.
fn with_key(address: &str, key: &str) -> Option<Url> {
    Url::parse(&address.replace(KEY, &key.replace(':', "%3A"))).ok()
}

impl Line for HttpLine {
    fn send(&self, request: Request) -> Replying<'_> {
        Box::pin(async move {
            let mut response = self.request(request)?.send().await.ok()?;
            let status = response.status().as_u16();
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.ok()? {
                if body.len() + chunk.len() > LONGEST_REPLY {
                    return None;
                }
                body.extend_from_slice(&chunk);
            }
            Some(Reply { status, body })
        })
    }
}
