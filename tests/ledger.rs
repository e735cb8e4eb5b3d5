//! These tests use the ledger as a whole, below HTTP: a command is booked once, answered alike for ever, and after
//! every kind of restart.

#[path = "support/model.rs"]
mod model;
mod support;

use bookonce::answers::render;
use bookonce::ledger::{At, Ledger, Verdict};
use bookonce::store::codec;
use model::Model;
use support::*;

async fn answers(ledger: &Ledger, commands: Vec<bookonce::domain::command::Command>) -> Vec<(u16, String)> {
    let verdicts = ledger.execute(commands).await.unwrap();
    verdicts
        .into_iter()
        .map(|verdict| match verdict {
            Verdict::Booked(event, _) | Verdict::Replayed(event, _) => {
                let answer = render(&event);
                (answer.status, String::from_utf8(answer.body).unwrap())
            }
            Verdict::Reused { differences, .. } => panic!("{differences:?}"),
            Verdict::Refused(refusal) => (0, format!("{refusal:?}")),
            Verdict::Unavailable(why) => panic!("{why}"),
        })
        .collect()
}

/// The answers without what differs from run to run.
fn undated(answers: &[(u16, String)]) -> String {
    let line = |(status, body): &(u16, String)| {
        let (before, _) = body.split_once("\"recorded_at\"").unwrap_or((body, ""));
        format!("{status} {before}\n")
    };
    answers.iter().map(line).collect()
}

fn story() -> Vec<bookonce::domain::command::Command> {
    vec![
        open(1, "alice"),
        deposit(2, "alice", "100.00"),
        withdraw(3, "alice", "40.00"),
        withdraw(4, "alice", "60.01"),
        reverse(5, "alice", 3, Some("10.00"), false),
        reverse(6, "alice", 3, None, false),
        reverse(7, "alice", 3, None, false),
        reverse(8, "alice", 99, None, false),
        withdraw(99, "alice", "1.00"),
        deposit(10, "bob", "1.00"),
        reverse(11, "alice", 2, None, false),
    ]
}

/// The position of the third event. The embedded store counts without gaps; EventStoreDB does not.
async fn third(ledger: &Ledger) -> u64 {
    let lines = ledger.lines(0, 3).await.unwrap();
    let third = String::from_utf8(lines).unwrap().lines().nth(2).unwrap().to_owned();
    let position = codec::decode(third.as_bytes()).unwrap().position;
    assert!(store::is_eventstoredb() || position == 3);
    position
}

/// The digest at each position is that of a model, which has the contract's rules and none of the ledger's code.
async fn digests_are_the_models(ledger: &Ledger) {
    let mut model = Model::new(store::is_eventstoredb());
    for line in String::from_utf8(ledger.lines(0, 100).await.unwrap()).unwrap().lines() {
        model.line(line);
        let expected = (model.position, model.digest());
        assert_eq!(ledger.digest(Some(model.position)).await.unwrap(), expected, "after {line}");
    }
    assert_eq!(ledger.digest(None).await.unwrap(), (model.position, model.digest()));
}

#[tokio::test]
async fn first_answers_are_given_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open_ledger(dir.path()).unwrap();
    let first = answers(&ledger, story()).await;
    insta::assert_snapshot!(undated(&first));
    assert_eq!(answers(&ledger, story()).await, first, "again, from memory");
    let digest = ledger.digest(None).await.unwrap();
    store::stop(&ledger);
    drop(ledger);

    let ledger = open_ledger(dir.path()).unwrap();
    assert_eq!(answers(&ledger, story()).await, first, "after a restart");
    assert_eq!(ledger.digest(None).await.unwrap(), digest);
    store::stop(&ledger);
    drop(ledger);

    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
    let ledger = open_ledger(dir.path()).unwrap();
    assert_eq!(answers(&ledger, story()).await, first, "after everything derived was deleted");
    assert_eq!(ledger.digest(None).await.unwrap(), digest);
    digests_are_the_models(&ledger).await;
    assert!(ledger.trial_balance(None).await.unwrap().balanced());
    let third = third(&ledger).await;
    assert_eq!(ledger.trial_balance(Some(third)).await.unwrap().position, third);
    let alice = ledger.account(&name("alice"), At::Position(third)).await.unwrap().unwrap();
    assert_eq!((alice.balance.to_string(), alice.revision), ("60.00".into(), 2));
    store::stop(&ledger);
}
