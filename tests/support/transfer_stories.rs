//! These stories are told by the frozen histories of transfers: each way to each end, and an account with as many holds as it
//! may have. The clock goes on by a minute and a second with each batch.

use bookonce::domain::command::{Command, Operation, Stopped};
use bookonce::domain::ids::Step;
use bookonce::domain::metadata::Metadata;
use bookonce::domain::transfer::command::{StallCode, TransferOperation};

use crate::holds::{hold_for, release};
use crate::support::*;
use crate::transfers::*;

/// A transfer of euros between these two accounts.
fn between<'a>(of: u128, from: &'a str, to: &'a str, amount: &'a str) -> Between<'a> {
    Between { of, from, to, amount }
}

fn accounts() -> Vec<Command> {
    vec![
        open_with(1, "alice", "EUR", "50"),
        open(2, "bob"),
        open(3, "carol"),
        open_with(4, "yen", "JPY", "0"),
        open_with(5, "rich", "JPY", "0"),
        open(6, "erin"),
        deposit(7, "alice", "100"),
        deposit(8, "bob", "10"),
        deposit(9, "yen", "5"),
        deposit(10, "rich", "1000000000000000"),
        deposit(11, "erin", "10"),
        close(12, "carol"),
        freeze(13, "erin"),
    ]
}

/// Returns the request with more about it.
fn adorned(mut command: Command) -> Command {
    if let Operation::Transfer(TransferOperation::Request(asked)) = &mut command.operation {
        asked.metadata = Metadata::new([("order".to_owned(), "7 \"é\"".to_owned())].into()).unwrap();
    }
    command.origin.correlation = Some("order \"7\"".into());
    command.origin.causation = Some("click".into());
    command
}

/// Tells the ends that come by themselves: moved, declined, compensated because the credit was declined.
pub fn ends() -> Vec<Vec<Command>> {
    let moved = between(100, "alice", "bob", "40.00");
    let [poor, frozen] = [between(101, "alice", "bob", "200.00"), between(102, "erin", "bob", "1.00")];
    let ruled_out = between(103, "alice", "bob", "2.00");
    let [closed, full] = [between(104, "alice", "carol", "3.00"), between(105, "yen", "rich", "1")];
    let not_taken = between(106, "alice", "bob", "4.00");
    let frozen_since = between(107, "bob", "alice", "5.00");
    vec![
        accounts(),
        vec![adorned(moved.request(600)), moved.hold()],
        vec![moved.credit()],
        vec![moved.capture(), completed(100, 0)],
        vec![poor.request(600), poor.hold(), declined(101, "insufficient_funds", 0)],
        vec![frozen.request(600), frozen.hold(), declined(102, "account_frozen", 0)],
        // A client rules it out on the account that pays, before its hold comes there.
        vec![ruled_out.request(600), reverse(20, "alice", 103, None, false), ruled_out.hold()],
        vec![declined(103, "prevented", 0)],
        vec![closed.request(600), closed.hold(), closed.credit(), closed.release()],
        vec![compensated(104, "account_closed", 0)],
        vec![full.request(600), full.hold(), full.credit(), full.release()],
        vec![compensated(105, "balance_too_large", 0)],
        // And on the account that is paid, before its credit comes there.
        vec![not_taken.request(600), not_taken.hold(), reverse(21, "bob", 106, None, false)],
        vec![not_taken.credit(), not_taken.release(), compensated(106, "prevented", 0)],
        // What has moved is not reversible; an ended transfer is not cancelled; it has no payout.
        vec![reverse(22, "alice", 100, None, true), cancel(23, 100), outcome(24, 100), retry(25, 101)],
        // A freeze does not stop a capture, and the hold is in the way of a closing.
        vec![frozen_since.request(600), frozen_since.hold(), close(26, "bob"), frozen_since.credit()],
        vec![freeze(27, "bob"), frozen_since.capture(), completed(107, 0)],
    ]
}

/// Tells the ends after a stop, and what an operator does.
pub fn stops() -> Vec<Vec<Command>> {
    let late = between(200, "alice", "bob", "10.00");
    let never_held = between(201, "alice", "bob", "11.00");
    let cancelled_in_time = between(202, "alice", "bob", "12.00");
    let cancelled_too_late = between(203, "alice", "bob", "13.00");
    let closed_meanwhile = between(204, "alice", "carol", "14.00");
    let stuck = between(205, "alice", "bob", "15.00");
    let left = between(206, "alice", "bob", "16.00");
    vec![
        accounts(),
        // The deadline passes: after the hold, and before it. What comes late is declined.
        vec![late.request(60), late.hold(), never_held.request(60)],
        vec![time_out(200), late.rule_out(Stopped::TimedOut), late.release(), too_late(200, 1)],
        vec![late.credit(), time_out(201), never_held.rule_out(Stopped::TimedOut), never_held.release()],
        vec![too_late(201, 1), never_held.hold(), never_held.credit()],
        vec![cancelled_in_time.request(600), cancelled_in_time.hold(), cancel(30, 202), cancel(31, 202)],
        vec![cancelled_in_time.rule_out(Stopped::Cancelled), cancelled_in_time.release(), cancelled(202, 2)],
        // The credit was first: it goes on forward.
        vec![cancelled_too_late.request(600), cancelled_too_late.hold(), cancelled_too_late.credit()],
        vec![cancel(32, 203), cancelled_too_late.capture(), completed(203, 1)],
        // The credit was declined before the stop.
        vec![closed_meanwhile.request(60), closed_meanwhile.hold(), closed_meanwhile.credit()],
        vec![time_out(204), closed_meanwhile.release(), compensated(204, "account_closed", 1)],
        vec![stuck.request(600), stuck.hold(), stall(205, 1, Step::Credit, StallCode::StoreDamaged, 0)],
        vec![cancel(33, 205), outcome(34, 205), retry(35, 205), stuck.credit(), stuck.capture()],
        vec![completed(205, 4), abandon(36, 205)],
        // One is left as it is: its hold stays open.
        vec![left.request(600), left.hold(), stall(206, 1, Step::Credit, StallCode::StoreDamaged, 0)],
        vec![abandon(37, 206), retry(38, 206), stall(206, 2, Step::Credit, StallCode::StoreDamaged, 3)],
        vec![abandon(39, 206), abandon(40, 206)],
    ]
}

/// An account has as many open holds as it may have, and one of them is released.
pub fn many_holds() -> Vec<Vec<Command>> {
    let holds = |range: std::ops::Range<u128>| range.map(|n| hold_for(n, "y", "1", 2_592_000)).collect();
    vec![
        vec![open_with(1, "y", "JPY", "0"), deposit(2, "y", "2000")],
        holds(1_000..1_250),
        holds(1_250..1_500),
        holds(1_500..1_750),
        holds(1_750..2_000),
        holds(2_000..2_001),
        vec![release(3, "y", 1_000), hold_for(2_001, "y", "1", 2_592_000)],
    ]
}
