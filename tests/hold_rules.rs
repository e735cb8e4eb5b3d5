//! These tests hold the rules of holds one by one: given what happened, when a command comes, then this is recorded, or
//! nothing is.

#[path = "support/given.rs"]
mod given;
#[path = "support/given_holds.rs"]
mod given_holds;
#[path = "support/holds.rs"]
mod holds;
mod support;

use bookonce::domain::account::decline::Decline;
use bookonce::domain::account::event::Fact;
use bookonce::domain::command::{Operation, Stopped};
use bookonce::domain::decide::Refusal;
use bookonce::domain::ids::{CounterAccount, Id, Step};
use bookonce::domain::money::Direction;
use given::*;
use given_holds::*;
use holds::*;
use support::*;

fn rich() -> Given {
    given([opened(), deposited(2, "100")])
}

// ---- placing

#[test]
fn a_hold_lowers_what_is_available_and_not_the_balance() {
    rich().when(hold(3, "alice", "40")).accepted_with("100.00", "60.00");
    let event = rich().when(hold(3, "alice", "40")).event();
    let Some(Fact::HoldPlaced { terms, .. }) = event.account().map(|body| &body.fact) else { panic!() };
    assert_eq!(terms.expires_at(), Some(event.recorded_at.plus_seconds(60)));
    assert_eq!(event.account().unwrap().entries(), None);
}

/// Seen failing with a sum that is available in which holds did not count.
#[test]
fn a_hold_needs_funds_and_may_use_the_overdraft() {
    rich().when(hold(3, "alice", "100")).accepted_with("100.00", "0.00");
    rich().when(hold(3, "alice", "100.01")).declined_as(Decline::InsufficientFunds);
    given([opened_with("50")]).when(hold(3, "alice", "50")).accepted_with("0.00", "0.00");
    let holding = || given([opened(), deposited(2, "100"), held(3, "70")]);
    holding().when(hold(4, "alice", "30.01")).declined_as(Decline::InsufficientFunds);
    holding().when(withdraw(4, "alice", "30.01")).declined_as(Decline::InsufficientFunds);
    holding().when(withdraw(4, "alice", "30")).accepted_with("70.00", "0.00");
    holding().when(reverse(4, "alice", 2, Some("31"), false)).declined_as(Decline::InsufficientFunds);
    holding().when(reverse(4, "alice", 2, Some("31"), true)).accepted_with("69.00", "-1.00");
}

#[test]
fn a_hold_is_placed_on_an_open_account_only() {
    given([opened(), deposited(2, "9"), frozen(3)])
        .when(hold(4, "alice", "1"))
        .declined_as(Decline::AccountFrozen);
    given([opened(), closed(2)]).when(hold(4, "alice", "1")).declined_as(Decline::AccountClosed);
    given([]).when(hold(4, "alice", "1")).refused_as(Refusal::AccountNotFound);
    given_in("JPY", [opened()]).when(hold(4, "alice", "1.0")).refused_for("amount");
}

#[test]
fn an_account_has_a_thousand_open_holds_of_clients_and_no_more() {
    let mut account = given([opened(), deposited(2, "2000"), transfer_held(500_000, "1", "bob")]);
    for n in 0..1_000 {
        account.then(hold(1_000 + n, "alice", "1"));
    }
    assert_eq!(account.account().holds.len(), 1_001);
    account.when(hold(3, "alice", "1")).declined_as(Decline::TooManyHolds);
    account.when(hold(3, "alice", "2000")).declined_as(Decline::TooManyHolds);
    account.when(transfer_hold(600_000, "alice", "1", "bob")).accepted_with("2000.00", "998.00");
    account.then(release(4, "alice", 1_500));
    account.when(hold(3, "alice", "1")).accepted_with("2000.00", "999.00");
}

// ---- capturing

