//! A restored copy of a ledger has an original that may have paid already what the copy finds open.

use bookonce::clerk::rule::Ruling;
use bookonce::domain::account::decline::Decline;
use bookonce::domain::ids::{Id, Step};
use bookonce::domain::transfer::call::{Call, Means, Said};
use bookonce::domain::transfer::command::{StallCode, TransferOperation};
use bookonce::domain::transfer::payout::Repeat;
use bookonce::domain::transfer::steps::{Ask, Reply, Steps};
use bookonce::domain::transfer::todo::{Todo, todo};

use crate::stream::{NOW, accounts, request, transfer_id};

/// Seen failing with the end as `declined`, whatever the original had paid.
#[test]
fn a_hold_that_the_copy_declines_does_not_end_what_the_original_may_have_paid() {
    let mut stream = accounts(true);
    let ruling = stream.rule(Id::Client(transfer_id()), request("alice", "@external:acme"), NOW);
    assert!(matches!(ruling, Ruling::Booked(_)), "{ruling:?}");
    let transfer = stream.transfer().unwrap();
    let mut steps = Steps::default();
    steps.calls.means =
        Some(Means { repeat: Repeat::SameKey, can_ask: true, can_cancel: true, ask_for_seconds: 10 });
    steps.learn(Ask::Hold, Reply::Declined(Decline::InsufficientFunds));
    let now = NOW.plus_seconds(1);
    let next = todo(transfer, &steps, now);
    assert!(matches!(next, Todo::Record(_, TransferOperation::End { .. })), "{next:?}");
    steps.calls.is_sent_elsewhere = true;
    let Todo::Record(_, TransferOperation::Stall { stall, .. }) = todo(transfer, &steps, now) else {
        panic!("an operator is to be called");
    };
    assert_eq!((stall.step, stall.code), (Step::Hold, StallCode::Restored));
}

/// Guards against: a hold that a restored copy releases because it was stopped there, though its original may have paid. The
/// simulation has found it.
#[test]
fn what_is_stopped_in_the_copy_is_not_released_before_its_provider_was_asked() {
    let mut stream = accounts(true);
    let ruling = stream.rule(Id::Client(transfer_id()), request("alice", "@external:acme"), NOW);
    assert!(matches!(ruling, Ruling::Booked(_)), "{ruling:?}");
    let late = NOW.plus_seconds(90_000);
    let ruling = stream.rule(Id::first_of(transfer_id(), Step::Timeout), TransferOperation::TimeOut, late);
    assert!(matches!(ruling, Ruling::Booked(_)), "{ruling:?}");
    let transfer = stream.transfer().unwrap();
    let mut steps = Steps::default();
    let means = Means { repeat: Repeat::SameKey, can_ask: true, can_cancel: true, ask_for_seconds: 10 };
    steps.calls.means = Some(means);
    assert_eq!(todo(transfer, &steps, late), Todo::Ask(Ask::Release(1)));
    steps.calls.is_sent_elsewhere = true;
    for call in [Call::Cancel, Call::Ask] {
        assert_eq!(todo(transfer, &steps, late), Todo::Call(call));
        steps.calls.learn(call, Said::Unknown);
    }
    let Todo::Record(_, TransferOperation::Stall { stall, .. }) = todo(transfer, &steps, late) else {
        panic!("an operator is to be called");
    };
    assert_eq!((stall.step, stall.code), (Step::Payout, StallCode::Restored));
}
