//! These stories are told by the frozen histories of deliveries and of acts on destinations: a destination that is set up,
//! served, paused and removed, what it parks, letters, and what operators ask. The clock goes on by a minute and a second with
//! each batch.

use std::sync::Arc;

use bookonce::domain::command::{Command, Operation};
use bookonce::domain::currency::Currency;
use bookonce::domain::delivery::asking::{give_up, record};
use bookonce::domain::delivery::decide::{After, Begin, DeliveryOperation, Passed, Resuming};
use bookonce::domain::delivery::event::{PauseCode, TakenWhy};
use bookonce::domain::delivery::failure::{ErrorText, Failure, FailureClass};
use bookonce::domain::delivery::name::DestinationName;
use bookonce::domain::delivery::progress::{End, Parked, Progress};
use bookonce::domain::delivery::retry::Retry;
use bookonce::domain::delivery::select::{Pattern, Select};
use bookonce::domain::delivery::terms::{Channel, Guarantee, Order, Terms};
use bookonce::domain::letter::DeadLettered;
use bookonce::domain::money::WrittenAmount;
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::Timestamp;
use bookonce::domain::transfer::payout::Label;

use crate::support::*;

fn crm() -> DestinationName {
    DestinationName::parse("crm").unwrap()
}

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn own(asked: DeliveryOperation) -> Vec<Command> {
    vec![record(&crm(), asked)]
}

fn set(guarantee: Guarantee, select: Select, begin: Begin) -> Vec<Command> {
    let terms = Terms {
        generation: 3,
        channel: Channel::Webhook { url: "https://crm.example.com/hooks?a=1&b=\"2\"".into() },
        guarantee,
        order: Order::Account,
        select,
        retry: Retry::new(&[5, 300, 7_200]).unwrap(),
        in_flight: 64,
        claim: 100,
    };
    own(DeliveryOperation::Set { terms: Arc::new(terms), begin })
}

fn row(position: u64, revision: u64, attempts: u32, error: Failure) -> (u64, Parked) {
    let stream = StreamName::parse("account-alice").unwrap();
    let next_at = Timestamp::from_micros(1_795_230_000_000_000);
    (position, Parked { stream, revision, attempts, next_at, error })
}

fn progress(progress: Progress) -> Vec<Command> {
    own(DeliveryOperation::Progress(Box::new(progress)))
}

/// Gives up the message of the event at a position. The message's id is that of the event, which is known when it is booked.
fn dead(position: u64, error: Failure) -> Vec<Command> {
    let letter = DeadLettered {
        source: crm(),
        topic: "https://crm.example.com/hooks".into(),
        message_id: label("unknown.crm"),
        account: Some(name("alice")),
        position,
        error,
        failed_at: Timestamp::from_micros(1_795_229_000_000_000),
        attempts: 10,
        payload_bytes: 812,
        payload_sha256: [7; 32],
    };
    vec![give_up(letter, "order 7 \"ü\"", "a tap")]
}

/// Puts the id of its message, which is that of an event in these lines, into each command that gives one up.
pub fn with_message_ids(batch: Vec<Command>, lines: &str) -> Vec<Command> {
    let event_id_at = |position: u64| {
        let line = lines.lines().nth(usize::try_from(position).unwrap() - 1).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["event_id"].as_str().unwrap().to_owned()
    };
    let with_id = |command: Command| {
        let Operation::Letter(letter) = &command.operation else { return command };
        let message_id = label(&format!("{}.{}", event_id_at(letter.position), letter.source));
        let origin = &command.origin;
        let (correlation, causation) = (origin.correlation.as_deref(), origin.causation.as_deref());
        give_up(DeadLettered { message_id, ..(**letter).clone() }, correlation.unwrap(), causation.unwrap())
    };
    batch.into_iter().map(with_id).collect()
}

/// Tells each event of destinations and letters.
pub fn deliveries() -> Vec<Vec<Command>> {
    let refused = || Failure::of_status(422, "no \"card\"");
    let pattern = |text: &str| Pattern::parse(text).unwrap();
    let full = Select {
        types: vec!["Deposited".into(), "Withdrawn".into()],
        accounts: vec![pattern("ali*"), pattern("shop-*")],
        currencies: vec![Currency::parse("EUR").unwrap()],
        amount_min: WrittenAmount::parse("5.00").ok(),
        metadata: [("device_id".to_owned(), pattern("atm-*"))].into(),
        none: false,
    };
    let least = Select { amount_min: WrittenAmount::parse("5").ok(), ..Select::default() };
    let none = Select { none: true, ..Select::default() };
    let take = |why, holder: Option<&str>| {
        own(DeliveryOperation::Take {
            instance: label("a-1/7f3c"),
            holder: holder.map(label),
            why,
            seen: None,
        })
    };
    let test = |is_delivered, detail: Option<&str>| {
        own(DeliveryOperation::Test { is_delivered, detail: detail.map(ErrorText::cut) })
    };
    vec![
        vec![open(1, "alice"), open(2, "bob")],
        set(Guarantee::AtLeastOnce, Select::default(), Begin::Unsaid),
        take(TakenWhy::First, Some("f-1")),
        vec![deposit(5, "alice", "1.00"), deposit(6, "alice", "2.00"), deposit(7, "alice", "3.00")],
        progress(Progress {
            term: 1,
            through: 7,
            delivered: 1,
            parked: [row(5, 1, 1, refused()), row(6, 2, 0, Failure::waiting())].into(),
            ..Progress::default()
        }),
        progress(Progress {
            term: 1,
            through: 7,
            attempted: [row(5, 1, 2, Failure::new(FailureClass::NoAnswer, "timed out"))].into(),
            ..Progress::default()
        }),
        dead(5, refused()),
        progress(Progress {
            term: 1,
            through: 7,
            delivered: 1,
            parked: [row(7, 3, 1, refused())].into(),
            settled: [(5, End::Dead), (6, End::Delivered)].into(),
            ..Progress::default()
        }),
        test(true, None),
        test(false, Some("503 \"away\"")),
        own(DeliveryOperation::Pause { code: PauseCode::Missing, reason: None }),
        set(Guarantee::AtMostOnce, full, Begin::Unsaid),
        set(Guarantee::AtMostOnce, least, Begin::Unsaid),
        vec![deposit(17, "alice", "4.00"), deposit(18, "alice", "5.00"), deposit(19, "bob", "6.00")],
        own(DeliveryOperation::Pause { code: PauseCode::Gone, reason: Some(reason()) }),
        own(DeliveryOperation::Resume(Box::new(Resuming {
            after: Some(After::Position(17)),
            passed: Some(Passed { count: 0, through: Some(7) }),
            is_held: false,
            holder: None,
            reason: reason(),
        }))),
        own(DeliveryOperation::Claim { term: 1, positions: vec![18, 19] }),
        dead(18, Failure::new(FailureClass::Unconfirmed, "nobody knows whether it was sent")),
        progress(Progress {
            term: 1,
            through: 19,
            delivered: 1,
            unconfirmed: vec![18],
            ..Progress::default()
        }),
        dead(7, Failure::new(FailureClass::DestinationRemoved, "it was removed")),
        own(DeliveryOperation::Remove),
        set(Guarantee::ExactlyOnceEffect, none, Begin::After(0)),
        take(TakenWhy::Released, None),
        vec![withdraw(28, "alice", "1.00")],
    ]
}

