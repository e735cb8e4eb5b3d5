//! [`Bank`] is a service as a process of its own with one provider, which can be killed, restarted and restored.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::http::id;
use crate::support::process::{Process, Reply, send, verify};
use crate::support::provider::Provider;

/// A `Bank` is a service as a process of its own, with the account alice, and a provider that outlives it.
pub struct Bank {
    pub folder: tempfile::TempDir,
    pub provider: Provider,
    pub process: Process,
    data: PathBuf,
    settings: String,
}

/// Starts the service on this folder, with a settings file beside it.
pub fn start(data: &Path, settings: &str, flags: &[&str]) -> Result<Process, String> {
    let file = data.parent().unwrap().join("bookonce.toml");
    std::fs::write(&file, settings).unwrap();
    let arguments: Vec<&str> = ["--config", file.to_str().unwrap()].iter().chain(flags).copied().collect();
    Process::start_with(data, &arguments, &[])
}

impl Bank {
    pub fn open(repeat: &str, means: &str) -> Self {
        let (folder, provider) = (tempfile::tempdir().unwrap(), Provider::start(repeat == "same_key"));
        let settings = provider.settings(repeat, means, "at_once = 1\ntimeout_seconds = 30\n");
        let settings = format!("[providers.atm]\n{settings}");
        let data = folder.path().join("data");
        let process = start(&data, &settings, &[]).unwrap();
        let bank = Self { folder, provider, process, data, settings };
        let opening = json!({"transaction_id": id(), "account": "alice", "currency": "EUR"});
        assert_eq!(bank.post("/v1/accounts", opening).status, 201);
        let deposit = json!({"transaction_id": id(), "amount": "100.00"});
        assert_eq!(bank.post("/v1/accounts/alice/deposits", deposit).status, 201);
        bank
    }

    pub fn post(&self, path: &str, body: Value) -> Reply {
        send(self.process.address, "POST", path, &body.to_string()).unwrap()
    }

    pub fn get(&self, path: &str) -> Value {
        serde_json::from_str(&send(self.process.address, "GET", path, "").unwrap().body).unwrap()
    }

    pub fn pay(&self, seconds: u64) -> String {
        let id = id();
        assert_eq!(self.request(&id, seconds).status, 202);
        id
    }

    pub fn request(&self, id: &str, seconds: u64) -> Reply {
        let body = json!({"transaction_id": id, "from": "alice", "to": "@external:atm", "amount": "40.00",
            "timeout_seconds": seconds});
        self.post("/v1/transfers", body)
    }

    pub fn until(&self, id: &str, state: &str) -> Value {
        let begun = Instant::now();
        loop {
            let now = self.get(&format!("/v1/transfers/{id}"));
            if now["state"] == state {
                return now;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "{now}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the hold of a transfer is placed.
    pub fn until_held(&self, id: &str) {
        let begun = Instant::now();
        while self.get(&format!("/v1/transfers/{id}"))["steps"][0]["step"] != "hold" {
            assert!(begun.elapsed() < Duration::from_secs(120));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// Kills the service, and starts it anew.
    pub fn restart(&mut self) {
        self.begin(&self.data(), &[]);
    }

    /// Kills the service, and starts it anew without its provider.
    pub fn restart_without_provider(&mut self) {
        self.settings = String::new();
        self.restart();
    }

    /// Kills the service, and starts one on this folder.
    pub fn begin(&mut self, data: &Path, flags: &[&str]) {
        self.process.kill();
        self.data = data.to_owned();
        self.process = start(data, &self.settings, flags).unwrap();
    }

    /// Returns the types of the events of a transfer's own stream, in their order.
    pub fn events(&self, id: &str) -> Vec<String> {
        let stream = format!("transfer-{id}");
        let lines = self.process.journal();
        let lines = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let own = lines.filter(|line| line["stream"] == stream);
        own.map(|line| line["type"].as_str().unwrap().to_owned()).collect()
    }

    /// Stops the service, and lets the auditor look at the ledger.
    pub fn check(mut self) {
        assert_eq!(self.process.stop(), Some(0));
        verify(&self.data);
    }
}
