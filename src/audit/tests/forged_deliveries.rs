//! Forged histories of destinations and letters: each is right up to its last event, and each names a rule.

use super::audited;
use super::forged::found;
use super::history::{Told, export};
use super::history_deliveries::{Mail, TAKEN, row, set, story};

/// Tells a story whose last event must be found for a reason that has these words.
fn last_is_found(why: &str, mail: Mail, tell: impl FnOnce(&mut Mail)) {
    let mut mail = mail;
    tell(&mut mail);
    let events = &mail.t.events;
    assert_eq!(audited(&export(&events[..events.len() - 1])).finding, None, "before: {why}");
    found(events, events.len(), why);
}

fn once() -> Mail {
    let mut mail = Mail::new("at_most_once", r#""accounts":["ali*"],"currencies":["EUR"]"#, "");
    mail.deposit(1);
    mail.deposit(2);
    mail
}

fn often() -> Mail {
    let mut mail = Mail::new("at_least_once", "", "");
    mail.deposit(1);
    mail.deposit(2);
    mail
}

fn claim(mail: &mut Mail, term: u64, positions: &str) {
    mail.note("DeliveryClaimed", &format!(r#""term":{term},"positions":[{positions}]"#));
}

#[test]
fn a_right_one_has_every_event_and_no_finding() {
    let events = story().t.events;
    let audited = audited(&export(&events));
    assert_eq!(audited.findings.to_string(), "");
    assert!(audited.whole);
    for kind in [
        "DestinationSet",
        "DestinationPaused",
        "DestinationResumed",
        "DestinationRemoved",
        "ServingTaken",
        "ServingChallenged",
        "ServingConfirmed",
        "ServingReleased",
        "DestinationTested",
        "DeliveryClaimed",
        "DeliveryProgressed",
        "DeadLettered",
    ] {
        assert!(audited.counts.iter().any(|(name, _)| *name == kind), "{kind}");
    }
}

#[test]
fn a_destination_begins_with_what_sets_it_up() {
    let none = || {
        let mut mail = often();
        mail.t.events.retain(|told| !told.stream.starts_with("delivery-"));
        mail
    };
    last_is_found("was not set up before this", none(), |m| {
        let recorded_at = m.t.now_and(9);
        let taken = often().t.events[3].clone();
        m.t.events.push(Told { stream: "delivery-erp".into(), revision: 0, recorded_at, ..taken });
    });
    last_is_found("has begun already", often(), |m| {
        m.note("DestinationSet", &set("at_least_once", "", r#","from":0"#));
    });
    last_is_found("it was removed", often(), |m| {
        m.note("DestinationRemoved", r#""through":0,"parked":0"#);
        m.note("ServingTaken", TAKEN);
    });
    last_is_found("it is paused already", often(), |m| {
        m.note("DestinationPaused", r#""code":"gone""#);
        m.note("DestinationPaused", r#""code":"missing""#);
    });
}

#[test]
fn only_who_serves_it_records_in_its_term() {
    last_is_found("the term is 0, and 1 serves", often(), |m| m.progress(0, 5, 0, ""));
    last_is_found("the term is 1, and 4 serves", once(), |m| {
        m.note("DestinationTested", r#""outcome":"delivered""#);
        claim(m, 1, "5");
        m.note("ServingTaken", r#""instance":"a-1/7f","holder":"f1","why":"resumed""#);
        claim(m, 1, "6");
    });
    last_is_found("and nobody serves", often(), |m| {
        m.t.events.retain(|told| told.kind != "ServingTaken");
        m.t.events.push(Told {
            kind: "DeliveryProgressed",
            revision: 1,
            data: r#""term":0,"through":4,"delivered":0"#.into(),
            recorded_at: m.t.now_and(9),
            ..m.t.events[2].clone()
        });
    });
}

#[test]
fn an_instance_takes_it_only_where_the_one_before_let_it_go_or_did_not_answer() {
    let takes = |why: &str| format!(r#""instance":"b-1","why":"{why}""#);
    let asked = || {
        let mut mail = often();
        mail.note("ServingChallenged", r#""instance":"b-1""#);
        mail
    };
    last_is_found("another served it before", often(), |m| m.note("ServingTaken", &takes("first")));
    last_is_found("nobody let it go", often(), |m| m.note("ServingTaken", &takes("released")));
    last_is_found("nobody let it go", asked(), |m| m.note("ServingTaken", &takes("released")));
    let unasked = "nobody was asked without an answer";
    last_is_found(unasked, often(), |m| m.note("ServingTaken", &takes("no_answer")));
    last_is_found(unasked, asked(), |m| {
        m.note("ServingConfirmed", r#""term":1"#);
        m.note("ServingTaken", &takes("no_answer"));
    });
    last_is_found(unasked, asked(), |m| {
        m.progress(1, 6, 2, "");
        m.note("ServingTaken", &takes("no_answer"));
    });
    last_is_found("nobody since 1 serves", often(), |m| {
        m.note("ServingReleased", r#""term":1"#);
        m.progress(1, 6, 2, "");
    });
    last_is_found("the term is 1, and 3 serves", asked(), |m| {
        m.note("ServingTaken", &takes("no_answer"));
        m.progress(1, 6, 2, "");
    });
}

#[test]
fn only_who_serves_it_answers_and_lets_it_go() {
    let asked = || {
        let mut mail = often();
        mail.note("ServingChallenged", r#""instance":"b-1""#);
        mail
    };
    last_is_found("who serves it was not asked", often(), |m| m.note("ServingConfirmed", r#""term":1"#));
    last_is_found("the term is 2, and 1 serves", asked(), |m| m.note("ServingConfirmed", r#""term":2"#));
    last_is_found("the term is 0, and 1 serves", often(), |m| m.note("ServingReleased", r#""term":0"#));
    last_is_found("nobody since 1 serves", asked(), |m| {
        m.note("ServingReleased", r#""term":1"#);
        m.note("ServingConfirmed", r#""term":1"#);
    });
    last_is_found("an instance asked itself", often(), |m| {
        m.note("ServingChallenged", r#""instance":"a-1/7f""#);
    });
    last_is_found("was asked already", asked(), |m| m.note("ServingChallenged", r#""instance":"c-1""#));
    last_is_found("nobody serves it, and was asked", often(), |m| {
        m.note("ServingReleased", r#""term":1"#);
        m.note("ServingChallenged", r#""instance":"c-1""#);
    });
    last_is_found("it is paused, and who serves it was asked", often(), |m| {
        m.note("DestinationPaused", r#""code":"operator""#);
        m.note("ServingChallenged", r#""instance":"c-1""#);
    });
}

#[test]
fn it_never_goes_back_and_never_ahead_of_the_journal() {
    last_is_found("has come to position 6, and goes back to 5", often(), |m| {
        m.progress(1, 6, 2, "");
        m.progress(1, 5, 0, "");
    });
    last_is_found("goes back to 5", often(), |m| {
        m.progress(1, 6, 2, "");
        m.note("DestinationPaused", r#""code":"operator""#);
        m.note("DestinationResumed", r#""after":5,"reason":"again""#);
    });
    last_is_found("comes to position 7, which is not before this event", often(), |m| {
        m.progress(1, 7, 0, "")
    });
}

#[test]
fn nothing_is_claimed_twice() {
    for again in ["5", "4", "6,6", "7,6"] {
        last_is_found("was claimed or settled before", once(), |m| {
            m.deposit(3);
            claim(m, 1, "5");
            claim(m, 1, again);
        });
    }
    last_is_found("it claims nothing", often(), |m| claim(m, 1, "5"));
    last_is_found("or is paused", once(), |m| {
        m.note("DestinationPaused", r#""code":"gone""#);
        claim(m, 1, "5");
    });
    last_is_found("position 6 is claimed, and by the journal it is not", once(), |m| {
        claim(m, 1, "5");
        m.bury(6);
        m.progress(1, 6, 0, r#","unconfirmed":[6]"#);
    });
}

#[test]
fn nothing_is_sent_that_was_not_selected() {
    let not = "has not chosen position";
    // The position of what the service has recorded, of another account, and of what its own settings came after.
    let of = |select: &str| {
        let mut mail = Mail::new("at_most_once", select, "");
        mail.deposit(7);
        mail.t.moves("bob", "3.00", "EUR", "3.00", "3.00");
        mail.note("DestinationTested", r#""outcome":"delivered""#);
        mail
    };
    for (select, chosen, other) in [
        (r#""types":["Deposited"]"#, "5,6", "7"),
        (r#""accounts":["a*"]"#, "5", "6"),
        (r#""currencies":["JPY"]"#, "", "5"),
        (r#""amount_min":"3.01""#, "5", "6"),
        (r#""metadata":{"device_id":"atm-*"}"#, "", "5"),
        (r#""none":true"#, "", "5"),
        ("", "5,6", "7"),
    ] {
        last_is_found(not, of(select), |m| {
            if !chosen.is_empty() {
                claim(m, 1, chosen);
            }
            claim(m, 1, other);
        });
    }
    last_is_found(not, often(), |m| {
        m.progress(1, 6, 2, "");
        m.progress(1, 6, 0, &format!(r#","parked":[{}]"#, row(5, 1, 1)));
    });
    last_is_found(not, often(), |m| {
        m.note("DestinationSet", &set("at_least_once", r#""types":["Withdrawn"]"#, ""));
        let late = m.deposit(3);
        m.progress(1, late, 1, &format!(r#","parked":[{}]"#, row(late, 3, 1)));
    });
    last_is_found("is not that event of that stream", often(), |m| {
        m.progress(1, 6, 1, &format!(r#","parked":[{}]"#, row(5, 2, 1)));
    });
    // What was chosen before its settings came, and before they changed, is chosen.
    let mut early = Mail::new("at_least_once", "", r#","from":0"#);
    early.progress(1, 2, 1, &format!(r#","parked":[{}]"#, row(1, 0, 1)));
    assert_eq!(audited(&export(&early.t.events)).finding, None);
    let mut changed = often();
    changed.note("DestinationSet", &set("at_least_once", r#""none":true"#, ""));
    changed.progress(1, 6, 1, &format!(r#","parked":[{}]"#, row(5, 1, 1)));
    assert_eq!(audited(&export(&changed.t.events)).finding, None);
}

#[test]
fn what_is_said_of_a_parked_message_fits_it() {
    let parked = || {
        let mut mail = often();
        mail.progress(1, 6, 1, &format!(r#","parked":[{}]"#, row(5, 1, 2)));
        mail
    };
    last_is_found("position 6 is parked, and by the journal it is not", parked(), |m| {
        m.progress(1, 6, 0, r#","settled":[{"position":6,"outcome":"delivered"}]"#);
    });
    last_is_found("position 5 is not parked before", parked(), |m| {
        m.progress(1, 6, 0, &format!(r#","parked":[{}]"#, row(5, 1, 1)));
    });
    last_is_found("position 5 is tried again, and by the journal it is not", parked(), |m| {
        m.progress(1, 6, 0, &format!(r#","attempted":[{}]"#, row(5, 1, 2)));
    });
    last_is_found("is not that event of that stream", parked(), |m| {
        m.progress(1, 6, 0, &format!(r#","attempted":[{}]"#, row(5, 2, 3)));
    });
}

#[test]
fn a_letter_follows_from_its_message() {
    let other = "the message's id is not that of the event at its position";
    last_is_found(other, often(), |m| {
        let id = m.message_id(6);
        m.bury_as(5, &id, "alice");
    });
    last_is_found("of another account", often(), |m| {
        let id = m.message_id(5);
        m.bury_as(5, &id, "bob");
    });
    last_is_found("its id does not follow from the message's", often(), |m| {
        m.bury(5);
        let told = m.t.events.last_mut().unwrap();
        told.stream = "letter-00000000-0000-5000-8000-000000000001".into();
    });
    last_is_found("has not chosen position 4", often(), |m| {
        let id = m.message_id(4);
        m.bury_as(4, &id, "alice");
    });
    last_is_found("it was written before", often(), |m| {
        m.bury(5);
        m.bury(5);
    });
    last_is_found("there is no letter of it before this", often(), |m| {
        m.progress(1, 6, 1, &format!(r#","parked":[{}]"#, row(5, 1, 2)));
        m.progress(1, 6, 0, r#","settled":[{"position":5,"outcome":"dead"}]"#);
    });
    last_is_found("there is no letter of it before this", once(), |m| {
        claim(m, 1, "5");
        m.progress(1, 5, 0, r#","unconfirmed":[5]"#);
    });
}

#[test]
fn its_counts_are_those_of_the_journal() {
    last_is_found("says 2 as the number of parked messages, and by the journal it is 1", often(), |m| {
        m.progress(1, 6, 1, &format!(r#","parked":[{}]"#, row(5, 1, 2)));
        m.note("DestinationRemoved", r#""through":6,"parked":2"#);
    });
    last_is_found("says 5 as the number of the last settled position", often(), |m| {
        m.progress(1, 6, 2, "");
        m.note("DestinationRemoved", r#""through":5,"parked":0"#);
    });
    last_is_found("says 2 as the number of delivered messages, and by the journal it is 1", once(), |m| {
        claim(m, 1, "5");
        m.progress(1, 5, 2, "");
    });
}

#[test]
fn what_is_not_written_so_is_found() {
    for (kind, data, why) in [
        ("DestinationPaused", r#""code":"tired""#, "not known here as a word"),
        ("DestinationPaused", r#""reason":"a","code":"gone""#, "not written as an event is"),
        ("DeliveryClaimed", r#""term":1,"positions":[]"#, "a whole number"),
        ("DeliveryProgressed", r#""term":1,"through":5,"delivered":0,"mark":{}"#, "not written"),
        ("ServingTaken", r#""instance":"a","why":"bored""#, "not known here as a word"),
        ("ServingChallenged", r#""instance":"b","term":1"#, "not written"),
        ("ServingReleased", r#""term":"1""#, "a whole number"),
    ] {
        last_is_found(why, often(), |m| m.note(kind, data));
    }
    last_is_found("has `service` as its actor", often(), |m| {
        m.note("ServingTaken", TAKEN);
        m.t.events.last_mut().unwrap().metadata = r#""actor":"key-1""#.into();
    });
    last_is_found("seen before, at position 1", often(), |m| {
        m.note("DestinationPaused", r#""code":"operator","reason":"a""#);
        let told = m.t.events.last_mut().unwrap();
        told.id = super::history::id(1);
        told.metadata = r#""$correlationId":"order 7","actor":"ops-1""#.into();
    });
}

/// Guards against: one wrong event of an account that makes what a destination was sent look wrong.
#[test]
fn what_is_wrong_elsewhere_does_not_hide_or_make_findings() {
    let mut events = story().t.events;
    let place = events.iter().position(|told| told.kind == "Deposited").unwrap();
    events[place].balance = "9.00".into();
    let audited = audited(&export(&events));
    assert_eq!(audited.findings.listed().len(), 1, "{}", audited.findings);
}
