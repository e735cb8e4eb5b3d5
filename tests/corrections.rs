//! These tests hold the rules of corrections: given what happened, when a correction comes, then this is recorded, or
//! nothing is.
//!
//! Seen failing: with a decision that compares no revision, with one that does not ask whether what is corrected was booked,
//! and with a retry that is compared with the amount that was worked out.

#[path = "support/given.rs"]
mod given;
#[path = "support/given_holds.rs"]
mod given_holds;
#[path = "support/holds.rs"]
mod holds;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bookonce::domain::account::corrected::{AskedChange, Corrected};
use bookonce::domain::account::decline::Decline;
use bookonce::domain::account::event::Fact;
use bookonce::domain::command::Command;
use bookonce::domain::decide::Refusal;
use bookonce::domain::event::Event;
use bookonce::domain::ids::Id;
use bookonce::domain::money::Direction;
use bookonce::domain::same::differences;
use bookonce::domain::time::Timestamp;
use bookonce::ledger::Verdict;
use given::*;
use given_holds::{expired, held, held_until};
use holds::hold;
use support::*;

const LARGEST: &str = "1000000000000000";

/// Returns an account with 100.00 euros, whose last event has the revision 1.
fn rich() -> Given {
    given([opened(), deposited(2, "100")])
}

// ---- what is moved

#[test]
fn a_balance_is_made_what_it_should_be() {
    let event = rich().when(naming(correct_to(3, "alice", "120.5", 1), &[2])).body();
    let fact = Fact::Corrected(Box::new(Corrected {
        amount: eur("20.50"),
        direction: Direction::Credit,
        asked: AskedChange::To { balance: money("120.50", event.currency), expected_revision: 1 },
        reason: reason(),
        corrects: vec![id(2)],
        force: false,
    }));
    assert_eq!(event.fact, fact);
    let entries = event.entries().unwrap();
    assert_eq!((entries.guarded, entries.counter_account.as_str()), (eur("20.5").money(), "@corrections"));
    assert_eq!(event.effective_at, NOW);
    rich().when(correct_to(3, "alice", "0", 1)).accepted_with("0.00", "0.00");
    given([opened_with("50")]).when(correct_to(2, "alice", "-50", 0)).accepted_with("-50.00", "0.00");
}

#[test]
fn an_amount_is_moved_whatever_the_balance_is() {
    rich().when(correct_by(3, "alice", "20")).accepted_with("120.00", "120.00");
    let event = rich().when(dated(correct_by(3, "alice", "-99.99"), NOW.plus_seconds(-60))).body();
    assert_eq!(event.answer.balance.to_string(), "0.01");
    assert_eq!(event.effective_at, NOW.plus_seconds(-60));
    assert!(event.effective_at_given());
}

#[test]
fn money_has_the_currencys_decimals() {
    let yen = || given_in("JPY", [opened(), deposited(2, "100")]);
    yen().when(correct_to(3, "alice", "99.0", 1)).refused_for("balance");
    yen().when(correct_by(3, "alice", "1.0")).refused_for("amount");
    yen().when(correct_to(3, "alice", "99", 1)).accepted_with("99", "99");
}

#[test]
fn no_correction_moves_nothing_or_more_than_the_largest_amount() {
    rich().when(correct_to(3, "alice", "100", 1)).refused_for("balance");
    let deep = || given([opened_with(LARGEST), withdrawn(2, LARGEST)]);
    deep().when(correct_to(3, "alice", "0", 1)).accepted_with("0.00", "1000000000000000.00");
    deep().when(correct_to(3, "alice", "0.01", 1)).refused_for("balance");
}

// ---- what was seen before

#[test]
fn what_was_booked_since_the_operator_looked_is_never_corrected_away() {
    for expected in [0, 2, u64::MAX] {
        rich()
            .when(correct_to(3, "alice", "0", expected))
            .refused_as(Refusal::AccountChanged { revision: 1 });
    }
    // A decline is an event, too.
    let since = given([opened(), deposited(2, "100"), declined(3, Decline::InsufficientFunds)]);
    since.when(correct_to(4, "alice", "0", 1)).refused_as(Refusal::AccountChanged { revision: 2 });
    let expecting = |expected: u64| {
        with_asked(correct_by(3, "alice", "1"), |asked| {
            if let bookonce::domain::command::BalanceChange::By { expected_revision, .. } = &mut asked.change
            {
                *expected_revision = Some(expected);
            }
        })
    };
    rich().when(expecting(0)).refused_as(Refusal::AccountChanged { revision: 1 });
    rich().when(expecting(1)).accepted_with("101.00", "101.00");
}

