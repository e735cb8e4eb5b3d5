//! These tests hold the rules one by one: given what happened, when a command comes, then this is recorded, or nothing
//! is.

#[path = "support/given.rs"]
mod given;
mod support;

use bookonce::domain::account::decline::Decline;
use bookonce::domain::account::event::Fact;
use bookonce::domain::command::Operation;
use bookonce::domain::decide::Refusal;
use bookonce::domain::ids::CounterAccount;
use bookonce::domain::money::Direction;
use given::*;
use support::*;

const LARGEST: &str = "1000000000000000";

// ---- opening

#[test]
fn an_account_opens_once() {
    given([]).when(open_with(1, "alice", "EUR", "50")).accepted_with("0.00", "50.00");
    given([opened()]).when(open(2, "alice")).refused_as(Refusal::AccountExists);
    given([opened(), closed(2)]).when(open(3, "alice")).refused_as(Refusal::AccountExists);
}

#[test]
fn an_overdraft_limit_has_the_currencys_decimals() {
    given([]).when(open_with(1, "alice", "JPY", "50.0")).refused_for("overdraft_limit");
    given([]).when(open_with(1, "alice", "KWD", "50.125")).accepted_with("0.000", "50.125");
    given_in("JPY", [opened()]).when(set_limit(2, "alice", "0.5")).refused_for("overdraft_limit");
}

#[test]
fn nothing_happens_to_an_account_that_was_never_opened() {
    let commands = [
        deposit(2, "alice", "1"),
        withdraw(2, "alice", "1"),
        reverse(2, "alice", 3, None, false),
        reverse(2, "alice", 3, Some("1"), true),
        freeze(2, "alice"),
        unfreeze(2, "alice"),
        close(2, "alice"),
        set_limit(2, "alice", "1"),
        // Not even for what the clock or a currency would show.
        dated(deposit(2, "alice", "1.2345"), NOW.plus_seconds(9_999)),
    ];
    for command in commands {
        given([]).when(command).refused_as(Refusal::AccountNotFound);
    }
}

// ---- deposits and withdrawals

#[test]
fn a_deposit_moves_money_in_from_cash() {
    let deposited = || given([opened()]).when(deposit(2, "alice", "40"));
    let body = deposited().then(Fact::Deposited(movement(eur("40"))));
    let entries = body.entries().unwrap();
    assert_eq!((entries.guarded, entries.counter_account.as_str()), (eur("40").money(), "@cash"));
    assert_eq!((deposited().event().revision, body.effective_at), (1, NOW));
}

#[test]
fn a_withdrawal_moves_money_out_to_the_account_that_it_names() {
    let mut command = withdraw(3, "alice", "40.00");
    let Operation::Withdraw(asked) = &mut command.operation else { unreachable!() };
    asked.counter_account = CounterAccount::parse("@fees").unwrap();
    let event = given([opened(), deposited(2, "100")]).when(command).accepted_with("60.00", "60.00");
    let entries = event.entries().unwrap();
    assert_eq!(
        (entries.guarded, entries.counter_account.as_str()),
        (eur("40").toward(Direction::Debit), "@fees")
    );
}

#[test]
fn an_account_goes_down_to_its_overdraft_limit_and_not_a_cent_further() {
    let rich = || given([opened(), deposited(2, "100")]);
    rich().when(withdraw(3, "alice", "100")).accepted_with("0.00", "0.00");
    rich().when(withdraw(3, "alice", "100.01")).declined_as(Decline::InsufficientFunds);
    let overdrawn = || given([opened_with("50"), withdrawn(2, "30")]);
    overdrawn().when(withdraw(3, "alice", "20")).accepted_with("-50.00", "0.00");
    overdrawn().when(withdraw(3, "alice", "20.01")).declined_as(Decline::InsufficientFunds);
}

#[test]
fn a_limit_below_what_is_overdrawn_lets_nothing_out_and_everything_in() {
    given([opened_with("50"), withdrawn(2, "30")])
        .when(set_limit(3, "alice", "10"))
        .accepted_with("-30.00", "-20.00");
    let lowered = || given([opened_with("10"), withdrawn(2, "30")]);
    lowered().when(withdraw(4, "alice", "0.01")).declined_as(Decline::InsufficientFunds);
    lowered().when(deposit(4, "alice", "0.01")).accepted_with("-29.99", "-19.99");
}

