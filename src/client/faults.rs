//! A proxy makes a network with faults: it stands in front of the service, loses requests, loses answers, sends requests
//! twice, and delays them.
//!
//! It is for demonstrations and tests. What happens to a request follows from the seed, its ID and how often that ID has come,
//! so that a run can be repeated.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::random::mix;

/// A fault is what is done to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request passes untouched.
    None,
    /// The service never sees the request; the client's connection breaks.
    LoseRequest,
    /// The service takes the request and answers; the client's connection breaks in place of the answer.
    LoseAnswer,
    /// The service gets the request twice at once; the client gets one of the answers.
    Double,
    /// The request waits before it goes on.
    Delay(Duration),
}

/// Fault rates say how often each fault happens, in a thousand requests.
#[derive(Clone, Copy, Debug)]
pub struct FaultRates {
    /// [`Fault::LoseRequest`].
    pub lose_request: u64,
    /// [`Fault::LoseAnswer`].
    pub lose_answer: u64,
    /// [`Fault::Double`].
    pub double: u64,
    /// [`Fault::Delay`].
    pub delay: u64,
    /// This is the longest delay.
    pub longest_delay: Duration,
}

impl FaultRates {
    /// Gives the fault that this number draws.
    #[must_use]
    pub fn draw(&self, number: u64) -> Fault {
        let Self { lose_request, lose_answer, double, delay, longest_delay } = *self;
        match mix(number) % 1000 {
            at if at < lose_request => Fault::LoseRequest,
            at if at < lose_request + lose_answer => Fault::LoseAnswer,
            at if at < lose_request + lose_answer + double => Fault::Double,
            at if at < lose_request + lose_answer + double + delay => {
                let longest = u64::try_from(longest_delay.as_millis()).unwrap_or(u64::MAX).max(1);
                Fault::Delay(Duration::from_millis(1 + mix(number ^ 1) % longest))
            }
            _ => Fault::None,
        }
    }
}

/// Counts of what the proxy did so far.
#[derive(Debug, Default)]
pub struct Counts {
    /// This is the number of requests that came.
    pub came: AtomicU64,
    /// This is the number of requests that were lost.
    pub lost_requests: AtomicU64,
    /// This is the number of answers that were lost after the service took the request.
    pub lost_answers: AtomicU64,
    /// This is the number of requests that were sent twice.
    pub doubled: AtomicU64,
    /// This is the number of requests that were delayed.
    pub delayed: AtomicU64,
    /// This is the number of requests that did not reach the service, or were cut off in it: it was down.
    pub service_down: AtomicU64,
    /// This is the number of doubled requests whose two final answers were not the same bytes. It must stay 0.
    pub disagreed: AtomicU64,
}

/// A proxy runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// This is the address at which clients reach it.
    pub address: SocketAddr,
    network: Arc<Network>,
    _accepting: JoinSet<()>,
}

#[derive(Debug)]
struct Network {
    upstreams: Vec<SocketAddr>,
    /// This is the number of requests that were sent on. Each goes to the next upstream.
    sent: AtomicUsize,
    http: reqwest::Client,
    seed: u64,
    rates: FaultRates,
    calm: AtomicBool,
    counts: Counts,
    seen: Mutex<HashMap<String, u64>>,
}

impl Proxy {
    /// Starts a proxy in front of `upstreams`, which take turns, on a free port of loopback.
    ///
    /// # Errors
    /// Fails when there is no free port, or no HTTP client can be made.
    pub async fn start(upstreams: Vec<SocketAddr>, seed: u64, rates: FaultRates) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let http =
            reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().map_err(std::io::Error::other)?;
        let (calm, counts, seen) = (AtomicBool::new(false), Counts::default(), Mutex::default());
        let sent = AtomicUsize::new(0);
        let network = Arc::new(Network { upstreams, sent, http, seed, rates, calm, counts, seen });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&network)));
        Ok(Self { address, network, _accepting: accepting })
    }

    /// Ends the faults: from now on every request passes untouched.
    pub fn calm(&self) {
        self.network.calm.store(true, Ordering::Relaxed);
    }

    /// Gives the counts of what it did so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.network.counts
    }
}

async fn accept(listener: TcpListener, network: Arc<Network>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(serve(stream, Arc::clone(&network)))),
                // Out of file descriptors, or the like: give the others time to end.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, network: Arc<Network>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let network = Arc::clone(&network);
        async move { network.pass(request).await }
    });
    // An error is a connection that was cut, by us on purpose or by the client.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// A cut is an error that makes hyper end the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut on purpose")]
struct Cut;

