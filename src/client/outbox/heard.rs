//! What is heard of an attempt is judged here: whether it is the ledger's answer about the message, and which, or leaves its
//! outcome open.
//!
//! Only what proves itself counts. A page of a proxy, a portal's 200, a redirect and an answer about another transaction are
//! no answers of the ledger: the message stays open, because an attempt before may have been booked.

use std::time::Duration;

use serde_json::Value;

use crate::client::policy;
use crate::domain::ids::TransactionId;

/// A `Heard` says what an attempt has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The ledger has booked it, now or before.
    Confirmed,
    /// The ledger has recorded a decline, now or before.
    Declined,
    /// The ledger refused it, and recorded nothing: 400, 404, 413 or 422 with a code.
    Refused,
    /// The ledger refused it in another way: it is of no use to send it again, and it is not said that nothing was recorded.
    RefusedInDoubt,
    /// The key is missing, unknown or not allowed to (401, 403). It is the sender that stops, not the message.
    KeyRefused,
    /// Nothing is known. The same ID is sent again.
    Open {
        /// This says whether it counts against the service: an answer that a request is still running does not.
        service_is_down: bool,
        /// This is how long the service asked to wait.
        asked: Option<Duration>,
    },
}

impl Heard {
    /// An attempt brought no answer.
    pub const NOTHING: Self = Self::Open { service_is_down: true, asked: None };

    /// Judges an answer to the message with this ID.
    #[must_use]
    pub fn of(id: TransactionId, status: u16, body: &[u8], asked: Option<Duration>) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let code = body["code"].as_str();
        let is_about_it = body["transaction_id"].as_str().and_then(TransactionId::parse) == Some(id);
        match status {
            401 | 403 => Self::KeyRefused,
            _ if !policy::is_final(status, code) => Self::Open { service_is_down: status != 409, asked },
            201 | 202 if is_about_it => Self::Confirmed,
            402 if is_about_it && code.is_some() => Self::Declined,
            400 | 404 | 413 | 422 if code.is_some() => Self::Refused,
            405..=599 if code.is_some() => Self::RefusedInDoubt,
            _ => Self::Open { service_is_down: true, asked },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ids::derive;

    fn heard(status: u16, body: &str) -> Heard {
        Heard::of(derive("t", "1"), status, body.as_bytes(), None)
    }

    #[test]
    fn the_ledgers_own_answers_are_known_by_what_they_say() {
        let own = format!(r#"{{"transaction_id":"{}","code":"insufficient_funds"}}"#, derive("t", "1"));
        let other = format!(r#"{{"transaction_id":"{}","code":"x"}}"#, derive("t", "2"));
        for (status, body, expected) in [
            (201, own.as_str(), Heard::Confirmed),
            (202, &own, Heard::Confirmed),
            (402, &own, Heard::Declined),
            (400, r#"{"code":"invalid_request"}"#, Heard::Refused),
            (404, r#"{"code":"account_not_found"}"#, Heard::Refused),
            (413, r#"{"code":"body_too_large"}"#, Heard::Refused),
            (422, r#"{"code":"transaction_id_reused"}"#, Heard::Refused),
            (409, r#"{"code":"account_exists"}"#, Heard::RefusedInDoubt),
            (415, r#"{"code":"unsupported_media_type"}"#, Heard::RefusedInDoubt),
            (401, "", Heard::KeyRefused),
            (403, r#"{"code":"forbidden"}"#, Heard::KeyRefused),
            (201, &other, Heard::NOTHING),
            (402, &other, Heard::NOTHING),
        ] {
            assert_eq!(heard(status, body), expected, "{status} {body}");
        }
    }

    /// Guards against: a proxy's page that is taken for the ledger's word, after which a message that is booked may be
    /// edited.
    #[test]
    fn what_is_not_the_ledgers_leaves_it_open() {
        for status in [200, 201, 202, 204, 301, 302, 307, 400, 402, 404, 405, 410, 413, 422, 501, 511, 999] {
            assert_eq!(heard(status, "<html>not here</html>"), Heard::NOTHING, "{status}");
        }
        assert_eq!(heard(200, r#"{"code":"insufficient_funds"}"#), Heard::NOTHING);
    }

    #[test]
    fn what_is_asked_again_and_what_counts_against_the_service() {
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert_eq!(heard(status, r#"{"code":"overloaded"}"#), Heard::NOTHING, "{status}");
        }
        let running = Heard::Open { service_is_down: false, asked: None };
        assert_eq!(heard(409, r#"{"code":"in_progress"}"#), running);
    }
}
