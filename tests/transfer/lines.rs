//! The lines and the answers of the events in transfers' streams: their bytes never change, and each is read back exactly.

use std::sync::Arc;

use bookonce::answers::render;
use bookonce::clerk::rule::Ruling;
use bookonce::domain::event::{Body, Event};
use bookonce::domain::ids::{Id, Step};
use bookonce::domain::metadata::Metadata;
use bookonce::domain::money::WrittenAmount;
use bookonce::domain::transfer::command::{
    End, EndCode, Label, Payout, Reported, Stall, StallCode, TransferOperation, Unmoved,
};
use bookonce::domain::transfer::event::{Fact, TransferEvent};
use bookonce::domain::transfer::payout::{LearntBy, Repeat, Sending, Settlement};
use bookonce::domain::transfer::stage::Stage;
use bookonce::store::chain::Hash;
use bookonce::store::codec::{Encoder, decode};

use crate::stream::{NOW, Streams, accounts, request, requested, transfer_id};
use crate::support::{id, reason};

fn own(step: Step) -> Id {
    Id::Step { of: transfer_id(), step, attempt: 1 }
}

fn booked(stream: &mut Streams, id: Id, operation: TransferOperation) -> Event {
    match stream.rule(id, operation, NOW.plus_seconds(60)) {
        Ruling::Booked(event) => Arc::unwrap_or_clone(event),
        ruling => panic!("{ruling:?}"),
    }
}

fn end(end: End) -> TransferOperation {
    TransferOperation::End { end, seen: 0 }
}

/// Returns the event with another fact, as only a service with payout providers records it.
fn of_payout(like: &Event, id: Id, fact: Fact, state: Stage) -> Event {
    Event { id, body: Body::Transfer(Box::new(TransferEvent { fact, state })), ..like.clone() }
}

fn adorned() -> TransferOperation {
    let mut operation = request("alice", "bob");
    if let TransferOperation::Request(asked) = &mut operation {
        asked.metadata = Metadata::new([("order".to_owned(), "7 \"é\"".to_owned())].into()).unwrap();
    }
    operation
}

fn one_of_each() -> Vec<(&'static str, Event)> {
    let client = |n| Id::Client(id(n));
    let first = |operation| booked(&mut requested(), client(2), operation);
    let ended = |unmoved| booked(&mut requested(), own(Step::End), end(End::Unmoved(unmoved)));
    let mut cancelled = requested();
    let cancel = booked(&mut cancelled, client(2), TransferOperation::Cancel(reason()));
    let gone = TransferOperation::End { end: End::Unmoved(Unmoved::Cancelled), seen: 1 };
    let stall = Stall { step: Step::Capture, code: StallCode::Declined };
    let mut stalled = requested();
    let stall = booked(&mut stalled, own(Step::Stall), TransferOperation::Stall { stall, seen: 0 });
    let resumed = booked(&mut stalled.clone(), client(3), TransferOperation::Retry(reason()));
    let abandoned = booked(&mut stalled, client(3), TransferOperation::Abandon(reason()));
    let mut over = requested();
    let completed = booked(&mut over, own(Step::End), end(End::Completed));
    let reported = Reported {
        outcome: Payout::Done,
        amount: Some(WrittenAmount::parse("0.50").unwrap()),
        reference: Label::parse("ref \"1\""),
        reason: reason(),
    };
    let hold = Step::Hold;
    let mut events = vec![
        ("requested", booked(&mut accounts(true), Id::Client(transfer_id()), request("alice", "bob"))),
        ("requested, adorned", booked(&mut accounts(true), Id::Client(transfer_id()), adorned())),
        ("cancel requested", cancel),
        ("timed out", booked(&mut requested(), own(Step::Timeout), TransferOperation::TimeOut)),
        ("completed", completed),
        (
            "declined",
            ended(Unmoved::Declined { step: Some(hold), code: EndCode::parse("account_frozen").unwrap() }),
        ),
        ("compensated", ended(Unmoved::Compensated { step: None, code: EndCode::TIMED_OUT })),
        ("cancelled", booked(&mut cancelled, own(Step::End), gone)),
        ("stalled", stall),
        ("resumed", resumed),
        ("abandoned", abandoned),
        ("declined cancel", booked(&mut over, client(4), TransferOperation::Cancel(reason()))),
        ("declined retry", first(TransferOperation::Retry(reason()))),
        ("declined abandon", first(TransferOperation::Abandon(reason()))),
        ("declined outcome", first(TransferOperation::Outcome(Box::new(reported)))),
    ];
    events.extend(of_payouts(&events[2].1.clone()));
    events
}

