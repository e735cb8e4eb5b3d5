//! These are the examples of the document: one body for each write, each with an ID of its own.
//!
//! They work in the order in which the document has its requests, on a new ledger and again and again: the second time each
//! gets its first answer. The first four are the walkthrough of the README, so that they also work after it. A test sends them.

use serde_json::{Value, json};
use utoipa::Modify;
use utoipa::openapi::{OpenApi, RefOr};

/// Makes the ID of the n-th example.
macro_rules! id {
    ($n:literal) => {
        concat!("018f4e6e-9d52-7a30-8f7e-0000000000", $n)
    };
}

/// This is the ID of the withdrawal, which the reversal and the reads name.
pub(crate) const WITHDRAWAL: &str = id!("03");

/// This is the ID of the hold, which the capture names.
pub(crate) const HOLD: &str = id!("16");

/// This is the ID of a hold that has not come. The release names it, and rules it out.
pub(crate) const OVERTAKEN: &str = id!("19");

/// These are the lines of the batch.
const BATCH: &str = concat!(
    r#"{"op":"open_account","transaction_id":"018f4e6e-9d52-7a30-8f7e-000000000008","account":"bob","currency":"EUR"}"#,
    "\n",
    r#"{"op":"deposit","transaction_id":"018f4e6e-9d52-7a30-8f7e-000000000009","account":"bob","amount":"25.00"}"#,
    "\n",
    r#"{"op":"withdraw","transaction_id":"018f4e6e-9d52-7a30-8f7e-000000000010","account":"alice","amount":"75.00"}"#,
    "\n",
    r#"{"op":"withdraw","transaction_id":"018f4e6e-9d52-7a30-8f7e-000000000013","account":"alice","amount":"20.00"}"#,
    "\n",
);

/// Returns the body of each write.
fn bodies() -> [(&'static str, Value); 21] {
    [
        ("/v1/accounts", json!({"transaction_id": id!("01"), "account": "alice", "currency": "EUR"})),
        ("/v1/accounts/{account}/deposits", json!({"transaction_id": id!("02"), "amount": "100.00"})),
        ("/v1/accounts/{account}/withdrawals", json!({"transaction_id": WITHDRAWAL, "amount": "40.00"})),
        (
            "/v1/accounts/{account}/reversals",
            json!({"transaction_id": id!("04"), "reverses": WITHDRAWAL, "reason": "cash not dispensed"}),
        ),
        (
            "/v1/accounts/{account}/holds",
            json!({"transaction_id": HOLD, "amount": "40.00", "expires_in_seconds": 600}),
        ),
        (
            "/v1/accounts/{account}/holds/{hold}/capture",
            json!({"transaction_id": id!("17"), "amount": "25.00"}),
        ),
        (
            "/v1/accounts/{account}/holds/{hold}/release",
            json!({"transaction_id": id!("18"), "reason": "paid in cash"}),
        ),
        (
            "/v1/accounts/{account}/corrections",
            json!({
                "transaction_id": id!("12"), "amount": "20.00", "direction": "credit",
                "reason": "booked twice by the import of 3 May", "corrects": [WITHDRAWAL],
            }),
        ),
        (
            "/v1/accounts/{account}/overdraft-limit",
            json!({"transaction_id": id!("05"), "overdraft_limit": "500.00", "reason": "agreed in writing"}),
        ),
        (
            "/v1/accounts/{account}/freeze",
            json!({"transaction_id": id!("06"), "reason": "card reported lost"}),
        ),
        ("/v1/accounts/{account}/unfreeze", json!({"transaction_id": id!("07"), "reason": "card found"})),
        ("/v1/batch", BATCH.into()),
        (
            "/v1/transfers",
            json!({"transaction_id": id!("21"), "from": "bob", "to": "alice", "amount": "5.00"}),
        ),
        (
            "/v1/transfers/{transfer}/cancel",
            json!({"transaction_id": id!("22"), "reason": "sent by mistake"}),
        ),
        (
            "/v1/transfers/{transfer}/outcome",
            json!({"transaction_id": id!("23"), "outcome": "done", "reason": "the provider's list has it"}),
        ),
        ("/v1/transfers/{transfer}/retry", json!({"transaction_id": id!("24"), "reason": "mended"})),
        (
            "/v1/transfers/{transfer}/abandon",
            json!({"transaction_id": id!("25"), "reason": "booked by hand"}),
        ),
        (
            "/v1/destinations/{name}/pause",
            json!({"transaction_id": id!("26"), "reason": "the receiver is being moved"}),
        ),
        (
            "/v1/destinations/{name}/resume",
            json!({"transaction_id": id!("27"), "reason": "the receiver was moved"}),
        ),
        ("/v1/destinations/{name}/test", json!({"transaction_id": id!("28")})),
        ("/v1/accounts/{account}/close", json!({"transaction_id": id!("11"), "reason": "asked by letter"})),
    ]
}

/// `Examples` puts the examples into the document.
pub(crate) struct Examples;

impl Modify for Examples {
    fn modify(&self, document: &mut OpenApi) {
        for (path, body) in bodies() {
            let item = document.paths.paths.get_mut(path);
            let Some(RefOr::T(request)) =
                item.and_then(|item| item.post.as_mut()).and_then(|post| post.request_body.as_mut())
            else {
                continue;
            };
            for content in request.content.values_mut() {
                if let RefOr::T(content) = content {
                    content.example = Some(body.clone());
                }
            }
        }
    }
}
