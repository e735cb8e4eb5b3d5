//! The command line: one module a command, each with its arguments and its `run`.
//!
//! Standard output carries the command's result and nothing else; progress, warnings and errors go to standard
//! error. The exit code says how it ended, see [`Exit`].

pub mod import;
pub mod out;

/// How a command ended, as the shell sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, and nothing was found wrong.
    Ok = 0,
    /// Done, and something was found: a difference, a bad position, a refused line.
    Found = 1,
    /// The command could not be understood. (`clap` uses the same number.)
    Usage = 2,
    /// The command could not be carried out: a file, a port, a disk, a peer.
    Failed = 3,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What stops a command, with its causes. Printed once, by `main`, as `bookonce: {error}: {source}…`.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What every command's `run` returns.
pub type Outcome = Result<Exit, Error>;