#[test]
fn what_it_corrects_was_booked() {
    rich().when(naming(correct_by(3, "alice", "1"), &[2, 1])).accepted_with("101.00", "101.00");
    rich().when(naming(correct_by(3, "alice", "1"), &[2, 9])).refused_as(Refusal::TransactionNotFound);
    let ruled_out = || given([opened(), deposited(2, "100"), prevented(4, 99)]);
    ruled_out().when(naming(correct_by(5, "alice", "1"), &[99])).refused_as(Refusal::TransactionNotFound);
    ruled_out().when(naming(correct_by(5, "alice", "1"), &[4])).accepted_with("101.00", "101.00");
    let declined = given([opened(), declined(2, Decline::InsufficientFunds)]);
    declined.when(naming(correct_by(3, "alice", "1"), &[2])).accepted_with("1.00", "1.00");
    rich().when(naming(correct_by(3, "alice", "1"), &[2, 3])).refused_for("corrects");
}

/// The order is: the account, what it corrects, the revision, then what the account and the clock show, then declines.
#[test]
fn the_first_check_that_fails_makes_the_outcome() {
    let unbooked = |command| naming(command, &[9]);
    given([]).when(unbooked(correct_to(3, "alice", "0", 7))).refused_as(Refusal::AccountNotFound);
    let shut = || given([opened(), deposited(2, "1"), withdrawn(3, "1"), closed(4)]);
    shut().when(unbooked(correct_to(5, "alice", "0", 7))).refused_as(Refusal::TransactionNotFound);
    shut().when(correct_to(5, "alice", "0.001", 7)).refused_as(Refusal::AccountChanged { revision: 3 });
    shut().when(correct_to(5, "alice", "0", 3)).refused_for("balance");
    let tomorrow = NOW.plus_seconds(86_400);
    shut().when(dated(correct_by(5, "alice", "0.001"), tomorrow)).refused_for("effective_at");
    shut().when(correct_by(5, "alice", "-9")).declined_as(Decline::AccountClosed);
    let frozen = || given([opened(), prevented(2, 5), frozen(3)]);
    frozen().when(correct_by(5, "alice", "-9")).declined_as(Decline::Prevented(Id::Client(id(2))));
    frozen().when(correct_by(6, "alice", "-9")).declined_as(Decline::InsufficientFunds);
}

// ---- declines

#[test]
fn a_debit_obeys_the_overdraft_limit_unless_it_is_forced() {
    rich().when(correct_by(3, "alice", "-100.01")).declined_as(Decline::InsufficientFunds);
    rich().when(correct_to(3, "alice", "-0.01", 1)).declined_as(Decline::InsufficientFunds);
    rich().when(forced(correct_by(3, "alice", "-100.01"))).accepted_with("-0.01", "-0.01");
    rich().when(forced(correct_to(3, "alice", "-7", 1))).accepted_with("-7.00", "-7.00");
}

#[test]
fn a_debit_obeys_open_holds_unless_it_is_forced() {
    let holding = || given([opened(), deposited(2, "100"), held(3, "70")]);
    holding().when(correct_by(4, "alice", "-30.01")).declined_as(Decline::InsufficientFunds);
    holding().when(correct_to(4, "alice", "69.99", 2)).declined_as(Decline::InsufficientFunds);
    holding().when(correct_by(4, "alice", "-30")).accepted_with("70.00", "0.00");
    holding().when(forced(correct_to(4, "alice", "60", 2))).accepted_with("60.00", "-10.00");
    holding().when(correct_by(4, "alice", "5")).accepted_with("105.00", "35.00");
}

/// What comes due is booked before the correction is decided, also where the correction is then refused.
#[test]
fn a_due_expiry_changes_the_account_under_a_correction() {
    let due = || given([opened(), deposited(2, "100"), held_until(3, "70", 0)]);
    due()
        .when(correct_to(4, "alice", "20", 2))
        .after_expiry_of([3])
        .refused_as(Refusal::AccountChanged { revision: 3 });
    due().when(correct_to(4, "alice", "20", 3)).after_expiry_of([3]).accepted_with("20.00", "20.00");
    let over = given([opened(), deposited(2, "100"), held_until(3, "70", -1), expired(3, "70")]);
    over.when(naming(correct_by(5, "alice", "-100"), &[3])).accepted_with("0.00", "0.00");
}

