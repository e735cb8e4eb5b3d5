//! `bookonce replay` shows the books from the journal alone, and compares them with those of the index.

use std::io::{self, Write};
use std::path::PathBuf;

use super::from_store::{Connected, StoreFlag};
use super::index_books::IndexBooks;
use super::out::Unfailing;
use super::outcome::{Error, Exit, Outcome};
use super::progress::Progress;
use crate::audit::rules::books;
use crate::audit::run::audited::Audited;
use crate::audit::run::auditor::audit;
use crate::audit::run::options::{Options, StopAt};
use crate::audit::show::compare::{Difference, OtherBooks, compare};
use crate::audit::show::replay::{BookedAccount, Replayed};
use crate::audit::source::open::open;
use crate::audit::values::chain::Chain;
use crate::config;
use crate::domain::time::Timestamp;

/// Rebuild all balances from the journal alone, and compare them with the index.
///
/// Uses the auditor's own arithmetic and checks every event on the way. Without `--to`, differences from the index are
/// listed. Ends with 1 when there are any, or when the journal is not right; with 6 when a newer version of bookonce wrote to
/// it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bookonce replay                                      every account, and the comparison with the index
  bookonce replay --account alice --json
  bookonce replay --to 1200                            as it was after position 1200
  bookonce replay --to 2026-11-21T02:00:00Z            as it was recorded by then
  bookonce replay --store esdb://localhost:2113        an EventStoreDB; there is no index to compare with
  bookonce replay --data /var/lib/bookonce")]
