//! Each end of a payout, from the request to what is booked.

use serde_json::json;

use crate::counter::Counter;
use crate::support::provider::Does;

#[test]
fn a_payout_is_sent_once_after_it_is_recorded_and_what_was_paid_is_captured() {
    let counter = Counter::start("same_key", "", "");
    let id = counter.pay();
    let ended = counter.end(&id);
    assert_eq!((&ended["state"], &ended["moved"]), (&json!("completed"), &json!("40.00")), "{ended}");
    let steps: Vec<&str> =
        ended["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["hold", "payout", "capture"]);
    assert_eq!(counter.alice(), ["60.00", "60.00"]);
    let told = ["TransferRequested", "PayoutSent", "PayoutSettled", "TransferCompleted"];
    assert_eq!(counter.events(&id), told);
    let calls = counter.provider.calls();
    assert_eq!(calls.len(), 1);
    let key = format!("{id}:payout:1");
    assert!(calls[0].head.contains(&format!("idempotency-key: \"{key}\"")), "{}", calls[0].head);
    let body = format!(
        r#"{{"id":"{key}","transfer":"{id}","amount":"40.00","currency":"EUR","from":"alice","metadata":{{"order":"7"}}}}"#
    );
    assert_eq!(calls[0].body, body);
    let settled = counter.event("PayoutSettled");
    assert_eq!(settled["data"], json!({"outcome": "done", "learnt_by": "reply", "reference": "slip 7"}));
    assert_eq!(counter.service.get("/v1/accounts/@external:atm").json()["balances"]["EUR"], "40.00");
    assert!(counter.metric("bookonce_payout_calls_total{provider=\"atm\",outcome=\"done\"} 1"));
    assert!(counter.metric("bookonce_payout_calls_total{provider=\"atm\",outcome=\"unknown\"} 0"));
    assert!(counter.metric("bookonce_transfers_contradicted_total 0"));
    assert_eq!(counter.request(&id, 60).header("idempotent-replayed"), Some("true"));
    counter.check();
}

/// Guards against: a part payout that is captured or completed as the whole.
#[test]
fn of_a_part_that_was_paid_the_rest_is_released() {
    let counter = Counter::start("same_key", "", "");
    counter.provider.pays([Does::Part("25.00")]);
    let id = counter.pay();
    let ended = counter.end(&id);
    assert_eq!((&ended["state"], &ended["moved"]), (&json!("completed"), &json!("25.00")), "{ended}");
    assert_eq!(counter.alice(), ["75.00", "75.00"]);
    let captured = counter.event("HoldCaptured");
    assert_eq!(
        (&captured["data"]["amount"], &captured["data"]["released"]),
        (&json!("25.00"), &json!("15.00"))
    );
    assert_eq!(counter.event("TransferCompleted")["data"]["amount"], "25.00");
    counter.check();
}

#[test]
fn what_the_provider_declines_is_released() {
    let counter = Counter::start("same_key", "", "");
    counter.provider.pays([Does::Decline]);
    let id = counter.pay();
    let ended = counter.end(&id);
    assert_eq!(
        (&ended["state"], &ended["code"]),
        (&json!("compensated"), &json!("payout_declined")),
        "{ended}"
    );
    assert_eq!(counter.alice(), ["100.00", "100.00"]);
    counter.check();
}

#[test]
fn the_token_goes_with_each_call_and_is_in_no_event() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "s3cret\n").unwrap();
    let counter = Counter::start("never", "ask", &format!("token_file = '{}'\n", file.display()));
    counter.provider.pays([Does::Lose]);
    let id = counter.pay();
    assert_eq!(counter.end(&id)["state"], "completed");
    let calls = counter.provider.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|call| call.head.contains("authorization: bearer s3cret")), "{calls:?}");
    let journal =
        counter.service.send("GET", "/v1/journal?limit=1000", &[("accept", "application/x-ndjson")], "");
    assert!(!journal.text().contains("s3cret"));
}

#[test]
fn what_alice_does_not_have_never_reaches_the_provider() {
    let counter = Counter::start("same_key", "", "");
    let ids: Vec<String> = (0..4).map(|_| counter.pay()).collect();
    let ends: Vec<_> = ids.iter().map(|id| counter.end(id)["state"].clone()).collect();
    assert_eq!(ends.iter().filter(|end| **end == "completed").count(), 2, "{ends:?}");
    assert_eq!(ends.iter().filter(|end| **end == "declined").count(), 2, "{ends:?}");
    assert_eq!(counter.provider.calls().len(), 2);
    counter.check();
}

