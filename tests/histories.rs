//! These tests replay frozen histories: what was written once must replay, and give its first answers byte for byte,
//! for ever.
//!
//! `fixtures/histories/NAME.ndjson` is an export of format 1: the stored lines, then the manifest. `NAME.answers.ndjson`
//! has, line for line, what each client was told. Neither is ever changed. A new history is told in
//! `support/stories.rs` and written by `BOOKONCE_WRITE_HISTORIES=1 cargo test --test histories`, which writes what is
//! missing and never writes over a file.

#[path = "support/folders.rs"]
mod folders;
#[path = "support/holds.rs"]
mod holds;
#[path = "support/payout_stories.rs"]
mod payout_stories;
#[path = "support/stories.rs"]
mod stories;
mod support;
#[path = "support/transfer_stories.rs"]
mod transfer_stories;
#[path = "support/transfers.rs"]
mod transfers;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bookonce::answers::render;
use bookonce::domain::account::decline::Decline;
use bookonce::domain::command::Command;
use bookonce::domain::event::Event;
use bookonce::domain::ids::{AccountName, Id};
use bookonce::domain::kind::Kind;
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::{Clock, Timestamp};
use bookonce::ledger::{At, Ledger, StatementQuery, TransferQuery, Verdict};
use bookonce::store::chain::Hash;
use bookonce::store::codec::{self, Encoder};
use bookonce::store::embedded::{database, folder};
use folders::{read_all, write_all};
use serde_json::{Value, json};
use support::*;
use uuid::Uuid;

fn histories() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/histories")
}

fn names() -> Vec<String> {
    let files = std::fs::read_dir(histories()).unwrap().map(|entry| entry.unwrap().file_name());
    let files = files.map(|file| file.to_string_lossy().into_owned());
    let names = files.filter_map(|file| Some(file.strip_suffix(".ndjson")?.to_owned()));
    let mut names: Vec<_> = names.filter(|name| !name.ends_with(".answers")).collect();
    names.sort();
    names
}

/// A history: its lines, its manifest, and the answers.
struct History {
    lines: Vec<String>,
    manifest: Value,
    answers: Vec<Value>,
}

fn read(name: &str) -> History {
    let text = |file: String| std::fs::read_to_string(histories().join(file)).unwrap();
    let mut lines: Vec<_> = text(format!("{name}.ndjson")).lines().map(str::to_owned).collect();
    let manifest: Value = serde_json::from_str(&lines.pop().unwrap()).unwrap();
    let answers = text(format!("{name}.answers.ndjson"));
    let answers = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    History { lines, manifest: manifest["manifest"].clone(), answers }
}

/// A data folder with exactly these lines as its journal, some to a commit.
fn stored(dir: &Path, history: &History) {
    let data = folder::Folder::take(dir).unwrap();
    let journal = database::open(&data.path().join(folder::JOURNAL)).unwrap();
    let id = Uuid::parse_str(history.manifest["journal_id"].as_str().unwrap()).unwrap();
    database::journal_id(&journal, id).unwrap();
    for (at, chunk) in history.lines.chunks(4).enumerate() {
        let events: String = chunk.iter().map(|line| format!("{line}\n")).collect();
        let row = rusqlite::params![at * 4 + 1, chunk.len(), "", events.as_bytes()];
        journal.execute("INSERT INTO commits VALUES (?1, ?2, ?3, ?4)", row).unwrap();
    }
}

#[tokio::test]
async fn missing_histories_are_written_when_asked_for() {
    if std::env::var_os("BOOKONCE_WRITE_HISTORIES").is_none() {
        return;
    }
    std::fs::create_dir_all(histories()).unwrap();
    for (name, story) in stories::all() {
        if !histories().join(format!("{name}.ndjson")).exists() {
            write(name, story).await;
        }
    }
}

