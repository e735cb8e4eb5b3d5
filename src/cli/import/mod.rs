//! `bookonce import` sends a bank's file line by line to a running service.
//!
//! Each line's ID is derived from the bank's own id of the line, so that a second run, or one after a crash, books
//! nothing twice. Each answer's balance is compared with the bank's. The service is spoken to through `client` only.
//! What is behind HTTP must not be known here. Down the way: `client`. Up the way: `cli`.

mod bank_file;
mod bank_line;
mod send;
pub mod tally;

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::out;
use crate::cli::outcome::{Error, Exit, Outcome};
use crate::client::policy::Policy;
use crate::client::sender::Client;
use crate::domain::currency::Currency;
use crate::domain::money::Written;

use bank_file::BankLines;
use send::{Plan, Sending, WorkerReport};
use tally::{LineFinding, Summary, Wrong};

/// At most this many findings are shown one by one.
const MOST_SHOWN: usize = 50;

/// Sends each line of a bank's file to a running service, once.
///
/// Each line is a deposit or a withdrawal under an ID that follows from the line's own `entry_id`, so the same file may
/// be imported again at any time: what was booked is answered again, and nothing is booked twice. Accounts are opened
/// when they first appear, as `cz-<account>`. After each line the ledger's balance is compared with `balance_after`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bookonce import --format bank-csv fixtures/bank-1993.csv
  bookonce import --format bank-csv day.csv --url https://ledger.example --keep-going

The file's columns: entry_id,account,date,kind,channel,purpose,amount,balance_after
The file is checked before anything is sent: with a bad line and without --keep-going nothing is sent.

Exit codes: 0 every line is booked and every balance is the bank's; 1 something was found (a bad, declined or refused
line, a balance that differs); 2 wrong usage; 3 the file or the service could not be reached.")]
pub struct Args {
    /// The file to import.
    pub file: PathBuf,
    /// How the file is written.
    #[arg(long, value_enum)]
    pub format: Format,
    /// Where the service is.
    #[arg(long, default_value = "http://127.0.0.1:7070", env = "BOOKONCE_URL")]
    pub url: String,
    /// An API key, where the service asks for one.
    #[arg(long, env = "BOOKONCE_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// Go on after a line that is bad or refused.
    #[arg(long)]
    pub keep_going: bool,
    /// The currency of every account in the file.
    #[arg(long, default_value = "CZK", value_parser = currency)]
    pub currency: Currency,
    /// How far below zero each account may go.
    #[arg(long, default_value = "20000.00")]
    pub overdraft_limit: String,
    /// How many requests are under way at once. The lines of one account are always sent one after the other.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,
}

/// The formats that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated, as the PKDD'99 Financial data set of a Czech bank.
    BankCsv,
}

fn currency(code: &str) -> Result<Currency, String> {
    Currency::parse(code).ok_or_else(|| "must be an ISO 4217 code such as CZK".to_owned())
}

/// Runs the command.
///
/// # Errors
/// When the file can't be read or the service can't be reached.
pub(crate) fn run(args: Args) -> Outcome {
    let client = Client::new(&args.url, args.key.as_deref(), Policy::default())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let summary = runtime.block_on(import(&client, &args))?;
    out::line(summary)?;
    Ok(if summary.clean() { Exit::Ok } else { Exit::Found })
}

/// Checks the file and sends its lines. Findings go to standard output as they come.
///
/// # Errors
/// Those of [`run`].
pub async fn import(client: &Client, args: &Args) -> Result<Summary, Error> {
    let limit = Written::parse(&args.overdraft_limit).and_then(|written| written.fit(args.currency));
    let overdraft_limit = limit.map_err(|error| format!("--overdraft-limit {error}"))?;
    let mut report = Report::new(args)?;
    if report.summary.bad > 0 && !args.keep_going {
        out::line("nothing was sent; --keep-going sends the good lines")?;
        return Ok(report.summary);
    }
    let plan = Plan {
        file: args.file.clone(),
        currency: args.currency,
        overdraft_limit,
        concurrency: usize::from(args.concurrency),
    };
    let mut sending = Sending::begin(client, plan);
    while let Some(told) = sending.next().await {
        let stops = match told {
            WorkerReport::Line(sent) => report.sent(&sent)?,
            WorkerReport::Account(finding) => report.finding(&finding)?,
            WorkerReport::Lost(error) => return report.lost(error.into()),
            WorkerReport::Unreadable(error) => return report.lost(error.into()),
        };
        if stops && !args.keep_going {
            report.bar.finish_and_clear();
            out::line("stopped here; --keep-going sends the rest")?;
            return Ok(report.summary);
        }
    }
    report.bar.finish_and_clear();
    report.rest()?;
    Ok(report.summary)
}

/// A report shows and counts findings while lines are checked and sent.
struct Report {
    summary: Summary,
    shown: usize,
    bar: ProgressBar,
}

impl Report {
    /// Checks the whole file; its bad lines are the first findings.
    fn new(args: &Args) -> Result<Self, Error> {
        let mut report = Self { summary: Summary::default(), shown: 0, bar: ProgressBar::hidden() };
        let mut good = 0;
        for line in BankLines::open(&args.file, args.currency)? {
            match line? {
                (_, Ok(_)) => good += 1,
                (line, Err(why)) => drop(report.finding(&LineFinding { line, what: Wrong::Bad(why) })?),
            }
        }
        let style = "{bar:30} {human_pos} of {human_len} lines, {per_sec}, {eta} left";
        report.bar = ProgressBar::new(good);
        report.bar.set_style(ProgressStyle::with_template(style)?);
        Ok(report)
    }

    /// Takes the answer to a line. Gives whether it is a reason to stop.
    fn sent(&mut self, sent: &tally::Sent) -> Result<bool, Error> {
        self.bar.inc(1);
        self.summary.count(sent);
        sent.finding.as_ref().map_or(Ok(false), |finding| self.show(finding))
    }

    /// Takes another finding. Gives whether it is a reason to stop.
    fn finding(&mut self, finding: &LineFinding) -> Result<bool, Error> {
        self.summary.count_finding(&finding.what);
        self.show(finding)
    }

    fn show(&mut self, finding: &LineFinding) -> Result<bool, Error> {
        self.shown += 1;
        if self.shown <= MOST_SHOWN {
            self.bar.suspend(|| out::line(finding))?;
        }
        Ok(matches!(finding.what, Wrong::Refused(_) | Wrong::NotOpened(_)))
    }

    fn rest(&self) -> Result<(), Error> {
        match self.shown.saturating_sub(MOST_SHOWN) {
            0 => Ok(()),
            more => out::line(format_args!("… and {more} more like these")),
        }
    }

    /// Shows how far the work came when it can't go on.
    fn lost(&self, error: Error) -> Result<Summary, Error> {
        self.bar.finish_and_clear();
        out::line(self.summary)?;
        Err(error)
    }
}
