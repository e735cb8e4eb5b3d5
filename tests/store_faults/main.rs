//! These tests plant faults between the service and the store at every append of a scenario: nothing is doubled,
//! nothing that was acknowledged is lost, `outcome_unknown` is said only while nobody can know, and a retry gets the
//! first answer.
//!
//! Catches, each seen once: "not found means not stored" (after an unknown outcome another event is proposed for the same
//! revision), a conflict alone taken as proof (the same), and an answer that is sent before its append is known.

#[path = "../support/holds.rs"]
mod holds;
#[path = "../support/instances.rs"]
mod instances;
#[path = "../support/model.rs"]
mod model;
mod places;
mod proxy;
mod scenario;

#[path = "../support/mod.rs"]
mod support;
mod turns;
mod unresolved;

use std::time::{Duration, Instant};

use bookonce::ledger::{ReadError, Unavailable, Verdict};
use eventstore_standin::{
    self,
    faults::{Attempt, Fault, Faults, Leader},
};
use futures_util::{StreamExt, stream};
use instances::{Hurry, until};
use scenario::{Pair, sent, steps};
use support::{deposit, open};

/// At least so many appends the scenario has.
const APPENDS: u64 = 20;
/// How many run at once. They mostly wait.
const AT_ONCE: usize = 6;

/// Instances whose patience no trouble here outlasts, however busy the machine is.
const PATIENT: Hurry = Hurry {
    connect: Duration::from_secs(20),
    append: Duration::from_millis(400),
    read: Duration::from_secs(20),
    patience: Duration::from_secs(60),
    idle: Duration::from_secs(10),
};

const SHORT: Duration = Duration::from_millis(700);
const LONG: Duration = Duration::from_millis(1_200);

/// What happens at the n-th append.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Once(Fault),
    /// The node loses the answer and starts again.
    Restart,
    /// The node stores it, says that it timed out, and has no leader for a while.
    NoLeader,
    /// From here on events are readable, and acknowledged, later than they conflict.
    Lag,
}

impl Trouble {
    /// A read that it meets fails; what was to be decided on it was not sent, and that is said.
    fn ends_reads(self) -> bool {
        matches!(self, Self::Restart | Self::NoLeader | Self::Once(Fault::CutBefore | Fault::CutAfter))
    }
}

/// For every append: the scenario with this trouble at it. Nobody is told that anything is unknown, because the trouble ends
/// before anybody's patience does; while there is no connection or no leader, what was not sent may be
/// refused.
fn at_every_append(trouble: Trouble) {
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let met = runtime.block_on(async {
        stream::iter(0..=APPENDS)
            .map(|n| at_append(trouble, n))
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>()
            .await
    });
    assert!(met.iter().filter(|met| **met).count() as u64 >= APPENDS, "{met:?}");
    println!("{trouble:?} at each of {} appends: {:?}", met.len(), begun.elapsed());
}

/// A machine that is too busy to send anything within an instance's patience gets five turns: it may refuse what was not sent.
async fn at_append(trouble: Trouble, n: u64) -> bool {
    for _ in 0..5 {
        if let Some(met) = once(trouble, n).await {
            return met;
        }
    }
    panic!("{trouble:?} at append {n}: something is refused each time");
}

/// Says whether the trouble was met; nothing, where a command was refused though no read can have failed.
async fn once(trouble: Trouble, n: u64) -> Option<bool> {
    let mut pair = Pair::start(PATIENT).await;
    match trouble {
        Trouble::Once(fault) => pair.node.faults().plant(n, fault),
        Trouble::Restart => pair.node.faults().plant(n, Fault::LostAnswer),
        Trouble::NoLeader => pair.node.faults().plant(n, Fault::Timeout),
        Trouble::Lag => {}
    }
    let (mut met, mut refused) = (false, false);
    for step in steps() {
        let (at, commands) = sent(&step);
        let ledger = pair.ledgers[at].clone();
        let verdicts = tokio::spawn(async move { ledger.execute(commands).await });
        while !met && !verdicts.is_finished() {
            met = pair.node.faults().counted().0 > n;
            tokio::time::sleep(Duration::from_millis(1)).await;
            match trouble {
                Trouble::Restart if met => pair.node.restart().unwrap(),
                Trouble::NoLeader if met => {
                    pair.node.faults().set_leader(Leader::Nobody);
                    tokio::time::sleep(Duration::from_millis(700)).await;
                    pair.node.faults().set_leader(Leader::Here);
                }
                Trouble::Lag if met => pair.node.faults().set(lag()),
                _ => {}
            }
        }
        met |= pair.node.faults().counted().0 > n;
        for (command, verdict) in step.1.iter().zip(verdicts.await.unwrap().unwrap()) {
            match verdict {
                Verdict::Unavailable(Unavailable::StoreUnavailable) => {
                    refused |= !trouble.ends_reads();
                    assert!(!pair.has_untold(command).await, "not stored, it was said: {command:?}");
                }
                Verdict::Unavailable(why) => panic!("{trouble:?} at append {n}: {why:?} of {command:?}"),
                verdict => pair.note(command, &verdict),
            }
        }
        pair.insist(&step).await;
    }
    pair.node.faults().set(Faults::default());
    pair.judge(refused || trouble.ends_reads()).await;
    (!refused).then_some(met)
}

