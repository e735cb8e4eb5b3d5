//! These tests look for the key wherever it must not be, and for what a key that is refused stops.

use axum::Router;
use axum::http::{HeaderMap, StatusCode};

use super::*;
use crate::fake::{Fake, Trouble};

const KEY: &str = "bo_0123456789ab_a-key-that-must-be-in-no-file";

/// Everything in a folder, with all its bytes.
fn bytes_in(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    files.collect::<Vec<_>>().concat()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|at| at == text.as_bytes())
}

/// Seen failing while the answer of a service that echoes the key was kept.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_sent_and_is_nowhere_else() {
    let echo = |headers: HeaderMap| async move {
        let key = headers["authorization"].to_str().unwrap().to_owned();
        (StatusCode::BAD_REQUEST, format!(r#"{{"code":"invalid_request","detail":"who is {key}?"}}"#))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mailbox = Mailbox::new(listener.local_addr().unwrap()).with_key(KEY);
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(echo)).await });
    let said =
        mailbox.send(&["withdraw", "alice", "1.00"]).await.ends(5, "had the key in it, and is not kept");
    let shown = mailbox.outbox(&["show", &said.id()]).await.ends(0, "\"status\": 400");
    let listed = mailbox.outbox(&["list"]).await;
    for said in [said, shown, listed] {
        assert!(!holds(said.out.as_bytes(), KEY) && !holds(said.error.as_bytes(), KEY), "{said:?}");
    }
    assert!(!holds(&bytes_in(mailbox.folder()), KEY));
}

/// Seen failing while a message could hold the key.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_comes_from_a_file_too_and_never_gets_into_a_message() {
    let (fake, address) = Fake::start().await;
    fake.0.lock().unwrap().accounts.insert("alice".into(), 10_000);
    let mailbox = Mailbox::new(address);
    let key_file = mailbox.folder().join("key");
    std::fs::write(&key_file, format!("{KEY}\n")).unwrap();
    let key_file = key_file.to_str().unwrap();
    mailbox.send(&["withdraw", "alice", "1.00", "--key-file", key_file]).await.ends(0, "confirmed");
    assert_eq!(fake.0.lock().unwrap().keys, [format!("Bearer {KEY}")]);
    let leaky = ["withdraw", "alice", "1.00", "--metadata", &format!("note={KEY}"), "--key-file", key_file];
    mailbox.send(&leaky).await.ends(1, "has a secret in it");
    assert_eq!(mailbox.states().await, ["confirmed"]);
    assert!(!holds(&std::fs::read(mailbox.file()).unwrap(), KEY));
    let in_url = ["send", "withdraw", "alice", "1.00", "--url", "http://teller:secret@127.0.0.1:1"];
    let said = mailbox.run(&in_url, "").await.ends(1, "the address of the service has a secret in it");
    assert!(!said.error.contains("teller:secret"), "{said:?}");
}

/// Seen failing while a refused key was the message's own refusal.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_stops_the_sender_and_the_messages_stay() {
    let (fake, address) = Fake::start().await;
    fake.0.lock().unwrap().accounts.insert("alice".into(), 10_000);
    for (status, code) in [(401, "unauthenticated"), (403, "forbidden")] {
        let mailbox = Mailbox::new(address).with_key(KEY);
        fake.0.lock().unwrap().troubles.push_back(Trouble::Refuse(status, code));
        let said = mailbox.send(&["withdraw", "alice", "1.00"]).await;
        said.ends(3, &format!("the service refused the key ({status}"));
        assert_eq!(mailbox.states().await, ["pending"]);
        mailbox.outbox(&["run"]).await.ends(0, "confirmed");
    }
    assert_eq!(fake.balance("alice"), Some(9_800));
}
