//! These tests run the scripts of `deploy/` as the containers run them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use super::support::process::{Process, send_with};
use super::{file, run, text};

/// A `PATH` on which the binary under test is found first.
fn path() -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_bookonce"));
    format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap())
}

/// Seen failing with the token on standard output, which is the container's log.
#[test]
fn the_first_key_is_made_once_and_never_printed() {
    let dir = tempfile::tempdir().unwrap();
    let (keys, token) = (dir.path().join("keys"), dir.path().join("token"));
    let script = || {
        let mut sh = Command::new("sh");
        sh.arg(file("deploy/first-key.sh")).arg(&token).env("BOOKONCE_KEYS", &keys).env("PATH", path());
        run(&mut sh).unwrap()
    };
    let printed = script();
    let secret = std::fs::read_to_string(&token).unwrap();
    assert_eq!(printed, script());
    assert_eq!(secret, std::fs::read_to_string(&token).unwrap());
    assert!(!printed.contains(secret.trim_end().rsplit('_').next().unwrap()), "{printed}");
    assert_eq!(std::fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(bookonce::keys::file::load(&keys).unwrap().unwrap().len(), 1);

    let keys = [("BOOKONCE_KEYS", keys.to_str().unwrap())];
    let service = Process::start_with(&dir.path().join("data"), &[], &keys).unwrap();
    let header = format!("authorization: Bearer {}\r\n", secret.trim_end());
    let body =
        r#"{"transaction_id":"018f4e6e-9d52-7a30-8f7e-000000000001","account":"alice","currency":"EUR"}"#;
    assert_eq!(send_with(service.address, "POST", "/v1/accounts", &header, body).unwrap().status, 201);
    assert_eq!(send_with(service.address, "POST", "/v1/accounts", "", body).unwrap().status, 401);
}

#[test]
fn a_key_that_could_not_be_made_is_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    std::fs::write(dir.path().join("file"), "").unwrap();
    let mut sh = Command::new("sh");
    sh.arg(file("deploy/first-key.sh")).arg(&token).env("PATH", path());
    assert!(run(sh.env("BOOKONCE_KEYS", dir.path().join("file/keys"))).is_err());
    assert!(!token.exists());

    // Nor is what can't be understood.
    let other = dir.path().join("bookonce");
    std::fs::write(&other, "#!/bin/sh\necho no token here\n").unwrap();
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut sh = Command::new("sh");
    sh.arg(file("deploy/first-key.sh")).arg(&token);
    assert!(run(sh.env("PATH", format!("{}:{}", dir.path().display(), path()))).is_err());
    assert!(!token.exists());
}

/// A request that the stand-in for a node's HTTP interface was sent: path, authorization and type, body.
type Request = (String, String, String, Value);

/// Answers each request with the next status.
fn node(statuses: &'static [u16]) -> (SocketAddr, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for status in statuses {
            let mut socket = BufReader::new(listener.accept().unwrap().0);
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                socket.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                head.push(line.trim().to_owned());
            }
            let header = |name: &str| {
                let value = head.iter().filter_map(|line| line.split_once(": "));
                let mut value = value.filter(|(key, _)| key.eq_ignore_ascii_case(name));
                value.next().map(|(_, value)| value.to_owned()).unwrap_or_default()
            };
            let mut body = vec![0; header("content-length").parse().unwrap()];
            socket.read_exact(&mut body).unwrap();
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            socket.get_mut().write_all(answer.as_bytes()).unwrap();
            let body = serde_json::from_slice(&body).unwrap();
            sender.send((head[0].clone(), header("authorization"), header("content-type"), body)).unwrap();
        }
    });
    (address, receiver)
}

fn rights(node: SocketAddr, tries: &str) -> Result<String, String> {
    let mut sh = Command::new("sh");
    sh.arg(file("deploy/store-rights.sh")).env("NODE", format!("http://{node}")).env("CA", "/dev/null");
    sh.envs([("ADMIN_PASSWORD", "changeit"), ("USER_NAME", "bookonce"), ("USER_PASSWORD", "s3cret")]);
    run(sh.env("TRIES", tries).env("no_proxy", "127.0.0.1"))
}

#[test]
fn the_ledgers_user_gets_its_rights_and_no_others() {
    let (address, requests) = node(&[201, 201, 201]);
    rights(address, "1").unwrap();
    let got: Vec<Request> = requests.iter().collect();
    let lines: Vec<&str> = got.iter().map(|request| request.0.as_str()).collect();
    let posts = ["/users/", "/streams/%24settings", "/streams/%24all/metadata"]
        .map(|path| format!("POST {path} HTTP/1.1"));
    assert_eq!(lines, posts);
    // admin:changeit
    assert!(got.iter().all(|request| request.1 == "Basic YWRtaW46Y2hhbmdlaXQ="));
    assert_eq!(got[0].2, "application/json");
    assert!(got[1..].iter().all(|request| request.2 == "application/vnd.eventstore.events+json"));
    assert_eq!((&got[0].3["LoginName"], &got[0].3["Password"]), (&"bookonce".into(), &"s3cret".into()));
    assert_eq!(got[0].3["Groups"], serde_json::json!([]), "a member of $admins may delete streams");

    let streams = &got[1].3[0]["data"]["$userStreamAcl"];
    let with_it = serde_json::json!(["$admins", "bookonce"]);
    for right in ["$r", "$w", "$mr"] {
        assert_eq!(streams[right], with_it, "{right}");
    }
    for right in ["$d", "$mw"] {
        assert_eq!(streams[right], "$admins", "{right}");
    }
    let system = got[1].3[0]["data"]["$systemStreamAcl"].as_object().unwrap();
    assert!(system.len() == 5 && system.values().all(|who| who == "$admins"));
    assert_eq!(got[2].3[0]["data"]["$acl"], serde_json::json!({"$r": with_it}));

    // The page gives the same by hand.
    let page = text("docs/cluster.md");
    let blocks = page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let by_hand: Vec<Value> = blocks.map(|block| serde_json::from_str(block).unwrap()).collect();
    assert_eq!(by_hand, [got[1].3[0]["data"].clone(), got[2].3[0]["data"].clone()]);
}

#[test]
fn a_user_that_exists_is_fine_and_a_refusal_is_not() {
    let (address, _requests) = node(&[409, 201, 201]);
    rights(address, "1").unwrap();
    let (address, _requests) = node(&[201, 401]);
    let said = rights(address, "1").unwrap_err();
    assert!(said.contains("EventStoreDB answered 401"), "{said}");
}
