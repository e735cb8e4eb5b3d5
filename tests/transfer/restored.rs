//! A restored copy of a ledger has an original that may have paid already what the copy finds open.

use bookonce::clerk::rule::Ruling;
use bookonce::domain::account::decline::Decline;
use bookonce::domain::ids::{Id, Step};
use bookonce::domain::transfer::call::Means;
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
