//! This story is told by the frozen history of payouts: each way to each end, what providers say of them, and what operators
//! do. The clock goes on by a minute and a second with each batch.

use bookonce::domain::command::Command;
use bookonce::domain::ids::{Id, Step};
use bookonce::domain::money::WrittenAmount;
use bookonce::domain::transfer::command::{
    End, EndCode, Label, Payout, Reported, StallCode, TransferOperation, Unmoved,
};
use bookonce::domain::transfer::payout::{LearntBy, Repeat, Sending, Settlement};

use crate::holds::step;
use crate::support::*;
use crate::transfers::*;

/// A transfer from alice to a provider that pays a key once and can cancel.
fn outside(of: u128, amount: &str) -> Between<'_> {
    Between { of, from: "alice", to: "@external:acme", amount }
}

/// The payout is about to be sent.
fn sent(of: u128, repeat: Repeat, cancellable: bool) -> Command {
    let label = |text: &str| Label::parse(text).unwrap();
    let sending =
        Sending { provider: label("acme"), repeat, cancellable, claim: label(&format!("claim-{of}")) };
    own(of, step(of, Step::Payout), TransferOperation::Send(Box::new(sending)))
}

fn said(outcome: Payout, learnt_by: LearntBy, amount: Option<&str>) -> Box<Settlement> {
    let amount = amount.map(|amount| WrittenAmount::parse(amount).unwrap());
    let (reference, code) = match outcome {
        Payout::Done => (Label::parse("ref \"7\""), None),
        Payout::Declined => (None, Label::parse("E7")),
    };
    Box::new(Settlement { outcome, learnt_by, amount, reference, code, reason: None })
}

fn settled(of: u128, outcome: Payout, learnt_by: LearntBy) -> Command {
    own(of, step(of, Step::Settle), TransferOperation::Settle(said(outcome, learnt_by, None)))
}

fn paid_in_part(of: u128, amount: &str) -> Command {
    let said = said(Payout::Done, LearntBy::Reply, Some(amount));
    own(of, step(of, Step::Settle), TransferOperation::Settle(said))
}

fn contradicted(of: u128, attempt: u32, outcome: Payout, seen: u64) -> Command {
    let what = Id::Step { of: id(of), step: Step::Contradiction, attempt };
    own(of, what, TransferOperation::Contradict { said: said(outcome, LearntBy::Status, None), seen })
}

/// It was not paid.
fn not_paid(of: u128, seen: u64) -> Command {
    let unmoved = Unmoved::Compensated { step: None, code: EndCode::PAYOUT_DECLINED };
    end(of, End::Unmoved(unmoved), seen)
}

/// An operator says what became of a payout.
fn operator(n: u128, of: u128, outcome: Payout, amount: Option<&str>) -> Command {
    let amount = amount.map(|amount| WrittenAmount::parse(amount).unwrap());
    let reported = Reported { outcome, amount, reference: Label::parse("slip 9"), reason: reason() };
    asked(n, of, TransferOperation::Outcome(Box::new(reported)))
}

/// Tells what became of payouts.
pub fn payouts() -> Vec<Vec<Command>> {
    let (done, part, declined_there) = (outside(300, "10.00"), outside(301, "11.00"), outside(302, "12.00"));
    let (asked_about, cancelled_there) = (outside(303, "13.00"), outside(304, "14.00"));
    let (never_sent, cancelled_late) = (outside(305, "15.00"), outside(306, "16.00"));
    let (told, restored) = (outside(307, "17.00"), outside(308, "18.00"));
    let (after_the_end, before_the_end) = (outside(309, "19.00"), outside(310, "20.00"));
    let (left, poor) = (outside(311, "21.00"), outside(312, "9999.00"));
    vec![
        vec![open_with(1, "alice", "EUR", "50"), deposit(2, "alice", "300")],
        vec![done.request(600), done.hold(), sent(300, Repeat::SameKey, true)],
        vec![settled(300, Payout::Done, LearntBy::Reply), done.capture(), completed(300, 2)],
        // A part was dispensed: it is captured, and the rest released.
        vec![part.request(600), part.hold(), sent(301, Repeat::Never, false), paid_in_part(301, "4.00")],
        vec![Between { amount: "4.00", ..part }.capture(), completed(301, 2)],
        vec![declined_there.request(600), declined_there.hold(), sent(302, Repeat::SameKey, true)],
        vec![settled(302, Payout::Declined, LearntBy::Reply), declined_there.release(), not_paid(302, 2)],
        vec![poor.request(600), poor.hold(), declined(312, "insufficient_funds", 0)],
        // Past the deadline it is asked about, or cancelled; one that was not sent is released.
        vec![asked_about.request(60), asked_about.hold(), sent(303, Repeat::Never, false)],
        vec![cancel(20, 303), time_out(303), settled(303, Payout::Done, LearntBy::Status)],
        vec![asked_about.capture(), completed(303, 4)],
        vec![cancelled_there.request(60), cancelled_there.hold(), sent(304, Repeat::SameKey, true)],
        vec![time_out(304), settled(304, Payout::Declined, LearntBy::Cancel), cancelled_there.release()],
        vec![too_late(304, 3), never_sent.request(60), never_sent.hold()],
        vec![time_out(305), never_sent.release(), too_late(305, 1)],
        // A client cancels it while it may be under way; the provider had it cancelled.
        vec![cancelled_late.request(600), cancelled_late.hold(), sent(306, Repeat::SameKey, true)],
        vec![cancel(21, 306), settled(306, Payout::Declined, LearntBy::Cancel), cancelled_late.release()],
        vec![cancelled(306, 3)],
        // Nobody could tell, and an operator knows.
        vec![told.request(60), told.hold(), sent(307, Repeat::Never, false)],
        vec![time_out(307), stall(307, 1, Step::Payout, StallCode::OutcomeUnknown, 2)],
        vec![operator(22, 307, Payout::Done, Some("5.00")), Between { amount: "5.00", ..told }.capture()],
        vec![completed(307, 4), operator(23, 307, Payout::Declined, None)],
        // The ledger was restored: what the original sent is not known.
        vec![restored.request(600), restored.hold(), stall(308, 1, Step::Payout, StallCode::Restored, 0)],
        vec![operator(24, 308, Payout::Declined, None), restored.release(), not_paid(308, 2)],
        // The provider says otherwise than it did: after the end, and before it.
        vec![after_the_end.request(600), after_the_end.hold(), sent(309, Repeat::SameKey, true)],
        vec![settled(309, Payout::Done, LearntBy::Reply), after_the_end.capture(), completed(309, 2)],
        vec![contradicted(309, 1, Payout::Declined, 3), retry(25, 309), abandon(26, 309)],
        vec![before_the_end.request(600), before_the_end.hold(), sent(310, Repeat::SameKey, true)],
        vec![settled(310, Payout::Done, LearntBy::Reply), contradicted(310, 1, Payout::Declined, 2)],
        vec![retry(27, 310), before_the_end.capture(), completed(310, 4)],
        // One is left as it is, sent and not settled.
        vec![left.request(60), left.hold(), sent(311, Repeat::Never, false)],
        vec![time_out(311), stall(311, 1, Step::Payout, StallCode::OutcomeUnknown, 2), abandon(28, 311)],
    ]
}
