//! The sender sends a request until there is an answer. Each attempt has the same ID, so that the request is booked at most
//! once however often it is sent, and an answer that was lost is given again.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::policy::{self, Policy};
use super::random::Draws;
use super::request::Request;

/// An answer is what the service said about a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// This is the HTTP status.
    pub status: u16,
    /// This is true when it is the first answer again (`Idempotent-Replayed`).
    pub replayed: bool,
    /// These are the bytes of its body.
    pub body: Vec<u8>,
    /// This is the number of attempts that were made for it.
    pub attempts: u32,
}

impl Answer {
    /// Reads the body as JSON; gives `Null` when it is no JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Says whether it was booked, now or before. A transfer that was booked has been asked for, and its end is still to come.
    #[must_use]
    pub const fn accepted(&self) -> bool {
        matches!(self.status, 201 | 202)
    }

    /// Says whether it is a recorded decline.
    #[must_use]
    pub const fn declined(&self) -> bool {
        self.status == 402
    }

    /// Says in words why it was not booked: the problem's code and detail, or the status alone.
    #[must_use]
    pub fn problem(&self) -> String {
        let body = self.json();
        let mut text = format!("{} {}", self.status, body["code"].as_str().unwrap_or("without a code"));
        if let Some(detail) = body["detail"].as_str() {
            text = format!("{text}: {detail}");
        }
        let lists = [&body["errors"], &body["differences"]];
        for list in lists.into_iter().filter(|list| list.is_array()) {
            text = format!("{text} {list}");
        }
        text
    }
}

/// A failure says why one attempt brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The service was not reached, was cut off, or was too slow. The request may or may not have been booked.
    #[error("the service was not reached, or did not answer in time")]
    Connection(#[source] reqwest::Error),
    /// The service said that it does not know.
    #[error("the service answered {0}")]
    Status(String),
    /// The answer had more bytes than are read. The request may or may not have been booked.
    #[error("the answer was longer than {MOST_ANSWER} bytes")]
    TooLong,
}

/// This is the most that is read of the answer to a request that books, which is far shorter.
const MOST_ANSWER: usize = 64 * 1024;

/// An error says why there is no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL can't be used.
    #[error("{0:?} is no usable URL: it should look like http://127.0.0.1:7070")]
    Url(String),
    /// The key has characters that no header may have.
    #[error("the key can't be sent in a header")]
    Key,
    /// The HTTP client could not be made.
    #[error("can't set up the HTTP client")]
    Setup(#[source] reqwest::Error),
    /// The patience ended. It is not known whether the request was booked; sending the same ID again will tell.
    #[error("no answer after {attempts} attempts; sending the same ID again is safe")]
    GaveUp {
        /// This is the number of attempts that were made.
        attempts: u32,
        /// This is why the last one failed.
        #[source]
        last: Failure,
    },
    /// A read was refused.
    #[error("the service refused to show {path}: {problem}")]
    Refused {
        /// This is the path that was asked for.
        path: String,
        /// This is what the service said.
        problem: String,
    },
}

/// A `Client` sends to one service. It is cheap to clone, and keeps connections open.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    policy: Policy,
    jitter: std::sync::Arc<Draws>,
}

