//! The contract of single writes: one event an ID, the first answer for ever.

mod support;

use support::http::{Service, id};

#[test]
fn a_withdrawal_is_booked_once_and_answered_alike() {
    let service = Service::start();
    service.account("alice");
    let body = format!(r#"{{"transaction_id":"{}","amount":"40"}}"#, id());
    let first = service.post("/v1/accounts/alice/withdrawals", &body);
    assert_eq!(first.status, 201, "{}", first.text());
    assert_eq!(first.json()["balance"], "60.00");
    assert_eq!(first.header("bookonce-position"), Some("3"));
    assert_eq!(first.header("idempotent-replayed"), None);
    let again = service.post("/v1/accounts/alice/withdrawals", &body);
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(service.get("/v1/accounts/alice?min_position=3").json()["balance"], "60.00");
}