#[test]
fn a_credit_never_passes_the_largest_balance() {
    let full = || given([opened(), deposited(2, LARGEST)]);
    full().when(forced(correct_by(3, "alice", "0.01"))).declined_as(Decline::BalanceTooLarge);
}

#[test]
fn a_correction_passes_a_freeze() {
    let frozen = || given([opened(), deposited(2, "100"), frozen(3)]);
    frozen().when(correct_by(4, "alice", "-1")).accepted_with("99.00", "99.00");
    frozen().when(correct_by(4, "alice", "1")).accepted_with("101.00", "101.00");
}

#[test]
fn a_correction_is_not_reversed_but_corrected_again() {
    let corrected = || given([opened(), corrected(2, "5")]);
    corrected().when(reverse(3, "alice", 2, None, true)).declined_as(Decline::NotReversible);
    corrected().when(naming(correct_to(3, "alice", "0", 1), &[2])).accepted_with("0.00", "0.00");
    let reversible = given([opened(), deposited(2, "5"), corrected_of(3)]);
    reversible.when(reverse(4, "alice", 2, None, false)).accepted_with("5.00", "5.00");
}

fn corrected_of(n: u128) -> Past {
    corrected(n, "5")
}

// ---- the same request again

#[test]
fn a_retry_is_compared_with_what_was_asked_and_not_with_what_was_worked_out() {
    let first: Event = rich().when(naming(correct_to(3, "alice", "120.50", 1), &[2, 1])).event();
    let again = naming(correct_to(3, "alice", "120.5", 1), &[2, 1]);
    assert_eq!(differences(&first, &again), []);
    let fields = |command| {
        let found = differences(&first, &command);
        found.into_iter().map(|found| found.field).collect::<Vec<_>>()
    };
    assert_eq!(fields(naming(correct_to(3, "alice", "120.5", 2), &[2, 1])), ["expected_revision"]);
    assert_eq!(fields(naming(correct_to(3, "alice", "120", 1), &[2, 1])), ["balance"]);
    assert_eq!(fields(correct_to(3, "alice", "120.5", 1)), ["corrects"]);
    assert_eq!(fields(forced(naming(correct_to(3, "alice", "120.5", 1), &[2, 1]))), ["force"]);
    let by = naming(correct_by(3, "alice", "20.50"), &[2, 1]);
    assert_eq!(fields(by), ["balance", "expected_revision", "amount", "direction"]);
    let declined = rich().when(correct_to(3, "alice", "-1.0", 1)).event();
    assert_eq!(differences(&declined, &correct_to(3, "alice", "-1", 1)), []);
}

// ---- on a ledger

/// A hold's time is over when an operator's correction comes: its expiry is booked, and the operator is told to look again.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_books_what_is_due_and_then_says_that_the_account_has_changed() {
    let dir = tempfile::tempdir().unwrap();
    let seconds = Arc::new(AtomicI64::new(1_795_226_400));
    let now = Arc::clone(&seconds);
    let clock = Arc::new(move || Timestamp::from_micros(now.load(Ordering::SeqCst) * 1_000_000));
    let ledger = open_ledger_at(dir.path(), clock).unwrap();
    let ask = async |command: Command| ledger.execute(vec![command]).await.unwrap().remove(0);
    for command in [open(1, "alice"), deposit(2, "alice", "100"), hold(3, "alice", "70")] {
        assert!(matches!(ask(command).await, Verdict::Booked(..)));
    }
    // Revision 2 is that of the hold.
    let correction = |expected| naming(correct_to(4, "alice", "20", expected), &[2, 3]);
    let Verdict::Booked(declined, _) = ask(correct_to(5, "alice", "20", 2)).await else { panic!() };
    assert_eq!(declined.decline(), Some(Decline::InsufficientFunds));
    seconds.fetch_add(60, Ordering::SeqCst);
    let Verdict::Refused(refusal) = ask(correction(3)).await else { panic!() };
    assert_eq!(refusal, Refusal::AccountChanged { revision: 4 });
    let Verdict::Booked(event, _) = ask(correction(4)).await else { panic!() };
    let answer = event.account().unwrap().answer;
    assert_eq!(
        (event.revision, answer.balance.to_string(), answer.available.to_string()),
        (5, "20.00".into(), "20.00".into())
    );
    let history = ledger.transaction(id(3)).await.unwrap().unwrap();
    assert_eq!(history.corrections.iter().map(|placed| placed.event.id).collect::<Vec<_>>(), [id(4)]);
    store::stop(&ledger);
}
