//! [`Service`] is a service on a port of its own, in this process, with a client that sends exactly the bytes that it
//! is told to.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "each test binary uses its part")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bookonce::domain::time::system_clock;
use bookonce::http::{App, Config, Limits, router, serve};
use bookonce::index::Tuning;
use bookonce::keys::Ring;
use bookonce::ledger::{DriveOrder, Ledger, OpenError, Options};
use bookonce::payouts::Providers;
use bookonce::sagas;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::{open_ledger, store};

/// This is how long an answer may take that a test waits for. Answers that wait by themselves wait for a minute at most.
const PATIENCE: Duration = Duration::from_secs(120);

/// A `Service` is a running service.
pub struct Service {
    pub address: SocketAddr,
    pub folder: tempfile::TempDir,
    pub app: App,
    stop: Option<oneshot::Sender<()>>,
    ended: Option<tokio::task::JoinHandle<()>>,
    runtime: Option<Runtime>,
}

impl Service {
    pub fn start() -> Self {
        Self::with(Config::default(), Limits::default(), router)
    }

    pub fn with(config: Config, limits: Limits, routes: impl FnOnce(App) -> axum::Router) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::on(folder, config, limits, routes)
    }

    pub fn on(
        folder: tempfile::TempDir,
        config: Config,
        limits: Limits,
        routes: impl FnOnce(App) -> axum::Router,
    ) -> Self {
        Self::launch(folder, config, limits, None, routes, open_ledger)
    }

    /// Starts a service that books nothing of its own accord.
    pub fn paused() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::launch(folder, Config::default(), Limits::default(), None, router, |data| {
            let options = super::options(data, system_clock());
            store::open(Options { drive: DriveOrder::Pause, ..options }, Tuning::default())
        })
    }

    /// Starts a service whose ledger is in this store. It does not wait until the service takes commands.
    pub fn over(folder: tempfile::TempDir, connection: &str) -> Self {
        Self::launch(folder, Config::default(), Limits::default(), None, router, |data| {
            store::begin(super::options(data, system_clock()), connection)
        })
    }

    pub fn secured(tls: Arc<rustls::ServerConfig>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::launch(folder, Config::default(), Limits::default(), Some(tls), router, open_ledger)
    }

    /// Starts a service whose ledger is opened as the test says.
    pub fn opened(open: impl FnOnce(&Path) -> Result<Ledger, OpenError>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::launch(folder, Config::default(), Limits::default(), None, router, open)
    }

    fn launch(
        folder: tempfile::TempDir,
        config: Config,
        limits: Limits,
        tls: Option<Arc<rustls::ServerConfig>>,
        routes: impl FnOnce(App) -> axum::Router,
        open: impl FnOnce(&Path) -> Result<Ledger, OpenError>,
    ) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let keys = Ring::open(folder.path(), system_clock()).unwrap();
        let guard = runtime.enter();
        let app = App::new(open(folder.path()).unwrap(), keys, config);
        drop(guard);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let routes = routes(app.clone());
        let ended = runtime.spawn(serve(listener, tls, routes, limits, async {
            let _either_way = stopped.await;
        }));
        Self { address, folder, app, stop: Some(stop), ended: Some(ended), runtime: Some(runtime) }
    }

    /// Sets it up with payout providers, and lets it take up transfers.
    pub fn pay_through(&self, providers: Providers) {
        self.app.sagas().pay_through(providers);
        self.inside(|| sagas::start(self.app.sagas()));
    }

    /// Does something in the service's runtime.
    pub fn inside<T>(&self, work: impl FnOnce() -> T) -> T {
        let _guard = self.runtime.as_ref().unwrap().enter();
        work()
    }

    /// Waits for something in the service's runtime.
    pub fn wait_for<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.as_ref().unwrap().block_on(work)
    }

    /// Asks it to stop; [`Self::ended`] waits until it has.
    pub fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub fn ended(&mut self) {
        let ended = self.ended.take().unwrap();
        self.runtime.as_ref().unwrap().block_on(ended).unwrap();
    }

    pub fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    }

    pub fn connect_and(&self, bytes: &[u8]) -> TcpStream {
        let mut socket = self.connect();
        socket.write_all(bytes).unwrap();
        socket
    }

    /// Sends these bytes and reads until the service closes.
    pub fn raw(&self, bytes: impl AsRef<[u8]>) -> Reply {
        let mut socket = self.connect();
        socket.write_all(bytes.as_ref()).unwrap();
        Reply::read(&mut socket)
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
        let body = body.as_ref();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n").into_bytes();
        for (name, value) in headers {
            request.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        if !body.is_empty() || method == "POST" {
            request.extend(format!("content-length: {}\r\n", body.len()).into_bytes());
        }
        request.extend(b"\r\n");
        request.extend(body);
        self.raw(request)
    }

    pub fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        self.send("POST", path, &[("content-type", "application/json")], body)
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "")
    }

    pub fn batch(&self, lines: &[String]) -> Vec<Value> {
        let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let reply = self.send("POST", "/v1/batch", &[("content-type", "application/x-ndjson")], body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Opens `account` in EUR and puts 100.00 into it.
    pub fn account(&self, account: &str) {
        let open = format!(r#"{{"transaction_id":"{}","account":"{account}","currency":"EUR"}}"#, id());
        assert_eq!(self.post("/v1/accounts", open).status, 201);
        let deposit = format!(r#"{{"transaction_id":"{}","amount":"100.00"}}"#, id());
        assert_eq!(self.post(&format!("/v1/accounts/{account}/deposits"), deposit).status, 201);
    }

    /// Returns where the journal's events are, oldest first. The embedded store counts them without gaps; on
    /// EventStoreDB a position only grows.
    pub fn positions(&self) -> Vec<u64> {
        let lines = self.send("GET", "/v1/journal?limit=1000", &[("accept", "application/x-ndjson")], "");
        let position =
            |line: &str| serde_json::from_str::<Value>(line).unwrap()["position"].as_u64().unwrap();
        let positions: Vec<u64> = lines.text().lines().map(position).collect();
        let without_gaps = positions.iter().copied().eq(1..=positions.len() as u64);
        assert!(without_gaps || (store::is_eventstoredb() && positions.is_sorted()), "{positions:?}");
        positions
    }

    /// Returns the position of the n-th event, from 1.
    pub fn position(&self, n: usize) -> u64 {
        self.positions()[n - 1]
    }

    /// Returns everything that bad input must leave as it was.
    pub fn state(&self) -> (Value, Value, Value) {
        let read = |path| self.get(path).json();
        (read("/v1/journal/head"), read("/v1/digest"), read("/v1/trial-balance"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(2));
        }
    }
}

/// A `Reply` is an answer, as it came.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// Reads until the connection closes.
    pub fn read(socket: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let read = socket.read_to_end(&mut bytes);
        Self::parse(&bytes)
            .unwrap_or_else(|| panic!("no answer: {read:?} {:?}", String::from_utf8_lossy(&bytes)))
    }

    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap_or((line, "")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let body = bytes[end + 4..].to_vec();
        let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        Some(Self { status, headers, body: if chunked { unchunked(&body) } else { body } })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Returns its code, when it is a problem.
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["type"], format!("urn:bookonce:problem:{}", problem["code"].as_str().unwrap()));
        problem["code"].as_str().unwrap().to_owned()
    }

    /// Returns the fields that `errors` names.
    pub fn fields(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|w| w == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        if length == 0 || body.len() < end + 2 + length {
            break;
        }
        whole.extend(&body[end + 2..end + 2 + length]);
        body = &body[(end + 4 + length).min(body.len())..];
    }
    whole
}

/// Returns a new transaction ID.
#[allow(clippy::disallowed_methods, reason = "tests make their ids here")]
pub fn id() -> String {
    uuid::Uuid::new_v4().to_string()
}
