//! One command's trouble is its own, over EventStoreDB too: the commands of one stream are looked up and decided together, at
//! the desk of that stream's task, and what one of them names and can't be read refuses that one alone.

#[path = "support/holds.rs"]
mod holds;
#[path = "support/instances.rs"]
mod instances;
mod support;

use std::time::Duration;

use bookonce::domain::time::system_clock;
use bookonce::ledger::{Ledger, Unavailable, Verdict};
use eventstore_standin::faults::{Fault, Faults};
use eventstore_standin::file::{replaced, rewrite};
use eventstore_standin::{Options, Standin};
use instances::Hurry;
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
        assert!(matches!(verdicts[0], Verdict::Booked(..)), "{verdicts:?}");
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

/// This is longer than anything that the test waits for.
const LONG: Duration = Duration::from_secs(60);
/// So many appends of transfers' steps are under way at once: half of all.
const STEPS: usize = 128;

/// Seen failing with steps that took every append: the client's was not sent before one of theirs was answered.
#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_transfers_leave_half_of_the_appends_to_clients() {
    let dir = tempfile::tempdir().unwrap();
    let node = Standin::start(Options::default()).unwrap();
    // Nothing is given up while the test looks.
    let patient = Hurry { append: LONG, patience: LONG, ..Hurry::default() };
    let ledger = instances::instance(&node.connection_string(), dir.path(), patient).await;
    let accounts: Vec<String> = (0..3 * STEPS).map(|n| format!("account-{n}")).collect();
    let opened = accounts.iter().zip(1_000..).map(|(account, n)| open(n, account));
    let verdicts = ledger.execute(opened.chain([open(1, "alice")]).collect::<Vec<_>>()).await.unwrap();
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Booked(..))));

    // Every append is stored at once, and answered late.
    node.faults().record();
    node.faults().set(Faults { rates: vec![(Fault::Delay(LONG), 1.0)], ..Faults::default() });
    let ask = |command| {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.execute(vec![command]).await.unwrap().remove(0) })
    };
    let steps = accounts.iter().zip(5_000..);
    let steps: Vec<_> =
        steps.map(|(account, n)| ask(holds::transfer_hold(n, account, "1.00", "bob"))).collect();
    let sent = || node.faults().attempts();
    store::apart(|| store::until("all steps are sent that may be", || sent().len() >= STEPS));
    let client = ask(deposit(2, "alice", "1.00"));
    let is_clients = |stream: &str| stream == "account-alice";
    store::apart(|| {
        store::until("the client's append is sent", || sent().iter().any(|sent| is_clients(&sent.stream)))
    });
    assert_eq!(sent().len(), STEPS + 1, "no step came before it that had to wait");
    // What was stored is found, and the others are sent.
    node.faults().set(Faults::default());
    node.cut_connections();
    for asked in steps.into_iter().chain([client]) {
        let verdict = asked.await.unwrap();
        assert!(matches!(verdict, Verdict::Booked(..)), "{verdict:?}");
    }
    store::stop(&ledger);
}