impl Client {
    /// Makes a client of the service at `url`, with an API key where the service asks for one.
    ///
    /// # Errors
    /// Fails when the URL is not one of a service, the key can't be a header, or TLS can't be set up.
    pub fn new(url: &str, key: Option<&str>, policy: Policy) -> Result<Self, Error> {
        let base = url.trim_end_matches('/').to_owned();
        let usable = reqwest::Url::parse(&base).is_ok_and(|parsed| {
            matches!(parsed.scheme(), "http" | "https") && parsed.has_host() && parsed.query().is_none()
        });
        if !usable {
            return Err(Error::Url(url.to_owned()));
        }
        let mut headers = reqwest::header::HeaderMap::new();
        if let Some(key) = key {
            let mut value =
                reqwest::header::HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| Error::Key)?;
            value.set_sensitive(true);
            headers.insert(reqwest::header::AUTHORIZATION, value);
        }
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(policy.timeout)
            .tcp_nodelay(true)
            .no_proxy()
            .build()
            .map_err(Error::Setup)?;
        Ok(Self { http, base, policy, jitter: Draws::fresh().into() })
    }

    /// Sends the request, again and again under its one ID, until there is an answer about it.
    ///
    /// # Errors
    /// Fails with [`Error::GaveUp`] when the policy's patience ended first.
    pub async fn send(&self, request: &Request) -> Result<Answer, Error> {
        self.persist(|| self.attempt(request)).await
    }

    /// Looks at a path, with the same patience. The answer may be of any status that is final.
    ///
    /// # Errors
    /// Fails when there is no answer.
    pub async fn look(&self, path: &str) -> Result<Answer, Error> {
        self.persist(|| self.finish(self.http.get(self.url(path)), usize::MAX)).await
    }

    /// Reads a path as JSON, with the same patience.
    ///
    /// # Errors
    /// Fails when there is no answer, or one that is not 200.
    pub async fn read(&self, path: &str) -> Result<Value, Error> {
        let answer = self.look(path).await?;
        if answer.status == 200 {
            return Ok(answer.json());
        }
        Err(Error::Refused { path: path.to_owned(), problem: answer.problem() })
    }

    /// Makes one attempt. Gives the answer, of any status, and the time that the peer asked to wait before another attempt.
    ///
    /// # Errors
    /// Fails when no whole answer came.
    pub async fn attempt(&self, request: &Request) -> Result<(Answer, Option<Duration>), Failure> {
        let post = self.http.post(self.url(&request.path));
        let post = post.header("Idempotency-Key", request.id.to_string());
        let post = post.header(reqwest::header::CONTENT_TYPE, "application/json");
        self.finish(post.body(request.body.clone()), MOST_ANSWER).await
    }

    async fn persist<F>(&self, attempt: impl Fn() -> F) -> Result<Answer, Error>
    where
        F: Future<Output = Result<(Answer, Option<Duration>), Failure>>,
    {
        let begun = Instant::now();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (last, asked) = match attempt().await {
                Ok((answer, asked)) => {
                    let code = answer.json()["code"].as_str().map(str::to_owned);
                    if policy::is_final(answer.status, code.as_deref()) {
                        return Ok(Answer { attempts, ..answer });
                    }
                    (Failure::Status(answer.problem()), asked)
                }
                Err(failure) => (failure, None),
            };
            let delay = self.policy.delay(attempts, asked, self.jitter.next());
            if !self.policy.goes_on(begun.elapsed(), delay) {
                return Err(Error::GaveUp { attempts, last });
            }
            tokio::time::sleep(delay).await;
        }
    }

    async fn finish(
        &self,
        post: reqwest::RequestBuilder,
        most: usize,
    ) -> Result<(Answer, Option<Duration>), Failure> {
        let mut response = post.send().await.map_err(Failure::Connection)?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let asked = header("retry-after").and_then(policy::retry_after);
        let replayed = header("idempotent-replayed") == Some("true");
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(bytes) = response.chunk().await.map_err(Failure::Connection)? {
            if bytes.len() > most.saturating_sub(body.len()) {
                return Err(Failure::TooLong);
            }
            body.extend_from_slice(&bytes);
        }
        Ok((Answer { status, replayed, body, attempts: 1 }, asked))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_service_can_be_a_url() {
        for url in ["", "localhost", "ftp://a", "http://", "http://a/?x=1", "/v1"] {
            assert!(matches!(Client::new(url, None, Policy::default()), Err(Error::Url(_))), "{url:?}");
        }
        assert!(Client::new("http://127.0.0.1:7070/", Some("key"), Policy::default()).is_ok());
        assert!(matches!(Client::new("http://a", Some("k\ney"), Policy::default()), Err(Error::Key)));
    }
}
