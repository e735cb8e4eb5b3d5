//! These tests import a bank's file once, and then again.

use std::path::{Path, PathBuf};

use bookonce::cli::import::tally::Summary;
use bookonce::cli::import::{Args, import};
use bookonce::client::sender::Client;
use clap::Parser;

use crate::fake::{Fake, Trouble};
use crate::sending::hasty;

const HEADER: &str = "entry_id,account,date,kind,channel,purpose,amount,balance_after\n";

/// How much of the bank's file is sent here.
const LINES: usize = 3_000;
const SENT: u64 = LINES as u64;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

struct Bank {
    fake: Fake,
    client: Client,
    folder: tempfile::TempDir,
}

impl Bank {
    async fn start() -> Self {
        let (fake, address) = Fake::start().await;
        let client = Client::new(&format!("http://{address}"), None, hasty()).unwrap();
        Self { fake, client, folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, lines: &str) -> PathBuf {
        let path = self.folder.path().join("bank.csv");
        std::fs::write(&path, format!("{HEADER}{lines}")).unwrap();
        path
    }

    async fn import(&self, file: &Path, more: &[&str]) -> Summary {
        let file = file.to_str().unwrap();
        let args = [&["import", "--format", "bank-csv", file], more].concat();
        import(&self.client, &Cli::parse_from(args).args).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_banks_own_balances_come_out_and_a_second_run_books_nothing() {
    let bank = Bank::start().await;
    let whole = include_str!("../../fixtures/bank-1993.csv");
    let file = bank.file(&whole.lines().skip(1).take(LINES).collect::<Vec<_>>().join("\n"));
    let first = bank.import(&file, &["--concurrency", "8"]).await;
    assert_eq!(first, Summary { sent: SENT, booked: SENT, ..Summary::default() });
    let accounts = bank.fake.0.lock().unwrap().accounts.clone();
    let second = bank.import(&file, &["--concurrency", "8"]).await;
    assert_eq!(second, Summary { sent: SENT, replayed: SENT, ..Summary::default() });
    assert_eq!(bank.fake.0.lock().unwrap().accounts, accounts);
    assert_eq!(bank.fake.0.lock().unwrap().booked, LINES + accounts.len());
}

#[tokio::test]
async fn a_failing_service_doubles_nothing() {
    let bank = Bank::start().await;
    let trouble = [Trouble::BookAndForget, Trouble::Refuse(503, "overloaded")];
    bank.fake.0.lock().unwrap().troubles.extend(trouble.iter().cycle().take(8));
    let file =
        bank.file("1,7,1993-01-01,deposit,c,,600.00,600.00\n2,7,1993-01-02,withdrawal,c,,1.50,598.50\n");
    let summary = bank.import(&file, &[]).await;
    assert_eq!((summary.sent, summary.clean()), (2, true));
    assert_eq!(bank.fake.balance("cz-7"), Some(59_850));
}

#[tokio::test]
async fn a_bad_line_stops_it_before_anything_is_sent() {
    let bank = Bank::start().await;
    let file = bank.file("1,7,1993-01-01,deposit,c,,600.00,600.00\n2,7,1993-01-02,deposit,c,,1e3,1600.00\n");
    assert_eq!(bank.import(&file, &[]).await, Summary { bad: 1, ..Summary::default() });
    assert!(bank.fake.0.lock().unwrap().came.is_empty());
}

#[tokio::test]
async fn keep_going_sends_the_good_lines_and_a_second_run_books_nothing() {
    let bank = Bank::start().await;
    let file = bank
        .file("1,7,1993-01-01,deposit,c,,600.00,600.00\nrubbish\n2,7,1993-01-02,deposit,c,,1.00,601.00\n");
    let first = bank.import(&file, &["--keep-going"]).await;
    assert_eq!(first, Summary { sent: 2, booked: 2, bad: 1, ..Summary::default() });
    let second = bank.import(&file, &["--keep-going"]).await;
    assert_eq!(second, Summary { sent: 2, replayed: 2, bad: 1, ..Summary::default() });
    assert_eq!(bank.fake.balance("cz-7"), Some(60_100));
}

#[tokio::test]
async fn a_balance_that_is_not_the_banks_is_found() {
    let bank = Bank::start().await;
    let file = bank.file("1,7,1993-01-01,deposit,c,,600.00,600.00\n2,7,1993-01-02,deposit,c,,1.00,601.01\n");
    let summary = bank.import(&file, &[]).await;
    assert_eq!(summary, Summary { sent: 2, booked: 2, differing: 1, ..Summary::default() });
    assert!(!summary.clean());
}

#[tokio::test]
async fn a_decline_is_counted_now_and_when_it_is_answered_again() {
    let bank = Bank::start().await;
    let file = bank.file("1,7,1993-01-01,withdrawal,c,,20000.01,-20000.01\n");
    assert_eq!(bank.import(&file, &[]).await, Summary { sent: 1, declined: 1, ..Summary::default() });
    assert_eq!(
        bank.import(&file, &[]).await,
        Summary { sent: 1, replayed: 1, declined: 1, ..Summary::default() }
    );
}

#[tokio::test]
async fn a_line_that_changed_since_it_was_booked_is_refused_and_stops_the_import() {
    let bank = Bank::start().await;
    bank.import(&bank.file("1,7,1993-01-01,deposit,c,,600.00,600.00\n"), &[]).await;
    let file = bank.file("1,7,1993-01-01,deposit,c,,700.00,700.00\n2,7,1993-01-02,deposit,c,,1.00,601.00\n");
    assert_eq!(bank.import(&file, &[]).await.refused, 1);
    let going_on = bank.import(&file, &["--keep-going"]).await;
    assert_eq!((going_on.refused, going_on.differing, bank.fake.balance("cz-7")), (1, 0, Some(60_100)));
}
