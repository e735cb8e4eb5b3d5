//! A request that books is complete before it is first sent: it has its path, the bytes of its body, and its ID.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::domain::ids::TransactionId;
use crate::domain::money::Direction;

/// A request is what is sent, the same in every attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// This is the transaction ID, which is sent as `Idempotency-Key`.
    pub id: TransactionId,
    /// This is the path, from `/v1` on.
    pub path: String,
    /// This is the JSON body.
    pub body: Vec<u8>,
}

/// A `MoveBody` is the body of a deposit or a withdrawal. The service has a default for what is left out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MoveBody<'a> {
    /// This is the amount, as a decimal string.
    pub amount: &'a str,
    /// This is the ledger's own account on the other side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter_account: Option<&'a str>,
    /// This is when it happened in the world, as RFC 3339 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<&'a str>,
    /// This is the business's own data, such as its ids.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct OpenBody<'a> {
    account: &'a str,
    currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    overdraft_limit: Option<&'a str>,
}

#[derive(Serialize)]
struct ReversalBody<'a> {
    reverses: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<&'a str>,
    reason: &'a str,
}

/// A `CorrectionBody` is the body of a correction to a balance, which only operators may send.
///
/// An answer 409 `account_changed` says that the account has another revision by now: nothing was recorded, and the ID may
/// be used again once somebody has looked.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CorrectionBody<'a> {
    /// This is what the balance should be, as a decimal string.
    pub balance: &'a str,
    /// This is the revision that the account had when somebody looked at it.
    pub expected_revision: u64,
    /// This says why.
    pub reason: &'a str,
}

/// A `TransferBody` is the body of a request for a transfer. The service has a default for the time that it may take.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TransferBody<'a> {
    /// This is the account that the money comes from.
    pub from: &'a str,
    /// This is the account that it moves to.
    pub to: &'a str,
    /// This is the amount, as a decimal string.
    pub amount: &'a str,
    /// This is how many seconds it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
}

#[derive(Serialize)]
struct ActBody<'a> {
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

#[derive(Serialize)]
struct HoldBody<'a> {
    amount: &'a str,
    expires_in_seconds: u32,
}

#[derive(Serialize)]
struct CaptureBody<'a> {
    amount: &'a str,
}

impl Request {
    /// Makes a request that opens an account.
    #[must_use]
    pub fn open(id: TransactionId, account: &str, currency: &str, overdraft_limit: Option<&str>) -> Self {
        Self::new(id, "/v1/accounts".to_owned(), &OpenBody { account, currency, overdraft_limit })
    }

    /// Makes a request that moves money into an account or out of it.
    #[must_use]
    pub fn moved(id: TransactionId, account: &str, direction: Direction, asked: &MoveBody<'_>) -> Self {
        let kind = match direction {
            Direction::Credit => "deposits",
            Direction::Debit => "withdrawals",
        };
        Self::new(id, format!("/v1/accounts/{account}/{kind}"), asked)
    }

    /// Makes a request that reverses an earlier transaction, or part of it, or that prevents one that has not come.
    #[must_use]
    pub fn reverse(
        id: TransactionId,
        account: &str,
        reverses: TransactionId,
        amount: Option<&str>,
        reason: &str,
    ) -> Self {
        let asked = ReversalBody { reverses: reverses.to_string(), amount, reason };
        Self::new(id, format!("/v1/accounts/{account}/reversals"), &asked)
    }

    /// Makes a request that puts an account's balance right.
    #[must_use]
    pub fn correct(id: TransactionId, account: &str, asked: &CorrectionBody<'_>) -> Self {
        Self::new(id, format!("/v1/accounts/{account}/corrections"), asked)
    }

    /// Makes a request that moves money from one account to another. Its end is read at `/v1/transfers/ID`.
    #[must_use]
    pub fn transfer(id: TransactionId, asked: &TransferBody<'_>) -> Self {
        Self::new(id, "/v1/transfers".to_owned(), asked)
    }

    /// Makes a request that sets money aside for so many seconds.
    #[must_use]
    pub fn hold(id: TransactionId, account: &str, amount: &str, expires_in_seconds: u32) -> Self {
        Self::new(id, format!("/v1/accounts/{account}/holds"), &HoldBody { amount, expires_in_seconds })
    }

    /// Makes a request that books out a part of what a hold sets aside, and frees the rest.
    #[must_use]
    pub fn capture(id: TransactionId, account: &str, hold: TransactionId, amount: &str) -> Self {
        Self::new(id, format!("/v1/accounts/{account}/holds/{hold}/capture"), &CaptureBody { amount })
    }

    /// Makes a request for an act on a destination: `pause` or `resume`. `after` is a position, or `head`.
    #[must_use]
    pub fn act(id: TransactionId, destination: &str, act: &str, reason: &str, after: Option<&str>) -> Self {
        let after = after.map(|after| after.parse().map_or_else(|_| Value::from(after), |at: u64| at.into()));
        let path = format!("/v1/destinations/{destination}/{act}");
        Self::new(id, path, &ActBody { reason, after })
    }

    /// Makes a request that sends a message that says nothing to a destination.
    #[must_use]
    pub fn test(id: TransactionId, destination: &str) -> Self {
        Self::new(id, format!("/v1/destinations/{destination}/test"), &BTreeMap::<&str, &str>::new())
    }

    /// Gives the same request under another ID. A client must never do so to retry.
    #[must_use]
    pub fn under(&self, id: TransactionId) -> Self {
        Self { id, ..self.clone() }
    }

    fn new(id: TransactionId, path: String, body: &impl Serialize) -> Self {
        // Structs of strings and numbers, and maps of strings, always serialize.
        Self { id, path, body: serde_json::to_vec(body).unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ids::derive;

    #[test]
    fn what_is_not_said_is_left_out() {
        let plain = MoveBody { amount: "40.00", ..MoveBody::default() };
        let request = Request::moved(derive("t", "1"), "alice", Direction::Debit, &plain);
        assert_eq!(request.path, "/v1/accounts/alice/withdrawals");
        assert_eq!(request.body, br#"{"amount":"40.00"}"#);
        let whole = Request::reverse(derive("t", "2"), "alice", derive("t", "1"), None, "mistake");
        assert!(!String::from_utf8_lossy(&whole.body).contains("amount"));
    }
}
