//! What is not plainly an answer is unknown: nothing is captured or released on it.

use crate::counter::Counter;
use crate::support::provider::Does;

/// Guards against: money that is captured or released on an answer that says neither.
#[test]
fn nothing_is_captured_or_released_on_what_is_no_answer() {
    let say = |body: &str| Does::Say(200, body.to_owned());
    let long = format!(r#"{{"outcome":"done","reference":"{}"}}"#, "a".repeat(70 * 1024));
    for does in [
        say("<html><body>done</body></html>"),
        say(""),
        Does::Redirect,
        say(&long),
        Does::Drip,
        say(r#"{"outcome":"declined","outcome":"done"}"#),
        say(r#"{"outcome":"done","amount":"0.00"}"#),
        say(r#"{"outcome":"done","amount":"40.01"}"#),
        say(r#"{"outcome":"done","amount":"1.000"}"#),
        Does::Say(500, r#"{"outcome":"declined"}"#.to_owned()),
    ] {
        let counter = Counter::start("never", "ask", "timeout_seconds = 1\n");
        counter.provider.pays([does.clone()]);
        counter.provider.tells([does.clone(), Does::Wait]);
        let id = counter.pay();
        counter.provider.until("GET /ask/", 2);
        assert_eq!(counter.now(&id)["state"], "paying", "{does:?}");
        assert_eq!(counter.alice(), ["100.00", "60.00"], "{does:?}");
        assert_eq!(counter.provider.count("POST /pay"), 1, "{does:?}");
        assert_eq!(counter.events(&id), ["TransferRequested", "PayoutSent"], "{does:?}");
    }
}
