//! These tests run the outbox as a user does: the program, real sockets, a network with faults, and kills.

mod bad_input;
mod copies;
mod kills;
mod network;
mod program;
mod secrets;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::process::Process;

const PROGRAM: &str = env!("CARGO_BIN_EXE_bookonce");

/// What a command ended with, and what it said.
#[derive(Clone, Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub error: String,
}

impl Said {
    /// The ID at the beginning of the first line.
    pub fn id(&self) -> String {
        let id = self.out.split(' ').next().unwrap().to_owned();
        assert_eq!(id.len(), 36, "{self:?}");
        id
    }

    #[track_caller]
    pub fn ends(self, code: i32, says: &str) -> Self {
        let text = format!("{}{}", self.out, self.error);
        assert!(self.code == code && text.contains(says), "{code} and {says:?} expected: {self:?}");
        self
    }
}

/// A folder with an outbox for the service at an address.
pub struct Mailbox {
    folder: tempfile::TempDir,
    url: String,
    key: Option<String>,
}

impl Mailbox {
    pub fn new(service: SocketAddr) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), url: format!("http://{service}"), key: None }
    }

    pub fn with_key(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("atm.outbox")
    }

    /// Runs `bookonce send` with these arguments.
    pub async fn send(&self, arguments: &[&str]) -> Said {
        let url = ["send", "--url", &self.url];
        self.run(&[&url[..], arguments].concat(), "").await
    }

    /// Runs `bookonce send -` with these lines.
    pub async fn send_lines(&self, lines: &str, arguments: &[&str]) -> Said {
        let url = ["send", "-", "--url", &self.url];
        self.run(&[&url[..], arguments].concat(), lines).await
    }

    /// Runs `bookonce outbox` with these arguments.
    pub async fn outbox(&self, arguments: &[&str]) -> Said {
        self.run(&[&["outbox"], arguments].concat(), "").await
    }

    pub async fn run(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = self.command(arguments);
        let input = input.to_owned();
        let output = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            // A command that does not read it may have ended.
            let _read_or_not = child.stdin.take().unwrap().write_all(input.as_bytes());
            child.wait_with_output().unwrap()
        });
        let output = output.await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            error: text(&output.stderr),
        }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).arg("--outbox").arg(self.file());
        command.env_remove("BOOKONCE_URL").env_remove("BOOKONCE_KEY").env_remove("BOOKONCE_OUTBOX");
        command.envs(self.key.iter().map(|key| ("BOOKONCE_KEY", key)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The messages as `outbox list --json` has them.
    pub async fn list(&self) -> Vec<Value> {
        let said = self.outbox(&["list", "--json"]).await.ends(0, "");
        serde_json::from_str(&said.out).unwrap()
    }

    /// The state of each message, and why it needs attention, in their order.
    pub async fn states(&self) -> Vec<String> {
        let state = |message: &Value| match message["why"].as_str() {
            Some(why) => format!("{} {why}", message["state"].as_str().unwrap()),
            None => message["state"].as_str().unwrap().to_owned(),
        };
        self.list().await.iter().map(state).collect()
    }
}

/// A real service with an account `alice` that has 100.00.
pub fn service() -> (Process, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let service = Process::start(folder.path());
    let post = |path: &str, body: &str| {
        let reply = crate::support::process::send(service.address, "POST", path, body).unwrap();
        assert_eq!(reply.status, 201, "{}", reply.body);
    };
    let id = |n: u8| format!("018f4e6e-9d52-7a30-8f7e-00000000000{n}");
    post("/v1/accounts", &format!(r#"{{"transaction_id":"{}","account":"alice","currency":"EUR"}}"#, id(1)));
    let deposit = format!(r#"{{"transaction_id":"{}","amount":"100.00"}}"#, id(2));
    post("/v1/accounts/alice/deposits", &deposit);
    (service, folder)
}

/// The balance of an account.
pub fn balance(service: SocketAddr, account: &str) -> String {
    let reply =
        crate::support::process::send(service, "GET", &format!("/v1/accounts/{account}"), "").unwrap();
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    body["balance"].as_str().unwrap_or(&reply.body).to_owned()
}

/// How many events of the journal name this transaction as their own.
pub fn events_of(journal: &[String], id: &str) -> usize {
    let own = format!("\"transaction_id\":\"{id}\"");
    journal.iter().filter(|line| line.contains(&own)).count()
}

/// A port on which nobody listens, and which nobody else is given while this process runs.
pub fn free_port() -> SocketAddr {
    Box::leak(Box::new(crate::support::Nobody::find())).address
}
