//! One command's trouble is its own, over EventStoreDB too: the commands of one stream are looked up and decided together, at
//! the desk of that stream's task, and what one of them names and can't be read refuses that one alone.

mod support;

use bookonce::domain::time::system_clock;
use bookonce::ledger::{Ledger, Unavailable, Verdict};
use eventstore_standin::file::{replaced, rewrite};
use eventstore_standin::{Options, Standin};
use support::*;

/// As many as one desk takes at once.
const DESK: usize = 4_096;

async fn execute(
    ledger: &Ledger,
    n: usize,
    replaced: &[(usize, bookonce::domain::command::Command)],
) -> Vec<Verdict> {
    let mut commands: Vec<_> = (0..n).map(|at| deposit(10_000 + at as u128, "bob", "1.00")).collect();
    for (at, command) in replaced {
        commands[*at] = command.clone();
    }
    ledger.execute(commands).await.unwrap()
}

/// Catches: a look-up that fails for all who were looked up together. Seen failing with that.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_whose_event_can_not_be_read_refuses_its_command_alone_among_a_whole_desk() {
    let dir = tempfile::tempdir().unwrap();
    let (file, data) = (dir.path().join("node"), dir.path().join("index"));
    let mut node = Standin::start(Options { data: Some(file.clone()), ..Options::default() }).unwrap();
    let ledger =
        store::over(options(&data, system_clock()), &node.connection_string(), Default::default()).unwrap();
    for command in
        [open(1, "alice"), open(2, "bob"), deposit(3, "alice", "60.00"), deposit(4, "alice", "1.00")]
    {
        let verdicts = ledger.execute(vec![command]).await.unwrap();
        let Verdict::Booked(_, position) = verdicts[0] else { panic!("{verdicts:?}") };
        // The last event that the index has is looked for in the store at the next start: it must not be the altered one.
        store::apart(|| store::until("the index has it", || ledger.head().position >= position));
    }
    store::stop(&ledger);
    drop(ledger);
    node.stop().unwrap();
    rewrite(&file, 1, "account-alice", |event| replaced(event, b"60.00", b"70.00"));
    node.start().unwrap();

    let ledger =
        store::over(options(&data, system_clock()), &node.connection_string(), Default::default()).unwrap();
    // One retries the ID on another account, one reverses it.
    let worst = [(77, deposit(3, "bob", "60.00")), (2_049, reverse(5, "bob", 3, None, false))];
    let verdicts = execute(&ledger, DESK, &worst).await;
    for (at, verdict) in verdicts.iter().enumerate() {
        if worst.iter().any(|(worst, _)| *worst == at) {
            let damaged = matches!(verdict, Verdict::Unavailable(Unavailable::StoreDamaged));
            assert!(damaged, "{at}: {verdict:?}");
        } else {
            assert!(matches!(verdict, Verdict::Booked(..)), "{at}: {verdict:?}");
        }
    }
    let status = ledger.status();
    assert_eq!((status.ready, status.unreadable, status.damaged_accounts), (true, 2, 0));
    store::stop(&ledger);
}
