//! These stories are told by the frozen histories. A history that is written is never written again; a new one is told
//! here, then written.

use std::collections::BTreeMap;

use bookonce::domain::command::{Command, Operation};
use bookonce::domain::ids::CounterAccount;
use bookonce::domain::metadata::Metadata;
use bookonce::domain::time::Timestamp;

use crate::delivery_stories;
use crate::holds::*;
use crate::payout_stories;
use crate::support::*;
use crate::transfer_stories;

/// Returns the stories, each with its name and its commands in batches.
pub fn all() -> Vec<(&'static str, Vec<Vec<Command>>)> {
    vec![
        ("every-event", every_event()),
        ("backdated", backdated()),
        ("preventions", preventions()),
        ("holds", holds()),
        ("corrections", corrections()),
        ("transfers", transfer_stories::ends()),
        ("stopped-transfers", transfer_stories::stops()),
        ("many-holds", transfer_stories::many_holds()),
        ("payouts", payout_stories::payouts()),
        ("deliveries", delivery_stories::deliveries()),
        ("acts", delivery_stories::acts()),
        ("serving", delivery_stories::serving()),
    ]
}

fn with(mut command: Command, counter: &str, pairs: &[(&str, &str)]) -> Command {
    let pairs: BTreeMap<_, _> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let metadata = Metadata::new(pairs).unwrap();
    match &mut command.operation {
        Operation::Open(opening) => opening.metadata = metadata,
        Operation::Deposit(moved) | Operation::Withdraw(moved) => {
            moved.metadata = metadata;
            moved.counter_account = CounterAccount::parse(counter).unwrap();
        }
        _ => {}
    }
    command
}

/// Tells every type of event and every code of a decline, in four currencies.
fn every_event() -> Vec<Vec<Command>> {
    let nasty =
        [("note", "=HYPERLINK(1)\t<img onerror=…>\n{\"level\":\"error\"} \u{202e}🦀 \\ \""), ("card", "77")];
    let mut adorned = with(withdraw(5, "alice", "12.34"), "@fees", &nasty);
    adorned.origin.correlation = Some("order \"7\"".into());
    adorned.origin.causation = Some("click".into());
    adorned.origin.actor = "key-1".into();
    vec![
        vec![open_with(1, "alice", "EUR", "50"), open_with(2, "yen", "JPY", "0")],
        vec![
            with(open_with(3, "dinar", "KWD", "1.5"), "", &[("branch", "12")]),
            open_with(40, "uf", "CLF", "0"),
        ],
        vec![
            deposit(4, "alice", "100"),
            adorned,
            withdraw(6, "alice", "37.66"),
            withdraw(7, "alice", "100.01"),
        ],
        vec![deposit(8, "yen", "1000000000000000"), deposit(9, "yen", "1"), withdraw(10, "dinar", "1.499")],
        vec![reverse(11, "alice", 5, Some("2.34"), false), reverse(12, "alice", 5, None, false)],
        vec![reverse(13, "alice", 5, Some("0.01"), false), reverse(14, "alice", 11, None, false)],
        vec![reverse(15, "alice", 4, None, false), reverse(16, "alice", 4, None, true)],
        vec![
            reverse(17, "alice", 99, None, false),
            withdraw(99, "alice", "1"),
            reverse(18, "alice", 98, None, true),
        ],
        vec![
            freeze(19, "alice"),
            freeze(20, "alice"),
            withdraw(21, "alice", "1"),
            deposit(22, "alice", "60"),
        ],
        vec![unfreeze(23, "alice"), unfreeze(24, "alice"), set_limit(25, "alice", "7.5"), close(26, "alice")],
        vec![
            deposit(41, "uf", "0.0001"),
            withdraw(42, "uf", "0.0001"),
            close(27, "uf"),
            deposit(28, "uf", "1"),
        ],
        vec![freeze(29, "uf"), unfreeze(30, "uf"), close(31, "uf"), set_limit(32, "uf", "1")],
        vec![reverse(33, "uf", 41, None, false), reverse(34, "uf", 97, None, false), withdraw(35, "uf", "1")],
    ]
}

/// Returns an import of old lines, out of order, and corrections of what was already counted.
fn backdated() -> Vec<Vec<Command>> {
    let on = |day: i64| Timestamp::from_micros(725_846_400_000_000).plus_seconds(day * 86_400);
    vec![
        vec![open_with(1, "a-1787", "CZK", "20000"), open_with(2, "a-2", "CZK", "0")],
        vec![dated(deposit(3, "a-1787", "1000"), on(0)), dated(withdraw(4, "a-1787", "250.5"), on(9))],
        vec![dated(deposit(5, "a-1787", "13.5"), on(4)), dated(withdraw(6, "a-2", "1"), on(5))],
        vec![deposit(7, "a-1787", "5"), reverse(8, "a-1787", 4, Some("50.5"), false)],
        vec![dated(deposit(9, "a-1787", "1"), Timestamp::from_micros(-2_000_000_000_000_000))],
    ]
}