#[test]
fn a_balance_grows_to_ten_to_the_fifteenth_and_not_a_cent_further() {
    given([opened()])
        .when(deposit(2, "alice", LARGEST))
        .accepted_with("1000000000000000.00", "1000000000000000.00");
    let full = || given([opened(), deposited(2, LARGEST)]);
    full().when(deposit(3, "alice", "0.01")).declined_as(Decline::BalanceTooLarge);
    let nearly = || given([opened(), deposited(2, LARGEST), withdrawn(3, "0.01")]);
    nearly().when(deposit(4, "alice", "0.01")).accepted_with("1000000000000000.00", "1000000000000000.00");
    nearly().when(deposit(4, "alice", "0.02")).declined_as(Decline::BalanceTooLarge);
}

#[test]
fn amounts_have_the_currencys_decimals_and_are_never_rounded() {
    given_in("JPY", [opened()]).when(deposit(2, "alice", "1.0")).refused_for("amount");
    given_in("JPY", [opened()]).when(deposit(2, "alice", "5")).accepted_with("5", "5");
    given_in("KWD", [opened()]).when(deposit(2, "alice", "0.001")).accepted_with("0.001", "0.001");
    given_in("CLF", [opened()]).when(deposit(2, "alice", "0.0001")).accepted_with("0.0001", "0.0001");
    given([opened()]).when(deposit(2, "alice", "10.500")).refused_for("amount");
    given([opened()]).when(withdraw(2, "alice", "10.505")).refused_for("amount");
    given([opened(), deposited(2, "9")])
        .when(reverse(3, "alice", 2, Some("1.005"), false))
        .refused_for("amount");
}

#[test]
fn a_movement_may_be_long_past_and_at_most_five_minutes_ahead() {
    let at = |seconds| dated(deposit(2, "alice", "1"), NOW.plus_seconds(seconds));
    let body = given([opened()]).when(at(-30 * 365 * 86_400)).body();
    assert!(body.effective_at_given() && body.effective_at < NOW);
    let ahead = || given([opened()]).when(at(300));
    assert_eq!((ahead().body().effective_at, ahead().event().recorded_at), (NOW.plus_seconds(300), NOW));
    let late = bookonce::domain::time::Timestamp::from_micros(NOW.plus_seconds(300).micros() + 1);
    given([opened()]).when(dated(deposit(2, "alice", "1"), late)).refused_for("effective_at");
    given([opened()]).when(dated(withdraw(2, "alice", "1"), late)).refused_for("effective_at");
}

#[test]
fn a_declined_movement_keeps_the_whole_request_in_canonical_form() {
    let asked = dated(withdraw(2, "alice", "7"), NOW.plus_seconds(-5));
    let declined = || given([opened()]).when(asked.clone());
    let body = declined().declined_as(Decline::InsufficientFunds);
    assert_eq!(bookonce::domain::same::differences(&declined().event(), &asked), []);
    assert_eq!(body.effective_at, NOW.plus_seconds(-5));
    let Operation::Withdraw(kept) = body.request() else { panic!() };
    assert_eq!(kept.amount.to_string(), "7.00");
}

// ---- frozen and closed

#[test]
fn a_frozen_account_lets_nothing_out() {
    let account = || given([opened(), deposited(2, "100"), frozen(3)]);
    account().when(withdraw(4, "alice", "1")).declined_as(Decline::AccountFrozen);
    account().when(withdraw(4, "alice", "101")).declined_as(Decline::AccountFrozen);
}

#[test]
fn deposits_and_reversals_pass_a_freeze() {
    let account = || given([opened(), deposited(2, "100"), withdrawn(3, "40"), frozen(4)]);
    account().when(deposit(5, "alice", "1")).accepted_with("61.00", "61.00");
    account().when(reverse(5, "alice", 3, None, false)).accepted_with("100.00", "100.00");
    account().when(reverse(5, "alice", 2, Some("60"), false)).accepted_with("0.00", "0.00");
    account().when(reverse(5, "alice", 99, None, false)).accepted_with("60.00", "60.00");
    account().when(set_limit(5, "alice", "5")).accepted_with("60.00", "65.00");
}

