//! This test goes through a ledger's life as its users see it, with a bank's real history: import, import again,
//! replay, verify, export, restore.

mod support;

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Value, json};
use support::process::{Process, bookonce, send, send_with};
use support::{open_ledger, store};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/bank-1993.csv");
/// This is how many of the file's lines are gone through over EventStoreDB, where each takes several times as long. The
/// others tell nothing more of such a store.
const OVER_A_STORE: usize = 8_000;

/// Returns the bank's history: the file's lines behind its first, and how many accounts they name, each of which is opened
/// first.
fn history() -> (Vec<String>, usize) {
    let text = std::fs::read_to_string(FILE).unwrap();
    let all = if store::is_eventstoredb() { OVER_A_STORE } else { usize::MAX };
    let lines: Vec<String> = text.lines().take(all.saturating_add(1)).map(str::to_owned).collect();
    let accounts: HashSet<&str> = lines[1..].iter().map(|line| line.split(',').nth(1).unwrap()).collect();
    let accounts = accounts.len();
    (lines, accounts)
}

fn import(service: &Process, file: &Path) -> String {
    let url = format!("http://{}", service.address);
    let file = file.to_str().unwrap();
    let (code, said, complaint) = bookonce(&["import", "--format", "bank-csv", file, "--url", &url]);
    assert_eq!(code, 0, "{said}{complaint}");
    said
}

/// Every answer's balance is the bank's own (the import ends with 1 when one is not), and a second import books nothing.
#[test]
fn the_banks_own_balances_come_out() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (lines, accounts) = history();
    let file = dir.path().join("bank.csv");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let mut service = Process::start(&data);
    import(&service, &file);
    let head = || send(service.address, "GET", "/v1/journal/head", "").unwrap().body;
    let end = head();
    let journal = service.journal();
    assert_eq!(journal.len(), lines.len() - 1 + accounts);
    let requests = requests(&journal);
    let first = retried(&service, &requests);
    import(&service, &file);
    assert_eq!(head(), end, "the second import booked something");
    assert_eq!(service.stop(), Some(0));
    support::process::verify(&data);
    carried_out(&with(&["replay"], &data));
    exported_and_restored(dir.path(), &data, &requests, &first);
}

/// The command and where its ledger is.
fn with(command: &[&str], data: &Path) -> Vec<String> {
    let place = match store::of(data) {
        Some(store) => ["--store".to_owned(), store],
        None => ["--data".to_owned(), data.to_str().unwrap().to_owned()],
    };
    command.iter().map(|&word| word.to_owned()).chain(place).collect()
}

/// What it said.
fn carried_out(command: &[String]) -> String {
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let (code, said, complaint) = bookonce(&command);
    assert_eq!(code, 0, "{command:?}: {said}{complaint}");
    said
}

/// Catches: an export that can't be restored, or that answers an ID otherwise.
fn exported_and_restored(dir: &Path, data: &Path, requests: &[String], first: &[String]) {
    let export = carried_out(&with(&["export"], data));
    let file = dir.join("backup.ndjson");
    std::fs::write(&file, &export).unwrap();
    let file = file.to_str().unwrap();
    carried_out(&["verify".to_owned(), file.to_owned()]);
    let copy = if store::is_eventstoredb() {
        // Such an export is no data folder's: what can be made anew of the store is its index.
        carried_out(&["rebuild".to_owned(), "--data".to_owned(), data.to_str().unwrap().to_owned()]);
        data.to_owned()
    } else {
        let copy = dir.join("copy");
        let copied = copy.to_str().unwrap().to_owned();
        carried_out(&["restore".to_owned(), file.to_owned(), "--data".to_owned(), copied]);
        let again = carried_out(&with(&["export"], &copy));
        assert!(again == export, "an export of the restored ledger has other bytes");
        the_same(data, &copy);
        copy
    };
    let mut restored = Process::start(&copy);
    assert!(retried(&restored, requests) == first, "a first answer has other bytes after the restore");
    assert_eq!(restored.stop(), Some(0));
}

fn the_same(data: &Path, copy: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (original, restored) = (open_ledger(data).unwrap(), open_ledger(copy).unwrap());
        assert_eq!(original.head(), restored.head());
        assert_eq!(original.digest(None).await.unwrap(), restored.digest(None).await.unwrap());
        original.stop().unwrap();
        restored.stop().unwrap();
    });
}

/// Makes the request of each event of the journal again, as a line of a batch.
fn requests(journal: &[String]) -> Vec<String> {
    journal.iter().map(|line| request(&serde_json::from_str(line).unwrap()).to_string()).collect()
}

fn request(event: &Value) -> Value {
    let account = event["stream"].as_str().unwrap().strip_prefix("account-").unwrap();
    let data = &event["data"];
    let mut request = json!({"transaction_id": event["transaction_id"], "account": account});
    let op = match event["type"].as_str().unwrap() {
        "AccountOpened" => "open_account",
        "Deposited" => "deposit",
        "Withdrawn" => "withdraw",
        other => panic!("an import books no {other}"),
    };
    request["op"] = op.into();
    for field in ["currency", "overdraft_limit", "amount", "metadata"] {
        // The currency of a movement is its account's.
        if !data[field].is_null() && (field != "currency" || op == "open_account") {
            request[field] = data[field].clone();
        }
    }
    if data["effective_at_given"] == true {
        request["effective_at"] = event["effective_at"].clone();
    }
    if let Some(entries) = data["entries"].as_array() {
        let counter = entries.iter().find(|entry| entry["account"] != account).unwrap();
        request["counter_account"] = counter["account"].clone();
    }
    request
}

/// Sends every request once more. Returns the answers, each of which says that it was given before.
fn retried(service: &Process, requests: &[String]) -> Vec<String> {
    let mut answers = Vec::new();
    for lines in requests.chunks(5_000) {
        let body = lines.join("\n");
        let ndjson = "content-type: application/x-ndjson\r\n";
        let reply = send_with(service.address, "POST", "/v1/batch", ndjson, &body).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        answers.extend(reply.body.lines().map(str::to_owned));
    }
    assert_eq!(answers.len(), requests.len());
    let first_again = r#"{"status":201,"replayed":true,"#;
    let other = answers.iter().find(|answer| !answer.starts_with(first_again));
    assert_eq!(other, None, "an ID did not get its first answer");
    answers
}
