//! These tests run `bookonce health`, which tells a container's health check how the service is.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod support;

use std::path::Path;
use std::process::Command;

use support::process::{Process, bookonce};

#[test]
fn a_service_is_healthy_while_it_takes_commands_and_not_when_it_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let mut service = Process::start(dir.path());
    let url = format!("http://{}", service.address);
    assert_eq!(bookonce(&["health", "--url", &url]).0, 0);
    service.kill();
    let (code, _, said) = bookonce(&["health", "--url", &url]);
    assert_eq!((code, said.lines().count()), (1, 1), "{said}");
}

/// What answers there may be no ledger, or one that is not ready: an answer alone is not enough.
#[test]
fn an_answer_that_is_not_yes_is_no() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut socket, _) = listener.accept().unwrap();
        let mut asked = [0; 512];
        let length = socket.read(&mut asked).unwrap();
        let no = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 8\r\nconnection: close\r\n\r\ndraining";
        socket.write_all(no.as_bytes()).unwrap();
        String::from_utf8_lossy(&asked[..length]).into_owned()
    });
    let (code, _, said) = bookonce(&["health", "--url", &url]);
    assert!(code == 1 && said.contains("503") && said.contains("draining"), "{code}: {said}");
    assert!(answering.join().unwrap().starts_with("GET /readyz "));
}

/// Guards against a check that always asks http://127.0.0.1:7070, whatever the service's environment says.
#[test]
fn over_https_the_certificate_counts_unless_it_is_said_not_to() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["ledger.example".to_owned()]).unwrap();
    let file = |name: &str, text: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let certificate = file("cert.pem", made.cert.pem());
    let key = file("key.pem", made.signing_key.serialize_pem());
    let tls = ["--tls-cert", &certificate, "--tls-key", &key];
    let service = Process::start_with(Path::new(&dir.path().join("data")), &tls, &[]).unwrap();
    let url = format!("https://{}", service.address);
    assert_eq!(bookonce(&["health", "--url", &url]).0, 1);
    let (code, _, said) = bookonce(&["health", "--url", &url, "--any-certificate"]);
    assert_eq!(code, 0, "{said}");
    // As in a container, where the check has the service's environment and nothing more.
    let everywhere = format!("0.0.0.0:{}", service.address.port());
    let check = |environment: &[(&str, &str)]| {
        let mut health = Command::new(env!("CARGO_BIN_EXE_bookonce"));
        health.arg("health").env_remove("BOOKONCE_URL").envs(environment.iter().copied());
        let out = health.output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let listen = ("BOOKONCE_LISTEN", everywhere.as_str());
    let tls = [listen, ("BOOKONCE_TLS_CERT", &certificate), ("BOOKONCE_TLS_KEY", &key)];
    assert_eq!(check(&tls), (Some(0), String::new()));
    assert_eq!(check(&[listen]).0, Some(1), "it speaks TLS alone");
}
