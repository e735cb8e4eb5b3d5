//! [`with_causes`] writes an error as people read it in a log or on a terminal.

use std::error::Error;

/// Writes an error and everything that caused it in one line.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
