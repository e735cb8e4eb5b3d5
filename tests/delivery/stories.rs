//! Stories of single destinations, from the first message to the event that records what became of it.

use std::sync::Arc;

use bookonce::domain::delivery::failure::{Attempted, Blame, Failure, FailureClass};
use bookonce::domain::delivery::flow::{Flow, Next};
use bookonce::domain::delivery::progress::End;
use bookonce::domain::delivery::retry::Retry;
use bookonce::domain::delivery::terms::{Guarantee, Order, Terms};

use crate::world::{Answer, Fate, World, terms};

/// Lets the flow go until it waits; what it sends is answered so.
fn runs(world: &mut World, mut answer: impl FnMut(u64) -> Answer) -> Vec<u64> {
    let mut sent = Vec::new();
    loop {
        match world.does() {
            Next::Send { position, .. } => {
                sent.push(position);
                let answer = answer(position);
                world.answers(position, answer);
            }
            Next::Wait(_) | Next::Gone => return sent,
            Next::Claim(_) | Next::Bury(_) | Next::Read { .. } | Next::Record(_) => {}
        }
    }
}

/// Lets time pass in small steps, and lets the flow go in each.
fn passes(world: &mut World, seconds: u64, answer: impl Fn(u64) -> Answer) -> Vec<u64> {
    let until = world.tick + seconds * 1_000;
    let mut sent = Vec::new();
    while world.tick < until {
        world.tick += 500;
        sent.extend(runs(world, &answer));
    }
    sent
}

/// Guards against: a message that is refused for three days and keeps the checkpoint back, or everybody else's messages.
#[test]
fn a_refused_message_is_parked_and_holds_up_its_own_account_alone() {
    let mut world = World::new(Guarantee::AtLeastOnce, Order::Account);
    let poison = world.books("alice");
    let (bob, behind) = (world.books("bob"), world.books("alice"));
    let refuses = |position| if position == poison { Answer::Refused } else { Answer::Delivered };
    assert_eq!(runs(&mut world, refuses), [poison, bob]);
    passes(&mut world, 2, refuses);
    assert_eq!((world.state.through, world.state.delivered), (Some(behind), 1));
    assert_eq!(world.state.parked.keys().copied().collect::<Vec<_>>(), [poison]);
    // It is refused again, and given up; then what waits behind it goes.
    let sent = passes(&mut world, 310, refuses);
    assert_eq!(sent, [poison, poison, behind]);
    assert_eq!(world.letters.iter().copied().collect::<Vec<_>>(), [poison]);
    passes(&mut world, 2, refuses);
    world.is_whole();
}

/// Guards against: dead letters that a night's outage makes.
#[test]
fn a_destination_that_is_down_makes_no_letter_and_gets_all_in_order_afterwards() {
    for down in [Answer::Down, Answer::NotArrived, Answer::Unreachable] {
        let mut world = World::new(Guarantee::AtLeastOnce, Order::Account);
        let booked: Vec<u64> = (0..40).map(|n| world.books(["alice", "bob"][n % 2])).collect();
        let sent = passes(&mut world, 3 * 24 * 3_600 / 60, |_| down);
        assert!(sent.len() < 200, "{down:?}: {} probes", sent.len());
        assert!(world.flow.down_since().is_some() && world.letters.is_empty(), "{down:?}");
        assert_eq!((world.flow.parked(), world.state.through), (0, Some(0)), "{down:?}");
        let sent = passes(&mut world, 120, |_| Answer::Delivered);
        assert_eq!((sent.len(), world.flow.down_since()), (booked.len(), None), "{down:?}");
        world.is_whole();
    }
}

/// Guards against: a message that fails for ever at the head of a quiet destination, and holds it shut.
#[test]
fn a_poison_message_in_doubt_is_parked_once_another_has_passed() {
    let mut world = World::new(Guarantee::AtLeastOnce, Order::Account);
    let poison = world.books("alice");
    let fails = |position| if position == poison { Answer::NotArrived } else { Answer::Delivered };
    passes(&mut world, 300, fails);
    assert!(world.flow.down_since().is_some() && world.flow.parked() == 0);
    let other = world.books("bob");
    let sent = passes(&mut world, 120, fails);
    assert!(sent.contains(&other), "{sent:?}");
    assert_eq!((world.flow.parked(), world.flow.down_since()), (1, None));
}

