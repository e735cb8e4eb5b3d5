//! These tests run the program of `docs/clients.md` and compare it with what the document says. They catch a document
//! that differs from the contract, and a program that makes a new ID for a retry.

use std::path::Path;
use std::process::{Command, Output};

use crate::fake::{Fake, Trouble};

fn program() -> String {
    let document = include_str!("../../docs/clients.md");
    let (_, rest) = document.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Runs the program; `None` on a machine without Python.
async fn run(folder: &Path, arguments: &[String]) -> Option<Output> {
    std::fs::write(folder.join("pay.py"), program()).unwrap();
    let mut command = Command::new("python3");
    command.arg("pay.py").args(arguments).current_dir(folder);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    if output.is_err() {
        eprintln!("SKIPPED: no python3 on this machine, so the program in docs/clients.md was not run");
    }
    output.ok()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test]
async fn the_documents_program_books_once_however_the_service_fails() {
    let (fake, address) = Fake::start().await;
    fake.0.lock().unwrap().accounts.insert("alice".into(), 10_000);
    let troubles =
        [Trouble::BookAndForget, Trouble::Refuse(503, "overloaded"), Trouble::Refuse(409, "in_progress")];
    fake.0.lock().unwrap().troubles.extend(troubles);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{address}");
    let arguments = [url, "alice".into(), "40.00".into()];
    let Some(output) = run(folder.path(), &arguments).await else { return };
    assert!(printed(&output).trim().ends_with("201 replayed 60.00"), "{}", printed(&output));
    assert_eq!((fake.balance("alice"), fake.0.lock().unwrap().booked), (Some(6_000), 1));
    assert_eq!(std::fs::read_dir(folder.path().join("outbox")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_a_crash_left_in_the_outbox_is_sent_under_its_old_id() {
    let (fake, address) = Fake::start().await;
    fake.0.lock().unwrap().accounts.insert("alice".into(), 10_000);
    let folder = tempfile::tempdir().unwrap();
    let outbox = folder.path().join("outbox");
    std::fs::create_dir(&outbox).unwrap();
    let id = "018f4e6e-9d52-7a30-8f7e-3f6b2a1c0d4e";
    let left = r#"{"path": "/v1/accounts/alice/withdrawals", "body": {"amount": "40.00"}}"#;
    for outcome in ["201 new 60.00", "201 replayed 60.00"] {
        std::fs::write(outbox.join(id), left).unwrap();
        let Some(output) = run(folder.path(), &[format!("http://{address}")]).await else { return };
        assert_eq!(printed(&output).trim(), format!("{id} {outcome}"));
    }
    assert_eq!(fake.0.lock().unwrap().booked, 1);
}

#[tokio::test]
async fn a_decline_is_an_answer() {
    let (fake, address) = Fake::start().await;
    fake.0.lock().unwrap().accounts.insert("alice".into(), 0);
    let folder = tempfile::tempdir().unwrap();
    let arguments = [format!("http://{address}"), "alice".into(), "90000.00".into()];
    let Some(output) = run(folder.path(), &arguments).await else { return };
    assert!(printed(&output).trim().ends_with("402 new insufficient_funds"), "{}", printed(&output));
    assert_eq!(fake.0.lock().unwrap().came.len(), 1);
}