pub struct Args {
    /// The data folder (or an exported file). Without it the one in BOOKONCE_DATA, or ./bookonce-data.
    #[arg(long, value_name = "DIR", conflicts_with = "store")]
    data: Option<PathBuf>,
    #[command(flatten)]
    from: StoreFlag,
    /// The last position, or the last moment of recording (RFC 3339).
    #[arg(long, value_name = "POSITION|TIME", value_parser = end)]
    to: Option<StopAt>,
    /// Show only this account (one of the ledger's own begins with `@`).
    #[arg(long)]
    account: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn end(text: &str) -> Result<StopAt, String> {
    if let Ok(position) = text.parse() {
        return Ok(StopAt::Position(position));
    }
    let moment = Timestamp::parse(text).map_err(|reason| format!("{reason}, or a position"))?;
    let text = moment.to_string();
    text.as_bytes().try_into().map(StopAt::Moment).map_err(|_| "needs a time in a year of four digits".into())
}

/// Runs the command.
///
/// # Errors
/// Fails when the journal can't be read.
pub(crate) fn run(args: Args) -> Outcome {
    let index = match args.from.store {
        None => IndexBooks::read(&config::data_folder(args.data.as_deref()))?,
        Some(_) => None,
    };
    run_with(&args, index.as_ref().map(|books| books as &dyn OtherBooks), &mut Unfailing(io::stdout().lock()))
}

/// Runs the command, with the books of the index to compare with, where there are any.
fn run_with(args: &Args, index: Option<&dyn OtherBooks>, out: &mut dyn Write) -> Outcome {
    let index = index.filter(|_| args.to.is_none());
    let progress = Progress::new("replaying");
    let show = |position| progress.at(position);
    let mut at_index =
        index.filter(|index| index.position() == 0).map(|_| Replayed::of(&books::Books::new(Chain::Journal)));
    let mut keep = |books: &books::Books| at_index = Some(Replayed::of(books));
    let pause = index.map(|index| (index.position(), &mut keep as &mut dyn FnMut(&books::Books)));
    let store = args.from.store.as_ref().map(Connected::to).transpose()?;
    let source = match &store {
        None => open(&config::data_folder(args.data.as_deref()), &[])?,
        Some(store) => Box::new(store.journal()),
    };
    let audited = audit(source, Options { to: args.to, pause, progress: Some(&show), ..Options::default() })?;
    progress.done();
    let (Some(books), None) = (&audited.books, &audited.finding) else { return wrong(args, &audited, out) };
    let replayed = Replayed::of(books);
    let differences = match index {
        Some(index) => Some(compare(at_index.as_ref().unwrap_or(&replayed), index)?),
        None => None,
    };
    let exit = match &differences {
        Some(differences) if !differences.is_empty() => Exit::Found,
        _ if !replayed.balanced() => Exit::Found,
        _ => Exit::Ok,
    };
    let exit = if exit == Exit::Ok && is_unfinished(args, &audited) {
        let says = "bookonce: the export has no manifest, so that nothing shows where it ends";
        writeln!(io::stderr().lock(), "{says}")?;
        Exit::Unfinished
    } else {
        exit
    };
    let shown = only(replayed, args.account.as_deref());
    if args.json {
        json(out, &shown, differences.as_deref())?
    } else {
        table(out, &shown, differences.as_deref())?
    }
    Ok(exit)
}

/// Says whether it is a file that was to be replayed to its end and does not say where that is.
fn is_unfinished(args: &Args, audited: &Audited) -> bool {
    let file = args.data.as_ref().is_some_and(|data| !data.is_dir());
    file && args.to.is_none() && !audited.whole
}

/// Says why a journal can't be replayed to its end, and shows the accounts with which nothing is wrong.
fn wrong(args: &Args, audited: &Audited, out: &mut dyn Write) -> Outcome {
    let mut err = io::stderr().lock();
    let (says, exit) = match audited.findings.are_only_newer() {
        true => ("this program is too old for the journal", Exit::Newer),
        false => ("the journal is not right", Exit::Found),
    };
    if audited.finding.is_some() {
        writeln!(err, "bookonce: {says}:\n{}", audited.findings)?;
    }
    let Some(books) = &audited.books else {
        writeln!(err, "bookonce: balances can only be rebuilt from position 1, and this begins later")?;
        return Ok(Exit::Found);
    };
    let mut others = only(Replayed::of(books), args.account.as_deref());
    others.accounts.retain(|account| !audited.aside.contains(&account.account));
    others.internal.clear();
    if args.json {
        #[derive(serde::Serialize)]
        struct Shown<'a> {
            accounts: &'a [BookedAccount],
            findings: Vec<String>,
            findings_not_listed: u64,
        }
        let listed = audited.findings.listed();
        let findings = listed.iter().map(ToString::to_string).collect();
        let findings_not_listed = audited.findings.unlisted();
        let shown = Shown { accounts: &others.accounts, findings, findings_not_listed };
        serde_json::to_writer_pretty(&mut *out, &shown)?;
        writeln!(out)?;
    } else if !others.accounts.is_empty() {
        rows(out, &others)?;
        let says = "These are the accounts with which nothing is wrong, by the events that are there. The totals and the \
                    digest need all accounts.";
        writeln!(out, "\n{says}")?;
    }
    Ok(exit)
}

fn only(mut replayed: Replayed, account: Option<&str>) -> Replayed {
    if let Some(name) = account {
        replayed.accounts.retain(|account| account.account == name);
        replayed.internal.retain(|account| account.account == name);
    }
    replayed
}

fn json(out: &mut dyn Write, replayed: &Replayed, differences: Option<&[Difference]>) -> Result<(), Error> {
    #[derive(serde::Serialize)]
    struct Shown<'a> {
        #[serde(flatten)]
        replayed: &'a Replayed,
        balanced: bool,
        differences: Option<&'a [Difference]>,
    }
    serde_json::to_writer_pretty(&mut *out, &Shown { replayed, balanced: replayed.balanced(), differences })?;
    Ok(writeln!(out)?)
}

