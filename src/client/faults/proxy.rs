//! The proxy for HTTP stands in front of a service. It does harm to requests that have an ID, and passes all others
//! untouched.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::rates::{Fault, FaultRates};
use crate::client::random::mix;

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
    /// This is the number of answers that were cut in the middle.
    pub cut: AtomicU64,
    /// This is the number of requests that waited until another one had passed.
    pub reordered: AtomicU64,
    /// This is the number of answers that came byte by byte.
    pub dripped: AtomicU64,
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
    /// It is told of each request that has passed, for those that wait to be passed.
    passed: Notify,
}

impl Proxy {
    /// Starts a proxy in front of `upstreams`, which take turns, on a free port of loopback.
    ///
    /// # Errors
    /// Fails when there is no free port, or no HTTP client can be made.
    pub async fn start(upstreams: Vec<SocketAddr>, seed: u64, rates: FaultRates) -> std::io::Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), upstreams, seed, rates).await
    }

    /// Starts the same at this address.
    ///
    /// # Errors
    /// Fails when it can't listen there, or no HTTP client can be made.
    pub async fn start_at(
        listen: SocketAddr,
        upstreams: Vec<SocketAddr>,
        seed: u64,
        rates: FaultRates,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let http =
            reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().map_err(std::io::Error::other)?;
        let (calm, counts, seen) = (AtomicBool::new(false), Counts::default(), Mutex::default());
        let (sent, passed) = (AtomicUsize::new(0), Notify::new());
        let network = Arc::new(Network { upstreams, sent, http, seed, rates, calm, counts, seen, passed });
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

/// The body of an answer, which may break off.
type AnswerBody = UnsyncBoxBody<Bytes, Cut>;

impl Network {
    async fn pass(&self, request: Request<Incoming>) -> Result<Response<AnswerBody>, Cut> {
        add(&self.counts.came);
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let fault = self.fault(&head);
        let answer = self.harmed(fault, &head, &body).await?;
        let length = hyper::header::HeaderValue::from(answer.body.len());
        let body = match fault {
            Fault::Cut => cut(&answer.body),
            Fault::Drip(time) => drip(answer.body, time),
            Fault::None
            | Fault::LoseRequest
            | Fault::LoseAnswer
            | Fault::Double
            | Fault::Delay(_)
            | Fault::Reorder(_) => Full::new(answer.body).map_err(|never| match never {}).boxed_unsync(),
        };
        let mut response = Response::new(body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response.headers_mut().insert(hyper::header::CONTENT_LENGTH, length);
        Ok(response)
    }

    /// Does what this fault does to the request, and returns the answer if the client gets any of it.
    async fn harmed(
        &self,
        fault: Fault,
        head: &hyper::http::request::Parts,
        body: &Bytes,
    ) -> Result<WholeAnswer, Cut> {
        match fault {
            Fault::None => {}
            Fault::LoseRequest => {
                add(&self.counts.lost_requests);
                return Err(Cut);
            }
            Fault::LoseAnswer => {
                self.forward(head, body).await?;
                add(&self.counts.lost_answers);
                return Err(Cut);
            }
            Fault::Double => {
                add(&self.counts.doubled);
                return self.double(head, body).await;
            }
            Fault::Delay(delay) => {
                add(&self.counts.delayed);
                tokio::time::sleep(delay).await;
            }
            Fault::Reorder(most) => {
                add(&self.counts.reordered);
                let _passed_or_not = tokio::time::timeout(most, self.passed.notified()).await;
            }
            Fault::Cut => add(&self.counts.cut),
            Fault::Drip(_) => add(&self.counts.dripped),
        }
        self.forward(head, body).await
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
        self.passed.notify_waiters();
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

/// Makes a body that breaks off in the middle.
fn cut(whole: &Bytes) -> AnswerBody {
    let half = whole.slice(..whole.len() / 2);
    StreamBody::new(stream::iter([Ok(Frame::data(half)), Err(Cut)])).boxed_unsync()
}

/// Makes a body that comes byte by byte, the whole of it after this time.
fn drip(whole: Bytes, time: Duration) -> AnswerBody {
    let pause = time / u32::try_from(whole.len()).unwrap_or(u32::MAX).max(1);
    let drops = stream::unfold(whole, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let next = left.split_to(1);
        Some((Ok(Frame::data(next)), left))
    });
    StreamBody::new(drops).boxed_unsync()
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}