#[test]
fn what_is_frozen_can_be_thawed_once() {
    given([opened()]).when(freeze(2, "alice")).then(Fact::Frozen(reason()));
    given([opened(), frozen(2)]).when(freeze(3, "alice")).declined_as(Decline::WrongState);
    given([opened(), frozen(2)]).when(unfreeze(3, "alice")).then(Fact::Unfrozen(reason()));
    given([opened()]).when(unfreeze(2, "alice")).declined_as(Decline::WrongState);
    given([opened(), frozen(2), unfrozen(3)]).when(unfreeze(4, "alice")).declined_as(Decline::WrongState);
    given([opened(), deposited(2, "1"), frozen(3), unfrozen(4)])
        .when(withdraw(5, "alice", "1"))
        .accepted_with("0.00", "0.00");
}

#[test]
fn an_account_closes_when_it_is_empty_frozen_or_not() {
    given([opened_with("10")]).when(close(2, "alice")).then(Fact::Closed(reason()));
    given([opened(), frozen(2)]).when(close(3, "alice")).then(Fact::Closed(reason()));
    given([opened(), deposited(2, "0.01")]).when(close(3, "alice")).declined_as(Decline::AccountNotEmpty);
    given([opened_with("1"), withdrawn(2, "0.01")])
        .when(close(3, "alice"))
        .declined_as(Decline::AccountNotEmpty);
}

#[test]
fn a_closed_account_refuses_all_but_preventions() {
    let account = || given([opened(), deposited(2, "5"), withdrawn(3, "5"), closed(4)]);
    let commands = [
        deposit(5, "alice", "1"),
        withdraw(5, "alice", "1"),
        reverse(5, "alice", 3, None, false),
        reverse(5, "alice", 2, Some("1"), true),
        reverse(5, "alice", 4, None, false),
        freeze(5, "alice"),
        unfreeze(5, "alice"),
        close(5, "alice"),
        set_limit(5, "alice", "1"),
    ];
    for command in commands {
        account().when(command).declined_as(Decline::AccountClosed);
    }
    let fact = Fact::Prevented { reverses: id(99), reason: reason(), force: false };
    account().when(reverse(5, "alice", 99, None, false)).then(fact);
}

// ---- reversals

#[test]
fn a_reversal_offsets_the_original_on_the_same_other_side() {
    let event = given([opened(), deposited(2, "100"), withdrawn(3, "40")])
        .when(reverse(4, "alice", 3, None, false))
        .accepted_with("100.00", "100.00");
    assert_eq!(event.entries().unwrap().guarded, eur("40").money());
    let event = given([opened(), deposited(2, "100")])
        .when(reverse(3, "alice", 2, None, false))
        .accepted_with("0.00", "0.00");
    assert_eq!(event.entries().unwrap().guarded, eur("100").toward(Direction::Debit));
}

#[test]
fn parts_can_be_taken_back_until_nothing_is_left() {
    let account = || {
        given([opened(), deposited(2, "100"), withdrawn(3, "40"), reversed(4, 3, "30", Direction::Credit)])
    };
    account().when(reverse(5, "alice", 3, Some("10"), false)).accepted_with("100.00", "100.00");
    account()
        .when(reverse(5, "alice", 3, Some("10.01"), false))
        .declined_as(Decline::ReversalExceedsOriginal);
    let rest = account().when(reverse(5, "alice", 3, None, false)).body();
    let Fact::Reversed { amount, partial, .. } = rest.fact else { panic!() };
    assert_eq!((amount, partial), (eur("10"), false), "no amount: all that is left");
    let done = || {
        given([opened(), deposited(2, "100"), withdrawn(3, "40"), reversed(4, 3, "40", Direction::Credit)])
    };
    done().when(reverse(5, "alice", 3, None, false)).declined_as(Decline::ReversalExceedsOriginal);
    done().when(reverse(5, "alice", 3, Some("0.01"), false)).declined_as(Decline::ReversalExceedsOriginal);
}

#[test]
fn a_deposit_that_was_spent_is_taken_back_only_by_force() {
    let account = || given([opened(), deposited(2, "100"), withdrawn(3, "40")]);
    account().when(reverse(4, "alice", 2, None, false)).declined_as(Decline::InsufficientFunds);
    account().when(reverse(4, "alice", 2, Some("60.01"), false)).declined_as(Decline::InsufficientFunds);
    account().when(reverse(4, "alice", 2, Some("60"), false)).accepted_with("0.00", "0.00");
    account().when(reverse(4, "alice", 2, None, true)).accepted_with("-40.00", "-40.00");
    let overdraft = given([opened_with("40"), deposited(2, "100"), withdrawn(3, "40")]);
    overdraft.when(reverse(4, "alice", 2, None, false)).accepted_with("-40.00", "0.00");
}