fn of_payouts(like: &Event) -> Vec<(&'static str, Event)> {
    let sending = Sending {
        provider: Label::parse("acme").unwrap(),
        repeat: Repeat::Never,
        cancellable: true,
        claim: Label::parse("c1").unwrap(),
    };
    let settled = |outcome, learnt_by, by_operator: bool| Settlement {
        outcome,
        learnt_by,
        amount: by_operator.then(|| WrittenAmount::parse("0.50").unwrap()),
        reference: Label::parse("ref-1"),
        code: Label::parse("E7").filter(|_| !by_operator),
        reason: by_operator.then(reason),
    };
    let reply = settled(Payout::Declined, LearntBy::Reply, false);
    let operator = settled(Payout::Done, LearntBy::Operator, true);
    let other = settled(Payout::Done, LearntBy::Status, false);
    vec![
        ("payout sent", of_payout(like, own(Step::Payout), Fact::PayoutSent(sending), Stage::Paying)),
        ("payout settled", of_payout(like, own(Step::Settle), Fact::PayoutSettled(reply), Stage::Releasing)),
        (
            "payout settled by an operator",
            of_payout(like, Id::Client(id(9)), Fact::PayoutSettled(operator), Stage::Finishing),
        ),
        (
            "payout contradicted",
            of_payout(like, own(Step::Contradiction), Fact::PayoutContradicted(other), Stage::NeedsOperator),
        ),
    ]
}

fn line(event: &Event) -> String {
    let mut out = Vec::new();
    Encoder::default().line(event, 17, &Hash::genesis(uuid::Uuid::from_u128(7)), &mut out);
    assert_eq!(out.pop(), Some(b'\n'));
    String::from_utf8(out).unwrap()
}

/// Catches: a change of the format, of an order of keys, of how money or time is written.
#[test]
fn the_line_of_each_event_is_what_it_was() {
    let lines = one_of_each().into_iter().map(|(what, event)| format!("# {what}\n{}\n", line(&event)));
    insta::assert_snapshot!(lines.collect::<String>());
}

/// Catches: an answer that new code gives otherwise than the old code gave it.
#[test]
fn the_answer_of_each_outcome_is_what_it_was() {
    let answers = one_of_each().into_iter().map(|(what, event)| {
        let answer = render(&event);
        let body = String::from_utf8(answer.body).unwrap();
        let _valid: serde_json::Value = serde_json::from_str(&body).unwrap();
        format!("# {what}\n{} {body}\n", answer.status)
    });
    insta::assert_snapshot!(answers.collect::<String>());
}

/// Guards against: a line that is written and can't be read back, or is read with a field that its type does not have.
#[test]
fn each_event_is_read_back_as_it_was_and_nothing_else_is_read() {
    for (what, event) in one_of_each() {
        let written = line(&event);
        let read = decode(written.as_bytes()).unwrap_or_else(|error| panic!("{what}: {error}: {written}"));
        assert_eq!(read.event, event, "{what}");
        for (from, to) in [
            ("\"data\":{", "\"data\":{\"repeat\":\"never\",\"repeat\":\"never\","),
            ("\"data\":{", "\"data\":{\"other\":1,"),
            ("\"state\":\"", "\"state\":\"no_"),
            ("stream\":\"transfer-", "stream\":\"account-"),
            ("\"version\":1", "\"version\":2"),
        ] {
            let changed = written.replacen(from, to, 1).replace("1,}", "1}");
            assert!(decode(changed.as_bytes()).is_err(), "{what}: {changed}");
        }
    }
}
