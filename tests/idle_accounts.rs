//! These tests hold accounts in memory over EventStoreDB only while something comes for them: an account is let go of
//! and loaded again, from the index's checkpoint and not from its whole history, and every ID keeps its first answer.

mod support;

use std::time::Duration;

use bookonce::answers::render;
use bookonce::domain::command::Command;
use bookonce::domain::time::system_clock;
use bookonce::ledger::{Ledger, Verdict};
use eventstore_standin::{Options, Standin};
use support::*;

/// The answer, and whether it was the first one again.
async fn answer(ledger: &Ledger, command: Command) -> (String, bool) {
    let verdict = ledger.execute(vec![command]).await.unwrap().pop().unwrap();
    let (event, again) = match verdict {
        Verdict::Booked(event, _) => (event, false),
        Verdict::Replayed(event, _) => (event, true),
        other => panic!("{other:?}"),
    };
    (String::from_utf8(render(&event).body).unwrap(), again)
}

/// Catches: an account that is loaded again as it was when it was let go of, or with an ID forgotten.
#[tokio::test]
async fn an_idle_account_is_let_go_of_and_loaded_again() {
    let node = Standin::start(Options::default()).unwrap();
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let idle = Duration::from_millis(100);
    let [ledger, other] = dirs.each_ref().map(|dir| {
        store::forgetful(options(dir.path(), system_clock()), &node.connection_string(), idle).unwrap()
    });
    answer(&ledger, open(1, "alice")).await;
    let (first, _) = answer(&ledger, deposit(2, "alice", "10.00")).await;
    let all_are_gone = || store::until("the account is let go of", || ledger.status().accounts_in_use == 0);
    store::apart(all_are_gone);
    let before = node.faults().reads("account-alice").0;
    // Another instance writes in the meantime.
    let (_, again) = answer(&other, withdraw(3, "alice", "4.00")).await;
    assert!(!again);
    let (third, again) = answer(&ledger, deposit(4, "alice", "1.00")).await;
    assert!(!again && third.contains(r#""balance":"7.00""#) && third.contains(r#""revision":3"#), "{third}");
    assert!(node.faults().reads("account-alice").0 > before, "it was loaded again");
    store::apart(all_are_gone);
    assert_eq!(answer(&ledger, deposit(2, "alice", "10.00")).await, (first, true));
    let (_, again) = answer(&ledger, withdraw(3, "alice", "4.00")).await;
    assert!(again, "what another instance booked is known");
    store::stop(&ledger);
    store::stop(&other);
}

/// Catches: a start, or a first command, that reads a long history; and an ID that is too old to be remembered.
#[tokio::test]
async fn a_long_stream_is_loaded_from_the_checkpoint() {
    const EVENTS: u128 = 20_000;
    let node = Standin::start(Options::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let open_it =
        || store::over(options(dir.path(), system_clock()), &node.connection_string(), Default::default());
    let ledger = open_it().unwrap();
    answer(&ledger, open(1, "alice")).await;
    for from in (2..=EVENTS).step_by(2_000) {
        let batch: Vec<Command> =
            (from..(from + 2_000).min(EVENTS + 1)).map(|n| deposit(n, "alice", "0.01")).collect();
        let verdicts = ledger.execute(batch).await.unwrap();
        assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Booked(..))));
    }
    let old = [2, EVENTS / 2, EVENTS].map(|n| deposit(n, "alice", "0.01"));
    let mut first = Vec::new();
    for command in &old {
        first.push(answer(&ledger, command.clone()).await.0);
    }
    // The index has it all.
    ledger.end().await.unwrap();
    store::stop(&ledger);
    drop(ledger);

    let read = || ["account-alice", "$all"].map(|stream| node.faults().reads(stream).1);
    let before = read();
    let ledger = open_it().unwrap();
    for (command, first) in old.into_iter().zip(first) {
        assert_eq!(answer(&ledger, command).await, (first, true));
    }
    let (new, _) = answer(&ledger, deposit(EVENTS + 1, "alice", "0.01")).await;
    assert!(new.contains(&format!(r#""revision":{EVENTS}"#)), "{new}");
    let after = read();
    let given = [after[0] - before[0], after[1] - before[1]];
    assert!(given[0] <= 4 && given[1] <= 16, "events read of the stream and of $all: {given:?}");
    store::stop(&ledger);
}