#[test]
fn force_passes_the_overdraft_limit_and_nothing_else() {
    let full = given([opened(), deposited(2, LARGEST), withdrawn(3, "5"), deposited(4, "5")]);
    full.when(reverse(5, "alice", 3, None, true)).declined_as(Decline::BalanceTooLarge);
    let account = || given([opened(), deposited(2, "5"), closed(3)]);
    account().when(reverse(4, "alice", 2, None, true)).declined_as(Decline::AccountClosed);
    let account = given([opened(), deposited(2, "5")]);
    account.when(reverse(4, "alice", 2, Some("6"), true)).declined_as(Decline::ReversalExceedsOriginal);
}

#[test]
fn only_an_accepted_movement_can_be_reversed() {
    let account = || {
        given([
            opened(),
            deposited(2, "100"),
            reversed(3, 2, "10", Direction::Debit),
            declined(4, Decline::InsufficientFunds),
            prevented(5, 90),
            declined(90, Decline::Prevented(id(5).into())),
            frozen(7),
        ])
    };
    for what in [1, 3, 4, 5, 90, 7] {
        account().when(reverse(8, "alice", what, None, false)).declined_as(Decline::NotReversible);
        account().when(reverse(8, "alice", what, Some("1"), true)).declined_as(Decline::NotReversible);
    }
}

// ---- preventions

#[test]
fn a_reversal_that_comes_before_its_original_prevents_it() {
    let fact = Fact::Prevented { reverses: id(99), reason: reason(), force: true };
    given([opened()]).when(reverse(2, "alice", 99, None, true)).then(fact);
    let ruled_out = || given([opened(), deposited(2, "5"), prevented(3, 99)]);
    for command in [
        withdraw(99, "alice", "1"),
        deposit(99, "alice", "1"),
        reverse(99, "alice", 2, None, false),
        reverse(99, "alice", 98, None, false),
        freeze(99, "alice"),
        unfreeze(99, "alice"),
        close(99, "alice"),
        set_limit(99, "alice", "1"),
    ] {
        ruled_out().when(command).declined_as(Decline::Prevented(id(3).into()));
    }
    ruled_out().when(withdraw(98, "alice", "1")).accepted_with("4.00", "4.00");
}

#[test]
fn a_second_prevention_of_the_same_exceeds_it() {
    let account = || given([opened(), prevented(2, 99)]);
    account().when(reverse(3, "alice", 99, None, false)).declined_as(Decline::ReversalExceedsOriginal);
    account().when(reverse(3, "alice", 99, None, true)).declined_as(Decline::ReversalExceedsOriginal);
}

#[test]
fn a_second_prevention_on_a_closed_account_is_declined_as_closed() {
    let account = given([opened(), prevented(2, 99), closed(3)]);
    account.when(reverse(4, "alice", 99, None, false)).declined_as(Decline::AccountClosed);
}

#[test]
fn what_a_partial_reversal_names_must_have_been_seen() {
    given([opened()])
        .when(reverse(2, "alice", 99, Some("1"), false))
        .refused_as(Refusal::TransactionNotFound);
    let ruled_out = given([opened(), prevented(2, 99)]);
    ruled_out.when(reverse(3, "alice", 99, Some("1"), false)).refused_as(Refusal::TransactionNotFound);
    let closed = given([opened(), closed(2)]);
    closed.when(reverse(3, "alice", 99, Some("1"), false)).refused_as(Refusal::TransactionNotFound);
}

#[test]
fn a_reversal_may_itself_be_prevented() {
    let account = || given([opened(), deposited(2, "5"), prevented(3, 4)]);
    account().when(reverse(4, "alice", 2, None, false)).declined_as(Decline::Prevented(id(3).into()));
    account().when(reverse(4, "alice", 77, None, false)).declined_as(Decline::Prevented(id(3).into()));
}

#[test]
fn a_reversal_names_another_transaction_than_itself() {
    given([opened()]).when(reverse(2, "alice", 2, None, false)).refused_for("reverses");
    given([opened(), closed(3)]).when(reverse(2, "alice", 2, Some("1"), true)).refused_for("reverses");
}

// ---- the order of checks

