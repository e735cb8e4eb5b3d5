//! A service that is killed while payouts are open, and one that starts with other settings.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::http::id;
use crate::support::process::{Process, Reply, send, verify};
use crate::support::provider::{Does, Provider};

/// A `Bank` is a service as a process of its own, with the account alice, and a provider that outlives it.
struct Bank {
    folder: tempfile::TempDir,
    provider: Provider,
    process: Process,
}

fn start(folder: &Path, settings: &str) -> Result<Process, String> {
    let file = folder.join("bookonce.toml");
    std::fs::write(&file, settings).unwrap();
    Process::start_with(&folder.join("data"), &["--config", file.to_str().unwrap()], &[])
}

impl Bank {
    fn open(repeat: &str, means: &str) -> Self {
        let (folder, provider) = (tempfile::tempdir().unwrap(), Provider::start(repeat == "same_key"));
        let settings = Self::settings(&provider, repeat, means);
        let process = start(folder.path(), &settings).unwrap();
        let bank = Self { folder, provider, process };
        let opening = json!({"transaction_id": id(), "account": "alice", "currency": "EUR"});
        assert_eq!(bank.post("/v1/accounts", opening).status, 201);
        let deposit = json!({"transaction_id": id(), "amount": "100.00"});
        assert_eq!(bank.post("/v1/accounts/alice/deposits", deposit).status, 201);
        bank
    }

    fn settings(provider: &Provider, repeat: &str, means: &str) -> String {
        format!(
            "[providers.atm]\n{}",
            provider.settings(repeat, means, "at_once = 1\ntimeout_seconds = 30\n")
        )
    }

    fn post(&self, path: &str, body: Value) -> Reply {
        send(self.process.address, "POST", path, &body.to_string()).unwrap()
    }

    fn get(&self, path: &str) -> Value {
        serde_json::from_str(&send(self.process.address, "GET", path, "").unwrap().body).unwrap()
    }

    fn pay(&self, seconds: u64) -> String {
        let id = id();
        assert_eq!(self.request(&id, seconds).status, 202);
        id
    }

    fn request(&self, id: &str, seconds: u64) -> Reply {
        let body = json!({"transaction_id": id, "from": "alice", "to": "@external:atm", "amount": "40.00",
            "timeout_seconds": seconds});
        self.post("/v1/transfers", body)
    }

    fn until(&self, id: &str, state: &str) -> Value {
        let begun = Instant::now();
        loop {
            let now = self.get(&format!("/v1/transfers/{id}"));
            if now["state"] == state {
                return now;
            }
            assert!(begun.elapsed() < Duration::from_secs(40), "{now}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the service, and starts it anew with these settings.
    fn restart(&mut self, settings: &str) {
        self.process.kill();
        self.process = start(self.folder.path(), settings).unwrap();
    }

    fn check(mut self) {
        assert_eq!(self.process.stop(), Some(0));
        verify(&self.folder.path().join("data"));
    }
}

/// Guards against: a second call to a provider that does not honour keys, by a process that did not make the first.
#[test]
fn a_payout_whose_claimer_is_dead_is_asked_about_and_never_sent_again() {
    let mut bank = Bank::open("never", "ask");
    bank.provider.pays([Does::Wait]);
    let id = bank.pay(60);
    bank.provider.until("POST /pay", 1);
    let settings = Bank::settings(&bank.provider, "never", "ask");
    bank.restart(&settings);
    bank.provider.until("GET /ask/", 1);
    bank.provider.go_on();
    assert_eq!(bank.until(&id, "completed")["moved"], "40.00");
    assert_eq!(bank.provider.count("POST /pay"), 1);
    assert_eq!(bank.provider.paid(&id), ["40.00"]);
    bank.check();
}

#[test]
fn a_payout_under_a_key_that_is_honoured_is_sent_again_after_a_kill() {
    let mut bank = Bank::open("same_key", "");
    bank.provider.pays([Does::Wait]);
    let id = bank.pay(60);
    bank.provider.until("POST /pay", 1);
    bank.provider.go_on();
    let settings = Bank::settings(&bank.provider, "same_key", "");
    bank.restart(&settings);
    assert_eq!(bank.until(&id, "completed")["moved"], "40.00");
    assert_eq!(bank.provider.paid(&id), ["40.00"]);
    bank.check();
}

/// A provider is gone from the settings: what was not sent is released after the deadline, what was sent stays open.
#[test]
fn without_its_provider_nothing_is_sent_and_what_was_not_sent_is_released() {
    let mut bank = Bank::open("never", "ask");
    bank.provider.pays([Does::Wait]);
    let sent = bank.pay(2);
    bank.provider.until("POST /pay", 1);
    let waits = bank.pay(2);
    let begun = Instant::now();
    while bank.get(&format!("/v1/transfers/{waits}"))["steps"][0]["step"] != "hold" {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    bank.restart("");
    let refused = bank.request(&id(), 60);
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(bank.request(&waits, 2).status, 202, "its first answer");
    assert_eq!(bank.until(&waits, "compensated")["code"], "timed_out");
    bank.until(&sent, "asking");
    assert_eq!(bank.get("/v1/accounts/alice")["available"], "60.00");
    assert_eq!(bank.provider.count("POST /pay"), 1);
    bank.check();
}

/// Guards against: a service that starts with a provider that can't be right, and finds out when money is to go there.
#[test]
fn a_service_does_not_start_with_a_provider_that_cannot_be_right() {
    let folder = tempfile::tempdir().unwrap();
    for (settings, named) in [
        ("repeat = 'never'", "url"),
        ("url = 'https://pay.example/'", "repeat"),
        ("url = 'http://pay.example/'\nrepeat = 'never'", "https"),
        ("url = 'https://pay.example/'\nrepeat = 'never'\nretries = 1", "retries"),
        ("url = 'https://pay.example/'\nrepeat = 'never'\ntoken_file = '/nowhere/token'", "/nowhere/token"),
    ] {
        let said = start(folder.path(), &format!("[providers.atm]\n{settings}\n")).err().expect(settings);
        assert!(said.contains("atm") && said.contains(named), "{settings}: {said}");
        assert!(!folder.path().join("data").exists(), "nothing was touched: {settings}");
    }
}