/// Writes a line for each account.
fn rows(out: &mut dyn Write, replayed: &Replayed) -> io::Result<()> {
    let wide = |names: &mut dyn Iterator<Item = usize>| names.max().unwrap_or(0).max(7);
    let names = replayed
        .accounts
        .iter()
        .map(|a| a.account.len())
        .chain(replayed.internal.iter().map(|a| a.account.len()));
    let name = wide(&mut { names });
    let sums = replayed.accounts.iter().flat_map(|a| [a.balance.len(), a.overdraft_limit.len()]);
    let sum = wide(&mut sums.chain(replayed.internal.iter().map(|a| a.balance.len()))).max(15);
    // The column of what is held is there where anything is.
    let any_held = replayed.accounts.iter().any(|a| a.held.is_some());
    let held = |text: &str| if any_held { format!("  {text:>sum$}") } else { String::new() };
    writeln!(
        out,
        "{:name$}  currency  {:>sum$}{}  {:>sum$}  status  revision",
        "account",
        "balance",
        held("held"),
        "overdraft limit"
    )?;
    for a in &replayed.accounts {
        let (balance, limit) = (&a.balance, &a.overdraft_limit);
        let (currency, status, revision) = (&a.currency, &a.status, a.revision);
        let held = held(a.held.as_deref().unwrap_or(""));
        writeln!(
            out,
            "{:name$}  {currency:8}  {balance:>sum$}{held}  {limit:>sum$}  {status:6}  {revision:>8}",
            a.account
        )?;
    }
    for a in &replayed.internal {
        writeln!(out, "{:name$}  {:8}  {:>sum$}", a.account, a.currency, a.balance)?;
    }
    Ok(())
}