async fn write(name: &str, story: Vec<Vec<Command>>) {
    let dir = tempfile::tempdir().unwrap();
    let seconds = AtomicI64::new(1_795_226_400);
    let clock: Clock = Arc::new(move || {
        Timestamp::from_micros(seconds.fetch_add(61, Ordering::SeqCst) * 1_000_000 + 123_456)
    });
    let ledger = open_ledger_at(dir.path(), clock).unwrap();
    for batch in story {
        let verdicts = ledger.execute(batch).await.unwrap();
        let is_refused = verdicts.iter().any(|verdict| matches!(verdict, Verdict::Refused(_)));
        assert!(!is_refused || name == "corrections", "a refusal leaves no event: {verdicts:?}");
    }
    let lines = String::from_utf8(ledger.lines(0, 100_000).await.unwrap()).unwrap();
    let head = ledger.head();
    let first = lines.lines().next().unwrap();
    let manifest = json!({
        "format": 1, "journal_id": head.journal_id.to_string(), "from": 1, "to": head.position, "count": head.position,
        "first_hash": codec::decode(first.as_bytes()).unwrap().hash.to_string(), "last_hash": head.hash.to_string(),
        "previous_hash": Hash::genesis(head.journal_id).to_string(),
    });
    // The manifest's keys have an order of their own.
    let key = |key: &str| format!("\"{key}\":{}", manifest[key]);
    let keys = ["format", "journal_id", "from", "to", "count", "first_hash", "last_hash", "previous_hash"];
    let manifest = format!("{{\"manifest\":{{{}}}}}\n", keys.map(key).join(","));
    let answers: String = lines.lines().map(|line| format!("{}\n", told(line))).collect();
    let create = |file: String| File::create_new(histories().join(file)).unwrap();
    create(format!("{name}.ndjson")).write_all(format!("{lines}{manifest}").as_bytes()).unwrap();
    create(format!("{name}.answers.ndjson")).write_all(answers.as_bytes()).unwrap();
    ledger.stop().unwrap();
}

fn told(line: &str) -> Value {
    let event = codec::decode(line.as_bytes()).unwrap().event;
    let answer = render(&event);
    let body = String::from_utf8(answer.body).unwrap();
    json!({"transaction_id": event.id.to_string(), "status": answer.status, "body": body})
}

#[test]
fn the_histories_have_every_event_and_every_decline() {
    let mut seen = Vec::new();
    for line in names().iter().flat_map(|name| read(name).lines) {
        let event = codec::decode(line.as_bytes()).unwrap().event;
        seen.push((event.kind(), event.decline_code()));
    }
    for kind in Kind::ALL {
        assert!(seen.contains(&(kind, None)), "no {}", kind.name());
    }
    for code in Decline::CODES.into_iter().chain(["wrong_state", "transfer_ended", "too_late"]) {
        assert!(seen.iter().any(|(_, declined)| *declined == Some(code)), "no {code}");
    }
}

/// Catches: a renderer that gives an old event another answer than its client was given.
#[test]
fn first_answers_are_what_they_were() {
    for name in names() {
        let history = read(&name);
        assert_eq!(history.lines.len(), history.answers.len());
        for (line, answer) in history.lines.iter().zip(&history.answers) {
            assert_eq!(told(line), *answer, "in {name}");
        }
    }
}

/// Catches: an encoder that would write an old event otherwise, so that its hash no longer follows.
#[test]
fn the_lines_are_written_as_they_were() {
    for name in names() {
        let history = read(&name);
        let mut hash = Hash::parse(history.manifest["previous_hash"].as_str().unwrap()).unwrap();
        let mut encoder = Encoder::default();
        for line in &history.lines {
            let decoded = codec::decode(line.as_bytes()).unwrap();
            let mut again = Vec::new();
            hash = encoder.line(&decoded.event, decoded.position, &hash, &mut again);
            assert_eq!(String::from_utf8(again).unwrap().trim_end(), line, "in {name}");
        }
        assert_eq!(history.manifest["last_hash"], hash.to_string());
        assert_eq!(history.manifest["count"], history.lines.len());
    }
}

/// Catches: an auditor that finds fault with what was right, or a ledger that booked what is not.
#[test]
fn the_auditor_finds_them_right() {
    for name in names() {
        let verify = std::process::Command::new(env!("CARGO_BIN_EXE_bookonce"))
            .arg("verify")
            .arg(histories().join(format!("{name}.ndjson")))
            .output()
            .unwrap();
        assert!(verify.status.success(), "{name}: {}", String::from_utf8_lossy(&verify.stdout));
    }
}

