//! This conversion makes a problem of what is wrong with a request's fields.

use crate::http::problem::details::Problem;
use crate::wire::fault::Fault;

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed(detail) => Self::malformed(detail),
            Fault::Invalid(errors) => Self::invalid(errors),
            Fault::IdMissing => Self::id_missing(),
            Fault::IdConflicting => Self::id_conflicting(),
        }
    }
}