#[test]
fn a_capture_books_out_the_hold_and_releases_what_is_left_of_it() {
    let holding = || given([opened(), deposited(2, "100"), held(3, "40")]);
    let whole = holding().when(capture(4, "alice", 3, None)).accepted_with("60.00", "60.00");
    let entries = whole.entries().unwrap();
    assert_eq!(
        (entries.guarded, entries.counter_account.as_str()),
        (eur("40").toward(Direction::Debit), "@cash")
    );
    let part = holding().when(capture(4, "alice", 3, Some("25"))).accepted_with("75.00", "75.00");
    let Fact::HoldCaptured { released, partial, .. } = part.fact else { panic!() };
    assert_eq!((released, partial), (Some(eur("15")), true));
    holding().when(capture(4, "alice", 3, Some("40"))).accepted_with("60.00", "60.00");
    holding().when(capture(4, "alice", 3, Some("40.01"))).declined_as(Decline::CaptureExceedsHold);
    holding().when(capture(4, "alice", 3, Some("1.005"))).refused_for("amount");
}

/// Seen failing with a capture that a freeze stopped.
#[test]
fn a_capture_looks_at_the_hold_alone() {
    let lowered = given([opened_with("50"), held(3, "50"), past_limit(4, "0")]);
    lowered.when(capture(5, "alice", 3, None)).accepted_with("-50.00", "-50.00");
    given([opened(), deposited(2, "9"), held(3, "9"), frozen(4)])
        .when(capture(5, "alice", 3, None))
        .accepted_with("0.00", "0.00");
    let taken = given([opened(), deposited(2, "9"), held(3, "9"), reversed(4, 2, "9", Direction::Debit)]);
    taken.when(capture(5, "alice", 3, None)).accepted_with("-9.00", "-9.00");
}

#[test]
fn a_hold_is_settled_once() {
    let past = || {
        given([
            opened(),
            deposited(2, "100"),
            held(3, "1"),
            captured(4, 3, "1", None),
            held(5, "1"),
            released(6, 5, "1"),
            held(7, "1"),
            expired(7, "1"),
        ])
    };
    for hold in [3, 5] {
        past().when(capture(20, "alice", hold, None)).declined_as(Decline::HoldAlreadySettled);
        past().when(release(20, "alice", hold)).declined_as(Decline::HoldAlreadySettled);
    }
    past().when(capture(20, "alice", 7, None)).declined_as(Decline::HoldExpired);
    past().when(release(20, "alice", 7)).declined_as(Decline::HoldExpired);
    assert!(past().account().holds.is_empty());
}

#[test]
fn what_was_never_a_hold_here_is_not_captured() {
    let past = || given([opened(), deposited(2, "100"), declined(3, Decline::InsufficientFunds)]);
    for hold in [2, 3, 77] {
        past().when(capture(20, "alice", hold, None)).refused_as(Refusal::HoldNotFound);
    }
    // Before what the request's other fields show.
    past().when(capture(20, "alice", 77, Some("1.005"))).refused_as(Refusal::HoldNotFound);
    past().when(release(20, "alice", 2)).refused_as(Refusal::HoldNotFound);
    past().when(capture(20, "alice", 20, None)).refused_for("hold");
    past().when(release(20, "alice", 20)).refused_for("hold");
}

#[test]
fn a_capture_is_reversed_like_a_withdrawal_and_the_hold_does_not_come_back() {
    let past = || given([opened(), deposited(2, "100"), held(3, "40"), captured(4, 3, "25", Some("15"))]);
    let event = past().when(reverse(5, "alice", 4, None, false)).accepted_with("100.00", "100.00");
    assert_eq!(event.entries().unwrap().guarded, eur("25").money());
    past().when(reverse(5, "alice", 4, Some("25.01"), false)).declined_as(Decline::ReversalExceedsOriginal);
    past().when(reverse(5, "alice", 3, None, false)).declined_as(Decline::NotReversible);
    given([opened(), deposited(2, "9"), held(3, "9")])
        .when(reverse(5, "alice", 3, None, false))
        .declined_as(Decline::NotReversible);
}

// ---- releasing and ruling out

#[test]
fn a_release_frees_the_hold_and_passes_a_freeze() {
    let holding = || given([opened(), deposited(2, "100"), held(3, "40"), frozen(4)]);
    holding().when(release(5, "alice", 3)).accepted_with("100.00", "100.00");
    let body = holding().when(release_because(5, "alice", 3)).body();
    assert_eq!(
        body.fact,
        Fact::HoldReleased { hold: id(3).into(), amount: eur("40"), reason: Some(reason()) }
    );
}

