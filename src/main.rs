//! This is the command line `bookonce`. Everything that it does is in the library.

use std::process::ExitCode;

use bookonce::cli::outcome::{Exit, complain};
use bookonce::cli::{self, Command};
use clap::{CommandFactory, FromArgMatches, Parser};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A ledger that books every transaction exactly once
#[derive(Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let mut matches = cli::without_empty_variables(Arguments::command()).get_matches();
    let arguments = Arguments::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.exit());
    match cli::run(arguments.command) {
        Ok(exit) => exit.into(),
        Err(error) => {
            complain(error.as_ref());
            Exit::Failed.into()
        }
    }
}
