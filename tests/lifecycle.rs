//! A ledger's life as its users see it, with a bank's real history: import, import again, replay, verify, export, restore.

mod support;

use std::path::Path;

use bookonce::answers::render;
use bookonce::ledger::Ledger;
use bookonce::store::codec;
use support::open_ledger;
use support::process::{Process, bookonce};

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
    let head = support::process::send(service.address, "GET", "/v1/journal/head", "").unwrap().body;
    assert!(head.contains(&format!(r#""position":{},"#, LINES + ACCOUNTS)), "{head}");
    import(&service);
    let again = support::process::send(service.address, "GET", "/v1/journal/head", "").unwrap().body;
    assert_eq!(again, head, "the second import booked something");
    assert_eq!(service.stop(), Some(0));
    let data = data.to_str().unwrap();
    for command in [&["verify", data][..], &["replay", "--data", data]] {
        let (code, said, complaint) = bookonce(command);
        assert_eq!(code, 0, "{command:?}: {said}{complaint}");
    }
    exported_and_restored(dir.path(), data);
}

/// Catches: an export that can't be restored, or that answers an ID otherwise.
fn exported_and_restored(dir: &Path, data: &str) {
    let (code, export, complaint) = bookonce(&["export", "--data", data]);
    assert_eq!(code, 0, "{complaint}");
    let file = dir.join("backup.ndjson");
    std::fs::write(&file, &export).unwrap();
    let (file, copy) = (file.to_str().unwrap(), dir.join("copy"));
    let (code, said, complaint) = bookonce(&["verify", file]);
    assert_eq!(code, 0, "{said}{complaint}");
    let (code, said, complaint) = bookonce(&["restore", file, "--data", copy.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}{complaint}");
    let (_, export_again, _) = bookonce(&["export", "--data", copy.to_str().unwrap()]);
    assert!(export_again == export, "an export of the restored ledger has other bytes");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (original, restored) = (open_ledger(Path::new(data)).unwrap(), open_ledger(&copy).unwrap());
        assert_eq!(original.head(), restored.head());
        assert_eq!(original.digest(None).await.unwrap(), restored.digest(None).await.unwrap());
        every_id_has_its_first_answer(&export, &restored).await;
        original.stop().unwrap();
        restored.stop().unwrap();
    });
}

async fn every_id_has_its_first_answer(export: &str, restored: &Ledger) {
    let mut asked = 0;
    for line in export.lines().filter(|line| !line.starts_with(r#"{"manifest""#)) {
        let first = codec::decode(line.as_bytes()).unwrap();
        let found = restored.transaction(first.event.transaction_id).await.unwrap().unwrap();
        assert_eq!(render(&found.first.unwrap().event), render(&first.event), "position {}", first.position);
        asked += 1;
    }
    assert_eq!(asked, LINES + ACCOUNTS);
}