/// Guards against: an idle destination, or one that chooses nothing, that fills the journal.
#[test]
fn a_destination_with_nothing_to_say_records_nothing() {
    let mut world = World::new(Guarantee::AtLeastOnce, Order::Account);
    let revision = world.state.revision;
    passes(&mut world, 3_600, |_| Answer::Delivered);
    assert_eq!(world.state.revision, revision);
    for (read_to, records) in [(99_999, 0), (100_000, 1), (199_999, 1), (200_000, 2)] {
        world.flow.read_to(read_to);
        passes(&mut world, 5, |_| Answer::Delivered);
        assert_eq!(world.state.revision, revision + records, "{read_to}");
    }
}

/// Guards against: an event for each message, which would double the journal.
#[test]
fn progress_is_one_event_a_second() {
    let mut world = World::new(Guarantee::AtLeastOnce, Order::None);
    let revision = world.state.revision;
    for _ in 0..20 {
        for n in 0..100 {
            world.books(["alice", "bob"][n % 2]);
        }
        passes(&mut world, 1, |_| Answer::Delivered);
    }
    passes(&mut world, 2, |_| Answer::Delivered);
    let events = world.state.revision - revision;
    assert!((15..=22).contains(&events), "{events}");
    assert_eq!(world.state.delivered, 2_000);
    world.is_whole();
}

/// Guards against: a claimed message that is sent again after a crash.
#[test]
fn what_was_claimed_before_a_crash_becomes_a_letter_and_is_not_sent() {
    let mut world = World::new(Guarantee::AtMostOnce, Order::Account);
    let booked: Vec<u64> = (0..4).map(|_| world.books("alice")).collect();
    assert!(matches!(world.step(Fate::Killed), Next::Claim(claimed) if claimed == booked[..2]));
    let Next::Bury(dead) = world.does() else { panic!() };
    assert_eq!((dead.position, dead.failure.class), (booked[0], FailureClass::Unconfirmed));
    let sent = passes(&mut world, 5, |_| Answer::Delivered);
    assert_eq!(sent, booked[2..]);
    assert_eq!(world.letters.iter().copied().collect::<Vec<_>>(), booked[..2]);
    world.is_whole();
}

#[test]
fn at_most_once_a_failed_message_is_dead_at_once_but_for_one_that_never_left() {
    let mut world = World::new(Guarantee::AtMostOnce, Order::Account);
    let booked: Vec<u64> = (0..3).map(|_| world.books("alice")).collect();
    let mut tries = 0;
    let mut answer = |position| {
        tries += u32::from(position == booked[0]);
        match position {
            _ if position == booked[1] => Answer::Unheard,
            _ if position == booked[0] && tries < 3 => Answer::Unreachable,
            _ => Answer::Delivered,
        }
    };
    for _ in 0..40 {
        runs(&mut world, &mut answer);
        world.tick += 1_000;
    }
    assert_eq!(tries, 3);
    assert_eq!(world.letters.iter().copied().collect::<Vec<_>>(), [booked[1]]);
    world.is_whole();
}

/// Guards against: a hundred claimed messages that are lost by a crash while a destination is down.
#[test]
fn while_a_destination_is_down_a_probe_claims_one_message() {
    let rules = Arc::new(Terms { claim: 100, ..(*terms(Guarantee::AtMostOnce, Order::None)).clone() });
    let mut world = World::with(&rules);
    let booked: Vec<u64> = (0..5).map(|_| world.books("alice")).collect();
    assert_eq!(world.does(), Next::Claim(booked.clone()));
    passes(&mut world, 600, |_| Answer::Down);
    let more: Vec<u64> = (0..5).map(|_| world.books("alice")).collect();
    let claims = loop {
        match world.does() {
            Next::Claim(claimed) => break claimed,
            Next::Send { position, .. } => world.answers(position, Answer::Down),
            Next::Wait(Some(until)) => world.tick = until,
            _ => {}
        }
    };
    assert_eq!(claims, more[..1]);
}

#[test]
fn a_receiver_that_is_gone_is_told_once_and_gets_nothing_more() {
    let mut world = World::new(Guarantee::AtLeastOnce, Order::Account);
    let first = world.books("alice");
    world.books("bob");
    assert!(matches!(world.does(), Next::Send { .. }));
    let gone = Attempted::Failed {
        blame: Blame::Gone,
        failure: Failure::of_status(410, ""),
        retry_after_seconds: None,
    };
    let beat = world.beat();
    world.flow.answered(first, gone, &beat);
    assert_eq!(world.does(), Next::Gone);
    world.tick += 60_000;
    assert!(matches!(world.does(), Next::Wait(_)));
    assert!(!world.flow.wants_more());
}

