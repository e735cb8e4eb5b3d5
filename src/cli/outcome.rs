//! An outcome is how a command ends: an exit code for the shell, or an error with its causes.

use crate::with_causes::with_causes;
use std::io::Write;

/// The exit code says how a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The command is done, and nothing was found wrong.
    Ok = 0,
    /// The command is done, and something was found: a difference, a bad position, a refused line.
    Found = 1,
    /// The command could not be understood. (`clap` uses the same number.)
    Usage = 2,
    /// The command could not be carried out: a file, a port, a disk, a peer.
    Failed = 3,
    /// Everything that was there was found right, and it is not known where it ends: it is an export without a manifest.
    Unfinished = 4,
    /// Everything that was there was found right as far as a part of a journal allows.
    Part = 5,
    /// Nothing was found wrong, and there are events that a newer version of this program wrote: it must be upgraded first.
    Newer = 6,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error is what stops a command, with its causes. `main` prints it once, as `bookonce: {error}: {source}…`.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The outcome is what every command's `run` returns.
pub type Outcome = Result<Exit, Error>;

/// Says on standard error what stopped a command, with its causes, in one line.
pub fn complain(error: &(dyn std::error::Error + 'static)) {
    // With standard error gone there is nobody left to tell.
    let _told_or_not = writeln!(std::io::stderr(), "bookonce: {}", with_causes(error));
}
