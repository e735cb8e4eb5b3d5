//! What the ledger says when it says no, as problems.

use axum::http::StatusCode;

use crate::domain::decide::Refusal;
use crate::http::problem::details::Problem;
use crate::ledger::{ReadError, Unavailable};

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::AccountNotFound => Self::account_not_found(),
            Refusal::TransactionNotFound => Self::transaction_not_found(),
            Refusal::AccountExists => {
                let detail = "There is an account of this name already, opened by another transaction.";
                Self::new(StatusCode::CONFLICT, "account_exists", "Account exists", detail)
            }
            Refusal::Invalid { field, problem } => Self::field(field, problem),
        }
    }
}

impl From<Unavailable> for Problem {
    fn from(why: Unavailable) -> Self {
        let (code, title, detail) = match why {
            Unavailable::InProgress => {
                let detail = "The ID is being used for another account at this moment.";
                return Self::new(StatusCode::CONFLICT, "in_progress", "In progress", detail).retry_after(1);
            }
            Unavailable::Overloaded => ("overloaded", "Overloaded", "There is more work than can be taken."),
            Unavailable::Stopping => ("overloaded", "Stopping", "The service is stopping."),
            Unavailable::StorageFull => ("storage_full", "Storage full", "The disk is full."),
            Unavailable::StoreUnavailable => {
                ("store_unavailable", "Store unavailable", "The store can't be reached or written.")
            }
            Unavailable::OutcomeUnknown => (
                "outcome_unknown",
                "Outcome unknown",
                "It is not known whether the transaction was booked: send it again with the same ID.",
            ),
            Unavailable::StoreDamaged => ("store_damaged", "Store damaged", "The store is damaged."),
        };
        match why {
            // Under too much load a line for each would be more load.
            Unavailable::Overloaded | Unavailable::Stopping => tracing::debug!(code, "a write was not taken"),
            _ => tracing::info!(code, "a write could not be answered"),
        }
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, title, detail)
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Busy => {
                let detail = "Too many long reads are running.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Overloaded", detail)
            }
            ReadError::Unreachable => Unavailable::StoreUnavailable.into(),
            ReadError::OutcomeUnknown => Unavailable::OutcomeUnknown.into(),
            ReadError::Damaged => Unavailable::StoreDamaged.into(),
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
            (Unavailable::Overloaded, "overloaded"),
            (Unavailable::Stopping, "overloaded"),
            (Unavailable::StorageFull, "storage_full"),
            (Unavailable::StoreUnavailable, "store_unavailable"),
            (Unavailable::OutcomeUnknown, "outcome_unknown"),
            (Unavailable::StoreDamaged, "store_damaged"),
        ] {
            let problem = Problem::from(why);
            let body: serde_json::Value = serde_json::from_slice(&problem.body()).unwrap();
            assert_eq!(body["code"], code);
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
