//! The stream of a destination: what may be recorded of it, and what can't follow what was recorded.

use bookonce::domain::delivery::decide::{After, Begin, DeliveryOperation, Refused, Resuming, decide};
use bookonce::domain::delivery::event::{DeliveryEvent, PauseCode, TakenWhy};
use bookonce::domain::delivery::failure::Failure;
use bookonce::domain::delivery::progress::{End, Parked, Progress};
use bookonce::domain::delivery::terms::{Guarantee, Order};
use bookonce::domain::delivery::{Destination, Stage, Wrong};
use bookonce::domain::reason::Reason;
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::Timestamp;
use bookonce::domain::transfer::payout::Label;

use crate::world::{after, served, taken, terms};

fn parked(attempts: u32) -> Parked {
    Parked {
        stream: StreamName::parse("account-alice").unwrap(),
        revision: 3,
        attempts,
        next_at: Timestamp::from_micros(0),
        error: Failure::of_status(422, "no such card"),
    }
}

fn progress(state: &Destination, through: u64) -> Progress {
    Progress { term: state.term().unwrap(), through, ..Progress::default() }
}

fn then(state: &Destination, event: &DeliveryEvent) -> Result<Destination, Wrong> {
    Destination::evolve(Some(state), state.revision + 1, event)
}

fn progressed(state: &Destination, progress: Progress) -> Result<Destination, Wrong> {
    then(state, &DeliveryEvent::Progressed(Box::new(progress)))
}

fn pause(code: PauseCode) -> DeliveryOperation {
    DeliveryOperation::Pause { code, reason: None }
}

fn resume(after: Option<u64>, is_held: bool) -> DeliveryOperation {
    let reason = Reason::parse("mended").unwrap();
    let after = after.map(After::Position);
    DeliveryOperation::Resume(Box::new(Resuming { after, passed: None, is_held, holder: None, reason }))
}

fn set(guarantee: Guarantee, begin: Begin) -> DeliveryOperation {
    DeliveryOperation::Set { terms: terms(guarantee, Order::Account), begin }
}

#[test]
fn the_checkpoint_never_goes_back() {
    let state = served(&terms(Guarantee::AtLeastOnce, Order::Account));
    let state = progressed(&state, progress(&state, 10)).unwrap();
    assert_eq!(state.through, Some(10));
    assert_eq!(progressed(&state, progress(&state, 9)), Err(Wrong::Back));
    assert_eq!(progressed(&state, progress(&state, 10)).unwrap().through, Some(10));
    let paused = after(Some(&state), &pause(PauseCode::Operator));
    assert_eq!(decide(Some(&paused), &resume(Some(9), false)), Err(Refused::Back));
    assert_eq!(after(Some(&paused), &resume(Some(12), false)).through, Some(12));
}

/// Guards against: an instance that was taken for dead, and goes on recording.
#[test]
fn who_does_not_serve_it_any_more_records_nothing() {
    let state = served(&terms(Guarantee::AtMostOnce, Order::Account));
    let stale = state.term().unwrap();
    let other = after(Some(&state), &taken(Some(&state)));
    assert_ne!(other.term(), Some(stale));
    let late = Progress { term: stale, through: 1, ..Progress::default() };
    assert_eq!(decide(Some(&other), &DeliveryOperation::Progress(Box::new(late))), Err(Refused::Stale));
    let claim = DeliveryOperation::Claim { term: stale, positions: vec![1] };
    assert_eq!(decide(Some(&other), &claim), Err(Refused::Stale));
}

fn take(instance: &str, why: TakenWhy, seen: Option<u64>) -> DeliveryOperation {
    DeliveryOperation::Take { instance: Label::parse(instance).unwrap(), holder: None, why, seen }
}

fn challenge(instance: &str) -> DeliveryOperation {
    DeliveryOperation::Challenge { instance: Label::parse(instance).unwrap(), seen: None }
}

