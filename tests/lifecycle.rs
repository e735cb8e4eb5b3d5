//! This test goes through a ledger's life as its users see it, with a bank's real history: import, import again,
//! replay, verify, export, restore.

mod support;

use std::path::Path;

use bookonce::answers::render;
use bookonce::ledger::Ledger;
use bookonce::store::codec;
use futures_util::{StreamExt, stream};
use support::process::{Process, bookonce, send};
use support::{open_ledger, store};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/bank-1993.csv");
/// Lines of the file, and accounts in it, each of which is opened first.
const LINES: usize = 32_321;
const ACCOUNTS: usize = 819;

fn import(service: &Process) -> String {
    let url = format!("http://{}", service.address);
    let (code, said, complaint) = bookonce(&["import", "--format", "bank-csv", FILE, "--url", &url]);
    assert_eq!(code, 0, "{said}{complaint}");
    said
}

/// Every answer's balance is the bank's own (the import ends with 1 when one is not), and a second import books nothing.
#[test]
fn the_banks_own_balances_come_out() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut service = Process::start(&data);
    import(&service);
    let head = || send(service.address, "GET", "/v1/journal/head", "").unwrap().body;
    let first = head();
    assert_eq!(service.journal().len(), LINES + ACCOUNTS);
    import(&service);
    assert_eq!(head(), first, "the second import booked something");
    assert_eq!(service.stop(), Some(0));
    support::process::verify(&data);
    carried_out(&with(&["replay"], &data));
    exported_and_restored(dir.path(), &data);
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
fn exported_and_restored(dir: &Path, data: &Path) {
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
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let restored = open_ledger(&copy).unwrap();
        every_id_has_its_first_answer(&export, &restored).await;
        store::stop(&restored);
    });
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

async fn every_id_has_its_first_answer(export: &str, restored: &Ledger) {
    let events = export.lines().filter(|line| !line.starts_with(r#"{"manifest""#));
    let asked = stream::iter(events.map(|line| codec::decode(line.as_bytes()).unwrap())).map(async |first| {
        let found = restored.transaction(first.event.id).await.unwrap().unwrap();
        assert_eq!(render(&found.first.unwrap().event), render(&first.event), "position {}", first.position);
    });
    assert_eq!(asked.buffered(32).count().await, LINES + ACCOUNTS);
}