#[test]
fn a_lost_reply_is_asked_for_again_under_the_same_key_and_nothing_is_paid_twice() {
    let counter = Counter::start("same_key", "", "");
    counter.provider.pays([Does::Lose, Does::Vanish, Does::Lose]);
    let id = counter.pay();
    assert_eq!(counter.end(&id)["state"], "completed");
    assert_eq!(counter.provider.paid(&id), ["40.00"]);
    let calls = counter.provider.calls();
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(|call| call.body == calls[0].body));
    counter.check();
}

/// Guards against: a second call to a provider that does not honour keys.
#[test]
fn a_provider_that_does_not_honour_keys_is_called_once_and_then_asked() {
    let counter = Counter::start("never", "ask", "");
    counter.provider.pays([Does::Lose]);
    let id = counter.pay();
    assert_eq!(counter.end(&id)["state"], "completed");
    assert_eq!((counter.provider.count("POST /pay"), counter.provider.count("GET /ask/")), (1, 1));
    assert_eq!(counter.event("PayoutSettled")["data"]["learnt_by"], "status");
    counter.check();
}

#[test]
fn a_provider_that_is_at_work_is_asked_until_it_is_done() {
    let counter = Counter::start("same_key", "ask", "");
    counter.provider.pays([Does::Work]);
    counter.provider.tells([Does::Say(202, r#"{"outcome":"working"}"#.into())]);
    let id = counter.pay();
    assert_eq!(counter.end(&id)["state"], "completed");
    assert_eq!((counter.provider.count("POST /pay"), counter.provider.count("GET /ask/")), (1, 2));
    assert!(counter.metric("bookonce_payout_calls_total{provider=\"atm\",outcome=\"working\"} 2"));
    counter.check();
}

/// Guards against: a payout that comes late and is paid, though the hold was released.
#[test]
fn past_its_deadline_a_payout_is_cancelled_where_the_provider_can_do_that() {
    let counter = Counter::start("never", "cancel", "");
    counter.provider.pays([Does::Vanish]);
    let id = counter.sent_within(1);
    let ended = counter.end(&id);
    assert_eq!((&ended["state"], &ended["code"]), (&json!("compensated"), &json!("timed_out")), "{ended}");
    assert_eq!(counter.event("PayoutSettled")["data"], json!({"outcome": "declined", "learnt_by": "cancel"}));
    assert_eq!(counter.alice(), ["100.00", "100.00"]);
    counter.check();
}

#[test]
fn a_cancel_that_comes_after_the_payout_finds_it_paid() {
    let counter = Counter::start("never", "cancel", "");
    counter.provider.pays([Does::Lose]);
    let id = counter.pay_within(30);
    counter.provider.until("POST /pay", 1);
    counter.until(&id, "paying");
    let reply = counter.act(&id, "cancel", json!({}));
    assert_eq!(reply.status, 202, "{}", reply.text());
    let ended = counter.end(&id);
    assert_eq!((&ended["state"], &ended["moved"]), (&json!("completed"), &json!("40.00")), "{ended}");
    let told =
        ["TransferRequested", "PayoutSent", "TransferCancelRequested", "PayoutSettled", "TransferCompleted"];
    assert_eq!(counter.events(&id), told);
    counter.check();
}

#[test]
fn a_cancel_before_the_payout_is_paid_ends_as_cancelled() {
    let counter = Counter::start("same_key", "ask cancel", "");
    counter.provider.pays([Does::Vanish, Does::Vanish, Does::Vanish, Does::Vanish]);
    let id = counter.pay_within(30);
    counter.provider.until("POST /pay", 1);
    counter.until(&id, "paying");
    assert_eq!(counter.act(&id, "cancel", json!({})).status, 202);
    let ended = counter.end(&id);
    assert_eq!(ended["state"], "cancelled", "{ended}");
    assert!(counter.provider.paid(&id).is_empty());
    assert_eq!(counter.alice(), ["100.00", "100.00"]);
    counter.check();
}
