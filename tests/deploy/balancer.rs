//! These tests run haproxy itself as the balancer, with its file as it is but for the ports, in front of instances that
//! misbehave as they are told.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::support::Nobody;
use super::support::process::{Reply, send, skip};
use super::{is_there, run, text};

/// What stands behind the balancer.
#[derive(Clone, Default)]
struct Instance {
    ready: Arc<AtomicBool>,
    /// Closes the connection when it has read a POST, without an answer.
    drops: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Instance {
    fn start() -> (Self, SocketAddr) {
        let instance = Self::default();
        instance.ready.store(true, Ordering::SeqCst);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = instance.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let instance = shared.clone();
                std::thread::spawn(move || instance.serve(BufReader::new(socket.unwrap())));
            }
        });
        (instance, address)
    }

    fn serve(&self, mut socket: BufReader<std::net::TcpStream>) {
        let mut request = String::new();
        let mut line = String::new();
        while socket.read_line(&mut line).is_ok_and(|length| length > 2) {
            if request.is_empty() {
                request.clone_from(&line);
            }
            line.clear();
        }
        let status = if request.starts_with("GET /readyz ") {
            if self.ready.load(Ordering::SeqCst) { "200 OK" } else { "503 Service Unavailable" }
        } else {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if self.drops.load(Ordering::SeqCst) {
                return;
            }
            "503 Service Unavailable"
        };
        let body = r#"{"code":"outcome_unknown"}"#;
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        drop(socket.get_mut().write_all(answer.as_bytes()));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

struct Balancer {
    child: Child,
    ledger: Nobody,
    health: Nobody,
    _folder: tempfile::TempDir,
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

impl Balancer {
    fn start(instances: [SocketAddr; 2]) -> Self {
        let (ledger, health) = (Nobody::find(), Nobody::find());
        let folder = tempfile::tempdir().unwrap();
        let config = text("deploy/haproxy.cfg");
        assert!(config.contains("bind 127.0.0.1:7079"));
        let path = folder.path().join("haproxy.cfg");
        std::fs::write(&path, config.replace("127.0.0.1:7079", &health.address.to_string())).unwrap();
        let child = haproxy(ledger.address, instances)
            .arg("-f")
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let balancer = Self { child: child.unwrap(), ledger, health, _folder: folder };
        balancer.until_health(200);
        balancer
    }

    fn until_health(&self, status: u16) {
        let begun = Instant::now();
        while send(self.health.address, "GET", "/", "").map(|reply| reply.status).ok() != Some(status) {
            assert!(
                begun.elapsed() < Duration::from_secs(120),
                "the balancer's health never became {status}"
            );
            std::thread::yield_now();
        }
    }

    fn post(&self) -> Reply {
        send(self.ledger.address, "POST", "/v1/accounts", "{}").unwrap()
    }
}

fn haproxy(ledger: SocketAddr, [first, second]: [SocketAddr; 2]) -> Command {
    let mut haproxy = Command::new("haproxy");
    haproxy.env("LISTEN", ledger.to_string());
    haproxy.env("INSTANCE_1", first.to_string()).env("INSTANCE_2", second.to_string());
    haproxy
}

fn missing(test: &str) -> bool {
    let missing = !is_there("haproxy");
    if missing {
        skip(test, "there is no haproxy here");
    }
    missing
}

#[test]
fn haproxy_takes_its_file() {
    if missing("haproxy_takes_its_file") {
        return;
    }
    let mut check = Command::new("haproxy");
    // The names of the containers are nobody's here; the file must do without them at the start, as it does after a restart.
    check.envs([("LISTEN", ":7070"), ("INSTANCE_1", "bookonce-1:7070"), ("INSTANCE_2", "bookonce-2:7070")]);
    run(check.arg("-c").arg("-f").arg(super::file("deploy/haproxy.cfg"))).unwrap();
}

#[test]
fn instances_take_turns_and_their_errors_pass_as_they_are() {
    if missing("instances_take_turns_and_their_errors_pass_as_they_are") {
        return;
    }
    let ((first, one), (second, two)) = (Instance::start(), Instance::start());
    let balancer = Balancer::start([one, two]);
    for _ in 0..10 {
        let reply = balancer.post();
        assert_eq!((reply.status, reply.body.as_str()), (503, r#"{"code":"outcome_unknown"}"#));
    }
    assert_eq!((first.asked(), second.asked()), (5, 5), "an error sent a request on, or nobody took turns");
}

#[test]
fn a_request_whose_instance_fails_is_not_sent_again() {
    if missing("a_request_whose_instance_fails_is_not_sent_again") {
        return;
    }
    let ((first, one), (second, two)) = (Instance::start(), Instance::start());
    for instance in [&first, &second] {
        instance.drops.store(true, Ordering::SeqCst);
    }
    let balancer = Balancer::start([one, two]);
    for sent in 1..=6 {
        assert_eq!(balancer.post().status, 502);
        assert_eq!(first.asked() + second.asked(), sent);
    }
}

#[test]
fn an_instance_that_is_not_ready_gets_nothing() {
    if missing("an_instance_that_is_not_ready_gets_nothing") {
        return;
    }
    let ((first, one), (second, two)) = (Instance::start(), Instance::start());
    second.ready.store(false, Ordering::SeqCst);
    let balancer = Balancer::start([one, two]);
    // Until the checks have found it.
    let begun = Instant::now();
    let mut found = 0;
    while found < 6 {
        let before = second.asked();
        balancer.post();
        found = if second.asked() == before { found + 1 } else { 0 };
        assert!(begun.elapsed() < Duration::from_secs(120), "it gets requests though it is not ready");
    }
    first.ready.store(false, Ordering::SeqCst);
    balancer.until_health(503);
}
