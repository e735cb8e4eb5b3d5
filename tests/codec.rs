//! These tests hold the line of an event: its bytes never change, it is read back exactly, and anything else is
//! refused.

#[path = "support/arbitrary.rs"]
mod arbitrary;
#[path = "support/each.rs"]
mod each;
#[path = "support/each_hold.rs"]
mod each_hold;
#[path = "support/given.rs"]
mod given;
#[path = "support/given_holds.rs"]
mod given_holds;
#[path = "support/holds.rs"]
mod holds;
mod support;

use bookonce::answers::render;
use bookonce::domain::event::Event;
use bookonce::store::chain::{Hash, event_id};
use bookonce::store::codec::{DecodeError, Encoder, Line, cut, decode};
use proptest::prelude::*;
use uuid::Uuid;

fn genesis() -> Hash {
    Hash::genesis(Uuid::from_u128(7))
}

fn line(event: &Event) -> String {
    let mut out = Vec::new();
    Encoder::default().line(event, 17, &genesis(), &mut out);
    assert_eq!(out.pop(), Some(b'\n'));
    String::from_utf8(out).unwrap()
}

fn read(line: &str) -> Result<Line, DecodeError> {
    decode(line.as_bytes())
}

/// Catches: a change of the format, of an order of keys, of how money or time is written. Such a change is a new version.
#[test]
fn the_line_of_each_event_is_what_it_was() {
    each::assert_complete();
    let lines = each::one_of_each().into_iter().map(|(what, event)| format!("# {what}\n{}\n", line(&event)));
    insta::assert_snapshot!(lines.collect::<String>());
}

/// Catches: an answer that new code gives otherwise than the old code gave it.
#[test]
fn the_answer_of_each_outcome_is_what_it_was() {
    let answers = each::one_of_each().into_iter().map(|(what, event)| {
        let answer = render(&event);
        let body = String::from_utf8(answer.body).unwrap();
        let _valid: serde_json::Value = serde_json::from_str(&body).unwrap();
        format!("# {what}\n{} {body}\n", answer.status)
    });
    insta::assert_snapshot!(answers.collect::<String>());
}

/// Catches the same for what has to do with holds and with the steps of transfers.
#[test]
fn the_line_of_each_event_of_holds_is_what_it_was() {
    let lines = each_hold::one_of_each_hold();
    let lines = lines.into_iter().map(|(what, event)| format!("# {what}\n{}\n", line(&event)));
    insta::assert_snapshot!(lines.collect::<String>());
}

/// Catches the same for the answers.
#[test]
fn the_answer_of_each_outcome_of_holds_is_what_it_was() {
    let answers = each_hold::one_of_each_hold().into_iter().map(|(what, event)| {
        let answer = render(&event);
        let body = String::from_utf8(answer.body).unwrap();
        let _valid: serde_json::Value = serde_json::from_str(&body).unwrap();
        format!("# {what}\n{} {body}\n", answer.status)
    });
    insta::assert_snapshot!(answers.collect::<String>());
}

/// Guards against: a line that is written and can't be read back, of a type that no client asks for.
#[test]
fn each_event_of_holds_is_read_back_as_it_was() {
    for (what, event) in each_hold::one_of_each_hold() {
        let read = read(&line(&event)).unwrap_or_else(|error| panic!("{what}: {error}")).event;
        // A decline does not keep to whom the transfer goes whose capture was declined.
        let is_same = read == event || bookonce::domain::same::differences(&read, &asked(&event)).is_empty();
        assert!(is_same, "{what}: {read:?}");
        assert_eq!(line(&read), line(&event), "{what}");
    }
}

/// Returns the command that an event answered.
fn asked(event: &Event) -> bookonce::domain::command::Command {
    bookonce::domain::command::Command {
        id: event.id,
        stream: event.stream.clone(),
        operation: event.request(),
        origin: event.origin.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_event_is_read_back_as_it_was(event in arbitrary::event()) {
        let line = line(&event);
        let read = read(&line).unwrap();
        prop_assert_eq!(&read.event, &event);
        prop_assert_eq!(read.position, 17);
        prop_assert!(!line.contains('\n'), "one event, one line");
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap()["version"].as_u64(), Some(1));
    }

    #[test]
    fn what_is_cut_out_of_a_line_is_what_was_hashed(event in arbitrary::event(), position in 1..u64::MAX) {
        let mut out = Vec::new();
        let hash = Encoder::default().line(&event, position, &genesis(), &mut out);
        out.pop();
        let (canonical, written) = cut(&out).unwrap();
        prop_assert_eq!(genesis().then(&canonical), hash);
        prop_assert_eq!(written, hash.to_string());
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(json["event_id"].as_str().unwrap(), event_id(&canonical).to_string());
        let without: serde_json::Value = serde_json::from_slice(&canonical).unwrap();
        for (key, value) in json.as_object().unwrap() {
            let cut = ["position", "event_id", "hash"].contains(&key.as_str());
            prop_assert_eq!(without.get(key), (!cut).then_some(value), "{}", key);
        }
    }

    #[test]
    fn an_encoder_that_has_written_before_writes_the_same(events in proptest::collection::vec(arbitrary::event(), 1..6)) {
        let mut encoder = Encoder::default();
        for event in &events {
            let (mut used, mut fresh) = (Vec::new(), Vec::new());
            encoder.line(event, 17, &genesis(), &mut used);
            Encoder::default().line(event, 17, &genesis(), &mut fresh);
            prop_assert_eq!(used, fresh);
        }
    }

    #[test]
    fn an_event_answers_the_request_that_it_records(event in arbitrary::event()) {
        prop_assert_eq!(bookonce::domain::same::differences(&event, &asked(&event)), vec![]);
    }
}

