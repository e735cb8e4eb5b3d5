//! [`Counter`] is a service with alice's account and one provider, `@external:atm`: the counter at which payouts are asked for.

use bookonce::payouts::{GivenProviders, providers};
use serde_json::{Value, json};

use crate::support::http::{Reply, Service, id};
use crate::support::provider::Provider;

/// A `Counter` is a service with the account alice, which has 100.00, and a provider.
pub struct Counter {
    pub service: Service,
    pub provider: Provider,
}

impl Counter {
    /// Starts both. The means are what the provider can be asked besides: `ask`, `cancel`. More settings may follow.
    pub fn start(repeat: &str, means: &str, more: &str) -> Self {
        Self::over(Service::start(), repeat, means, more)
    }

    /// Does the same with this service.
    pub fn over(service: Service, repeat: &str, means: &str, more: &str) -> Self {
        let provider = Provider::start(repeat == "same_key");
        let settings = format!("[atm]\n{}", provider.settings(repeat, means, more));
        let given: GivenProviders = toml::from_str(&settings).unwrap();
        service.pay_through(providers(&given).unwrap());
        service.account("alice");
        Self { service, provider }
    }

    /// Asks for a payout of 40.00 that may take a minute.
    pub fn pay(&self) -> String {
        self.pay_within(60)
    }

    pub fn pay_within(&self, seconds: u64) -> String {
        let id = id();
        let reply = self.request(&id, seconds);
        assert_eq!(reply.status, 202, "{}", reply.text());
        id
    }

    /// Asks for payouts of 40.00 that may take so long, until one of them has reached the provider in time.
    pub fn sent_within(&self, seconds: u64) -> String {
        loop {
            let before = self.provider.count("POST /pay");
            let id = self.pay_within(seconds);
            while self.now(&id)["code"] != "timed_out" {
                if self.provider.count("POST /pay") > before {
                    return id;
                }
            }
        }
    }

    pub fn request(&self, id: &str, seconds: u64) -> Reply {
        let body = json!({"transaction_id": id, "from": "alice", "to": "@external:atm", "amount": "40.00",
            "timeout_seconds": seconds, "metadata": {"order": "7"}});
        self.service.post("/v1/transfers", body.to_string())
    }

    /// Returns the transfer at its end, or where an operator is needed.
    pub fn end(&self, id: &str) -> Value {
        // On a slow machine the end may come behind the longest wait.
        let waits = (0..4).map(|_| self.service.get(&format!("/v1/transfers/{id}?wait=30")).json());
        let mut last = Value::Null;
        for now in waits {
            last = now;
            if last["waits_for"].is_null() || last["state"] == "needs_operator" {
                break;
            }
        }
        last
    }

    pub fn now(&self, id: &str) -> Value {
        self.service.get(&format!("/v1/transfers/{id}")).json()
    }

    /// Waits until the transfer is in this state.
    pub fn until(&self, id: &str, state: &str) -> Value {
        let begun = std::time::Instant::now();
        loop {
            let now = self.now(id);
            if now["state"] == state {
                return now;
            }
            assert!(begun.elapsed().as_secs() < 120, "{now}");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Asks something of a transfer, as an operator.
    pub fn act(&self, id: &str, act: &str, fields: Value) -> Reply {
        let mut body = json!({"transaction_id": crate::support::http::id(), "reason": "it is so"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.service.post(&format!("/v1/transfers/{id}/{act}"), body.to_string())
    }

    /// Returns what alice has, and what of it is free.
    pub fn alice(&self) -> [String; 2] {
        let alice = self.service.get("/v1/accounts/alice").json();
        ["balance", "available"].map(|field| alice[field].as_str().unwrap().to_owned())
    }

    /// Returns the types of the events of a transfer's own stream, in their order.
    pub fn events(&self, id: &str) -> Vec<String> {
        let stream = format!("transfer-{id}");
        let lines = self.journal();
        let own = lines.iter().filter(|line| line["stream"] == stream);
        own.map(|line| line["type"].as_str().unwrap().to_owned()).collect()
    }

    /// Returns the first event of this type in the journal.
    pub fn event(&self, kind: &str) -> Value {
        self.journal().into_iter().find(|line| line["type"] == kind).unwrap_or(Value::Null)
    }

    fn journal(&self) -> Vec<Value> {
        let headers = [("accept", "application/x-ndjson")];
        let lines = self.service.send("GET", "/v1/journal?limit=1000", &headers, "");
        lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn metric(&self, line: &str) -> bool {
        self.service.get("/metrics").text().lines().any(|known| known == line)
    }

    /// Checks the whole ledger: the sums, and that the auditor finds nothing.
    pub fn check(&self) {
        let sums = self.service.get("/v1/trial-balance").json();
        assert_eq!(sums["balanced"], true, "{sums}");
    }
}
