//! An outcome is how a command ends: an exit code for the shell, or an error with its causes.

use crate::with_causes::with_causes;
use std::io::Write;

/// The exit code says how a command ended. A number may mean two things, of two commands; `docs/operations.md` has the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The command is done, and nothing was found wrong.
    Ok,
    /// The command is done, and something was found: a difference, a bad position, a refused line. Of messages: it could not
    /// be done, and nothing was sent.
    Found,
    /// The command could not be understood. (`clap` uses the same number.)
    Usage,
    /// The command could not be carried out: a file, a port, a disk, a peer.
    Failed,
    /// A message is stored and not answered yet.
    NotAnswered,
    /// Everything that was there was found right, and it is not known where it ends: it is an export without a manifest.
    Unfinished,
    /// A message was declined.
    Declined,
    /// Everything that was there was found right as far as a part of a journal allows.
    Part,
    /// A message needs attention.
    NeedsAttention,
    /// Nothing was found wrong, and there are events that a newer version of this program wrote: it must be upgraded first.
    Newer,
}

impl Exit {
    /// Returns its number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Found => 1,
            Self::Usage => 2,
            Self::Failed | Self::NotAnswered => 3,
            Self::Unfinished | Self::Declined => 4,
            Self::Part | Self::NeedsAttention => 5,
            Self::Newer => 6,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
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