fn table(out: &mut dyn Write, replayed: &Replayed, differences: Option<&[Difference]>) -> io::Result<()> {
    rows(out, replayed)?;
    writeln!(out)?;
    for t in &replayed.trial_balance {
        let says = if t.balanced { "balanced" } else { "NOT BALANCED" };
        writeln!(
            out,
            "trial balance {}: guarded {}, internal {}: {says}",
            t.currency, t.guarded, t.internal
        )?;
    }
    writeln!(out, "position {}, digest {}", replayed.position, replayed.digest)?;
    match differences {
        None => writeln!(out, "not compared with the index"),
        Some([]) => writeln!(out, "the index agrees"),
        Some(found) => found.iter().try_for_each(|difference| writeln!(out, "DIFFERENT {difference}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests::compared::{Fake, replayed};
    use crate::audit::tests::history::{everything, export, lines};
    use crate::audit::tests::history_holds::held;

    #[derive(clap::Parser)]
    struct CommandLine {
        #[command(flatten)]
        args: Args,
    }

    fn replay(bytes: &[u8], more: &[&str], index: Option<&dyn OtherBooks>) -> (Exit, String) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let line =
            ["replay", "--data", file.path().to_str().unwrap()].into_iter().chain(more.iter().copied());
        let args = <CommandLine as clap::Parser>::try_parse_from(line)
            .map_err(|error| error.to_string())
            .unwrap()
            .args;
        let mut out = Vec::new();
        let exit = run_with(&args, index, &mut out).unwrap();
        (exit, String::from_utf8(out).unwrap())
    }

    #[test]
    fn it_shows_the_books_as_a_table() {
        let (exit, table) = replay(&export(&everything()), &[], Some(&Fake(replayed())));
        assert_eq!(exit, Exit::Ok);
        insta::assert_snapshot!(table);
    }

    /// Seen failing with a sum that is not what is open. Guards also against a column of zeros where nothing is held.
    #[test]
    fn what_is_held_stands_in_a_column_of_its_own_where_anything_is() {
        let events = held();
        // Opened with an overdraft of 10.00, 100.00 come in, 40.00 are held, and 25.00 of them captured in the end.
        let words = |table: &str, line: usize| {
            let line = table.lines().nth(line).unwrap_or_default();
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        let (exit, table) = replay(&export(&events[..3]), &[], None);
        assert_eq!(
            (exit, words(&table, 0)),
            (Exit::Ok, "account currency balance held overdraft limit status revision".into())
        );
        assert_eq!(words(&table, 1), "alice EUR 100.00 40.00 10.00 open 2");
        let json = |events: &[_]| {
            let (_, json) = replay(&export(events), &["--json"], None);
            serde_json::from_str::<serde_json::Value>(&json).unwrap()["accounts"][0]["held"].clone()
        };
        assert_eq!(json(&events[..3]), "40.00");
        for none in [&events[..2], &events[..6]] {
            let (_, table) = replay(&export(none), &[], None);
            assert_eq!(words(&table, 0), "account currency balance overdraft limit status revision");
            assert_eq!(json(none), serde_json::Value::Null);
        }
        let mut index = Replayed::of(&crate::audit::tests::audited(&export(&events[..3])).books.unwrap());
        index.accounts[0].held = Some("39.00".into());
        let (exit, table) = replay(&export(&events[..3]), &[], Some(&Fake(index)));
        assert!(exit == Exit::Found && table.contains("alice: held is"), "{table}");
    }

    #[test]
    fn it_lists_what_the_index_says_differently() {
        let mut index = replayed();
        index.accounts[1].balance = "999".into();
        let (exit, table) = replay(&export(&everything()), &[], Some(&Fake(index)));
        assert_eq!(exit, Exit::Found);
        assert!(
            table.contains("DIFFERENT bob: balance is 1000000000000000 by the journal, 999 in the index"),
            "{table}"
        );
    }

    #[test]
    fn an_index_that_lags_is_compared_where_it_is() {
        let index = Replayed::of(&crate::audit::tests::audited(&export(&everything()[..9])).books.unwrap());
        for index in [index, Replayed::of(&books::Books::new(Chain::Journal))] {
            let (exit, table) = replay(&export(&everything()), &[], Some(&Fake(index)));
            assert_eq!(exit, Exit::Ok, "{table}");
        }
        let mut ahead = replayed();
        ahead.position += 1;
        let (exit, table) = replay(&export(&everything()), &[], Some(&Fake(ahead)));
        assert!(
            exit == Exit::Found && table.contains("position is 36 by the journal, 37 in the index"),
            "{table}"
        );
    }

    #[test]
    fn it_stops_at_a_position_or_a_time_and_shows_one_account() {
        for to in ["3", "2026-11-21T02:00:02.000002Z", "2026-11-21T03:00:02.000002+01:00"] {
            let (exit, json) =
                replay(&export(&everything()), &["--json", "--to", to, "--account", "@atm"], None);
            let shown: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(
                (exit, &shown["position"], &shown["accounts"]),
                (Exit::Ok, &3.into(), &serde_json::json!([]))
            );
            assert_eq!(shown["internal"][0]["balance"], "40.00", "{json}");
            assert_eq!(shown["differences"], serde_json::Value::Null);
        }
    }

    /// Seen failing with a parser of its own, which took second 60 for second 59, and an offset of a day.
    #[test]
    fn it_takes_the_times_that_the_service_takes() {
        for text in ["2026-11-21T12:30:60Z", "2026-11-21T12:30:00+24:00", "2026-11-21T12Z", "2026-11-21"] {
            assert!(end(text).is_err(), "{text}");
        }
    }

    /// Guards against: an account with which something is wrong, that hides the books of all others.
    #[test]
    fn of_a_journal_that_is_wrong_the_other_accounts_are_shown() {
        let mut events = everything();
        let place = events.iter().rposition(|event| event.stream == "account-alice").unwrap();
        events[place].balance = "1234567.00".into();
        let (exit, table) = replay(&export(&events), &[], None);
        assert_eq!(exit, Exit::Found);
        assert!(
            table.contains("bob") && !table.contains("alice") && !table.contains("trial balance"),
            "{table}"
        );
        let (exit, json) = replay(&export(&events), &["--json"], None);
        let shown: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((exit, shown["accounts"][0]["account"].as_str()), (Exit::Found, Some("bob")));
        let finding = shown["findings"][0].as_str().unwrap();
        assert!(finding.starts_with(&format!("position {}: ", place + 1)), "{finding}");
    }

    #[test]
    fn a_journal_that_is_wrong_or_begins_late_has_no_books() {
        let lines = lines(&everything());
        assert_eq!(replay(lines[3..].concat().as_bytes(), &[], None).0, Exit::Found);
        assert_eq!(replay((lines[0].clone() + &lines[2]).as_bytes(), &[], None).0, Exit::Found);
    }
}
