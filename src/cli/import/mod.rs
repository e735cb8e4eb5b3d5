//! `bookonce import` sends a bank's file line by line to a running service.
//!
//! Each line's ID is derived from the bank's own id of the line, so that a second run, or one after a crash, books nothing
//! twice. Each answer's balance is compared with the bank's. The service is spoken to through `client` only. What is behind
//! HTTP must not be known here. Down the way is `client`. Up the way is `cli`.

mod bank_file;
mod bank_line;
mod input;
mod layout;
mod order;
mod send;
mod standing;
pub mod tally;
pub mod zone;

use std::path::PathBuf;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::out;
use crate::cli::outcome::{Error, Exit, Outcome};
use crate::client::policy::Policy;
use crate::client::sender::Client;
use crate::domain::currency::Currency;
use crate::domain::money::Written;

use bank_file::BankLines;
use bank_line::Reading;
use input::Input;
use layout::Layout;
use order::Order;
use send::{Plan, Sending, WorkerReport};
use tally::{LineFinding, Summary, Wrong};
use zone::BankZone;

/// At most this many findings are shown one by one.
const MOST_SHOWN: usize = 50;

/// Sends each line of a bank's file to a running service, once.
///
/// Each line is a deposit or a withdrawal under an ID that follows from the line's own `entry_id`, so the same file may
/// be imported again at any time: what was booked is answered again, and nothing is booked twice. Accounts are opened
/// when they first appear, as `cz-<account>`. Before anything is sent, each balance in the file must follow from the line
/// before it, and each account must have in the ledger what the bank says that it had before its first new line. After each
/// line the ledger's balance is compared with `balance_after`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bookonce import --format bank-csv fixtures/bank-1993.csv
  bookonce import --format bank-csv day.csv --url https://ledger.example --keep-going
  bookonce import --format bank-csv day.csv --time-zone Asia/Tokyo
  zcat day.csv.gz | bookonce import --format bank-csv -

The file is CSV in UTF-8, its first line is: entry_id,account,date,kind,channel,purpose,amount,balance_after
It is kept in a temporary file and checked before anything is sent: with a bad line or a balance that does not follow, and
without --keep-going, nothing is sent.

Exit codes: 0 every line is booked and every balance is the bank's; 1 something was found (a bad, declined or refused
line, a balance that does not fit or differs); 2 wrong usage; 3 the file or the service could not be reached, or the file
is of another form.")]
pub struct Args {
    /// The file to import; `-` for standard input.
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
    /// Go on after a line that is bad, refused or declined, or whose balance does not fit.
    #[arg(long)]
    pub keep_going: bool,
    /// The currency of every account in the file.
    #[arg(long, default_value = "CZK", value_parser = currency)]
    pub currency: Currency,
    /// Where the bank's days begin: a place (Europe/Prague) or an offset (+09:00). A line that was booked in
    /// one zone is refused in another.
    #[arg(long, default_value = "UTC", value_name = "ZONE", value_parser = str::parse::<BankZone>)]
    pub time_zone: BankZone,
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
    Currency::parse(code)
        .filter(Currency::is_in_use)
        .ok_or_else(|| "must be the ISO 4217 code of a currency in use, such as CZK".to_owned())
}

/// Runs the command.
///
/// # Errors
/// Fails when the file can't be read or the service can't be reached.
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
    let reading = Reading { currency: args.currency, zone: args.time_zone.clone() };
    let concurrency = usize::from(args.concurrency);
    let input = Arc::new(Input::take(&args.file)?);
    let (mut report, order) = Report::check(&input, &reading)?;
    let compared = standing::compare(client, &order, args.currency, concurrency).await?;
    compared.iter().try_for_each(|finding| report.finding(finding).map(drop))?;
    if compared.iter().any(|finding| matches!(finding.what, Wrong::LostZeros { .. })) {
        return report.stopped("nothing was sent: give the numbers their leading zeros back");
    }
    if !report.summary.clean() && !args.keep_going {
        return report.stopped("nothing was sent; --keep-going sends the lines that can be sent");
    }
    let keep_going = args.keep_going;
    let mut sending =
        Sending::begin(client, Plan { input, reading, overdraft_limit, concurrency, keep_going });
    while let Some(told) = sending.next().await {
        let found = match told {
            WorkerReport::Line(sent) => report.sent(&sent)?,
            WorkerReport::Account(finding) | WorkerReport::Misfit(finding) => report.finding(&finding)?,
            WorkerReport::Lost(error) => return report.lost(error.into()),
            WorkerReport::Unreadable(error) => return report.lost(error.into()),
        };
        if found && !args.keep_going {
            return report.stopped("stopped here; --keep-going sends the rest");
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
    /// Checks the whole file; its bad lines, and those that do not follow, are the first findings.
    fn check(input: &Input, reading: &Reading) -> Result<(Self, Order), Error> {
        let mut report = Self { summary: Summary::default(), shown: 0, bar: ProgressBar::hidden() };
        let (mut order, mut misfits, mut good) = (Order::default(), Vec::new(), 0);
        for line in BankLines::of(input, reading)? {
            match line? {
                (line, Ok(read)) => {
                    good += 1;
                    let finding = order.take(&read).map(|what| LineFinding { line, what });
                    // What is not shown is counted; whether the file is newest first shows at its end.
                    report.summary.misfits += u64::from(finding.is_some());
                    misfits.extend(finding.filter(|_| misfits.len() < MOST_SHOWN));
                }
                (line, Err(why)) => drop(report.finding(&LineFinding { line, what: Wrong::Bad(why) })?),
            }
        }
        if order.is_newest_first() {
            return Err(input.refuse(Layout::NewestFirst).into());
        }
        let unseen = report.summary.misfits.saturating_sub(misfits.len() as u64);
        misfits.iter().try_for_each(|finding| report.show(finding))?;
        report.shown = report.shown.saturating_add(usize::try_from(unseen).unwrap_or(usize::MAX));
        let style = "{bar:30} {human_pos} of {human_len} lines, {per_sec}, {eta} left";
        report.bar = ProgressBar::new(good);
        report.bar.set_style(ProgressStyle::with_template(style)?);
        Ok((report, order))
    }

    /// Takes the answer to a line. Returns whether something is wrong with it.
    fn sent(&mut self, sent: &tally::Sent) -> Result<bool, Error> {
        self.bar.inc(1);
        self.summary.count(sent);
        sent.finding.as_ref().map_or(Ok(()), |finding| self.show(finding))?;
        Ok(sent.finding.is_some())
    }

    /// Takes another finding. Returns that something is wrong.
    fn finding(&mut self, finding: &LineFinding) -> Result<bool, Error> {
        self.summary.count_finding(&finding.what);
        self.show(finding)?;
        Ok(true)
    }

    fn show(&mut self, finding: &LineFinding) -> Result<(), Error> {
        self.shown += 1;
        if self.shown <= MOST_SHOWN {
            self.bar.suspend(|| out::line(finding))?;
        }
        Ok(())
    }

    /// Ends before the last line, and says so.
    fn stopped(&self, why: &str) -> Result<Summary, Error> {
        self.bar.finish_and_clear();
        self.rest()?;
        out::line(why)?;
        Ok(self.summary)
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
