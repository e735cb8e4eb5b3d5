//! These are one event of each type and one decline of each code, as they are decided.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;

use bookonce::domain::account::decline::Decline;
use bookonce::domain::account::event::AccountEvent;
use bookonce::domain::command::{BalanceChange, Command, Operation};
use bookonce::domain::event::Event;
use bookonce::domain::ids::CounterAccount;
use bookonce::domain::kind::Kind;
use bookonce::domain::metadata::Metadata;

use crate::each_hold::one_of_each_hold;
use crate::given::*;
use crate::support::*;

/// Returns the command with everything on it that a client may add.
fn adorned(mut command: Command) -> Command {
    let pairs = [("device_id", "atm-77"), ("note", "=1+1\t\"quoted\"\n\\ <b> é 🦀")];
    let pairs: BTreeMap<_, _> = pairs.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let metadata = Metadata::new(pairs).unwrap();
    match &mut command.operation {
        Operation::Open(opening) => opening.metadata = metadata,
        Operation::Deposit(moved) | Operation::Withdraw(moved) => {
            moved.metadata = metadata;
            moved.counter_account = CounterAccount::parse("@fees").unwrap();
            moved.effective_at = Some(NOW.plus_seconds(-86_400));
        }
        _ => {}
    }
    command.origin.correlation = Some("order \"7\"".into());
    command.origin.causation = Some("click".into());
    command
}

/// Returns what it is called, and the event.
pub fn one_of_each() -> Vec<(&'static str, Event)> {
    let rich = || given([opened_with("10"), deposited(2, "100"), withdrawn(3, "40"), prevented(4, 99)]);
    let mut events = vec![
        ("opened", given([]).when(open_with(1, "alice", "EUR", "10")).event()),
        ("opened, adorned", given([]).when(adorned(open_with(1, "alice", "KWD", "0"))).event()),
        ("deposited", rich().when(deposit(5, "alice", "7")).event()),
        ("deposited, in yen", given_in("JPY", [opened()]).when(deposit(5, "alice", "7")).event()),
        ("withdrawn", rich().when(withdraw(5, "alice", "7.5")).event()),
        ("withdrawn, adorned", rich().when(adorned(withdraw(5, "alice", "7.50"))).event()),
        ("reversed", rich().when(reverse(5, "alice", 3, None, false)).event()),
        ("reversed, in part, by force", rich().when(reverse(5, "alice", 2, Some("99"), true)).event()),
        ("prevented", rich().when(reverse(5, "alice", 98, None, false)).event()),
        ("prevented, by force", rich().when(reverse(5, "alice", 98, None, true)).event()),
        ("frozen", rich().when(freeze(5, "alice")).event()),
        ("unfrozen", given([opened(), frozen(2)]).when(unfreeze(3, "alice")).event()),
        ("closed", given([opened()]).when(close(2, "alice")).event()),
        ("overdraft limit changed", rich().when(set_limit(5, "alice", "20")).event()),
    ];
    events.extend(one_of_each_decline());
    events.extend(one_of_each_correction());
    events
}

/// Returns the corrections, booked and declined.
fn one_of_each_correction() -> Vec<(&'static str, Event)> {
    let rich = || given([opened_with("10"), deposited(2, "100"), deposited(3, "100"), prevented(4, 99)]);
    let full = |command: Command| {
        let command = with_asked(naming(forced(command), &[2, 3]), |asked| {
            asked.reason = bookonce::domain::command::Reason::parse("booked \"twice\" \\ 🦀").unwrap();
        });
        adorned(command)
    };
    let to = |n, balance| correct_to(n, "alice", balance, 3);
    let expecting = |command: Command, revision: u64| {
        with_asked(command, |asked| {
            if let BalanceChange::By { expected_revision, .. } = &mut asked.change {
                *expected_revision = Some(revision);
            }
        })
    };
    let yesterday = NOW.plus_seconds(-86_400);
    let by = |n, amount| expecting(dated(correct_by(n, "alice", amount), yesterday), 3);
    vec![
        ("corrected to a balance", rich().when(to(5, "-5")).event()),
        ("corrected to a balance, adorned", rich().when(full(to(5, "1000.5"))).event()),
        ("corrected by a credit", rich().when(correct_by(5, "alice", "20")).event()),
        ("corrected by a debit, adorned", rich().when(full(by(5, "-211"))).event()),
        ("declined correction to a balance", rich().when(to(5, "-10.01")).event()),
        ("declined correction by a debit", rich().when(correct_by(5, "alice", "-210.01")).event()),
        ("declined correction, prevented, adorned", rich().when(full(by(99, "7.1"))).event()),
        ("declined correction to a balance, prevented", rich().when(full(to(99, "7.1"))).event()),
    ]
}

fn one_of_each_decline() -> Vec<(&'static str, Event)> {
    let rich = || given([opened_with("10"), deposited(2, "100"), withdrawn(3, "40"), prevented(4, 99)]);
    let shut = || given([opened(), deposited(2, "1"), withdrawn(3, "1"), closed(4)]);
    let full = || given([opened(), deposited(2, "1000000000000000")]);
    vec![
        ("declined withdrawal", rich().when(withdraw(5, "alice", "70.01")).event()),
        ("declined withdrawal, adorned", rich().when(adorned(withdraw(5, "alice", "70.01"))).event()),
        ("declined deposit", full().when(deposit(5, "alice", "0.01")).event()),
        ("declined as frozen", given([opened(), frozen(2)]).when(withdraw(5, "alice", "1")).event()),
        ("declined as prevented", rich().when(withdraw(99, "alice", "1")).event()),
        ("declined as more than is left", rich().when(reverse(5, "alice", 3, Some("41"), false)).event()),
        ("declined as not reversible", rich().when(reverse(5, "alice", 1, None, true)).event()),
        ("declined closing", rich().when(close(5, "alice")).event()),
        ("declined thaw", rich().when(unfreeze(5, "alice")).event()),
        ("declined deposit, closed", shut().when(deposit(5, "alice", "1")).event()),
        ("declined freeze, closed", shut().when(freeze(5, "alice")).event()),
        ("declined limit, closed", shut().when(set_limit(5, "alice", "5")).event()),
        ("declined reversal, closed", shut().when(reverse(5, "alice", 3, None, false)).event()),
    ]
}

/// Every code is among them and those that have to do with holds.
pub fn assert_complete() {
    let events: Vec<_> = one_of_each().into_iter().chain(one_of_each_hold()).collect();
    for code in Decline::CODES {
        let there = |(_, event): &(&str, Event)| {
            event.account().and_then(AccountEvent::decline).is_some_and(|decline| decline.code() == code)
        };
        assert!(events.iter().any(there), "no event is declined as {code}");
    }
    // The lines and answers of transfers' own streams are snapshots of `tests/transfer`.
    let is_own = |kind: &Kind| {
        kind.name().starts_with("transfer") && !kind.name().ends_with("in") && !kind.name().ends_with("out")
    };
    for kind in Kind::searched().filter(|kind| !is_own(kind)) {
        let there = |(_, event): &(&str, Event)| event.kind() == kind && !event.is_declined();
        assert!(events.iter().any(there), "no event is of the kind {}", kind.name());
    }
}
