//! These tests run the program `docs/pay.py` and compare it with what `docs/clients.md` says. They catch a program that differs
//! from the contract, that makes a new ID for a retry, or that forgets a request without an answer about it.

use std::path::Path;
use std::process::{Command, Output};

use crate::fake::{Fake, Trouble};

/// Runs the program; `None` on a machine without Python.
async fn run(folder: &Path, arguments: &[String]) -> Option<Output> {
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/pay.py")).args(arguments).current_dir(folder);
    command.env("PAY_PATIENCE_SECONDS", "5").env("BOOKONCE_KEY", "the-key");
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    if output.is_err() {
        eprintln!("SKIPPED: no python3 on this machine, so docs/pay.py was not run");
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

/// Guards against: the program before, which deleted its file after any answer, and so lost the payment.
#[tokio::test]
async fn a_request_that_was_not_decided_is_kept_and_sent_again_with_its_id() {
    let (fake, address) = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{address}");
    let first = [url.clone(), "alice".into(), "40.00".into()];
    let troubles = [(401, "unauthenticated"), (403, "forbidden"), (400, "invalid_request")];
    for (round, (status, code)) in troubles.into_iter().enumerate() {
        fake.0.lock().unwrap().troubles.push_back(Trouble::Refuse(status, code));
        let arguments = if round == 0 { first.as_slice() } else { &first[..1] };
        let Some(output) = run(folder.path(), arguments).await else { return };
        assert_eq!(output.status.code(), Some(1), "{status}");
    }
    let Some(output) = run(folder.path(), &first[..1]).await else { return };
    assert!(String::from_utf8_lossy(&output.stdout).contains("404 new account_not_found"));
    fake.0.lock().unwrap().accounts.insert("alice".into(), 10_000);
    let Some(output) = run(folder.path(), &first[..1]).await else { return };
    assert!(printed(&output).trim().ends_with("201 new 60.00"), "{}", printed(&output));
    let came = fake.0.lock().unwrap().came.clone();
    assert!(came.len() == 5 && came.iter().all(|id| *id == came[0]), "{came:?}");
    assert!(fake.0.lock().unwrap().keys.iter().all(|key| key == "Bearer the-key"));
}

/// Guards against: the program before, which sent one request after the other.
#[tokio::test]
async fn one_request_that_is_stuck_holds_up_no_other() {
    let (fake, address) = Fake::start().await;
    fake.0.lock().unwrap().accounts.insert("alice".into(), 10_000);
    let folder = tempfile::tempdir().unwrap();
    let outbox = folder.path().join("outbox");
    std::fs::create_dir(&outbox).unwrap();
    let stuck = "018f4e6e-9d52-7a30-8f7e-000000000000";
    fake.0.lock().unwrap().stuck = Some(stuck.into());
    for name in [stuck, "018f4e6e-9d52-7a30-8f7e-000000000001", "018f4e6e-9d52-7a30-8f7e-000000000002"] {
        let left = r#"{"path": "/v1/accounts/alice/withdrawals", "body": {"amount": "1.00"}}"#;
        std::fs::write(outbox.join(name), left).unwrap();
    }
    let Some(output) = run(folder.path(), &[format!("http://{address}")]).await else { return };
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((fake.balance("alice"), std::fs::read_dir(&outbox).unwrap().count()), (Some(9_800), 1));
    assert!(outbox.join(stuck).exists());
}