#[test]
fn not_found_comes_before_what_the_account_or_the_clock_shows() {
    let decimals = reverse(3, "alice", 99, Some("1.005"), false);
    given([opened()]).when(decimals).refused_as(Refusal::TransactionNotFound);
}

#[test]
fn what_is_wrong_with_a_request_comes_before_every_decline() {
    let account = || given([opened(), closed(2), prevented(3, 99)]);
    account().when(dated(deposit(99, "alice", "1"), NOW.plus_seconds(301))).refused_for("effective_at");
    account().when(withdraw(99, "alice", "0.001")).refused_for("amount");
    account().when(set_limit(99, "alice", "0.001")).refused_for("overdraft_limit");
    given([opened(), deposited(2, "5"), closed(3)])
        .when(reverse(4, "alice", 2, Some("0.001"), false))
        .refused_for("amount");
}

#[test]
fn closed_then_frozen_then_prevented_then_the_rest_then_funds() {
    let prevented_id = |account: Given| account.when(withdraw(99, "alice", "500")).body().decline().unwrap();
    let closed_and_ruled_out = given([opened(), frozen(2), prevented(3, 99), closed(4)]);
    assert_eq!(prevented_id(closed_and_ruled_out), Decline::AccountClosed);
    let frozen_and_ruled_out = given([opened(), prevented(2, 99), frozen(3)]);
    assert_eq!(prevented_id(frozen_and_ruled_out), Decline::AccountFrozen);
    let ruled_out = given([opened(), prevented(2, 99)]);
    assert_eq!(prevented_id(ruled_out), Decline::Prevented(id(2).into()));
    assert_eq!(prevented_id(given([opened()])), Decline::InsufficientFunds);

    // A deposit, a limit and a reversal pass the freeze and meet the prevention.
    let account = || given([opened(), deposited(2, "5"), prevented(3, 99), frozen(4)]);
    account().when(deposit(99, "alice", LARGEST)).declined_as(Decline::Prevented(id(3).into()));
    account().when(freeze(99, "alice")).declined_as(Decline::Prevented(id(3).into()));
    account().when(close(99, "alice")).declined_as(Decline::Prevented(id(3).into()));
    account().when(reverse(99, "alice", 1, None, false)).declined_as(Decline::Prevented(id(3).into()));

    // What is left of the original comes before funds.
    let spent = given([opened(), deposited(2, "5"), withdrawn(3, "5")]);
    spent.when(reverse(4, "alice", 2, Some("6"), false)).declined_as(Decline::ReversalExceedsOriginal);
}

#[test]
fn a_decline_says_how_the_account_stands() {
    let declined = || given([opened_with("10"), deposited(2, "5")]).when(withdraw(3, "alice", "99"));
    let answer = declined().declined_as(Decline::InsufficientFunds).answer;
    assert_eq!((answer.balance, answer.available), (eur("5").money(), eur("15").money()));
    assert_eq!(declined().event().revision, 2);
}

// ---- the same request, or another

#[test]
fn how_a_number_is_written_makes_no_difference() {
    let first = given([opened()]).when(deposit(2, "alice", "40")).event();
    let same = |command| bookonce::domain::same::differences(&first, &command);
    assert_eq!(same(deposit(2, "alice", "40.00")), []);
    assert_eq!(same(deposit(2, "alice", "40.0")), []);
}

#[test]
fn every_field_with_a_meaning_makes_a_difference_that_is_named() {
    let first = given([opened()]).when(deposit(2, "alice", "40")).event();
    let fields = |command| -> Vec<String> {
        bookonce::domain::same::differences(&first, &command).into_iter().map(|d| d.field).collect()
    };
    assert_eq!(fields(deposit(2, "alice", "41")), ["amount"]);
    assert_eq!(fields(deposit(2, "bob", "40")), ["account"]);
    assert_eq!(fields(withdraw(2, "alice", "40")), ["operation"]);
    assert_eq!(
        fields(dated(deposit(2, "alice", "40"), NOW)),
        ["effective_at"],
        "left out equals only left out"
    );
    let prevention = given([opened()]).when(reverse(3, "alice", 9, None, false)).event();
    let other = reverse(3, "alice", 9, Some("1"), true);
    let found = bookonce::domain::same::differences(&prevention, &other);
    assert_eq!(found.iter().map(|d| d.field.as_str()).collect::<Vec<_>>(), ["force", "amount"]);
    assert_eq!((found[1].first.clone(), found[1].now.clone()), (None, Some("1".into())));
}