/// Reversals that came before what they reverse, in every order.
fn preventions() -> Vec<Vec<Command>> {
    vec![
        vec![open(1, "alice"), open(2, "bob"), deposit(3, "alice", "10"), deposit(4, "bob", "10")],
        vec![reverse(5, "alice", 90, None, false), reverse(6, "alice", 90, None, false)],
        vec![withdraw(90, "alice", "1"), reverse(7, "alice", 90, None, false)],
        // Ruled out on one account, booked on another.
        vec![
            reverse(8, "alice", 91, None, false),
            withdraw(91, "bob", "1"),
            reverse(9, "bob", 91, None, false),
        ],
        // A reversal that is ruled out itself.
        vec![reverse(10, "alice", 11, None, false), reverse(11, "alice", 3, None, false)],
        vec![withdraw(12, "alice", "10"), close(13, "alice"), reverse(14, "alice", 92, None, false)],
        vec![reverse(15, "alice", 92, None, false), withdraw(92, "alice", "1")],
    ]
}

/// Tells corrections to a balance and by an amount, forced and backdated, on accounts in every state, and their declines.
fn corrections() -> Vec<Vec<Command>> {
    let january = Timestamp::from_micros(1_767_225_600_000_000);
    vec![
        vec![open_with(1, "alice", "EUR", "50"), open_with(2, "yen", "JPY", "0")],
        vec![deposit(3, "alice", "20"), deposit(4, "alice", "20"), deposit(5, "yen", "7")],
        // Booked twice; seen at revision 1, then at 2. The first is refused, and leaves no event.
        vec![correct_to(6, "alice", "20", 1), naming(correct_to(7, "alice", "20", 2), &[4, 3])],
        vec![naming(correct_by(8, "yen", "3"), &[4, 7, 5]), dated(correct_by(9, "alice", "0.05"), january)],
        vec![dated(forced(correct_by(10, "alice", "-100.05")), january), correct_by(11, "alice", "-0.01")],
        vec![correct_to(12, "alice", "-81", 6), forced(correct_to(13, "alice", "-81", 7))],
        vec![
            naming(correct_to(14, "alice", "0", 8), &[10, 11, 13]),
            correct_by(15, "yen", "999999999999991"),
        ],
        vec![reverse(16, "alice", 14, None, true), reverse(17, "alice", 3, None, true)],
        vec![freeze(18, "alice"), correct_by(19, "alice", "20"), reverse(20, "yen", 90, None, false)],
        vec![correct_by(90, "yen", "1"), close(21, "alice"), correct_by(22, "alice", "1")],
    ]
}

/// Holds in every way to their end. The clock goes on by a minute and a second with each batch.
fn holds() -> Vec<Vec<Command>> {
    let mut adorned = capture(22, "alice", 21, Some("7.25"));
    let Operation::Capture(asked) = &mut adorned.operation else { unreachable!() };
    asked.counter_account = CounterAccount::parse("@fees").unwrap();
    asked.metadata = Metadata::new([("terminal".to_owned(), "77".to_owned())].into()).unwrap();
    vec![
        vec![
            open_with(1, "alice", "EUR", "50"),
            open(2, "bob"),
            deposit(3, "alice", "100"),
            deposit(4, "bob", "10"),
        ],
        // Captured whole, in part, and once more; released; more than there is.
        vec![
            hold_for(10, "alice", "40", 600),
            hold_for(11, "alice", "30", 600),
            hold_for(12, "alice", "80", 600),
        ],
        vec![
            hold_for(13, "alice", "80.01", 600),
            withdraw(14, "alice", "0.01"),
            capture(15, "alice", 10, None),
        ],
        vec![
            capture(16, "alice", 10, None),
            capture(17, "alice", 11, Some("31")),
            capture(18, "alice", 11, Some("25")),
        ],
        vec![
            release(19, "alice", 12),
            release_because(20, "alice", 12),
            reverse(23, "alice", 15, Some("1"), false),
        ],
        vec![hold_for(21, "alice", "20", 600), adorned, reverse(24, "alice", 21, None, false)],
        // Expired before a command, and before one that is refused.
        vec![hold_for(25, "alice", "5", 61), hold_for(26, "alice", "6", 60), hold_for(27, "bob", "10", 1)],
        vec![capture(28, "alice", 25, None), release(29, "alice", 26), capture(30, "bob", 99, None)],
        // Ruled out before it comes, by a release and by a reversal.
        vec![release_because(31, "alice", 90), hold(90, "alice", "1"), release(32, "alice", 90)],
        vec![reverse(33, "bob", 91, None, false), hold(91, "bob", "1")],
        // Under a freeze, and in the way of a closing.
        vec![hold_for(34, "bob", "10", 600), freeze(35, "bob"), hold(36, "bob", "1"), close(37, "bob")],
        vec![capture(38, "bob", 34, None), close(39, "bob"), hold(40, "bob", "1"), release(41, "bob", 92)],
        vec![
            open_with(42, "carol", "JPY", "500"),
            hold_for(43, "carol", "500", 2_592_000),
            close(44, "carol"),
        ],
        vec![hold_for(45, "alice", "1", 2_592_000)],
    ]
}