/// Guards against: the line of an event that is too long to be stored, because much was parked in one second; and a checkpoint
/// that passes a message whose row had no room in it.
#[test]
fn an_event_has_room_for_so_many_rows_and_the_checkpoint_waits_for_the_rest() {
    let mut world = World::new(Guarantee::AtLeastOnce, Order::None);
    let booked: Vec<u64> = (0..400).map(|n| world.books(&format!("account-{n}"))).collect();
    let long = Failure::of_status(422, &"\"".repeat(300));
    let mut events = 0;
    for _ in 0..4_000 {
        match world.does() {
            Next::Send { position, .. } => {
                let failure = long.clone();
                let came = Attempted::Failed { blame: Blame::Message, failure, retry_after_seconds: None };
                let beat = world.beat();
                world.under_way.remove(&position);
                world.flow.answered(position, came, &beat);
            }
            Next::Record(progress) => {
                events += 1;
                assert!(progress.parked.len() < 100, "{}", progress.parked.len());
                let through = world.state.through.unwrap();
                let passed = booked.iter().filter(|position| **position <= through);
                assert!(
                    passed.clone().all(|position| world.state.parked.contains_key(position)),
                    "{through}"
                );
            }
            Next::Wait(Some(until)) => world.tick = until.min(world.tick + 100),
            _ => {}
        }
        if world.state.parked.len() == booked.len() {
            break;
        }
    }
    assert!(events >= 4 && world.state.parked.len() == booked.len(), "{events} {}", world.state.parked.len());
}

/// Guards against: what waits behind a parked message that is forgotten where there is more of it than is kept.
#[test]
fn a_long_account_behind_a_parked_message_comes_in_order_even_after_kills() {
    let mut world = World::new(Guarantee::AtLeastOnce, Order::Account);
    let poison = world.books("alice");
    let behind: Vec<u64> = (0..60).map(|_| world.books("alice")).collect();
    let fails = |position| if position == poison { Answer::Refused } else { Answer::Delivered };
    passes(&mut world, 3, fails);
    assert_eq!((world.state.parked.len(), world.state.through), (1, behind.last().copied()));
    world.restart();
    let more: Vec<u64> = (0..30).map(|_| world.books("alice")).collect();
    let sent = passes(&mut world, 400, fails);
    let after: Vec<u64> = sent.into_iter().filter(|position| *position != poison).collect();
    assert_eq!(after, [behind, more].concat());
    passes(&mut world, 2, fails);
    world.is_whole();
}

#[test]
fn where_messages_do_not_wait_for_each_other_a_late_one_says_so() {
    let mut world = World::new(Guarantee::AtLeastOnce, Order::None);
    let (first, second) = (world.books("alice"), world.books("alice"));
    assert!(matches!(world.does(), Next::Send { position, is_late: false, .. } if position == first));
    assert!(matches!(world.does(), Next::Send { position, is_late: false, .. } if position == second));
    world.answers(second, Answer::Delivered);
    world.answers(first, Answer::Refused);
    let late = (0..200).find_map(|_| {
        world.tick += 100;
        match world.does() {
            Next::Send { position, is_late, attempt } => Some((position, is_late, attempt)),
            _ => None,
        }
    });
    assert_eq!(late, Some((first, true, 2)));
}

#[test]
fn a_parked_message_is_taken_up_where_it_was_and_ends_as_it_is_recorded() {
    let rules = Terms {
        retry: Retry::new(&[60]).unwrap(),
        ..(*terms(Guarantee::AtLeastOnce, Order::Account)).clone()
    };
    let mut world = World::with(&Arc::new(rules));
    let parked = world.books("alice");
    runs(&mut world, |_| Answer::Refused);
    passes(&mut world, 2, |_| Answer::Refused);
    world.restart();
    assert_eq!(passes(&mut world, 50, |_| Answer::Delivered), [0_u64; 0]);
    assert_eq!(passes(&mut world, 30, |_| Answer::Delivered), [parked]);
    assert!(world.state.parked.is_empty() && world.letters.is_empty());
    assert_eq!((End::Delivered.name(), End::parse("dead")), ("delivered", Some(End::Dead)));
}

/// Guards against: a flow that is begun by who does not serve the destination.
#[test]
fn nobody_sends_who_does_not_serve() {
    let world = World::new(Guarantee::AtLeastOnce, Order::Account);
    let mut nobody = world.state.clone();
    nobody.serving = None;
    assert!(Flow::new(&nobody, 0, &world.beat()).is_none());
}
