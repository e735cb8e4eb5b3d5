//! Standard output: the one place that writes a command's result there.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use super::Error;

/// Writes a line. A reader that has gone away (`bookonce … | head`) is no failure: the work goes on, unseen, and its
/// exit code still says how it ended.
///
/// # Errors
/// When standard output can't be written for another reason, such as a full disk.
pub fn line(text: impl Display) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
