//! These tests follow the journal as it grows: everybody sees every line once and in order, and one read serves them
//! all.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bookonce::domain::command::Operation;
use bookonce::domain::metadata::Metadata;
use bookonce::domain::time::system_clock;
use bookonce::ledger::{Follower, Ledger, Position, Workings};
use bookonce::store::codec::{Line, position_of};
use bookonce::store::{Journal, ReadError, Reader, lines_of};
use support::*;

/// A journal that counts how often lines are read of it.
struct Counting {
    inner: Reader,
    reads: Arc<AtomicUsize>,
}

impl Journal for Counting {
    fn lines(&self, after: u64, limit: usize) -> Result<Vec<u8>, ReadError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.lines(after, limit)
    }

    fn event(&self, position: u64) -> Result<Line, ReadError> {
        self.inner.event(position)
    }

    fn close(&self) {
        self.inner.close();
    }
}

fn counted(data: &std::path::Path) -> (Ledger, Arc<AtomicUsize>) {
    let reads = Arc::new(AtomicUsize::new(0));
    let there = Arc::clone(&reads);
    let journal = Box::new(move |inner| -> Reader { Arc::new(Counting { inner, reads: there }) });
    let workings = Workings { journal, ..Workings::default() };
    (Ledger::open_with(options(data, system_clock()), workings).unwrap(), reads)
}

/// The positions of the lines up to one, as a follower sees them.
async fn up_to(mut follower: Follower, last: Position) -> Vec<Position> {
    let mut seen = Vec::new();
    while seen.last().is_none_or(|seen| *seen < last) {
        let lines = follower.next().await.unwrap();
        seen.extend(lines_of(&lines.bytes).map(|line| position_of(line).unwrap()));
        assert_eq!(seen.last(), Some(&lines.last));
    }
    seen
}

/// Catches: a read of the store by each follower for each commit.
#[tokio::test]
async fn three_hundred_followers_cost_one_read_for_each_commit() {
    const COMMITS: u64 = 50;
    let dir = tempfile::tempdir().unwrap();
    let (ledger, reads) = counted(dir.path());
    ledger.execute(vec![open(1, "alice")]).await.unwrap();
    let followers: Vec<_> = (0..300).map(|_| tokio::spawn(up_to(ledger.follow(1), 1 + COMMITS))).collect();
    for n in 0..COMMITS {
        ledger.execute(vec![deposit(u128::from(n) + 2, "alice", "1")]).await.unwrap();
    }
    for follower in followers {
        assert_eq!(follower.await.unwrap(), (2..=1 + COMMITS).collect::<Vec<_>>());
    }
    let reads = reads.load(Ordering::SeqCst) as u64;
    assert!(
        reads <= COMMITS + 300,
        "{reads} reads: the 300 may each begin behind the ring, and no more than once"
    );
    ledger.stop().unwrap();
}

/// Catches: a line that is lost or told twice between what a follower reads by itself and what comes out of the ring, and
/// a reader that goes on, or is not begun again, when the last follower has gone.
#[tokio::test]
async fn whoever_comes_late_or_again_sees_every_line_once() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, reads) = counted(dir.path());
    ledger.execute(vec![open(1, "alice")]).await.unwrap();
    let mut next = 2;
    let mut last = 1;
    for round in 0..5 {
        let batch = (0..700).map(|n| deposit(next + n, "alice", "1")).collect::<Vec<_>>();
        next += 700;
        last += 700;
        let early = tokio::spawn(up_to(ledger.follow(0), last));
        ledger.execute(batch).await.unwrap();
        let late = tokio::spawn(up_to(ledger.follow(17), last));
        assert_eq!(early.await.unwrap(), (1..=last).collect::<Vec<_>>(), "round {round}");
        assert_eq!(late.await.unwrap(), (18..=last).collect::<Vec<_>>(), "round {round}");
    }
    // Nobody follows: nothing is read for anybody, however much is written.
    tokio::time::timeout(Duration::from_secs(120), async {
        loop {
            let before = reads.load(Ordering::SeqCst);
            ledger.execute(vec![deposit(next, "alice", "1")]).await.unwrap();
            next += 1;
            tokio::task::yield_now().await;
            if reads.load(Ordering::SeqCst) == before {
                break;
            }
        }
    })
    .await
    .expect("the reader goes on for nobody");
    ledger.stop().unwrap();
}

/// Guards against: a follower that takes too little and makes the store read old lines again and again, and one that is taken
/// for that because it begins far back.
#[tokio::test]
async fn a_follower_knows_how_long_it_has_been_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = counted(dir.path());
    ledger.execute(vec![open(1, "alice")]).await.unwrap();
    let (mut slow, mut quick) = (ledger.follow(1), ledger.follow(1));
    let large = |n| {
        let mut deposit = deposit(n, "alice", "1");
        let Operation::Deposit(moved) = &mut deposit.operation else { unreachable!() };
        let pairs = (0..16).map(|key| (format!("key-{key}"), "x".repeat(256)));
        moved.metadata = Metadata::new(pairs.collect()).unwrap();
        deposit
    };
    for n in 2..=4 {
        ledger.execute(vec![large(n)]).await.unwrap();
        slow.next().await.unwrap();
        quick.next().await.unwrap();
    }
    for round in 0..4 {
        ledger.execute((0..400).map(|n| large(5 + round * 400 + n)).collect::<Vec<_>>()).await.unwrap();
        while quick.next().await.unwrap().last < ledger.head().position {}
    }
    slow.next().await.unwrap();
    let behind = slow.behind_for();
    slow.next().await.unwrap();
    assert!(slow.behind_for() > behind, "it is still behind, since then");
    while slow.next().await.unwrap().last < ledger.head().position {}
    assert_eq!(slow.behind_for(), Duration::ZERO, "it has come up again");
    let mut late = ledger.follow(0);
    late.next().await.unwrap();
    assert_eq!(late.behind_for(), Duration::ZERO, "it was never up to date");
    ledger.stop().unwrap();
}
