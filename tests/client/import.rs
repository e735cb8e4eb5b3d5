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
        self.try_import(file, more).await.unwrap()
    }

    async fn try_import(&self, file: &Path, more: &[&str]) -> Result<Summary, String> {
        let file = file.to_str().unwrap();
        let args = [&["import", "--format", "bank-csv", file], more].concat();
        let imported = import(&self.client, &Cli::parse_from(args).args).await;
        imported.map_err(|error| error.to_string())
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

/// Guards against: the balances were compared only after each line had been booked.
#[tokio::test]
async fn a_balance_that_does_not_follow_stops_it_before_anything_is_sent() {
    let bank = Bank::start().await;
    let file = bank.file("1,7,1993-01-01,deposit,c,,600.00,600.00\n2,7,1993-01-02,deposit,c,,1.00,601.01\n");
    assert_eq!(bank.import(&file, &[]).await, Summary { misfits: 1, ..Summary::default() });
    assert!(bank.fake.0.lock().unwrap().came.is_empty());
    let summary = bank.import(&file, &["--keep-going"]).await;
    assert_eq!(summary, Summary { sent: 2, booked: 2, differing: 1, misfits: 1, ..Summary::default() });
    assert!(!summary.clean());
}

/// Guards against: lines were sent as they stood: the withdrawal was declined for ever under its only ID.
#[tokio::test]
async fn a_file_with_its_newest_lines_first_is_refused_whole() {
    let bank = Bank::start().await;
    let file =
        bank.file("2,7,1993-01-02,withdrawal,c,,600.00,0.00\n1,7,1993-01-01,deposit,c,,600.00,600.00\n");
    let refused = bank.try_import(&file, &["--keep-going"]).await.unwrap_err();
    assert!(refused.contains("newest lines first"), "{refused}");
    assert!(bank.fake.0.lock().unwrap().came.is_empty());
}

/// Guards against: IDs followed from the numbers as they are written, and nobody looked at the ledger: the same file was
/// booked twice.
#[tokio::test]
async fn a_file_that_a_spreadsheet_saved_again_is_not_booked_twice() {
    let bank = Bank::start().await;
    let lines = "0998,07,1993-01-01,deposit,c,,600.00,600.00\n1001,07,1993-01-02,deposit,c,,1.00,601.00\n";
    assert!(bank.import(&bank.file(lines), &[]).await.clean());
    let counts = || {
        let now = bank.fake.0.lock().unwrap();
        (now.booked, now.came.len())
    };
    let before = counts();
    let both = lines.replace("0998,07", "998,7").replace(",07,", ",7,");
    for saved in [lines.replace("0998", "998"), both] {
        for more in [[].as_slice(), &["--keep-going"]] {
            let summary = bank.import(&bank.file(&saved), more).await;
            assert!(summary.sent == 0 && summary.misfits > 0, "{summary:?}");
        }
    }
    assert_eq!(counts(), before);
}

/// Guards against: nothing was read of the ledger before the first line.
#[tokio::test]
async fn a_file_that_does_not_go_on_where_the_ledger_is_stops_before_anything_is_booked() {
    let bank = Bank::start().await;
    let first = "1,7,1993-01-01,deposit,c,,600.00,600.00\n";
    assert!(bank.import(&bank.file(first), &[]).await.clean());
    let third = "3,7,1993-01-03,deposit,c,,1.00,651.00\n";
    let summary = bank.import(&bank.file(third), &[]).await;
    assert_eq!(summary, Summary { misfits: 1, ..Summary::default() });
    let second = "2,7,1993-01-02,deposit,c,,50.00,650.00\n";
    assert!(bank.import(&bank.file(&[first, second, third].concat()), &[]).await.clean());
    assert_eq!(bank.fake.balance("cz-7"), Some(65_100));
}

/// Guards against: each day began in UTC.
#[tokio::test]
async fn the_days_of_a_bank_begin_where_it_is() {
    let bank = Bank::start().await;
    let file = bank.file("1,7,1993-01-01,deposit,c,,600.00,600.00\n");
    assert!(bank.import(&file, &["--time-zone", "Asia/Tokyo"]).await.clean());
    let other = bank.import(&file, &[]).await;
    assert_eq!((other.refused, other.sent), (1, 1), "another zone is another request under the same ID");
}

/// Guards against: a file that was opened twice: a pipe had nothing the second time.
#[test]
fn what_comes_through_a_pipe_is_taken_whole_and_what_is_no_csv_is_named() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let nobody = crate::support::Nobody::find();
    let url = format!("http://{}", nobody.address);
    for (bytes, code, expected) in [
        (format!("{HEADER}1,7,1993-01-01,deposit,c,,1e3,600.00\n"), 1, "line 2: bad line, not sent: amount"),
        (HEADER.replace('\n', "\r"), 3, "carriage return (CR) alone"),
        (HEADER.replace(',', ";"), 3, "separated by semicolons"),
        (String::new(), 3, "is empty"),
    ] {
        let mut import = Command::new(env!("CARGO_BIN_EXE_bookonce"))
            .args(["import", "--format", "bank-csv", "-", "--url", &url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        import.stdin.take().unwrap().write_all(bytes.as_bytes()).unwrap();
        let out = import.wait_with_output().unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(out.status.code() == Some(code) && said.contains(expected), "{:?}: {said}", out.status);
    }
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
    assert_eq!(bank.import(&file, &[]).await, Summary { misfits: 1, ..Summary::default() });
    let going_on = bank.import(&file, &["--keep-going"]).await;
    assert_eq!((going_on.refused, going_on.differing, bank.fake.balance("cz-7")), (1, 0, Some(60_100)));
}
