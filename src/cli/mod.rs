//! The command line has a module for each command, with its arguments and its `run`.
//!
//! It is the outermost room: everything else may be used here, and nothing else must use it. Down the way are all rooms. Up
//! the way is `main`.
//!
//! Standard output carries the command's result and nothing else; progress, warnings and errors go to standard
//! error. The exit code says how it ended, see [`outcome::Exit`].

mod bench;
mod child;
mod demo;
mod destinations;
mod export;
mod fault_proxy;
mod from_store;
mod greeting;
mod health;
pub mod import;
mod index_books;
mod keys;
mod open;
mod out;
mod outbox;
pub mod outcome;
mod piped;
mod progress;
mod rebuild;
mod replay;
mod restore;
mod sending;
mod serve;
mod told_to_stop;
mod trial_provider;
mod trial_receiver;
mod verify;

use outcome::Outcome;

/// A command is what the program is asked to do.
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
    /// See where messages go, pause a destination, let it go on
    Destinations(destinations::Args),
    /// Send a request so that it is booked once, whatever breaks
    Send(Box<outbox::send::Args>),
    /// Show, send and settle what is in an outbox
    Outbox(outbox::Args),
    /// Stand in front of a service as a network with faults
    FaultProxy(fault_proxy::Args),
    /// See the guarantee hold through lost answers and kills
    Demo(demo::Args),
    /// Measure the service on this machine
    Bench(bench::Args),
}

/// Makes an environment variable that is empty as good as one that is not set: that is what a compose file, a unit or a shell
/// leaves when a value was not given.
#[must_use]
pub fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |arg: &clap::Arg| {
        let name = arg.get_env().map(std::ffi::OsStr::to_owned);
        name.and_then(std::env::var_os).is_some_and(|value| value.is_empty())
    };
    command
        .mut_args(|arg| if is_empty(&arg) { arg.env(clap::builder::Resettable::Reset) } else { arg })
        .mut_subcommands(without_empty_variables)
}

/// Runs a command to its end.
///
/// # Errors
/// Fails when it can't be carried out.
pub fn run(command: Command) -> Outcome {
    // What this program writes (a journal, an index, keys) is for its user alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
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
        Command::Destinations(args) => destinations::run(args),
        Command::Send(args) => outbox::send::run(*args),
        Command::Outbox(args) => outbox::run(args),
        Command::FaultProxy(args) => fault_proxy::run(&args),
        Command::Demo(args) => demo::run(args),
        Command::Bench(args) => bench::run(args),
    }
}