/// Catches: a fold, a read or a digest that makes something else of an old history.
#[tokio::test]
async fn each_replays_to_what_it_was() {
    for name in names() {
        let history = read(&name);
        let dir = tempfile::tempdir().unwrap();
        stored(dir.path(), &history);
        // At another time than the history's own, holds would expire that are open at its end.
        let last = codec::decode(history.lines.last().unwrap().as_bytes()).unwrap().event.recorded_at;
        let ledger = open_ledger_at(dir.path(), Arc::new(move || last)).unwrap();
        for (line, answer) in history.lines.iter().zip(&history.answers) {
            let event = codec::decode(line.as_bytes()).unwrap().event;
            let operation = event.request();
            let again = Command {
                id: Id::parse(answer["transaction_id"].as_str().unwrap()).unwrap(),
                stream: event.stream,
                operation,
                origin: event.origin,
            };
            let verdicts = ledger.execute(vec![again]).await.unwrap();
            let [Verdict::Replayed(event, _)] = &verdicts[..] else { panic!("{verdicts:?}") };
            assert_eq!(render(event).body, answer["body"].as_str().unwrap().as_bytes());
        }
        assert_eq!(ledger.head().position, history.lines.len() as u64, "nothing was booked");
        let told = projections(&ledger).await;
        insta::assert_snapshot!(name.as_str(), told);
        ledger.stop().unwrap();
        drop(ledger);
        // Now the index has everything in its files, and of transfers that have ended their IDs alone.
        let ledger = open_ledger_at(dir.path(), Arc::new(move || last)).unwrap();
        assert_eq!(projections(&ledger).await, told, "{name}, opened again");
        ledger.stop().unwrap();
    }
}

/// What comes between two batches of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    Nothing,
    /// The ledger is stopped, and the index has all in its files.
    Restart,
    /// The ledger is opened with the index of one batch before, as after a crash.
    Crash,
}

/// Catches: a transfer that is judged otherwise because its state is not in memory any more. Seen failing with a clerk that
/// asked the index alone, with one whose commits did not change the sum of ended transfers or changed it twice, and with a
/// start that did not read what came before an event after the end.
#[tokio::test]
async fn a_story_with_a_restart_or_a_crash_after_each_batch_is_the_same_story() {
    let of_transfers = |name: &str| ["transfers", "stopped-transfers", "payouts"].contains(&name);
    for (name, story) in stories::all().into_iter().filter(|(name, _)| of_transfers(name)) {
        let whole = tell(&story, Between::Nothing).await;
        for between in [Between::Restart, Between::Crash] {
            assert_eq!(tell(&story, between).await, whole, "{name}, {between:?}");
        }
    }
}

/// Tells a story, and returns the events by stream, and the digest. What the service books of its own accord when a time has
/// come lies among the events of other streams by chance.
async fn tell(story: &[Vec<Command>], between: Between) -> (BTreeMap<StreamName, Vec<Event>>, String) {
    let dir = tempfile::tempdir().unwrap();
    let seconds = Arc::new(AtomicI64::new(1_795_226_400));
    let now = Arc::clone(&seconds);
    let clock: Clock =
        Arc::new(move || Timestamp::from_micros(now.load(Ordering::SeqCst) * 1_000_000 + 123_456));
    let mut ledger = open_ledger_at(dir.path(), Arc::clone(&clock)).unwrap();
    let (index, mut older) = (dir.path().join("index"), None);
    for batch in story {
        seconds.fetch_add(61, Ordering::SeqCst);
        ledger.execute(batch.clone()).await.unwrap();
        if between != Between::Nothing {
            store::stop(&ledger);
            drop(ledger);
            let now = read_all(&index);
            if let Some(older) = older.replace(now).filter(|_| between == Between::Crash) {
                write_all(&index, &older);
            }
            ledger = open_ledger_at(dir.path(), Arc::clone(&clock)).unwrap();
        }
    }
    // The index has it all.
    ledger.end().await.unwrap();
    let mut events: BTreeMap<StreamName, Vec<Event>> = BTreeMap::new();
    for line in ledger.lines(0, 100_000).await.unwrap().split(|byte| *byte == b'\n') {
        if let Ok(line) = codec::decode(line) {
            events.entry(line.event.stream.clone()).or_default().push(line.event);
        }
    }
    let (_, digest) = ledger.digest(None).await.unwrap();
    store::stop(&ledger);
    (events, digest)
}

