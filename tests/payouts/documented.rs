//! The provider in the documents runs, and does what the documents say that one must do.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use bookonce::payouts::{GivenProviders, providers};
use serde_json::json;

use crate::support::http::{Service, id};

/// A `Script` is the running provider of the documents. It is killed when it is dropped.
struct Script {
    child: Child,
    port: u16,
    /// The code is in it.
    _folder: tempfile::TempDir,
}

impl Drop for Script {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

/// Returns the code of this kind in the document, in its order.
fn code(kind: &str) -> Vec<&'static str> {
    let document = include_str!("../../docs/transfers.md");
    let blocks = document.split(kind).skip(1);
    blocks.map(|rest| rest.split("\n```").next().unwrap()).collect()
}

fn script() -> Script {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("provider.py");
    std::fs::write(&file, code("```python\n")[0]).unwrap();
    let mut child = Command::new("python3")
        .arg(&file)
        .arg("0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
    Script { child, port, _folder: folder }
}

#[test]
fn the_provider_in_the_documents_pays_once_and_tells_and_cancels() {
    let script = script();
    let settings = code("```toml\n").pop().unwrap().replace("8099", &script.port.to_string());
    let mut settings: BTreeMap<String, GivenProviders> = toml::from_str(&settings).unwrap();
    let service = Service::start();
    service.pay_through(providers(&settings.remove("providers").unwrap()).unwrap());
    service.account("alice");
    let transfer = id();
    let body =
        json!({"transaction_id": transfer, "from": "alice", "to": "@external:trial", "amount": "40.00"});
    assert_eq!(service.post("/v1/transfers", body.to_string()).status, 202);
    let ended = service.get(&format!("/v1/transfers/{transfer}?wait=30")).json();
    assert_eq!((&ended["state"], &ended["moved"]), (&json!("completed"), &json!("40.00")), "{ended}");
    let ask = |path: &str, body: Option<&str>| {
        let mut command = Command::new("python3");
        command.arg("-c").arg(
            "import sys, urllib.request as u; print(u.urlopen(u.Request(sys.argv[1], \
             sys.argv[2].encode() if len(sys.argv) > 2 else None)).read().decode())",
        );
        command.arg(format!("http://127.0.0.1:{}{path}", script.port)).args(body);
        let told = command.output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&told.stdout).unwrap()["outcome"].clone()
    };
    assert_eq!(ask(&format!("/payouts/{transfer}%3Apayout%3A1"), None), "done");
    assert_eq!(ask(&format!("/payouts/{transfer}%3Apayout%3A1/cancel"), Some("{}")), "done");
    assert_eq!(ask("/payouts/other", None), "unknown");
    assert_eq!(ask("/payouts/other/cancel", Some("{}")), "declined");
    assert_eq!(ask("/payouts", Some(r#"{"id":"other"}"#)), "declined");
}
