//! These tests kill the service at random moments under load. No answered write is lost, none is booked twice, and the
//! service is back in under two seconds. Each transfer has moved once or not at all.
//!
//! The first one catches, each seen once: an answer that is sent before its append (lost after a kill), and a seen ID that is
//! forgotten when the process is (booked twice).

#[path = "support/movers.rs"]
mod movers;
mod support;

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::process::{Process, send};
use support::teller::{self, Dice, Memory, Shift, Whereabouts};

const KILLS: usize = 24;
const TELLERS: u64 = 8;
/// Half of the starts take less than this. Other programs may take the machine's time in some of them.
const MUST_START_WITHIN: Duration = Duration::from_secs(2);
/// This many answers are enough to prove something.
const ENOUGH: usize = 500;

#[test]
fn nothing_answered_is_lost_and_nothing_is_booked_twice_by_kills() {
    nothing_is_lost_and_nothing_is_booked_twice_by(KILLS);
}

#[test]
#[ignore = "long: five hundred kills"]
fn nothing_answered_is_lost_and_nothing_is_booked_twice_by_five_hundred_kills() {
    nothing_is_lost_and_nothing_is_booked_twice_by(500);
}

fn nothing_is_lost_and_nothing_is_booked_twice_by(kills: usize) {
    let dir = tempfile::tempdir().unwrap();
    let mut service = Process::start(dir.path());
    let whereabouts: Whereabouts = Arc::new(Mutex::new(Some(service.address)));
    let shift = Shift::default();
    let mut dice = Dice(20_261_121);
    let mut starts = Vec::new();
    let memories: Vec<Memory> = std::thread::scope(|scope| {
        let tellers: Vec<_> = (0..TELLERS)
            .map(|teller| {
                let (whereabouts, shift) = (&whereabouts, &shift);
                scope.spawn(move || teller::work(teller, whereabouts, shift))
            })
            .collect();
        for _ in 0..kills {
            std::thread::sleep(Duration::from_millis(20 + dice.below(300)));
            service.kill();
            *whereabouts.lock().unwrap() = None;
            service = Process::start(dir.path());
            starts.push(service.started_in);
            *whereabouts.lock().unwrap() = Some(service.address);
        }
        shift.until_answered(ENOUGH);
        shift.over.store(true, Ordering::Relaxed);
        tellers.into_iter().map(|teller| teller.join().unwrap()).collect()
    });
    let mut ids = HashSet::new();
    for memory in &memories {
        for first in &memory.answered {
            teller::ask_again(first, &whereabouts);
            assert!(ids.insert(first.body[19..55].to_owned()));
        }
        for (account, cents) in &memory.balances {
            let account = send(service.address, "GET", &format!("/v1/accounts/{account}"), "").unwrap();
            let balance = format!(r#""balance":"{}.{:02}""#, cents / 100, cents % 100);
            assert!(account.body.contains(&balance), "{account:?} should have {balance}");
        }
    }
    let answered: usize = memories.iter().map(|memory| memory.answered.len()).sum();
    let retries: usize = memories.iter().map(|memory| memory.retries).sum();
    assert_eq!(service.journal().len(), answered, "as many events as answers");
    assert_eq!(service.stop(), Some(0));
    support::process::verify(dir.path());
    println!("{kills} kills, {answered} answers, {retries} retries");
    assert!(retries > kills, "too little happened to prove anything");
    starts.sort();
    assert!(starts[kills / 2] < MUST_START_WITHIN, "the starts took {starts:?}");
}

/// Kills the service amid transfers until all were asked for, and looks what became of them.
fn moves_once_or_not_through_kills(movers: u64, each: u64, kill_after: u64) {
    let dir = tempfile::tempdir().unwrap();
    let mut service = Process::start(dir.path());
    let whereabouts: Whereabouts = Arc::new(Mutex::new(Some(service.address)));
    movers::prepare(&whereabouts);
    let mut dice = Dice(20_261_127);
    let (moved, kills) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..movers)
            .map(|mover| {
                let whereabouts = &whereabouts;
                scope.spawn(move || movers::work(mover, each, whereabouts))
            })
            .collect();
        let mut kills = 0;
        while !threads.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            std::thread::sleep(Duration::from_millis(20 + dice.below(kill_after)));
            service.kill();
            *whereabouts.lock().unwrap() = None;
            service = Process::start(dir.path());
            *whereabouts.lock().unwrap() = Some(service.address);
            kills += 1;
        }
        let moved: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        (moved, kills)
    });
    let ends = movers::prove(&moved, service.address);
    println!("{kills} kills, {} transfers: {ends:?}", moved.len());
    for it in &moved {
        teller::ask_again(&it.first, &whereabouts);
    }
    let digest: serde_json::Value =
        serde_json::from_str(&send(service.address, "GET", "/v1/digest", "").unwrap().body).unwrap();
    assert_eq!(service.stop(), Some(0));
    support::process::verify(dir.path());
    assert_eq!(support::process::replayed_digest(dir.path()), digest["digest"], "live and replayed");
    for end in ["completed", "declined", "compensated"] {
        assert!(ends.contains_key(end), "too little happened to prove anything: {ends:?}");
    }
}

/// Guards against: a transfer that a dead driver leaves half done, a step that is booked again after a kill, and money that
/// stays in transit.
#[test]
fn each_transfer_moves_once_or_not_through_kills() {
    moves_once_or_not_through_kills(16, 60, 300);
}

#[test]
#[ignore = "long: ten thousand transfers amid kills"]
fn each_of_ten_thousand_transfers_moves_once_or_not_through_kills() {
    moves_once_or_not_through_kills(64, 157, 1_000);
}
