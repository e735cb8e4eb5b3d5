//! These are transfers in few words: what is asked of them, their steps, and what the service records of them.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::Arc;

use bookonce::domain::command::{Command, Operation, Stopped};
use bookonce::domain::ids::{Id, Step};
use bookonce::domain::metadata::{Metadata, Origin, SERVICE};
use bookonce::domain::money::WrittenAmount;
use bookonce::domain::payee::Payee;
use bookonce::domain::stream::StreamName;
use bookonce::domain::transfer::command::{
    End, EndCode, Payout, Reported, Requesting, Stall, StallCode, TimeoutSeconds, TransferOperation, Unmoved,
};

use crate::holds::{rule_out, step, transfer_capture, transfer_credit, transfer_hold, transfer_release};
use crate::support::{command, id, name, reason};

/// Asks something of a transfer, under an ID of the client's.
pub fn asked(n: u128, of: u128, operation: TransferOperation) -> Command {
    let stream = StreamName::Transfer(id(of));
    Command { stream, ..command(n, "x", Operation::Transfer(operation)) }
}

/// Asks for a transfer that may take so many seconds.
pub fn request(n: u128, from: &str, to: &str, amount: &str, seconds: u64) -> Command {
    let asking = Requesting {
        from: name(from),
        to: Payee::parse(to).unwrap(),
        amount: WrittenAmount::parse(amount).unwrap(),
        timeout_seconds: TimeoutSeconds::new(seconds).unwrap(),
        metadata: Metadata::default(),
    };
    asked(n, n, TransferOperation::Request(Box::new(asking)))
}

pub fn cancel(n: u128, of: u128) -> Command {
    asked(n, of, TransferOperation::Cancel(reason()))
}

pub fn retry(n: u128, of: u128) -> Command {
    asked(n, of, TransferOperation::Retry(reason()))
}

pub fn abandon(n: u128, of: u128) -> Command {
    asked(n, of, TransferOperation::Abandon(reason()))
}

/// An operator says that the payout was made.
pub fn outcome(n: u128, of: u128) -> Command {
    let reported = Reported { outcome: Payout::Done, amount: None, reference: None, reason: reason() };
    asked(n, of, TransferOperation::Outcome(Box::new(reported)))
}

/// Returns the command as the service sends it: in its own name, for this transfer.
fn service(of: u128, command: Command) -> Command {
    let cause: Box<str> = id(of).to_string().into();
    let origin =
        Origin { correlation: Some(cause.clone()), causation: Some(cause), actor: Arc::from(SERVICE) };
    Command { origin, ..command }
}

pub fn own(of: u128, what: Id, operation: TransferOperation) -> Command {
    service(of, Command { id: what, ..asked(of, of, operation) })
}

pub fn time_out(of: u128) -> Command {
    own(of, step(of, Step::Timeout), TransferOperation::TimeOut)
}

pub fn stall(of: u128, attempt: u32, at: Step, code: StallCode, seen: u64) -> Command {
    let what = Id::Step { of: id(of), step: Step::Stall, attempt };
    own(of, what, TransferOperation::Stall { stall: Stall { step: at, code }, seen })
}

pub fn end(of: u128, end: End, seen: u64) -> Command {
    own(of, step(of, Step::End), TransferOperation::End { end, seen })
}

pub fn completed(of: u128, seen: u64) -> Command {
    end(of, End::Completed, seen)
}

pub fn declined(of: u128, code: &str, seen: u64) -> Command {
    let code = EndCode::parse(code).unwrap();
    end(of, End::Unmoved(Unmoved::Declined { step: Some(Step::Hold), code }), seen)
}

/// It is compensated because of the credit's decline.
pub fn compensated(of: u128, code: &str, seen: u64) -> Command {
    let code = EndCode::parse(code).unwrap();
    end(of, End::Unmoved(Unmoved::Compensated { step: Some(Step::Credit), code }), seen)
}

/// It is compensated because of its deadline.
pub fn too_late(of: u128, seen: u64) -> Command {
    end(of, End::Unmoved(Unmoved::Compensated { step: None, code: EndCode::TIMED_OUT }), seen)
}

pub fn cancelled(of: u128, seen: u64) -> Command {
    end(of, End::Unmoved(Unmoved::Cancelled), seen)
}

/// A `Between` is a transfer whose steps are asked for.
#[derive(Clone, Copy)]
pub struct Between<'a> {
    pub of: u128,
    pub from: &'a str,
    pub to: &'a str,
    pub amount: &'a str,
}

impl Between<'_> {
    pub fn request(self, seconds: u64) -> Command {
        request(self.of, self.from, self.to, self.amount, seconds)
    }

    pub fn hold(self) -> Command {
        service(self.of, transfer_hold(self.of, self.from, self.amount, self.to))
    }

    pub fn credit(self) -> Command {
        service(self.of, transfer_credit(self.of, self.to, self.amount, self.from))
    }

    pub fn capture(self) -> Command {
        service(self.of, transfer_capture(self.of, self.from, self.amount, self.to))
    }

    pub fn release(self) -> Command {
        service(self.of, transfer_release(self.of, self.from))
    }

    pub fn rule_out(self, code: Stopped) -> Command {
        service(self.of, rule_out(self.of, self.to, code))
    }
}
