//! Operators say what became of a payout, let the service go on, or leave it; and late replies race with them.

use serde_json::json;

use crate::counter::Counter;
use crate::support::http::id;
use crate::support::provider::Does;

/// Returns a counter whose payout is lost for good, and the transfer, which needs an operator.
fn lost() -> (Counter, String) {
    let counter = Counter::start("never", "", "ask_for_seconds = 1\n");
    counter.provider.pays([Does::Lose]);
    let id = counter.sent_within(2);
    let ended = counter.end(&id);
    assert_eq!(
        (&ended["state"], &ended["code"]),
        (&json!("needs_operator"), &json!("outcome_unknown")),
        "{ended}"
    );
    (counter, id)
}

#[test]
fn what_nobody_can_tell_goes_to_an_operator_whose_word_counts() {
    let (counter, id) = lost();
    assert_eq!(counter.alice(), ["100.00", "60.00"]);
    assert_eq!(counter.provider.count("POST /pay"), 1);
    let said = json!({"outcome": "done", "amount": "40.00", "reference": "slip 7"});
    let reply = counter.act(&id, "outcome", said);
    assert_eq!(reply.status, 202, "{}", reply.text());
    let ended = counter.end(&id);
    assert_eq!((&ended["state"], &ended["moved"]), (&json!("completed"), &json!("40.00")), "{ended}");
    let told =
        json!({"outcome": "done", "learnt_by": "operator", "reference": "slip 7", "reason": "it is so"});
    assert_eq!(counter.event("PayoutSettled")["data"], told, "the whole amount is not recorded");
    let again = counter.act(&id, "outcome", json!({"outcome": "declined"}));
    assert_eq!((again.status, again.code().as_str()), (402, "transfer_ended"));
    counter.check();
}

/// A retry of an operator's word is the same request, also where it names the whole amount, which is not recorded.
#[test]
fn an_operators_word_is_given_its_first_answer_again() {
    let (counter, transfer) = lost();
    let path = format!("/v1/transfers/{transfer}/outcome");
    let body = |amount: &str| {
        json!({"transaction_id": "018f4e6e-9d52-7a30-8f7e-000000000077", "outcome": "done", "amount": amount,
            "reason": "counted"})
        .to_string()
    };
    let first = counter.service.post(&path, body("40.00"));
    assert_eq!(first.status, 202, "{}", first.text());
    let again = counter.service.post(&path, body("40.0"));
    assert_eq!((again.status, &again.body), (202, &first.body));
    let other = counter.service.post(&path, body("39.00"));
    assert_eq!((other.status, other.code().as_str()), (422, "transaction_id_reused"));
}

#[test]
fn an_operator_lets_it_go_on_or_leaves_it_and_takes_it_up_again() {
    let (counter, id) = lost();
    for (amount, status) in [("40.01", 400), ("0.00", 400), ("1.000", 400)] {
        let reply = counter.act(&id, "outcome", json!({"outcome": "done", "amount": amount}));
        assert_eq!(reply.status, status, "{amount}: {}", reply.text());
    }
    let reply = counter.act(&id, "outcome", json!({"outcome": "declined", "amount": "1.00"}));
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(counter.act(&id, "retry", json!({})).status, 202);
    counter.until(&id, "needs_operator");
    assert_eq!(counter.act(&id, "abandon", json!({})).status, 202);
    assert_eq!(counter.now(&id)["state"], "abandoned");
    assert_eq!(counter.alice(), ["100.00", "60.00"]);
    assert_eq!(counter.act(&id, "outcome", json!({"outcome": "declined"})).status, 202);
    let ended = counter.end(&id);
    assert_eq!(
        (&ended["state"], &ended["code"]),
        (&json!("compensated"), &json!("payout_declined")),
        "{ended}"
    );
    assert_eq!(ended["acts"].as_array().unwrap().len(), 3, "{ended}");
    counter.check();
}

#[test]
fn what_cannot_be_done_is_declined() {
    let counter = Counter::start("never", "ask", "timeout_seconds = 30\n");
    counter.provider.pays([Does::Wait]);
    let id = counter.pay();
    counter.until(&id, "paying");
    let cancel = counter.act(&id, "cancel", json!({}));
    assert_eq!((cancel.status, cancel.code().as_str()), (402, "too_late"));
    for act in ["retry", "abandon"] {
        let reply = counter.act(&id, act, json!({}));
        assert_eq!((reply.status, reply.code().as_str()), (402, "wrong_state"), "{act}");
    }
    counter.provider.go_on();
    assert_eq!(counter.end(&id)["state"], "completed");
    for (act, fields) in [
        ("cancel", json!({})),
        ("outcome", json!({"outcome": "done"})),
        ("retry", json!({})),
        ("abandon", json!({})),
    ] {
        let reply = counter.act(&id, act, fields.clone());
        assert_eq!((reply.status, reply.code().as_str()), (402, "transfer_ended"), "{act}");
        let reply = counter.act(&crate::support::http::id(), act, fields);
        assert_eq!((reply.status, reply.code().as_str()), (404, "transfer_not_found"), "{act}");
    }
    counter.service.account("bob");
    let between = id_of_a_transfer_between_accounts(&counter);
    let reply = counter.act(&between, "outcome", json!({"outcome": "done"}));
    assert!(["wrong_state", "transfer_ended"].contains(&reply.code().as_str()), "{}", reply.text());
}

fn id_of_a_transfer_between_accounts(counter: &Counter) -> String {
    let id = id();
    let body = json!({"transaction_id": id, "from": "bob", "to": "alice", "amount": "1.00"});
    assert_eq!(counter.service.post("/v1/transfers", body.to_string()).status, 202);
    id
}

/// Guards against: a late reply that is lost, or that overrules an operator's word.
#[test]
fn a_late_reply_that_says_otherwise_than_the_operator_is_recorded_and_calls_one() {
    let counter = Counter::start("never", "", "timeout_seconds = 30\n");
    counter.provider.pays([Does::Wait]);
    let id = counter.pay();
    counter.provider.until("POST /pay", 1);
    assert_eq!(counter.act(&id, "outcome", json!({"outcome": "declined"})).status, 202);
    counter.provider.go_on();
    let stands = counter.until(&id, "needs_operator");
    assert_eq!(stands["waits_for"], json!(null));
    let told = json!({"outcome": "done", "learnt_by": "reply", "reference": "slip 7"});
    assert_eq!(counter.event("PayoutContradicted")["data"], told);
    assert!(counter.metric("bookonce_transfers_contradicted_total 1"));
    counter.check();
}

#[test]
fn a_late_reply_that_says_the_same_as_the_operator_is_nothing() {
    let counter = Counter::start("never", "", "timeout_seconds = 30\n");
    counter.provider.pays([Does::Wait]);
    let id = counter.pay();
    counter.provider.until("POST /pay", 1);
    assert_eq!(counter.act(&id, "outcome", json!({"outcome": "done"})).status, 202);
    counter.provider.go_on();
    assert_eq!(counter.end(&id)["state"], "completed");
    assert_eq!(
        counter.events(&id),
        ["TransferRequested", "PayoutSent", "PayoutSettled", "TransferCompleted"]
    );
    counter.check();
}
