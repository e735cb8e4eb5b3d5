//! The first event of a letter: its id follows from the message, and its bytes are for ever.

use bookonce::domain::delivery::failure::{Failure, FailureClass};
use bookonce::domain::delivery::name::DestinationName;
use bookonce::domain::ids::AccountName;
use bookonce::domain::letter::{DeadLettered, LetterId};
use bookonce::domain::time::Timestamp;
use bookonce::domain::transfer::payout::Label;
use bookonce::store::codec::{letter_data, read_letter_data};

const ID: &str = "d65392a1-fd5d-58ce-aade-c9d680b32e54.crm";
/// This was made with `uuid.uuid5` of Python.
const LETTER: &str = "bdb054f1-f214-577b-9f1f-e1b8546d7188";
const DATA: &str = r#"{"direction":"out","source":"crm","kind":"delivery","topic":"https://crm.example/hooks","message_id":"d65392a1-fd5d-58ce-aade-c9d680b32e54.crm","effect_id":"d65392a1-fd5d-58ce-aade-c9d680b32e54.crm","account":"alice","position":17,"error":{"class":"http_status","code":"422","message":"no \"card\""},"attempts":[{"at":"2025-11-24T16:00:00.000000Z","error":{"class":"http_status","code":"422","message":"no \"card\""}}],"attempt_count":10,"content_type":"application/cloudevents+json; charset=utf-8","payload_bytes":812,"payload_sha256":"0707070707070707070707070707070707070707070707070707070707070707"}"#;

fn letter() -> DeadLettered {
    DeadLettered {
        source: DestinationName::parse("crm").unwrap(),
        topic: "https://crm.example/hooks".into(),
        message_id: Label::parse(ID).unwrap(),
        account: AccountName::parse("alice"),
        position: 17,
        error: Failure::of_status(422, "no \"card\""),
        failed_at: Timestamp::from_micros(1_764_000_000_000_000),
        attempts: 10,
        payload_bytes: 812,
        payload_sha256: [7; 32],
    }
}

/// Guards against: a second letter of one message, which a crash between two appends would make.
#[test]
fn the_id_of_a_letter_follows_from_its_message() {
    assert_eq!(letter().letter().to_string(), LETTER);
    assert_eq!(LetterId::parse(LETTER), Some(letter().letter()));
    let other = DestinationName::parse("billing").unwrap();
    assert_ne!(LetterId::of_message(&other, ID), letter().letter());
    for text in ["", "letter", &LETTER.to_uppercase(), &LETTER.replace('-', "")] {
        assert_eq!(LetterId::parse(text), None, "{text}");
    }
}

#[test]
fn the_data_of_a_letter_is_what_it_was() {
    let mut written = Vec::new();
    letter_data(&letter(), &mut written);
    assert_eq!(String::from_utf8(written).unwrap(), DATA);
    assert_eq!(read_letter_data(DATA.as_bytes()).unwrap(), letter());
    let lost = DeadLettered {
        account: None,
        error: Failure::new(FailureClass::Unconfirmed, "nobody knows whether it was sent"),
        ..letter()
    };
    let mut written = Vec::new();
    letter_data(&lost, &mut written);
    assert_eq!(read_letter_data(&written).unwrap(), lost);
}

#[test]
fn a_letter_that_was_not_written_so_is_refused() {
    for (from, to) in [
        ("\"out\"", "\"in\""),
        ("\"delivery\"", "\"command\""),
        ("\"crm\"", "\"Crm\""),
        ("cloudevents+json", "json"),
        ("http_status", "http_code"),
        (",\"account\":\"alice\"", ",\"account\":null"),
        ("\"position\":17", "\"position\":017"),
        ("07\"}", "0G\"}"),
        ("07\"}", "0\"}"),
        ("\"attempt_count\":10", "\"attempt_count\":10,\"more\":1"),
        ("\"effect_id\":\"d", "\"effect_id\":\"e"),
        ("16:00:00.000000Z", "16:00:00Z"),
    ] {
        let wrong = DATA.replacen(from, to, 1);
        assert_ne!(wrong, DATA, "{from}");
        assert!(read_letter_data(wrong.as_bytes()).is_err(), "{from} {to}");
    }
}