/// Makes what an operator asks of a destination under the n-th ID.
fn by_operator(n: u128, asked: DeliveryOperation) -> Vec<Command> {
    let stream = StreamName::Delivery(crm());
    vec![Command { stream, ..command(n, "alice", Operation::Delivery(Box::new(asked))) }]
}

/// Tells what operators ask of a destination: each act with its answer.
pub fn acts() -> Vec<Vec<Command>> {
    let pause =
        |n| by_operator(n, DeliveryOperation::Pause { code: PauseCode::Operator, reason: Some(reason()) });
    let resume = |n, asked| by_operator(n, asked);
    let passing = |after, count, through| {
        let passed = Some(Passed { count, through });
        let asked = Resuming { after: Some(after), passed, is_held: false, holder: None, reason: reason() };
        DeliveryOperation::Resume(Box::new(asked))
    };
    let take = |why, holder: &str| {
        own(DeliveryOperation::Take { instance: label(holder), holder: Some(label(holder)), why, seen: None })
    };
    let test = |n, is_delivered, detail: Option<&str>| {
        by_operator(n, DeliveryOperation::Test { is_delivered, detail: detail.map(ErrorText::cut) })
    };
    vec![
        vec![open(1, "alice")],
        set(Guarantee::AtLeastOnce, Select::default(), Begin::Unsaid),
        take(TakenWhy::First, "f-1"),
        pause(4),
        resume(5, resume_from_here(None)),
        vec![deposit(6, "alice", "1.00"), deposit(7, "alice", "2.00"), deposit(8, "alice", "3.00")],
        progress(Progress {
            term: 1,
            through: 6,
            parked: [row(6, 1, 1, Failure::of_status(422, "no"))].into(),
            ..Progress::default()
        }),
        pause(10),
        resume(11, passing(After::Position(7), 1, Some(6))),
        pause(12),
        resume(13, passing(After::Head(12), 1, Some(7))),
        test(14, true, None),
        test(15, false, Some("503 \"away\"")),
        resume(16, resume_from_here(Some("f-2"))),
        take(TakenWhy::Resumed, "f-2"),
        progress(Progress {
            term: 12,
            through: 17,
            delivered: 1,
            settled: [(6, End::Delivered)].into(),
            ..Progress::default()
        }),
    ]
}

fn resume_from_here(holder: Option<&str>) -> DeliveryOperation {
    let (is_held, holder) = (holder.is_some(), holder.map(label));
    DeliveryOperation::Resume(Box::new(Resuming {
        after: None,
        passed: None,
        is_held,
        holder,
        reason: reason(),
    }))
}

/// Tells each event by which instances agree who serves a destination.
pub fn serving() -> Vec<Vec<Command>> {
    let takes = |instance, why| {
        own(DeliveryOperation::Take { instance: label(instance), holder: None, why, seen: None })
    };
    let asks = |instance| own(DeliveryOperation::Challenge { instance: label(instance), seen: None });
    vec![
        vec![open(1, "alice")],
        set(Guarantee::AtMostOnce, Select::default(), Begin::Unsaid),
        takes("a-1/7f3c", TakenWhy::First),
        vec![deposit(4, "alice", "1.00"), deposit(5, "alice", "2.00")],
        asks("b-1/0c4d"),
        own(DeliveryOperation::Confirm { term: 1 }),
        asks("c \"ü\""),
        own(DeliveryOperation::Claim { term: 1, positions: vec![4, 5] }),
        asks("b-1/0c4d"),
        takes("b-1/0c4d", TakenWhy::NoAnswer),
        progress(Progress { term: 7, through: 5, delivered: 2, ..Progress::default() }),
        own(DeliveryOperation::Release { term: 7 }),
        takes("c \"ü\"", TakenWhy::Released),
        asks("a-1/9e01"),
    ]
}