#[test]
fn a_release_that_overtakes_its_hold_rules_it_out() {
    let body = rich().when(release(5, "alice", 77)).accepted_with("100.00", "100.00");
    assert_eq!(body.fact, Fact::HoldPrevented { hold: id(77).into(), reason: None });
    let ruled_out = || given([opened(), deposited(2, "100"), hold_prevented(5, 77)]);
    ruled_out().when(hold(77, "alice", "40")).declined_as(Decline::Prevented(id(5).into()));
    ruled_out().when(release(6, "alice", 77)).declined_as(Decline::HoldAlreadySettled);
    ruled_out().when(capture(6, "alice", 77, None)).declined_as(Decline::HoldAlreadySettled);
    ruled_out().when(reverse(6, "alice", 77, None, false)).declined_as(Decline::ReversalExceedsOriginal);
    let mut come = ruled_out();
    come.then(hold(77, "alice", "40"));
    come.when(release(6, "alice", 77)).declined_as(Decline::HoldAlreadySettled);
    come.when(capture(6, "alice", 77, None)).declined_as(Decline::HoldAlreadySettled);
    // A reversal rules out a hold as it does any other transaction.
    let reversed = given([opened(), deposited(2, "100"), prevented(5, 77)]);
    reversed.when(hold(77, "alice", "40")).declined_as(Decline::Prevented(id(5).into()));
    // A prevention is all that a closed account takes.
    given([opened(), closed(2)]).when(release(5, "alice", 77)).accepted_with("0.00", "0.00");
}

/// Seen failing with a closing that looked at the balance alone.
#[test]
fn an_account_with_a_hold_is_not_closed() {
    given([opened_with("50"), held(3, "10")]).when(close(4, "alice")).declined_as(Decline::HoldsOpen);
    given([opened(), deposited(2, "50"), held(3, "10")])
        .when(close(4, "alice"))
        .declined_as(Decline::AccountNotEmpty);
    given([opened_with("50"), transfer_held(30, "10", "bob")])
        .when(close(4, "alice"))
        .declined_as(Decline::HoldsOpen);
    given([opened_with("50"), held(3, "10"), released(4, 3, "10")]).when(close(5, "alice")).body();
}

// ---- expiring

/// Seen failing with a rule that booked no due expiry before a command.
#[test]
fn what_is_due_expires_before_anything_new_is_decided() {
    let due = || {
        given([
            opened(),
            deposited(2, "100"),
            held_until(3, "20", 0),
            held_until(4, "30", -10),
            held_until(5, "40", 1),
        ])
    };
    due().when(withdraw(6, "alice", "60")).after_expiry_of([4, 3]).accepted_with("40.00", "0.00");
    due().when(withdraw(6, "alice", "60.01")).after_expiry_of([4, 3]).declined_as(Decline::InsufficientFunds);
    due().when(capture(6, "alice", 3, None)).after_expiry_of([4, 3]).declined_as(Decline::HoldExpired);
    due().when(release(6, "alice", 4)).after_expiry_of([4, 3]).declined_as(Decline::HoldExpired);
    // Also before what is then refused.
    due().when(capture(6, "alice", 77, None)).after_expiry_of([4, 3]).refused_as(Refusal::HoldNotFound);
    due().when(deposit(6, "alice", "1.005")).after_expiry_of([4, 3]).refused_for("amount");
    due().when(open(6, "alice")).after_expiry_of([4, 3]).refused_as(Refusal::AccountExists);
    let decided = due().when(withdraw(6, "alice", "1"));
    assert_eq!(decided.due.iter().map(|event| event.revision).collect::<Vec<_>>(), [5, 6]);
    for event in &decided.due {
        let hold = event.names().unwrap().0;
        let Id::Step { of, step: Step::Expiry, attempt: 1 } = event.id else { panic!("{}", event.id) };
        assert_eq!((hold, event.recorded_at), (of.into(), NOW));
        let origin = &event.origin;
        assert_eq!(
            (&*origin.actor, origin.correlation.as_deref()),
            ("service", Some(of.to_string().as_str()))
        );
        assert_eq!(origin.causation, origin.correlation);
    }
    assert_eq!(decided.event().revision, 7);
}