/// A `WholeAnswer` is a whole answer of the service.
struct WholeAnswer {
    status: hyper::StatusCode,
    headers: hyper::HeaderMap,
    body: Bytes,
}

impl WholeAnswer {
    fn is_final(&self) -> bool {
        matches!(self.status.as_u16(), 201 | 202 | 402)
    }
}

impl Network {
    async fn pass(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
        add(&self.counts.came);
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let answer = match self.fault(&head) {
            Fault::None => self.forward(&head, &body).await?,
            Fault::LoseRequest => {
                add(&self.counts.lost_requests);
                return Err(Cut);
            }
            Fault::LoseAnswer => {
                self.forward(&head, &body).await?;
                add(&self.counts.lost_answers);
                return Err(Cut);
            }
            Fault::Double => {
                add(&self.counts.doubled);
                self.double(&head, &body).await?
            }
            Fault::Delay(delay) => {
                add(&self.counts.delayed);
                tokio::time::sleep(delay).await;
                self.forward(&head, &body).await?
            }
        };
        let mut response = Response::new(Full::new(answer.body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }

    /// Draws the fault that this request meets. Only writes meet any, because they have an ID.
    fn fault(&self, head: &hyper::http::request::Parts) -> Fault {
        let id = head.headers.get("idempotency-key").and_then(|id| id.to_str().ok());
        match id {
            Some(id) if !self.calm.load(Ordering::Relaxed) => {
                let mut seen = self.seen.lock();
                let times = seen.entry(id.to_owned()).or_insert(0);
                *times += 1;
                let name = id.bytes().fold(self.seed, |hash, byte| mix(hash ^ u64::from(byte)));
                self.rates.draw(name ^ *times)
            }
            _ => Fault::None,
        }
    }

    async fn double(&self, head: &hyper::http::request::Parts, body: &Bytes) -> Result<WholeAnswer, Cut> {
        let (one, other) = tokio::join!(self.forward(head, body), self.forward(head, body));
        if let (Ok(one), Ok(other)) = (&one, &other)
            && one.is_final()
            && other.is_final()
            && (one.status, &one.body) != (other.status, &other.body)
        {
            add(&self.counts.disagreed);
        }
        other.or(one)
    }

    async fn forward(&self, head: &hyper::http::request::Parts, body: &Bytes) -> Result<WholeAnswer, Cut> {
        let forwarded = self.try_forward(head, body).await;
        forwarded.map_err(|_| {
            add(&self.counts.service_down);
            Cut
        })
    }

    async fn try_forward(
        &self,
        head: &hyper::http::request::Parts,
        body: &Bytes,
    ) -> Result<WholeAnswer, reqwest::Error> {
        let mut headers = head.headers.clone();
        for hop in [hyper::header::HOST, hyper::header::CONTENT_LENGTH, hyper::header::CONNECTION] {
            headers.remove(hop);
        }
        let turn = self.sent.fetch_add(1, Ordering::Relaxed).checked_rem(self.upstreams.len());
        let upstream = turn.and_then(|turn| self.upstreams.get(turn)).map(SocketAddr::to_string);
        let url = format!("http://{}{}", upstream.unwrap_or_default(), head.uri);
        let sent =
            self.http.request(head.method.clone(), url).headers(headers).body(body.clone()).send().await?;
        let (status, mut headers) = (sent.status(), sent.headers().clone());
        for hop in
            [hyper::header::CONTENT_LENGTH, hyper::header::TRANSFER_ENCODING, hyper::header::CONNECTION]
        {
            headers.remove(hop);
        }
        Ok(WholeAnswer { status, headers, body: sent.bytes().await? })
    }
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: FaultRates = FaultRates {
        lose_request: 100,
        lose_answer: 100,
        double: 100,
        delay: 100,
        longest_delay: Duration::from_millis(9),
    };

    #[test]
    fn faults_come_as_often_as_asked_and_the_same_again() {
        let drawn: Vec<_> = (0..10_000).map(|number| SOME.draw(number)).collect();
        assert_eq!(drawn, (0..10_000).map(|number| SOME.draw(number)).collect::<Vec<_>>());
        let often = |fault: fn(&Fault) -> bool| drawn.iter().filter(|drawn| fault(drawn)).count();
        for count in [
            often(|fault| *fault == Fault::LoseRequest),
            often(|fault| *fault == Fault::LoseAnswer),
            often(|fault| *fault == Fault::Double),
            often(|fault| matches!(fault, Fault::Delay(delay) if (1..=9).contains(&delay.as_millis()))),
        ] {
            assert!((850..1150).contains(&count), "{count} of 10,000 where 1,000 were asked for");
        }
    }
}
