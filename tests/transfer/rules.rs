//! Given a transfer, when this comes, then that is decided.

use bookonce::clerk::rule::Ruling;
use bookonce::domain::decide::Refusal;
use bookonce::domain::ids::{Id, Step};
use bookonce::domain::transfer::command::{
    End, EndCode, Payout, Reported, Stall, StallCode, TransferOperation, Unmoved,
};
use bookonce::domain::transfer::stage::Stage;

use crate::stream::{NOW, Streams, accounts, request, requested, transfer_id};
use crate::support::{id, reason};

fn own(step: Step) -> Id {
    Id::Step { of: transfer_id(), step, attempt: 1 }
}

/// A command comes with an ID that is new; `Ok` is the code of a recorded decline, or the state after what is recorded.
fn when(stream: &mut Streams, n: u128, operation: TransferOperation) -> Result<&'static str, Refusal> {
    outcome(stream, Id::Client(id(n)), operation, 1)
}

fn outcome(
    stream: &mut Streams,
    id: Id,
    operation: TransferOperation,
    after: i64,
) -> Result<&'static str, Refusal> {
    match stream.rule(id, operation, NOW.plus_seconds(after)) {
        Ruling::Booked(event) => {
            let body = event.transfer().unwrap();
            assert_eq!(
                Some(body.state),
                stream.transfer().map(|transfer| transfer.stage),
                "the answer tells the fold"
            );
            Ok(event.decline_code().unwrap_or(body.state.name()))
        }
        Ruling::Refused(refusal) => Err(refusal),
        ruling => panic!("{ruling:?}"),
    }
}

fn cancel() -> TransferOperation {
    TransferOperation::Cancel(reason())
}

fn completed() -> TransferOperation {
    TransferOperation::End { end: End::Completed, seen: 0 }
}

#[test]
fn a_transfer_needs_two_accounts_of_one_currency() {
    let asked = |from, to| {
        let mut stream = accounts(true);
        outcome(&mut stream, Id::Client(transfer_id()), request(from, to), 0)
    };
    assert_eq!(asked("alice", "bob"), Ok("under_way"));
    assert_eq!(asked("nobody", "bob"), Err(Refusal::AccountNotFound));
    assert_eq!(asked("alice", "nobody"), Err(Refusal::AccountNotFound));
    assert_eq!(asked("alice", "@external:acme"), Ok("under_way"));
    for to in ["carol", "alice"] {
        assert!(matches!(asked("alice", to), Err(Refusal::Invalid { field: "to", .. })), "{to}");
    }
}

#[test]
fn a_cancel_counts_until_something_else_has_stopped_or_ended_it() {
    assert_eq!(when(&mut requested(), 2, cancel()), Ok("stopping"));
    let mut stream = requested();
    assert_eq!(outcome(&mut stream, own(Step::Timeout), TransferOperation::TimeOut, 60), Ok("stopping"));
    assert_eq!(when(&mut stream, 2, cancel()), Ok("wrong_state"));
    let mut stream = requested();
    assert_eq!(outcome(&mut stream, own(Step::End), completed(), 1), Ok("completed"));
    assert_eq!(when(&mut stream, 2, cancel()), Ok("transfer_ended"));
    assert_eq!(when(&mut Streams::default(), 2, cancel()), Err(Refusal::TransferNotFound));
}

/// Guards against: a deadline that is taken from another clock than the one that records.
#[test]
fn a_timeout_is_never_early_and_never_after_the_end() {
    let mut stream = requested();
    let time_out = || TransferOperation::TimeOut;
    assert_eq!(outcome(&mut stream, own(Step::Timeout), time_out(), 59), Err(Refusal::Stale));
    assert_eq!(outcome(&mut stream, own(Step::Timeout), time_out(), 60), Ok("stopping"));
    let mut stream = requested();
    assert_eq!(outcome(&mut stream, own(Step::End), completed(), 1), Ok("completed"));
    assert_eq!(outcome(&mut stream, own(Step::Timeout), time_out(), 60), Err(Refusal::Stale));
}

#[test]
fn an_end_comes_once_and_only_where_the_table_has_it() {
    let mut stream = requested();
    let cancelled = |seen| TransferOperation::End { end: End::Unmoved(Unmoved::Cancelled), seen };
    assert_eq!(outcome(&mut stream, own(Step::End), cancelled(0), 1), Err(Refusal::Stale));
    let timed_out = Unmoved::Compensated { step: None, code: EndCode::TIMED_OUT };
    let mut stream = requested();
    assert_eq!(when(&mut stream, 2, cancel()), Ok("stopping"));
    assert_eq!(
        outcome(&mut stream, own(Step::End), cancelled(0), 1),
        Err(Refusal::Stale),
        "it was seen before"
    );
    assert_eq!(outcome(&mut stream, own(Step::End), cancelled(1), 1), Ok("cancelled"));
    let again = TransferOperation::End { end: End::Unmoved(timed_out), seen: 2 };
    let other = Id::Step { of: transfer_id(), step: Step::End, attempt: 2 };
    assert_eq!(outcome(&mut stream, other, again, 61), Err(Refusal::Stale));
}

#[test]
fn an_operator_is_needed_only_where_the_service_stalled() {
    let stall =
        TransferOperation::Stall { stall: Stall { step: Step::Capture, code: StallCode::Declined }, seen: 3 };
    let (retry, abandon) = (TransferOperation::Retry(reason()), TransferOperation::Abandon(reason()));
    let mut stream = requested();
    assert_eq!(when(&mut stream, 2, retry.clone()), Ok("wrong_state"));
    assert_eq!(when(&mut stream, 3, abandon.clone()), Ok("wrong_state"));
    assert_eq!(when(&mut stream, 4, cancel()), Ok("stopping"));
    assert_eq!(outcome(&mut stream, own(Step::Stall), stall, 1), Ok("needs_operator"));
    assert_eq!(when(&mut stream, 5, cancel()), Ok("wrong_state"));
    assert_eq!(when(&mut stream, 6, abandon.clone()), Ok("abandoned"));
    assert_eq!(when(&mut stream, 7, abandon), Ok("wrong_state"));
    assert_eq!(when(&mut stream, 8, retry), Ok("stopping"));
    assert_eq!(stream.transfer().unwrap().stage, Stage::Stopping);
}

#[test]
fn the_outcome_of_a_payout_has_no_place_in_a_transfer_between_accounts() {
    let reported = Reported { outcome: Payout::Done, amount: None, reference: None, reason: reason() };
    let reported = TransferOperation::Outcome(Box::new(reported));
    assert_eq!(when(&mut requested(), 2, reported), Ok("wrong_state"));
}