#[test]
fn the_service_books_an_expiry_when_it_is_due_and_not_before() {
    let mut account = given([opened(), deposited(2, "100"), held_until(3, "20", 0), held_until(4, "30", 1)]);
    account.when(expire(4, "alice")).after_expiry_of([3]).refused_as(Refusal::NotDue);
    account.then(expire(3, "alice"));
    assert_eq!((account.account().held(), account.account().revision), (eur("30").money(), 4));
    account.when(expire(99, "alice")).refused_as(Refusal::NotDue);
}

// ---- what is the ledger's to use

#[test]
fn the_accounts_of_corrections_and_of_providers_are_the_ledgers_to_use() {
    let holding = || given([opened(), deposited(2, "100"), held(3, "40")]);
    for name in ["@corrections", "@external:acme", "@transit"] {
        let named = || CounterAccount::parse(name).unwrap();
        for mut command in [deposit(5, "alice", "1"), withdraw(5, "alice", "1"), capture(5, "alice", 3, None)]
        {
            match &mut command.operation {
                Operation::Deposit(asked) | Operation::Withdraw(asked) => asked.counter_account = named(),
                Operation::Capture(asked) => asked.counter_account = named(),
                other => panic!("{other:?}"),
            }
            holding().when(command).refused_for("counter_account");
        }
    }
}

// ---- the steps of a transfer

#[test]
fn the_hold_of_a_transfer_is_captured_against_transit_or_the_provider() {
    for (to, counter) in [("bob", "@transit"), ("@external:acme", "@external:acme")] {
        rich().when(transfer_hold(30, "alice", "40", to)).accepted_with("100.00", "60.00");
        rich().when(transfer_hold(30, "alice", "100.01", to)).declined_as(Decline::InsufficientFunds);
        let holding = || given([opened(), deposited(2, "100"), transfer_held(30, "40", to), frozen(3)]);
        let body = holding().when(transfer_capture(30, "alice", "40", to)).accepted_with("60.00", "60.00");
        assert_eq!(body.entries().unwrap().counter_account.as_str(), counter);
        let part = holding().when(transfer_capture(30, "alice", "15", to)).accepted_with("85.00", "85.00");
        let Fact::HoldCaptured { released, partial: false, .. } = part.fact else { panic!() };
        assert_eq!(released, Some(eur("25")));
        holding().when(transfer_release(30, "alice")).accepted_with("100.00", "100.00");
    }
    given([opened(), deposited(2, "9"), frozen(3)])
        .when(transfer_hold(30, "alice", "1", "bob"))
        .declined_as(Decline::AccountFrozen);
    given([opened(), closed(3)])
        .when(transfer_hold(30, "alice", "1", "bob"))
        .declined_as(Decline::AccountClosed);
}

#[test]
fn the_hold_of_a_transfer_never_expires() {
    let account =
        given([opened(), deposited(2, "100"), transfer_held(30, "40", "bob"), held_until(3, "1", 0)]);
    account.when(withdraw(4, "alice", "60")).after_expiry_of([3]).accepted_with("40.00", "0.00");
}

#[test]
fn the_hold_of_a_transfer_is_ruled_out_where_it_has_not_come() {
    let body = rich().when(transfer_release(30, "alice")).body();
    assert_eq!(body.fact, Fact::HoldPrevented { hold: step(30, Step::Hold), reason: None });
    let ruled_out = || given([opened(), deposited(2, "100"), transfer_hold_prevented(30)]);
    ruled_out()
        .when(transfer_hold(30, "alice", "1", "bob"))
        .declined_as(Decline::Prevented(step(30, Step::Release)));
    let mut broke = given([opened()]);
    broke.then(transfer_hold(30, "alice", "1", "bob"));
    broke.when(transfer_release(30, "alice")).refused_as(Refusal::HoldDeclined(Decline::InsufficientFunds));
}