/// Guards against: an instance that takes a destination from one that lives, or on a state that is past.
#[test]
fn a_destination_is_taken_where_nobody_serves_it_or_who_does_has_not_answered() {
    let set = set(Guarantee::AtMostOnce, Begin::After(0));
    let state = after(None, &set);
    let stale = |state: &Destination, asked: &DeliveryOperation| {
        assert_eq!(decide(Some(state), asked), Err(Refused::Stale), "{asked:?}");
    };
    stale(&state, &take("a", TakenWhy::Released, None));
    stale(&state, &take("a", TakenWhy::NoAnswer, None));
    stale(&state, &challenge("a"));
    stale(&state, &take("a", TakenWhy::First, Some(1)));
    let state = after(Some(&state), &take("a", TakenWhy::First, Some(0)));
    let term = state.term().unwrap();
    for why in [TakenWhy::First, TakenWhy::Released, TakenWhy::NoAnswer] {
        stale(&state, &take("b", why, None));
    }
    stale(&state, &DeliveryOperation::Confirm { term });
    stale(&state, &challenge("a"));
    let asked = after(Some(&state), &challenge("b"));
    stale(&asked, &challenge("c"));
    stale(&asked, &DeliveryOperation::Confirm { term: term + 1 });
    // Each of these is an answer.
    let confirmed = after(Some(&asked), &DeliveryOperation::Confirm { term });
    let recorded = after(Some(&asked), &DeliveryOperation::Progress(Box::new(progress(&asked, 0))));
    let claimed = after(Some(&asked), &DeliveryOperation::Claim { term, positions: vec![3] });
    for answered in [&confirmed, &recorded, &claimed] {
        stale(answered, &take("b", TakenWhy::NoAnswer, None));
        // One that was asked again has not answered that: who rests on the question before is refused.
        let again = after(Some(answered), &challenge("c"));
        stale(&again, &take("b", TakenWhy::NoAnswer, Some(asked.revision)));
    }
    let taken = after(Some(&asked), &take("b", TakenWhy::NoAnswer, Some(asked.revision)));
    stale(&taken, &DeliveryOperation::Confirm { term });
    stale(&taken, &DeliveryOperation::Release { term });
    let term = taken.term().unwrap();
    let released = after(Some(&taken), &DeliveryOperation::Release { term });
    for late in [
        DeliveryOperation::Progress(Box::new(progress(&taken, 5))),
        DeliveryOperation::Claim { term, positions: vec![3] },
        DeliveryOperation::Release { term },
        challenge("a"),
    ] {
        stale(&released, &late);
    }
    assert!(after(Some(&released), &take("a", TakenWhy::Released, None)).term() > Some(term));
}

/// Guards against: a message that is claimed twice, which would be sent twice.
#[test]
fn nothing_is_claimed_twice() {
    let state = served(&terms(Guarantee::AtMostOnce, Order::Account));
    let term = state.term().unwrap();
    let claim = |positions: &[u64]| DeliveryOperation::Claim { term, positions: positions.to_vec() };
    let state = after(Some(&state), &claim(&[2, 5]));
    for again in [&[5][..], &[2], &[4], &[6, 6], &[8, 7]] {
        assert_eq!(decide(Some(&state), &claim(again)), Err(Refused::Back), "{again:?}");
    }
    let lost = Progress { unconfirmed: vec![5], ..progress(&state, 5) };
    let state = progressed(&state, lost).unwrap();
    assert_eq!((state.claimed.len(), state.claimed_to), (0, 5));
    assert_eq!(decide(Some(&state), &claim(&[5])), Err(Refused::Back));
    assert_eq!(*after(Some(&state), &claim(&[6])).claimed, [6]);
    for wrong in [vec![], (7..1_008).collect()] {
        let refused = decide(Some(&state), &claim(&wrong));
        assert_eq!(refused, Err(Refused::State(Stage::Open)), "{}", wrong.len());
    }
    let never = served(&terms(Guarantee::AtLeastOnce, Order::Account));
    let claim = DeliveryOperation::Claim { term: never.term().unwrap(), positions: vec![1] };
    assert_eq!(decide(Some(&never), &claim), Err(Refused::State(Stage::Open)));
}

