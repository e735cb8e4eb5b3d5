//! Why an instance over EventStoreDB takes no commands is told by its cause, in `/readyz`, in the figures and in the log:
//! one line, however many requests are refused.
//!
//! Catches, each seen: a line for each refused request (601 lines), every cause told as "unreachable", and the client's own
//! error in place of the cause, which does not name the certificate.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

#[path = "support/log.rs"]
mod log;
mod support;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Instant;

use bookonce::domain::time::system_clock;
use eventstore_standin::{Options, Standin};
use log::Log;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use support::http::{Service, id};
use support::node::Node;
use support::store::until;

/// This is the number of requests that are refused in each trouble.
const REFUSED: usize = 300;

/// Returns how many lines there may be of what is logged once a minute, of which the first comes at once.
fn once_a_minute(begun: Instant) -> usize {
    1 + usize::try_from(begun.elapsed().as_secs() / 60).unwrap()
}

/// A service over this store says this cause, and these words about it.
fn says(connection: &str, cause: &str, words: &str) {
    let (log, begun) = (Log::of_this_process(), Instant::now());
    let before = log.lines(" bookonce::").len();
    let service = Service::over(tempfile::tempdir().unwrap(), connection);
    let figure = format!("bookonce_not_ready{{cause=\"{cause}\"}} 1\n");
    until(cause, || service.get("/metrics").text().contains(&figure));
    let ready = service.get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains(words), "{}", ready.text());
    for _ in 0..REFUSED {
        assert_eq!(service.get("/v1/accounts/a").code(), "store_unavailable");
        let body = format!(r#"{{"transaction_id":"{}","account":"a","currency":"EUR"}}"#, id());
        let refused = service.post("/v1/accounts", body);
        assert_eq!((refused.status, refused.code().as_str()), (503, "store_unavailable"));
    }
    support::store::stop(service.app.ledger());
    let lines = log.lines(" bookonce::").split_off(before);
    assert!(
        lines.iter().any(|line| line.contains("can't be followed") && line.contains(words)),
        "{lines:#?}"
    );
    assert!(lines.len() <= 4 + once_a_minute(begun), "{} lines: {lines:#?}", lines.len());
}

/// All in one test, since the log is the process's.
#[test]
fn what_keeps_an_instance_from_its_store_is_told_by_its_cause_and_once() {
    let begun = Instant::now();
    let closed = support::Nobody::find();
    says(&format!("esdb://{}?tls=false", closed.address), "unreachable", "can't be reached");

    // `bookonce:right`
    let authorization = Some("Basic Ym9va29uY2U6cmlnaHQ=".to_owned());
    let node = Standin::start(Options { authorization, ..Options::default() }).unwrap();
    let with = |password: &str| format!("esdb://bookonce:{password}@{}?tls=false", node.address());
    says(&with("wrong"), "denied", "denies access");
    let right = Service::over(tempfile::tempdir().unwrap(), &with("right"));
    until("the right password is let in", || right.get("/readyz").status == 200);
    support::store::stop(right.app.ledger());

    let address = a_stranger();
    for hosts in [address.clone(), format!("{address},{address}")] {
        says(&format!("esdb://{hosts}?tls=true"), "certificate", "certificate");
    }
    // The first of all that were refused was a read.
    let refusals = Log::of_this_process().lines("could not be answered");
    assert!(
        refusals.len() <= once_a_minute(begun) && refusals[0].contains("a read could not be"),
        "{refusals:?}"
    );
}

/// A server with a certificate that nobody signed but itself.
fn a_stranger() -> String {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut bytes = Vec::new();
            let mut stream = StreamOwned::new(connection, socket);
            std::thread::spawn(move || std::io::Read::read_to_end(&mut stream, &mut bytes));
        }
    });
    format!("localhost:{port}")
}

/// Guards against: a new instance of a long history of which nobody can tell when it will be ready.
#[test]
fn while_the_index_is_built_it_is_told_how_far_it_is() {
    let (log, begun) = (Log::of_this_process(), Instant::now());
    let node = Node::start_empty();
    let dir = tempfile::tempdir().unwrap();
    let options = |name| support::options(&dir.path().join(name), system_clock());
    let writer =
        support::store::over(options("writer"), &node.connection_string(), Default::default()).unwrap();
    let runtime = support::store::runtime();
    runtime.block_on(writer.execute(vec![support::open(1, "alice")])).unwrap();
    for page in 0..6 {
        let deposits = (0..4_000).map(|n| support::deposit(10 + page * 4_000 + n, "alice", "1.00"));
        runtime.block_on(writer.execute(deposits.collect::<Vec<_>>())).unwrap();
    }
    support::store::stop(&writer);
    let service = Service::over(tempfile::tempdir().unwrap(), &node.connection_string());
    let mut said = String::new();
    until("it says how far it is", || {
        let ready = service.get("/readyz");
        ready.text().clone_into(&mut said);
        said.contains("a second") || ready.status == 200
    });
    assert!(said.contains("s are left"), "{said}");
    let figure = "bookonce_not_ready{cause=\"catching_up\"} 1\n";
    assert!(service.get("/metrics").text().contains(figure) || service.get("/readyz").status == 200);
    until("it is ready", || service.get("/readyz").status == 200);
    // The writer may have said it of itself, too.
    let lines = log.lines("the index is catching up");
    assert!(
        (1..=2 * once_a_minute(begun)).contains(&lines.len()) && lines[0].contains("s are left"),
        "{lines:?}"
    );
    support::store::stop(service.app.ledger());
}
