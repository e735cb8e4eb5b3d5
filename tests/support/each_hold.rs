//! These are one event of each type that has to do with holds and with the steps of transfers, and one decline of each such
//! operation and code, as they are decided.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;

use bookonce::domain::command::{Command, Operation, Stopped};
use bookonce::domain::event::Event;
use bookonce::domain::ids::CounterAccount;
use bookonce::domain::metadata::Metadata;

use crate::given::*;
use crate::given_holds::*;
use crate::holds::*;
use crate::support::*;

/// Returns the command with everything on it that a client may add.
fn adorned(mut command: Command) -> Command {
    let pairs: BTreeMap<_, _> = [("terminal".to_owned(), "77 \"é\"".to_owned())].into();
    let metadata = Metadata::new(pairs).unwrap();
    match &mut command.operation {
        Operation::Hold(placing) => placing.metadata = metadata,
        Operation::Capture(capturing) => {
            capturing.metadata = metadata;
            capturing.counter_account = CounterAccount::parse("@fees").unwrap();
        }
        _ => {}
    }
    command.origin.correlation = Some("order \"7\"".into());
    command
}

/// Returns what it is called, and the event.
pub fn one_of_each_hold() -> Vec<(&'static str, Event)> {
    let holding =
        || given([opened_with("10"), deposited(2, "100"), held(3, "40"), transfer_held(30, "20", "bob")]);
    let paying = || given([opened(), deposited(2, "100"), transfer_held(31, "20", "@external:acme")]);
    let due = given([opened(), deposited(2, "100"), held_until(3, "40", 0)]).when(deposit(5, "alice", "1"));
    let mut events = vec![
        ("hold placed", holding().when(hold(5, "alice", "7.5")).event()),
        ("hold placed, adorned", holding().when(adorned(hold_for(5, "alice", "7.50", 2_592_000))).event()),
        ("hold captured", holding().when(capture(5, "alice", 3, None)).event()),
        (
            "hold captured, in part, adorned",
            holding().when(adorned(capture(5, "alice", 3, Some("25")))).event(),
        ),
        (
            "hold captured, all of it by its amount",
            holding().when(capture(5, "alice", 3, Some("40"))).event(),
        ),
        ("hold released", holding().when(release(5, "alice", 3)).event()),
        ("hold released, with a reason", holding().when(release_because(5, "alice", 3)).event()),
        ("hold expired", due.due[0].as_ref().clone()),
        ("hold ruled out", holding().when(release(5, "alice", 77)).event()),
        ("hold ruled out, with a reason", holding().when(release_because(5, "alice", 77)).event()),
        ("capture reversed", captured_once().when(reverse(6, "alice", 4, Some("1"), false)).event()),
        ("transfer's hold", holding().when(transfer_hold(32, "alice", "1", "bob")).event()),
        (
            "transfer's hold for a provider",
            holding().when(transfer_hold(32, "alice", "1", "@external:acme")).event(),
        ),
        ("transfer's capture", holding().when(transfer_capture(30, "alice", "20", "bob")).event()),
        (
            "transfer's capture, in part",
            paying().when(transfer_capture(31, "alice", "5", "@external:acme")).event(),
        ),
        ("transfer's release", holding().when(transfer_release(30, "alice")).event()),
        ("transfer's hold ruled out", holding().when(transfer_release(33, "alice")).event()),
        ("transfer's credit", holding().when(transfer_credit(34, "alice", "1", "bob")).event()),
        ("transfer's credit ruled out", holding().when(rule_out(34, "alice", Stopped::TimedOut)).event()),
        (
            "transfer's credit ruled out by a cancel",
            holding().when(rule_out(34, "alice", Stopped::Cancelled)).event(),
        ),
    ];
    events.extend(one_of_each_decline());
    events
}

fn captured_once() -> Given {
    given([opened(), deposited(2, "100"), held(3, "40"), captured(4, 3, "40", None)])
}

fn one_of_each_decline() -> Vec<(&'static str, Event)> {
    let holding = || given([opened_with("50"), deposited(2, "10"), held(3, "40")]);
    let expired = || given([opened(), deposited(2, "100"), held(3, "40"), expired(3, "40")]);
    let ruled_out = || given([opened(), hold_prevented(2, 77)]);
    let mut many = given([opened_with("2000")]);
    (0..1_000).for_each(|n| many.then(hold(1_000 + n, "alice", "1")));
    let transit =
        given([opened(), deposited(2, "9"), transfer_held(30, "9", "bob"), transfer_released(30, "9")]);
    vec![
        ("declined hold", holding().when(hold(5, "alice", "60")).event()),
        ("declined hold, adorned", holding().when(adorned(hold(5, "alice", "60"))).event()),
        ("declined hold, ruled out", ruled_out().when(hold(77, "alice", "60")).event()),
        ("declined hold, one too many", many.when(hold(5, "alice", "60")).event()),
        ("declined capture", holding().when(capture(5, "alice", 3, Some("41"))).event()),
        ("declined capture, adorned", expired().when(adorned(capture(5, "alice", 3, None))).event()),
        ("declined capture, settled", captured_once().when(capture(5, "alice", 3, None)).event()),
        ("declined release", captured_once().when(release(5, "alice", 3)).event()),
        ("declined release, expired", expired().when(release_because(5, "alice", 3)).event()),
        ("declined closing, with a hold", zero_with_hold().when(close(5, "alice")).event()),
        ("declined reversal of a hold", holding().when(reverse(5, "alice", 3, None, false)).event()),
        ("declined transfer's hold", holding().when(transfer_hold(30, "alice", "60", "bob")).event()),
        (
            "declined transfer's hold, ruled out",
            ruled_out_hold().when(transfer_hold(30, "alice", "1", "bob")).event(),
        ),
        (
            "declined transfer's credit",
            ruled_out_credit().when(transfer_credit(30, "alice", "1", "bob")).event(),
        ),
        ("declined transfer's capture", transit.when(transfer_capture(30, "alice", "9", "bob")).event()),
        ("declined transfer's release", captured_by_transfer().when(transfer_release(30, "alice")).event()),
    ]
}

fn zero_with_hold() -> Given {
    given([opened_with("50"), held(3, "40")])
}

fn ruled_out_hold() -> Given {
    given([opened(), deposited(2, "9"), transfer_hold_prevented(30)])
}

fn ruled_out_credit() -> Given {
    given([opened(), credit_prevented(30)])
}

fn captured_by_transfer() -> Given {
    let mut account = given([opened(), deposited(2, "9"), transfer_held(30, "9", "bob")]);
    account.then(transfer_capture(30, "alice", "9", "bob"));
    account
}
