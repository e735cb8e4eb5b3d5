//! This file serves the sockets: it accepts connections, limits heads and slow peers, and ends them when the service stops.
//!
//! `axum::serve` has no header timeout, no limit on connections and no TLS; this is hyper's own connection with those.
//! At most [`Limits::connections`] are open at once; a head is at most as large as [`head`] allows; each peer must keep
//! the pace that [`crate::http::server::slow_peer`] demands.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::Service;

use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;
use crate::http::server::head;
use crate::http::server::limits::{Limits, allowed_connections};
use crate::http::server::peer::{Peer, Stage};
use crate::http::server::slow_peer::{Allowed, Pace, Paced};

/// This is how long a connection that rests is kept when the service stops, so that a request that is already on its
/// way is told 503 and not cut off.
const GRACE: Duration = Duration::from_millis(250);
/// This is the most bytes that a connection buffers: enough to read a target that is far too long, and to answer so.
const BUFFER: usize = 96 * 1024;

/// Serves `app` on the listener until `shutdown`, and then until what was under way has ended, or the limit for that
/// has passed.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    app: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    let limits = Limits { connections: allowed_connections(limits.connections), ..limits };
    let stage = watch::Sender::new(Stage::Serving);
    let places = Arc::new(Semaphore::new(limits.connections));
    let server = Server { app, tls: tls.map(TlsAcceptor::from), limits };
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((socket, peer)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => server.connect(socket, peer, place, stage.subscribe()),
                Err(_) => refuse(&socket),
            },
            Err(error) => {
                // The process has no files or memory left: others may end meanwhile. Any other error concerns one
                // connection only.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    stage.send_replace(Stage::Stopping);
    drop(listener);
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    if tokio::time::timeout(limits.drain, places.acquire_many(all)).await.is_err() {
        tracing::warn!("some requests did not end in time: their connections are cut");
        stage.send_replace(Stage::Ended);
        let _they_end_at_once = tokio::time::timeout(Duration::from_secs(1), places.acquire_many(all)).await;
    }
}

/// Tells a connection that it is one too many, if that takes no waiting.
fn refuse(socket: &TcpStream) {
    let detail = "There are as many connections as are allowed.";
    let problem = Problem::new(Code::Overloaded, detail).body();
    let head = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n\
                content-type: application/problem+json\r\ncontent-length: ";
    let mut answer = format!("{head}{}\r\n\r\n", problem.len()).into_bytes();
    answer.extend(problem);
    let _best_effort = socket.try_write(&answer);
}

struct Server {
    app: Router,
    tls: Option<TlsAcceptor>,
    limits: Limits,
}

impl Server {
    fn connect(
        &self,
        socket: TcpStream,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
        stage: watch::Receiver<Stage>,
    ) {
        // Without it a small answer waits for the acknowledgement of the one before. It can't fail on a live socket.
        let _harmless = socket.set_nodelay(true);
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let pace = Pace::new(Allowed {
            head_ms: ms(self.limits.head),
            idle_ms: ms(self.limits.idle),
            write_ms: ms(self.limits.write),
        });
        let socket = Paced::new(socket, Arc::clone(&pace));
        let connection = Connection { app: self.app.clone(), peer, pace, stage };
        let tls = self.tls.clone();
        tokio::spawn(async move {
            match tls {
                None => connection.run(socket).await,
                Some(tls) => connection.run_secured(&tls, socket).await,
            }
            drop(place);
        });
    }
}

struct Connection {
    app: Router,
    peer: SocketAddr,
    pace: Arc<Pace>,
    stage: watch::Receiver<Stage>,
}

impl Connection {
    /// Shakes hands, and answers the requests of one connection.
    async fn run_secured(self, tls: &TlsAcceptor, socket: Paced<TcpStream>) {
        let (pace, mut stage, peer) = (Arc::clone(&self.pace), self.stage.clone(), self.peer);
        let secured = tokio::select! {
            secured = tls.accept(socket) => secured,
            () = pace.overdue() => return,
            _stopping = stage.changed() => return,
        };
        match secured {
            Ok(socket) => self.run(socket).await,
            Err(error) => tracing::debug!(%error, %peer, "no TLS"),
        }
    }

    /// Answers one request.
    fn answer(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<> {
        self.pace.request_began();
        let pace = Arc::clone(&self.pace);
        let answering = head::check(&request, *self.stage.borrow()).map(|()| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer { address: self.peer, stages: self.stage.clone() });
            self.app.clone().call(request)
        });
        async move {
            let response = match answering {
                Ok(answering) => answering.await,
                Err(problem) => Ok(problem.into_response()),
            };
            pace.request_ended();
            response
        }
    }

    /// Answers the requests of one connection.
    async fn run(self, socket: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        let (pace, mut stage, peer) = (Arc::clone(&self.pace), self.stage.clone(), self.peer);
        let mut grace = std::pin::pin!(grace(self.stage.clone()));
        let mut stopping = false;
        let service = service_fn(move |request| self.answer(request));
        let mut connection = std::pin::pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(None)
                .writev(false)
                .max_buf_size(BUFFER)
                .serve_connection(TokioIo::new(socket), service)
        );
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, %peer, "a connection broke off");
                    }
                    return;
                }
                () = pace.overdue() => return,
                changed = stage.changed() => match (changed, *stage.borrow_and_update()) {
                    (Ok(()), Stage::Serving | Stage::Stopping) => {}
                    (Ok(()), Stage::Ended) | (Err(_), _) => return,
                },
                () = grace.as_mut(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// Waits until [`GRACE`] after the service began to stop.
async fn grace(mut stage: watch::Receiver<Stage>) {
    let _stopping_or_gone = stage.wait_for(|stage| *stage != Stage::Serving).await.is_ok();
    tokio::time::sleep(GRACE).await;
}
