//! These conversions make problems of what the ledger says when it does not book or can't read.

use crate::delivery::port::Unreadable;
use crate::domain::decide::Refusal;
use crate::domain::delivery::decide::Refused;
use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;
use crate::ledger::permission::Denied;
use crate::ledger::{ReadError, Unavailable};
use crate::seldom::Seldom;

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::AccountNotFound => Self::account_not_found(),
            Refusal::TransactionNotFound => Self::transaction_not_found(),
            Refusal::HoldNotFound => Self::hold_not_found(),
            Refusal::TransferNotFound => {
                Self::new(Code::TransferNotFound, "There is no transfer with this ID.")
            }
            // Only the service itself asks for what may be refused so.
            Refusal::NotDue
            | Refusal::CreditDecided(_)
            | Refusal::HoldDeclined(_)
            | Refusal::Stale
            | Refusal::NothingNew
            | Refusal::LetterExists => {
                Self::new(Code::NotFound, "There is nothing that this could be done to.")
            }
            Refusal::Destination(Refused::NotFound) => Self::destination_not_found(),
            Refusal::Destination(Refused::Back) => {
                Self::field("after", "goes back: everything up to there is settled or parked")
            }
            Refusal::Destination(Refused::State(_) | Refused::NoBegin | Refused::Same | Refused::Stale) => {
                let detail = "The destination is in no state in which this can be done.";
                Self::new(Code::DestinationState, detail)
            }
            Refusal::AccountExists => {
                let detail = "There is an account of this name already, opened by another transaction.";
                Self::new(Code::AccountExists, detail)
            }
            Refusal::AccountChanged { revision } => {
                let detail =
                    "Something was booked on the account since you looked: look again, then correct anew.";
                Self::new(Code::AccountChanged, detail).with("revision", revision)
            }
            Refusal::Invalid { field, problem } => Self::field(field, problem),
        }
    }
}

impl From<Denied> for Problem {
    fn from(why: Denied) -> Self {
        Self::forbidden(match why {
            Denied::OnlyReads => "An auditor's key only reads.",
            Denied::NotTheLedger => {
                "A teller's key reads accounts, statements and its own transactions, and not the whole ledger."
            }
            Denied::NotTheirs => {
                "A teller's key reads what became of its own transactions; this is another's."
            }
            Denied::OnlyOperatorsGiveCredit => "Only operators may open an account that may go below zero.",
            Denied::OnlyOperators => "Only operators may do this.",
            Denied::OnlyOperatorsForce => "Only operators may force a reversal.",
        })
    }
}

impl From<Unavailable> for Problem {
    fn from(why: Unavailable) -> Self {
        unavailable(why, "a write")
    }
}

/// Makes the problem that says what could not be done, `what`, for a reason inside the service. Each reason has one line in
/// the log, then one a minute.
fn unavailable(why: Unavailable, what: &'static str) -> Problem {
    static STORE: Seldom = Seldom::new();
    static UNKNOWN: Seldom = Seldom::new();
    static DAMAGED: Seldom = Seldom::new();
    static FULL: Seldom = Seldom::new();
    static CLOCK: Seldom = Seldom::new();
    static FOLDER: Seldom = Seldom::new();
    let (code, detail, seldom) = match why {
        Unavailable::InProgress => {
            let detail = "The ID is being used for another account at this moment.";
            return Problem::new(Code::InProgress, detail);
        }
        Unavailable::Overloaded => (Code::Overloaded, "There is more work than can be taken.", None),
        Unavailable::Stopping => (Code::Stopping, "The service is stopping.", None),
        Unavailable::StorageFull => (Code::StorageFull, "The disk is full.", Some(&FULL)),
        Unavailable::StoreUnavailable => {
            (Code::StoreUnavailable, "The store can't be reached or written.", Some(&STORE))
        }
        Unavailable::OutcomeUnknown => (
            Code::OutcomeUnknown,
            "It is not known whether the transaction was booked: send it again with the same ID.",
            Some(&UNKNOWN),
        ),
        Unavailable::ClockInDoubt => {
            (Code::NotReady, "The machine's clock is not believed; `/readyz` says why.", Some(&CLOCK))
        }
        Unavailable::FolderReplaced => {
            (Code::NotReady, "The data folder was moved or exchanged; the service stops.", Some(&FOLDER))
        }
        Unavailable::StoreDamaged => (Code::StoreDamaged, "The store is damaged.", Some(&DAMAGED)),
    };
    // Under too much load a line for each would be more load.
    if let Some(times) = seldom.and_then(Seldom::due) {
        tracing::warn!(code = code.text(), times, "{what} could not be answered");
    }
    Problem::new(code, detail)
}

impl From<Unreadable> for Problem {
    fn from(error: Unreadable) -> Self {
        match error.0.downcast::<ReadError>() {
            Ok(error) => (*error).into(),
            Err(cause) => Self::internal("a read failed", &*cause),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Busy => {
                let detail = "As many long reads are running as are allowed.";
                Self::new(Code::Overloaded, detail)
            }
            ReadError::TooLong => {
                let detail = "The read took longer than a long read may (`long_read_seconds`).";
                Self::new(Code::ReadTooLong, detail)
            }
            ReadError::BeyondHead { head } => {
                let problem =
                    format!("is behind the journal's end, which is at {head}; `min_position` waits");
                Self::field("at_position", problem)
            }
            ReadError::Unreachable => unavailable(Unavailable::StoreUnavailable, "a read"),
            ReadError::OutcomeUnknown => unavailable(Unavailable::OutcomeUnknown, "a read"),
            ReadError::FolderReplaced => unavailable(Unavailable::FolderReplaced, "a read"),
            ReadError::Damaged => unavailable(Unavailable::StoreDamaged, "a read"),
            ReadError::UnknownPosition { before } => {
                let detail = "No event is at this position; `nearest` is the last one before it.";
                Self::new(Code::UnknownPosition, detail).with("nearest", before)
            }
            ReadError::Unreadable(_) => Self::internal("a read failed", &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;

    #[test]
    fn the_machinerys_failures_say_when_to_try_again() {
        for (why, code) in [
            (Unavailable::Overloaded, Code::Overloaded),
            (Unavailable::Stopping, Code::Stopping),
            (Unavailable::StorageFull, Code::StorageFull),
            (Unavailable::StoreUnavailable, Code::StoreUnavailable),
            (Unavailable::OutcomeUnknown, Code::OutcomeUnknown),
            (Unavailable::StoreDamaged, Code::StoreDamaged),
            (Unavailable::ClockInDoubt, Code::NotReady),
            (Unavailable::FolderReplaced, Code::NotReady),
        ] {
            let problem = Problem::from(why);
            let body: serde_json::Value = serde_json::from_slice(&problem.body()).unwrap();
            assert_eq!((&body["code"], &body["title"]), (&code.text().into(), &code.title().into()));
            let response = problem.into_response();
            assert_eq!(
                (response.status().as_u16(), &response.headers()["retry-after"]),
                (503, &"1".parse().unwrap())
            );
        }
    }

    #[test]
    fn what_is_wrong_inside_is_not_told() {
        let problem = Problem::from(ReadError::Unreadable("/secret/path: bad sector".into()));
        let body = String::from_utf8(problem.body()).unwrap();
        assert!(body.contains("\"code\":\"internal\"") && !body.contains("secret"));
    }
}
