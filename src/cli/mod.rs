//! The command line: one module a command, each with its arguments and its `run`.
//!
//! Standard output carries the command's result and nothing else; progress, warnings and errors go to standard
//! error. The exit code says how it ended, see [`Exit`].

pub mod bench;
pub mod child;
pub mod demo;
pub mod export;
mod from_store;
pub mod health;
pub mod import;
mod index_books;
pub mod keys;
mod open;
pub mod out;
mod progress;
pub mod rebuild;
pub mod replay;
pub mod restore;
pub mod serve;
pub mod verify;

use std::io::Write;

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

/// The commands.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Run the ledger
    Serve(serve::Args),
    /// Ask a running service whether it takes commands
    Health(health::Args),
    /// Make, list and revoke API keys
    Keys(keys::Args),
    /// Check a journal: its chain, its rules, every answer
    Verify(verify::Args),
    /// Work out every balance from the journal alone, and compare with the index
    Replay(replay::Args),
    /// Write the journal to standard output
    Export(export::Args),
    /// Make a new data folder of an export
    Restore(restore::Args),
    /// Throw the index away and build it anew from the journal
    Rebuild(rebuild::Args),
    /// Send a bank's file to a running service, each line once
    Import(import::Args),
    /// See the guarantee hold through lost answers and kills
    Demo(demo::Args),
    /// Measure the service on this machine
    Bench(bench::Args),
}

/// Runs a command to its end.
///
/// # Errors
/// When it can't be carried out.
pub fn run(command: Command) -> Outcome {
    match command {
        Command::Serve(args) => serve::run(args),
        Command::Health(args) => health::run(&args),
        Command::Keys(args) => keys::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Export(args) => export::run(args),
        Command::Restore(args) => restore::run(args),
        Command::Rebuild(args) => rebuild::run(&args),
        Command::Import(args) => import::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Bench(args) => bench::run(args),
    }
}

/// Says on standard error what stopped a command, with its causes, in one line.
pub fn complain(error: &(dyn std::error::Error + 'static)) {
    let mut line = format!("bookonce: {error}");
    let mut cause = error.source();
    while let Some(source) = cause {
        line.push_str(&format!(": {source}"));
        cause = source.source();
    }
    // With standard error gone there is nobody left to tell.
    let _told_or_not = writeln!(std::io::stderr(), "{line}");
}