#[test]
fn what_is_recorded_of_a_parked_message_fits_what_is_parked() {
    let state = served(&terms(Guarantee::AtLeastOnce, Order::Account));
    let with = |rows: &[(u64, u32)]| rows.iter().map(|(at, attempts)| (*at, parked(*attempts))).collect();
    let state = progressed(&state, Progress { parked: with(&[(7, 1)]), ..progress(&state, 9) }).unwrap();
    for wrong in [
        Progress { parked: with(&[(7, 1)]), ..progress(&state, 9) },
        Progress { attempted: with(&[(8, 2)]), ..progress(&state, 9) },
        Progress { attempted: with(&[(7, 1)]), ..progress(&state, 9) },
        Progress { settled: [(8, End::Dead)].into(), ..progress(&state, 9) },
        Progress { unconfirmed: vec![7], ..progress(&state, 9) },
    ] {
        assert_eq!(progressed(&state, wrong.clone()), Err(Wrong::Messages), "{wrong:?}");
    }
    let state = progressed(&state, Progress { attempted: with(&[(7, 2)]), ..progress(&state, 9) }).unwrap();
    assert_eq!(state.parked[&7].attempts, 2);
    let moved =
        Progress { settled: [(7, End::Delivered)].into(), parked: with(&[(9, 0)]), ..progress(&state, 9) };
    let state = progressed(&state, moved).unwrap();
    assert_eq!(state.parked.keys().copied().collect::<Vec<_>>(), [9]);
}

#[test]
fn it_is_paused_and_resumed_in_turn() {
    let state = served(&terms(Guarantee::AtLeastOnce, Order::Account));
    assert_eq!(decide(Some(&state), &resume(None, false)), Err(Refused::State(Stage::Open)));
    assert_eq!(after(Some(&state), &resume(None, true)).stage, Stage::Open);
    let paused = after(Some(&state), &pause(PauseCode::Operator));
    let stage = Stage::Paused(PauseCode::Operator);
    assert_eq!(paused.stage, stage);
    assert_eq!(decide(Some(&paused), &pause(PauseCode::Missing)), Err(Refused::State(stage)));
    assert_eq!(after(Some(&paused), &resume(None, false)).stage, Stage::Open);
    assert_eq!(decide(None, &pause(PauseCode::Operator)), Err(Refused::NotFound));
}

/// Guards against: a slip of the editor that drops a destination, or lets one that was paused by a person go on.
#[test]
fn one_that_the_settings_do_not_name_waits_until_they_do_again() {
    let state = served(&terms(Guarantee::AtLeastOnce, Order::Account));
    let same = set(Guarantee::AtLeastOnce, Begin::After(0));
    assert_eq!(decide(Some(&state), &same), Err(Refused::Same));
    let missing = after(Some(&state), &pause(PauseCode::Missing));
    let back = after(Some(&missing), &same);
    assert_eq!((back.stage, back.through), (Stage::Open, state.through));
    let paused = after(Some(&state), &pause(PauseCode::Operator));
    let changed = after(Some(&paused), &set(Guarantee::ExactlyOnceEffect, Begin::Unsaid));
    assert_eq!(changed.stage, Stage::Paused(PauseCode::Operator));
    assert_eq!(*changed.sets, [0, 3]);
}

#[test]
fn a_removed_one_comes_back_only_where_the_settings_say_from_where() {
    let state = served(&terms(Guarantee::AtLeastOnce, Order::Account));
    let rows = [(7, parked(1))].into();
    let state = progressed(&state, Progress { parked: rows, ..progress(&state, 9) }).unwrap();
    let removed = decide(Some(&state), &DeliveryOperation::Remove).unwrap();
    assert_eq!(removed, DeliveryEvent::Removed { through: 9, parked: 1 });
    let removed = then(&state, &removed).unwrap();
    assert_eq!(decide(Some(&removed), &DeliveryOperation::Remove), Err(Refused::Same));
    assert_eq!(decide(Some(&removed), &taken(Some(&removed))), Err(Refused::State(Stage::Removed)));
    assert_eq!(decide(Some(&removed), &set(Guarantee::AtLeastOnce, Begin::Unsaid)), Err(Refused::NoBegin));
    let back = after(Some(&removed), &set(Guarantee::AtLeastOnce, Begin::After(3)));
    assert_eq!((back.through, back.parked.len(), back.sets.len()), (Some(3), 0, 1));
    let here = after(Some(&removed), &set(Guarantee::AtLeastOnce, Begin::Here));
    assert_eq!((here.through, &*here.sets), (None, &vec![here.revision]));
}

#[test]
fn a_stream_begins_with_what_sets_it_up_and_has_no_holes() {
    let state = served(&terms(Guarantee::AtLeastOnce, Order::Account));
    let removed = DeliveryEvent::Removed { through: 0, parked: 0 };
    assert_eq!(Destination::evolve(None, 0, &removed), Err(Wrong::NotBegun));
    assert_eq!(Destination::evolve(Some(&state), 5, &removed), Err(Wrong::Revision { expected: 2 }));
}