/// Guards against: a pass that forgets where it was cut short, and streams that are left out or told twice.
#[tokio::test]
async fn sums_at_an_old_position_are_the_same_however_little_room_there_is() {
    for name in names() {
        let history = read(&name);
        let (wide, narrow) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let open = |dir: &Path, long_bytes: Option<usize>| {
            stored(dir, &history);
            let last = codec::decode(history.lines.last().unwrap().as_bytes()).unwrap().event.recorded_at;
            let mut options = options(dir, Arc::new(move || last));
            options.reads.long_bytes = long_bytes.unwrap_or(options.reads.long_bytes);
            Ledger::open(options).unwrap()
        };
        // There is room for one stream at a time.
        let (wide, narrow) = (open(wide.path(), None), open(narrow.path(), Some(1)));
        let head = wide.head().position;
        for position in (1..head).step_by(usize::try_from(head / 3 + 1).unwrap()).chain([head - 1]) {
            let at = Some(position);
            assert_eq!(
                narrow.digest(at).await.unwrap(),
                wide.digest(at).await.unwrap(),
                "{name}, {position}"
            );
            let (trial, same) =
                (wide.trial_balance(at).await.unwrap(), narrow.trial_balance(at).await.unwrap());
            assert_eq!(
                (trial.position, trial.guarded, trial.internal),
                (position, same.guarded, same.internal)
            );
            assert_eq!(same.position, position);
        }
        wide.stop().unwrap();
        narrow.stop().unwrap();
    }
}

/// What a person would look at.
async fn projections(ledger: &Ledger) -> String {
    let mut out = String::new();
    for account in ledger.accounts(None, 1_000, At::Now).await.unwrap().accounts {
        writeln!(
            out,
            "## {} {} {}, available {}, limit {}, {}, revision {}",
            account.name,
            account.balance,
            account.currency,
            account.available,
            account.overdraft_limit,
            account.status.name(),
            account.revision
        )
        .unwrap();
        statement(ledger, &account.name, &mut out).await;
    }
    transfers_of(ledger, &mut out).await;
    let trial = ledger.trial_balance(None).await.unwrap();
    writeln!(out, "trial balance after {}: {}", trial.position, trial.balanced()).unwrap();
    writeln!(out, "guarded {:?}\nown {:?}", trial.guarded, trial.internal).unwrap();
    writeln!(out, "digest {:?}", ledger.digest(None).await.unwrap()).unwrap();
    out
}

/// The statement of an account, with how it stood at each line; without them where there are so many that nobody reads them.
async fn statement(ledger: &Ledger, account: &AccountName, out: &mut String) {
    let query = StatementQuery {
        beyond: None,
        end: None,
        newest_first: false,
        kind: None,
        counter_account: None,
        from: None,
        to: None,
        limit: 1_000,
    };
    let statement = ledger.statement(account, query).await.unwrap().unwrap();
    writeln!(out, "{:>20} {}", "", statement.opening_balance).unwrap();
    let is_read = statement.lines.len() < 500;
    for line in statement.lines.iter().filter(|_| is_read) {
        let event = &line.event;
        let body = event.account().unwrap();
        let (kind, code) = (event.kind().name(), body.decline().map_or("", Decline::code));
        let moved = body.entries().map(|entries| entries.guarded.to_string()).unwrap_or_default();
        writeln!(
            out,
            "{:>4} {kind:>15} {moved} {code} = {} on {}",
            line.position, body.answer.balance, body.effective_at
        )
        .unwrap();
        for at in
            [At::Position(line.position), At::Known(event.recorded_at), At::Effective(body.effective_at)]
        {
            let then = ledger.account(account, at).await.unwrap();
            let then = then.map(|a| format!("{} {}", a.balance, a.status.name())).unwrap_or("nothing".into());
            let as_of = format!("{at:?}");
            writeln!(out, "{:>20} {}: {then}", "", as_of.split('(').next().unwrap()).unwrap();
        }
    }
    writeln!(out, "{:>20} {}\n", "", statement.closing_balance).unwrap();
}

/// The transfers, the newest first, each with its events and its steps.
async fn transfers_of(ledger: &Ledger, out: &mut String) {
    let page = ledger.transfers(TransferQuery { limit: 100, ..TransferQuery::default() }).await.unwrap();
    for (_, transfer) in &page.transfers {
        let reading = ledger.transfer(transfer.id).await.unwrap().unwrap();
        let terms = &transfer.terms;
        let (to, stage) = (terms.to.as_str(), transfer.stage.name());
        writeln!(out, "## {}: {} from {} to {to}, {stage}", transfer.id, terms.amount, terms.from).unwrap();
        for placed in reading.events.iter().chain(&reading.steps) {
            let (event, position) = (&placed.event, placed.position);
            let code = event.decline_code().unwrap_or_default();
            writeln!(out, "{position:>4} {:>24} {} {code}", event.type_name(), event.stream).unwrap();
        }
        writeln!(out).unwrap();
    }
}
