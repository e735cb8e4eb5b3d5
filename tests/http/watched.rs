//! `Watched` is a service that notices when bad input changes anything.

#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses its part")]

use crate::support::http::{Reply, Service, id};

/// The header of a JSON body.
pub const JSON: (&str, &str) = ("content-type", "application/json");

/// A service with one account, and what it looks like before the bad input comes.
pub struct Watched {
    pub service: Service,
    before: (serde_json::Value, serde_json::Value, serde_json::Value),
}

impl Watched {
    pub fn start() -> Self {
        let service = Service::start();
        service.account("alice");
        let before = service.state();
        Self { service, before }
    }

    /// Everything is as it was.
    pub fn unchanged(&self) {
        assert_eq!(self.service.state(), self.before);
    }

    /// A withdrawal whose body is refused.
    pub fn refused(&self, body: impl AsRef<[u8]>) -> Reply {
        let reply = self.service.post("/v1/accounts/alice/withdrawals", body.as_ref());
        self.unchanged();
        reply
    }

    /// A withdrawal that is refused with 400 because of one field.
    pub fn wrong_field(&self, body: &str, field: &str) -> Reply {
        let reply = self.refused(body);
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_request"), "{body}");
        assert_eq!(reply.fields(), [field], "{body}: {}", reply.text());
        reply
    }
}

pub fn with_amount(amount: &str) -> String {
    format!(r#"{{"transaction_id":"{}","amount":{amount}}}"#, id())
}