#[test]
fn the_credit_of_a_transfer_comes_in_or_is_ruled_out_whichever_is_first() {
    let body = rich().when(transfer_credit(30, "alice", "40", "bob")).accepted_with("140.00", "140.00");
    assert_eq!(body.entries().unwrap().counter_account.as_str(), "@transit");
    given([opened(), frozen(2)]).when(transfer_credit(30, "alice", "1", "bob")).accepted_with("1.00", "1.00");
    let closed = given([opened(), closed(2)]);
    closed.when(transfer_credit(30, "alice", "1", "bob")).declined_as(Decline::AccountClosed);
    given([opened(), deposited(2, "1000000000000000")])
        .when(transfer_credit(30, "alice", "1", "bob"))
        .declined_as(Decline::BalanceTooLarge);
    let body = rich().when(rule_out(30, "alice", Stopped::Cancelled)).body();
    assert_eq!(body.fact, Fact::CreditPrevented { transfer: id(30), code: Stopped::Cancelled });
    closed.when(rule_out(30, "alice", Stopped::TimedOut)).body();
    given([opened(), credit_prevented(30)])
        .when(transfer_credit(30, "alice", "1", "bob"))
        .declined_as(Decline::Prevented(step(30, Step::RuleOut)));
    given([opened(), transfer_credited(30, "1")])
        .when(rule_out(30, "alice", Stopped::TimedOut))
        .refused_as(Refusal::CreditDecided(None));
    let mut refused = closed;
    refused.then(transfer_credit(30, "alice", "1", "bob"));
    refused
        .when(rule_out(30, "alice", Stopped::TimedOut))
        .refused_as(Refusal::CreditDecided(Some(Decline::AccountClosed)));
}

#[test]
fn a_client_rules_a_transfer_out_before_its_step_and_not_after_it() {
    let body = rich().when(reverse(5, "alice", 30, None, false)).body();
    assert!(matches!(body.fact, Fact::Prevented { .. }));
    let ruled_out = || given([opened(), deposited(2, "100"), prevented(5, 30)]);
    let by = Decline::Prevented(id(5).into());
    ruled_out().when(transfer_hold(30, "alice", "1", "bob")).declined_as(by);
    ruled_out().when(transfer_credit(30, "alice", "1", "bob")).declined_as(by);
    let steps = [
        transfer_held(30, "1", "bob"),
        transfer_credited(30, "1"),
        credit_prevented(30),
        transfer_hold_prevented(30),
    ];
    for seen in steps {
        let after = given([opened(), deposited(2, "100"), seen]);
        after.when(reverse(5, "alice", 30, None, false)).declined_as(Decline::NotReversible);
        after.when(release(5, "alice", 30)).refused_as(Refusal::HoldNotFound);
        after.when(capture(5, "alice", 30, None)).refused_as(Refusal::HoldNotFound);
    }
    let mut broke = given([opened()]);
    broke.then(transfer_hold(30, "alice", "1", "bob"));
    broke.when(reverse(5, "alice", 30, None, false)).declined_as(Decline::NotReversible);
}

/// Seen failing with a rule that did not look for a step of what was ruled out: `reversal_exceeds_original`.
#[test]
fn a_transfer_that_a_client_ruled_out_is_not_reversible_once_its_step_has_come() {
    let ruled_out = || given([opened(), deposited(2, "100"), prevented(5, 30)]);
    ruled_out().when(reverse(6, "alice", 30, None, false)).declined_as(Decline::ReversalExceedsOriginal);
    ruled_out().when(reverse(6, "alice", 30, Some("1"), false)).refused_as(Refusal::TransactionNotFound);
    let steps = [transfer_hold(30, "alice", "1", "bob"), transfer_credit(30, "alice", "1", "bob")];
    for step in steps {
        let mut came = ruled_out();
        came.then(step);
        came.when(reverse(6, "alice", 30, None, false)).declined_as(Decline::NotReversible);
        came.when(reverse(6, "alice", 30, Some("1"), false)).declined_as(Decline::NotReversible);
        came.when(release(6, "alice", 30)).declined_as(Decline::HoldAlreadySettled);
    }
}
