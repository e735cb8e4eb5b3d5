//! The `data` of a destination's events: their bytes are for ever, and what was not written so is refused.

use std::sync::Arc;

use bookonce::domain::currency::Currency;
use bookonce::domain::delivery::event::{DeliveryEvent, PauseCode, Resumption, TakenWhy};
use bookonce::domain::delivery::failure::{ErrorText, Failure};
use bookonce::domain::delivery::progress::{End, Parked, Progress};
use bookonce::domain::delivery::select::{Pattern, Select};
use bookonce::domain::delivery::terms::{Guarantee, Order, Terms};
use bookonce::domain::money::WrittenAmount;
use bookonce::domain::reason::Reason;
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::Timestamp;
use bookonce::domain::transfer::payout::Label;
use bookonce::store::codec::{delivery_data, read_delivery_data};

use crate::world::terms;

fn written(event: &DeliveryEvent) -> String {
    let mut out = Vec::new();
    delivery_data(event, &mut out);
    String::from_utf8(out).unwrap()
}

fn each() -> Vec<(DeliveryEvent, &'static str)> {
    let pattern = |text| Pattern::parse(text).unwrap();
    let select = Select {
        types: vec!["Withdrawn".into(), "Reversed".into()],
        accounts: vec![pattern("shop-*")],
        currencies: vec![Currency::parse("EUR").unwrap()],
        amount_min: Some(WrittenAmount::parse("100.00").unwrap()),
        metadata: [("device_id".to_owned(), pattern("atm-*"))].into(),
        none: false,
    };
    let plain = terms(Guarantee::AtLeastOnce, Order::Account);
    let full = Terms { generation: 3, select, ..(*terms(Guarantee::AtMostOnce, Order::None)).clone() };
    let none = Terms { select: Select { none: true, ..Select::default() }, ..(*plain).clone() };
    let reason = Reason::parse("receiver \"down\"").unwrap();
    let label = |text: &str| Label::parse(text).unwrap();
    let row = |attempts, error| Parked {
        stream: StreamName::parse("account-alice").unwrap(),
        revision: 3,
        attempts,
        next_at: Timestamp::from_micros(1_764_000_000_000_000),
        error,
    };
    let progress = Progress { term: 4, through: 9, delivered: 2, ..Progress::default() };
    let whole = Progress {
        unconfirmed: vec![5, 6],
        parked: [(7, row(1, Failure::of_status(422, "no \"card\""))), (8, row(0, Failure::waiting()))].into(),
        attempted: [(2, row(3, Failure::of_status(500, "")))].into(),
        settled: [(1, End::Delivered), (3, End::Dead)].into(),
        ..progress.clone()
    };
    let resumed = |after, is_head, passed_over, holder: Option<&str>| {
        let (holder, reason) = (holder.map(label), Reason::parse("receiver \"down\"").unwrap());
        DeliveryEvent::Resumed(Box::new(Resumption { after, is_head, passed_over, holder, reason }))
    };
    vec![
        (
            DeliveryEvent::Set { terms: plain, from: None },
            r#"{"generation":0,"kind":"webhook","target":"https://crm.example/hooks","guarantee":"at_least_once","order":"account","on_dead":"go_on","select":{},"retry":["5s","5m"],"options":{"in_flight":3,"claim":2}}"#,
        ),
        (
            DeliveryEvent::Set { terms: Arc::new(full), from: Some(17) },
            r#"{"generation":3,"kind":"webhook","target":"https://crm.example/hooks","guarantee":"at_most_once","order":"none","on_dead":"go_on","select":{"types":["Withdrawn","Reversed"],"accounts":["shop-*"],"currencies":["EUR"],"amount_min":"100.00","metadata":{"device_id":"atm-*"}},"retry":["5s","5m"],"options":{"in_flight":3,"claim":2},"from":17}"#,
        ),
        (
            DeliveryEvent::Set { terms: Arc::new(none), from: Some(0) },
            r#"{"generation":0,"kind":"webhook","target":"https://crm.example/hooks","guarantee":"at_least_once","order":"account","on_dead":"go_on","select":{"none":true},"retry":["5s","5m"],"options":{"in_flight":3,"claim":2},"from":0}"#,
        ),
        (DeliveryEvent::Paused { code: PauseCode::Gone, reason: None }, r#"{"code":"gone"}"#),
        (
            DeliveryEvent::Paused { code: PauseCode::Operator, reason: Some(reason) },
            r#"{"code":"operator","reason":"receiver \"down\""}"#,
        ),
        (resumed(None, false, None, None), r#"{"reason":"receiver \"down\""}"#),
        (
            resumed(Some(12), false, Some(3), None),
            r#"{"after":12,"passed_over":3,"reason":"receiver \"down\""}"#,
        ),
        (
            resumed(Some(12), true, Some(3), Some("f2")),
            r#"{"after":12,"head":true,"passed_over":3,"holder":"f2","reason":"receiver \"down\""}"#,
        ),
        (DeliveryEvent::Removed { through: 9, parked: 1 }, r#"{"through":9,"parked":1}"#),
        (
            DeliveryEvent::Taken {
                instance: label("a-1/7f"),
                holder: Some(label("f1")),
                why: TakenWhy::First,
            },
            r#"{"instance":"a-1/7f","holder":"f1","why":"first"}"#,
        ),
        (
            DeliveryEvent::Taken { instance: label("a-1/7f"), holder: None, why: TakenWhy::NoAnswer },
            r#"{"instance":"a-1/7f","why":"no_answer"}"#,
        ),
        (DeliveryEvent::Challenged { instance: label("b-2/\"c\"") }, r#"{"instance":"b-2/\"c\""}"#),
        (DeliveryEvent::Confirmed { term: 4 }, r#"{"term":4}"#),
        (DeliveryEvent::Released { term: 4 }, r#"{"term":4}"#),
        (DeliveryEvent::Tested { is_delivered: true, detail: None }, r#"{"outcome":"delivered"}"#),
        (
            DeliveryEvent::Tested { is_delivered: false, detail: Some(ErrorText::cut("503")) },
            r#"{"outcome":"failed","detail":"503"}"#,
        ),
        (DeliveryEvent::Claimed { term: 4, positions: vec![5, 8] }, r#"{"term":4,"positions":[5,8]}"#),
        (DeliveryEvent::Progressed(Box::new(progress)), r#"{"term":4,"through":9,"delivered":2}"#),
        (
            DeliveryEvent::Progressed(Box::new(whole)),
            r#"{"term":4,"through":9,"delivered":2,"unconfirmed":[5,6],"parked":[{"position":7,"stream":"account-alice","revision":3,"attempts":1,"next_at":"2025-11-24T16:00:00.000000Z","error":{"class":"http_status","code":"422","message":"no \"card\""}},{"position":8,"stream":"account-alice","revision":3,"attempts":0,"next_at":"2025-11-24T16:00:00.000000Z","error":{"class":"waiting","message":"behind an earlier message of its account"}}],"attempted":[{"position":2,"stream":"account-alice","revision":3,"attempts":3,"next_at":"2025-11-24T16:00:00.000000Z","error":{"class":"http_status","code":"500","message":""}}],"settled":[{"position":1,"outcome":"delivered"},{"position":3,"outcome":"dead"}]}"#,
        ),
    ]
}

#[test]
fn the_data_of_each_event_is_what_it_was() {
    for (event, text) in each() {
        assert_eq!(written(&event), text);
        assert_eq!(read_delivery_data(event.type_name(), text.as_bytes()).unwrap(), event);
    }
}

/// Guards against: a line that two programs read as different events.
#[test]
fn what_the_encoder_would_not_have_written_is_refused() {
    for (event, text) in each() {
        let name = event.type_name();
        assert!(read_delivery_data("DeliveryUnknown", text.as_bytes()).is_err());
        let spaced = text.replacen(':', ": ", 1);
        let more = text.replacen('{', "{\"more\":1,", 1);
        let twice = format!("{},{}", text.trim_end_matches('}'), text.trim_start_matches('{'));
        for wrong in [spaced, more, twice, text[1..].to_owned(), format!("{text} "), "{}".to_owned()] {
            assert!(read_delivery_data(name, wrong.as_bytes()).is_err(), "{name} {wrong}");
        }
    }
    for (name, wrong) in [
        ("DestinationPaused", r#"{"code":"tired"}"#),
        ("DestinationPaused", r#"{"reason":"why","code":"operator"}"#),
        ("DestinationPaused", r#"{"code":"gone","reason":null}"#),
        ("DestinationResumed", r#"{"reason":""}"#),
        ("DestinationResumed", r#"{"head":true,"reason":"again"}"#),
        ("DestinationResumed", r#"{"after":1,"head":false,"reason":"again"}"#),
        ("ServingTaken", r#"{"instance":"a","why":"because"}"#),
        ("ServingChallenged", r#"{"instance":""}"#),
        ("ServingConfirmed", r#"{"term":"4"}"#),
        ("ServingReleased", r#"{"term":4,"instance":"a"}"#),
        ("DestinationTested", r#"{"outcome":"maybe"}"#),
        ("DeliveryClaimed", r#"{"term":4,"positions":[-1]}"#),
        ("DeliveryProgressed", r#"{"term":4,"through":9,"delivered":2,"unconfirmed":[]}"#),
        (
            "DeliveryProgressed",
            r#"{"term":4,"through":9,"delivered":2,"settled":[{"position":3,"outcome":"lost"}]}"#,
        ),
        (
            "DeliveryProgressed",
            r#"{"term":4,"through":9,"delivered":2,"settled":[{"position":3,"outcome":"dead"},{"position":1,"outcome":"dead"}]}"#,
        ),
    ] {
        assert!(read_delivery_data(name, wrong.as_bytes()).is_err(), "{name} {wrong}");
    }
}