fn lag() -> Faults {
    Faults { visibility_lag: Duration::from_millis(60), ..Faults::default() }
}

macro_rules! at_every_append {
    ($($name:ident: $trouble:expr;)*) => {$(
        #[test]
        fn $name() {
            at_every_append($trouble);
        }
    )*};
}

at_every_append! {
    a_request_that_is_lost: Trouble::Once(Fault::LostRequest);
    an_answer_that_is_lost: Trouble::Once(Fault::LostAnswer);
    an_answer_past_the_deadline: Trouble::Once(Fault::Delay(LONG));
    an_append_that_lands_late: Trouble::Once(Fault::Late(LONG));
    a_connection_that_is_cut_before: Trouble::Once(Fault::CutBefore);
    a_connection_that_is_cut_after: Trouble::Once(Fault::CutAfter);
    an_answer_with_no_position: Trouble::Once(Fault::NoPosition);
    a_node_that_starts_again: Trouble::Restart;
    no_leader_for_a_while: Trouble::NoLeader;
    events_that_are_readable_later_than_they_conflict: Trouble::Lag;
}

/// From the n-th append on every one meets the fault, until the callers have been told.
async fn lasting(fault: Fault, n: u64, patience: Duration) -> usize {
    let append = Duration::from_millis(150);
    let mut pair = Pair::start(Hurry { append, patience, ..PATIENT }).await;
    let mut unknown = 0;
    let mut healed = false;
    for step in steps() {
        if !healed && pair.node.faults().counted().0 >= n {
            pair.node.faults().set(Faults { rates: vec![(fault, 1.0)], ..Faults::default() });
        }
        let verdicts = pair.send(&step).await;
        for (command, verdict) in step.1.iter().zip(&verdicts) {
            let id = command.id;
            match verdict {
                Verdict::Unavailable(Unavailable::OutcomeUnknown) => {
                    unknown += 1;
                    let found = pair.ledgers[step.0].transaction(id).await;
                    let known = pair.ledgers[step.0].status().unresolved_appends == 0;
                    assert!(
                        known || matches!(found, Err(ReadError::OutcomeUnknown)),
                        "{fault:?} {n}: {found:?}"
                    );
                }
                Verdict::Unavailable(Unavailable::StoreUnavailable) => {
                    assert!(!pair.has_untold(command).await, "{fault:?} {n}: not stored, it was said");
                }
                Verdict::Unavailable(why) => panic!("{fault:?} {n}: {why:?}"),
                _ => {}
            }
        }
        if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Unavailable(_))) {
            // Another instance can't know more; neither is it told anything that is not so.
            pair.send(&(1 - step.0, step.1.clone())).await;
            pair.node.faults().set(Faults::default());
            healed = true;
            for ledger in &pair.ledgers {
                until("the append is resolved", || ledger.status().unresolved_appends == 0).await;
            }
        }
        pair.insist(&step).await;
        if healed {
            pair.node.faults().set(Faults::default());
        }
    }
    pair.node.faults().set(Faults::default());
    pair.judge(true).await;
    unknown
}

fn from_every_append_on(fault: Fault, patience: Duration) -> usize {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let places = stream::iter((0..APPENDS).step_by(2));
        let unknown: Vec<usize> =
            places.map(|n| lasting(fault, n, patience)).buffer_unordered(AT_ONCE).collect().await;
        unknown.into_iter().sum()
    })
}

#[test]
fn what_nobody_can_know_is_said_to_be_unknown() {
    for fault in [Fault::LostRequest, Fault::CutBefore] {
        assert!(from_every_append_on(fault, SHORT) > 9, "{fault:?}");
    }
}

#[test]
fn what_the_stream_shows_is_not_unknown_though_every_answer_is_lost() {
    for fault in [Fault::LostAnswer, Fault::CutAfter, Fault::Timeout, Fault::NoPosition] {
        assert_eq!(from_every_append_on(fault, PATIENT.patience), 0, "{fault:?}");
    }
}

/// Two instances append to one account at once; the one that is not first meets a conflict with what it can't read yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_proves_nothing_until_what_is_there_can_be_read() {
    let mut pair = Pair::start(PATIENT).await;
    for step in [(0, vec![open(1, "a")]), (1, vec![deposit(2, "a", "5.00")])] {
        pair.insist(&step).await;
    }
    let before = pair.node.faults().attempts().len();
    pair.node.faults().set(Faults { visibility_lag: instances::DEADLINE, ..Faults::default() });
    let asked = [0, 1].map(|at| {
        let (_, commands) = sent(&(at, vec![deposit(3 + at as u128, "a", "1.00")]));
        let ledger = pair.ledgers[at].clone();
        tokio::spawn(async move { ledger.execute(commands).await })
    });
    until("both have appended", || {
        let attempts = pair.node.faults().attempts().split_off(before);
        let by = |at: usize| move |of: &Attempt| of.metadata_says(&format!("instance-{at}"));
        (0..2).all(|at| attempts.iter().any(by(at)))
    })
    .await;
    pair.node.faults().set(Faults::default());
    for asked in asked {
        let verdicts = asked.await.unwrap().unwrap();
        assert!(matches!(verdicts[..], [Verdict::Booked(..)]), "{verdicts:?}");
    }
    pair.the_same_bytes_are_sent_until_the_revision_is_occupied();
    for ledger in pair.ledgers {
        instances::stop(ledger).await;
    }
}