fn named(what: &str) -> String {
    let (_, event) = each::one_of_each().into_iter().find(|(name, _)| *name == what).unwrap();
    line(&event)
}

/// The line with one thing in it changed.
#[track_caller]
fn changed(line: &str, from: &str, to: &str) -> Result<Line, DecodeError> {
    assert!(line.contains(from), "{from} in {line}");
    read(&line.replacen(from, to, 1))
}

#[test]
fn an_unknown_version_or_type_is_refused_not_skipped() {
    let line = named("deposited");
    assert!(matches!(changed(&line, "\"version\":1", "\"version\":2"), Err(DecodeError::Version(2))));
    assert!(
        matches!(changed(&line, "\"Deposited\"", "\"Forgotten\""), Err(DecodeError::Type(kind)) if kind == "Forgotten")
    );
}

#[test]
fn an_unknown_field_is_refused_wherever_it_is() {
    let line = named("deposited");
    for place in ["{\"position\"", "\"data\":{", "\"answer\":{", "\"metadata\":{", "[{"] {
        let with = if place.starts_with("{\"p") {
            "{\"new\":1,\"position\"".to_owned()
        } else {
            format!("{place}\"new\":1,")
        };
        assert!(matches!(changed(&line, place, &with), Err(DecodeError::Shape(_))), "{place}");
    }
    assert!(
        matches!(changed(&line, "\"data\":{", "\"data\":{\"amount\":\"7.00\","), Err(DecodeError::Shape(_))),
        "twice"
    );
}

/// Catches: a field that belongs to another type of event and is ignored without a word.
#[test]
fn a_field_of_another_type_of_event_is_refused() {
    for (what, field) in [
        ("deposited", "\"force\":true"),
        ("frozen", "\"amount\":\"7.00\""),
        ("closed", "\"metadata\":{\"a\":\"b\"}"),
        ("prevented", "\"partial\":true"),
        ("declined withdrawal", "\"reverses\":\"10000000-0000-4000-8000-000000000003\""),
        ("declined closing", "\"effective_at_given\":true"),
    ] {
        let with = format!("\"data\":{{{field},");
        assert!(
            matches!(changed(&named(what), "\"data\":{", &with), Err(DecodeError::Foreign)),
            "{what} {field}"
        );
    }
}

#[test]
fn entries_that_do_not_balance_are_refused() {
    let line = named("withdrawn");
    let entry = "{\"account\":\"@cash\",\"amount\":\"7.50\"}";
    for wrong in [
        "{\"account\":\"@cash\",\"amount\":\"7.51\"}",
        "{\"account\":\"@cash\",\"amount\":\"-7.50\"}",
        "{\"account\":\"cash\",\"amount\":\"7.50\"}",
    ] {
        assert!(matches!(changed(&line, entry, wrong), Err(DecodeError::Field("entries"))), "{wrong}");
    }
    assert!(matches!(
        changed(&line, "{\"account\":\"alice\"", "{\"account\":\"bob\""),
        Err(DecodeError::Field("entries"))
    ));
    assert!(matches!(
        changed(&line, "\"amount\":\"7.50\"", "\"amount\":\"7.40\""),
        Err(DecodeError::Field("entries"))
    ));
    assert!(read(&line.replacen(&format!(",{entry}"), "", 1)).is_err(), "one entry");
    assert!(read(&line.replace("7.50", "0.00")).is_err(), "nothing moved");
    let deposit = named("deposited").replace("-7.00", "x").replace("7.00", "-7.00").replace('x', "7.00");
    assert!(read(&deposit).is_err(), "a deposit that takes");
}

#[test]
fn a_value_that_no_event_has_is_refused() {
    let line = named("declined as prevented");
    for (from, to) in [
        ("\"stream\":\"account-alice\"", "\"stream\":\"transfer-alice\""),
        ("\"stream\":\"account-alice\"", "\"stream\":\"account-al ice\""),
        ("\"EUR\"", "\"eur\""),
        ("\"amount\":\"1.00\"", "\"amount\":\"1.0\""),
        ("\"amount\":\"1.00\"", "\"amount\":1.00"),
        ("\"code\":\"prevented\"", "\"code\":\"insufficient_funds\""),
        ("\"code\":\"prevented\"", "\"code\":\"unlucky\""),
        ("\"operation\":\"withdrawal\"", "\"operation\":\"opening\""),
        ("\"counter_account\":\"@cash\",", ""),
        ("\"recorded_at\":\"2026-11-21T02:00:00.123456Z\"", "\"recorded_at\":\"2026-11-21T02:00:00Z\""),
        ("\"available\":\"70.00\"", "\"available\":\"70\""),
    ] {
        assert!(changed(&line, from, to).is_err(), "{to}");
    }
    assert!(read(&line[..line.len() - 1]).is_err() && read("").is_err() && read("{}").is_err());
}
