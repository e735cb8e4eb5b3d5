//! A service that is killed while payouts are open, and one that starts with other settings.

use crate::bank::{Bank, start};
use crate::support::http::id;
use crate::support::provider::Does;

/// Guards against: a second call to a provider that does not honour keys, by a process that did not make the first.
#[test]
fn a_payout_whose_claimer_is_dead_is_asked_about_and_never_sent_again() {
    let mut bank = Bank::open("never", "ask");
    bank.provider.pays([Does::Wait]);
    let id = bank.pay(60);
    bank.provider.until("POST /pay", 1);
    bank.restart();
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
    bank.restart();
    assert_eq!(bank.until(&id, "completed")["moved"], "40.00");
    assert_eq!(bank.provider.paid(&id), ["40.00"]);
    bank.check();
}

/// A provider is gone from the settings: what was not sent is released after the deadline, what was sent stays open.
#[test]
fn without_its_provider_nothing_is_sent_and_what_was_not_sent_is_released() {
    let mut bank = Bank::open("never", "ask");
    bank.provider.pays([Does::Wait]);
    let sent = bank.pay(5);
    bank.provider.until("POST /pay", 1);
    let waits = bank.pay(5);
    bank.until_held(&waits);
    bank.restart_without_provider();
    let refused = bank.request(&id(), 60);
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(bank.request(&waits, 5).status, 202, "its first answer");
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
        let said = start(&folder.path().join("data"), &format!("[providers.atm]\n{settings}\n"), &[])
            .err()
            .expect(settings);
        assert!(said.contains("atm") && said.contains(named), "{settings}: {said}");
        assert!(!folder.path().join("data").exists(), "nothing was touched: {settings}");
    }
}
