//! The small rules, each as a table: whose fault a failure is, how long a message waits, what opens the breaker, and what a
//! filter chooses.

use bookonce::domain::delivery::beat::Beat;
use bookonce::domain::delivery::breaker::{Breaker, Gate};
use bookonce::domain::delivery::failure::{Blame, ErrorText, FailureClass};
use bookonce::domain::delivery::name::DestinationName;
use bookonce::domain::delivery::retry::Retry;
use bookonce::domain::delivery::select::Pattern;
use bookonce::domain::time::Timestamp;

fn beat(tick_ms: u64, dice: u32) -> Beat {
    Beat { tick_ms, wall: Timestamp::from_micros(0), dice }
}

#[test]
fn the_status_of_an_answer_says_whose_fault_it_is() {
    let whole = Some(Blame::Destination { is_unsent: false });
    for (statuses, blame) in [
        (&[200, 201, 204, 299][..], None),
        (&[410], Some(Blame::Gone)),
        (&[401, 403, 404, 405, 429, 503, 301, 307], whole),
        (&[400, 402, 408, 409, 413, 422, 451], Some(Blame::Message)),
        (&[500, 502, 504, 599, 100, 600, 0], Some(Blame::Doubt)),
    ] {
        for status in statuses {
            assert_eq!(Blame::of_status(*status), blame, "{status}");
        }
    }
}

#[test]
fn an_error_is_kept_without_control_characters_and_not_too_long() {
    assert_eq!(ErrorText::cut("no\r\nsuch\u{1b}[31m card").as_str(), "nosuch[31m card");
    assert_eq!(ErrorText::cut(&"ü".repeat(300)).as_str(), "ü".repeat(256));
    assert_eq!((ErrorText::parse("a\nb"), ErrorText::parse(&"a".repeat(257))), (None, None));
    assert_eq!(FailureClass::parse("http_status"), Some(FailureClass::HttpStatus));
}

#[test]
fn the_name_of_a_destination_is_plain() {
    for name in ["crm", "0", "a-b-", &"a".repeat(32)] {
        assert_eq!(DestinationName::parse(name).unwrap().as_str(), name);
    }
    for name in ["", "-a", "Crm", "a_b", "a b", "ü", "a.b", &"a".repeat(33)] {
        assert_eq!(DestinationName::parse(name), None, "{name:?}");
    }
}

#[test]
fn a_wait_of_the_schedule_is_read_as_it_is_written() {
    for (text, seconds) in [("5s", 5), ("90s", 90), ("30m", 1_800), ("24h", 86_400), ("1h", 3_600)] {
        assert_eq!(Retry::parse_wait(text), Some(seconds));
        assert_eq!(Retry::write_wait(seconds), text);
    }
    for text in ["", "s", "5", "0s", "05s", "+5s", "5d", "5 s", "-1m", "9999999999h", "5\u{fc}"] {
        assert_eq!(Retry::parse_wait(text), None, "{text:?}");
    }
    assert_eq!((Retry::new(&[]), Retry::new(&[0]), Retry::new(&[604_801])), (None, None, None));
}

/// Guards against: a message that waits a year because the wall clock was wrong when it was parked, or when it is taken up.
#[test]
fn a_parked_message_waits_its_step_and_a_fifth_more_or_less() {
    let retry = Retry::default();
    let steps = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    assert_eq!(retry.seconds(), steps);
    for (failures, step) in (1..).zip(steps.map(u64::from)) {
        assert_eq!(retry.wait(failures, &beat(0, 0)), Some(step * 800));
        assert_eq!(retry.wait(failures, &beat(0, 1 << 31)), Some(step * 1_000));
        assert!(retry.wait(failures, &beat(0, u32::MAX)).unwrap() <= step * 1_200);
    }
    assert_eq!((retry.wait(0, &beat(0, 0)), retry.wait(10, &beat(0, 0))), (None, None));
    for (next_at_seconds, rest) in [(4, 4_000), (-100, 0), (31_536_000, 6_000), (i64::MAX / 2_000_000, 6_000)]
    {
        let next_at = Timestamp::from_micros(0).plus_seconds(next_at_seconds);
        assert_eq!(retry.rest(1, next_at, &beat(0, 0)), rest, "{next_at_seconds}");
    }
}

/// Guards against: a breaker that the many messages which were under way hold shut for a minute at its first failure.
#[test]
fn a_destination_that_fails_as_a_whole_is_tried_again_after_longer_and_longer_waits() {
    let most = u32::MAX;
    let mut breaker = Breaker::default();
    let mut tick = 0;
    for longest in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000] {
        breaker.fail(1, None, &beat(tick, most));
        for other in 2..64 {
            breaker.fail(other, None, &beat(tick, most));
        }
        let Gate::Wait(until) = breaker.gate(&beat(tick, 0)) else { panic!("{breaker:?}") };
        assert!((longest - 1..=longest).contains(&(until - tick)), "{longest}: {}", until - tick);
        tick = until;
        assert!(matches!(breaker.gate(&beat(tick, 0)), Gate::Probe { .. }));
        breaker.sent(1);
        assert_eq!(breaker.gate(&beat(tick, 0)), Gate::Probing);
    }
    assert_eq!(breaker.open_since(), Some(0));
    breaker.alive();
    assert_eq!((breaker.gate(&beat(tick, 0)), breaker.open_since()), (Gate::All, None));
}

#[test]
fn a_receiver_is_left_alone_for_as_long_as_it_asks_but_for_an_hour_at_most() {
    for (asked, waits) in
        [(Some(7), 7_000), (Some(99_999_999_999), 3_600_000), (Some(u64::MAX), 3_600_000), (None, 0)]
    {
        let mut breaker = Breaker::default();
        breaker.fail(1, asked, &beat(50, 0));
        let gate = if waits == 0 { Gate::Probe { is_others_turn: false } } else { Gate::Wait(50 + waits) };
        assert_eq!(breaker.gate(&beat(50, 0)), gate, "{asked:?}");
    }
}

#[test]
fn five_doubtful_failures_in_a_row_open_the_breaker() {
    let mut breaker = Breaker::default();
    for _ in 0..4 {
        breaker.doubt(1, None, &beat(0, 0));
    }
    breaker.alive();
    for _ in 0..4 {
        breaker.doubt(1, None, &beat(0, 0));
        assert_eq!(breaker.gate(&beat(0, 0)), Gate::All);
    }
    breaker.doubt(1, None, &beat(0, 0));
    assert_eq!(breaker.open_since(), Some(0));
}

#[test]
fn a_pattern_fits_what_its_stars_stand_for() {
    for (pattern, fits, does_not) in [
        ("shop-*", &["shop-", "shop-1", "shop-*"][..], &["shop", "a-shop-1", ""][..]),
        ("*", &["", "anything"], &[]),
        ("alice", &["alice"], &["alice2", "Alice", ""]),
        ("*-eu", &["a-eu", "-eu"], &["eu", "a-eu-b"]),
        ("a*b*c", &["abc", "aXbYc", "abbc", "abcbc"], &["ac", "acb", "abcd"]),
        ("a*a", &["aa", "aba"], &["a"]),
        ("**x**", &["x", "axb"], &["", "y"]),
    ] {
        let pattern = Pattern::parse(pattern).unwrap();
        for text in fits {
            assert!(pattern.fits(text), "{pattern:?} {text:?}");
        }
        for text in does_not {
            assert!(!pattern.fits(text), "{pattern:?} {text:?}");
        }
    }
    assert_eq!((Pattern::parse(""), Pattern::parse("a\nb")), (None, None));
}
