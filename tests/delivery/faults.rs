//! The real program sends to receivers that fail in thirty of a hundred requests, and is killed again and again. What came of
//! each message is counted at the receivers and in the journal; what the run wrote has no secret in it.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bookonce::client::inbox::{Accepted, Inbox, Keeps, Message};
use rusqlite::Connection;

use crate::program::{Home, deposit, journal, open};
use crate::receiver::{Arrival, Does, Receiver};
use crate::running::one;
use crate::support::process::{Process, send, verify};
use crate::support::store;

/// These are secrets whose text, and whose bytes, are looked for in all that is written.
const SECRETS: [(&str, &str, &str); 3] = [
    ("most", "Y2FuYXJ5LW1vc3QtY2FuYXJ5LW1vc3QtY2FuYXJ5", "canary-most-canary-most-canary"),
    ("least", "Y2FuYXJ5LWxlYXN0LWNhbmFyeS1sZWFzdC1jYW5h", "canary-least-canary-least-cana"),
    ("effect", "Y2FuYXJ5LWVmZmVjdC1jYW5hcnktZWZmZWN0LWNh", "canary-effect-canary-effect-ca"),
];

/// Draws what a receiver does with a request: the same for the same request in every run.
fn does(arrival: &Arrival, before: usize) -> Does {
    let drawn = (arrival.position * 31 + before as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    match drawn % 1_000 {
        0..90 => Does::Answers(500, None),
        90..95 => Does::Answers(429, Some(1)),
        95..110 => Does::Answers(422, None),
        110..200 => Does::TakesAndBreaks,
        200..280 => Does::Breaks,
        280..300 => Does::TakesWithoutEnd,
        _ => Does::Takes,
    }
}

/// Makes a program that writes its log into a file of the folder.
fn logged(home: &Home) -> PathBuf {
    let (program, log) = (PathBuf::from(home.path("logged")), home.path("log"));
    let text = format!("#!/bin/sh\nexec '{}' \"$@\" 2>>'{log}'\n", env!("CARGO_BIN_EXE_bookonce"));
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    program
}

/// Counts what comes of the messages, and looks for the secrets.
///
/// Seen failing: with a message that is skipped, a claim that is not durable before its messages are sent, progress that is
/// recorded before the answer, and a parked message that is not kept. Guards against: a secret that is written somewhere.
fn storm(messages: usize, kills: usize) {
    if store::is_eventstoredb() {
        return;
    }
    let [most, least, effect] = [(); 3].map(|()| Receiver::start(does));
    let home = Home::new("");
    let more = |name: &str| {
        let (_, text, _) = SECRETS.iter().find(|(of, ..)| *of == name).unwrap();
        std::fs::write(home.path(&format!("secret-{name}")), format!("whsec_{text}\n")).unwrap();
        let waits = "'1s',".repeat(9);
        format!("retry = [{waits}]\nclaim = 20\nsecret_files = ['{}']", home.path(&format!("secret-{name}")))
    };
    let settings = one("most", &most, "at_most_once", &more("most"))
        + &one("least", &least, "at_least_once", &more("least"))
        + &one("effect", &effect, "exactly_once_effect", &more("effect"));
    std::fs::write(home.path("bookonce.toml"), settings).unwrap();
    let (program, data, config) = (logged(&home), home.path("data"), home.path("bookonce.toml"));
    let serve = || Process::start_program(&program, Path::new(&data), &["--config", &config], &[]).unwrap();
    let accounts = (messages / 20).clamp(10, 200);
    for round in 0..kills {
        let mut service = serve();
        if round == 0 {
            (0..accounts).for_each(|n| open(&service, &format!("a-{n}")));
        }
        (0..messages / kills).for_each(|n| deposit(&service, &format!("a-{}", (n * 7 + round) % accounts)));
        std::thread::sleep(Duration::from_millis(round as u64 * 37 % 90));
        service.kill();
    }
    let mut service = serve();
    let all = [("most", &most), ("least", &least), ("effect", &effect)];
    let is_settled = |(name, receiver): &(&str, &Receiver)| {
        let (events, letters) = journal(&service, name);
        let taken: BTreeSet<u64> = receiver.taken().into_keys().collect();
        taken.union(&letters).copied().collect::<BTreeSet<_>>() == events
    };
    store::until("each message has arrived or is a letter", || all.iter().all(is_settled));
    let answers = ["/metrics", "/v1/destinations", "/v1/journal?limit=1000", "/"]
        .map(|path| send(service.address, "GET", path, "").unwrap().body);
    std::fs::write(home.path("answers"), answers.concat()).unwrap();
    let (events, _) = journal(&service, "effect");
    assert_eq!(service.stop(), Some(0));

    let mut arrived = BTreeMap::new();
    most.arrivals().into_iter().for_each(|arrival| *arrived.entry(arrival.id).or_insert(0) += 1);
    assert!(arrived.values().all(|times| *times == 1), "at most once one came twice: {arrived:?}");
    least.assert_in_order();
    effect.assert_in_order();
    // What takes effect at the receiver with an inbox is each message that it took, once.
    let taken: BTreeSet<u64> = effect.taken().into_keys().collect();
    assert!(effect.taken().values().any(|times| *times > 1), "nothing came twice");
    assert_eq!(effects(&effect), taken.len());
    assert!(taken.is_subset(&events), "something came that was not booked");
    assert!(std::fs::metadata(home.path("log")).unwrap().len() > 1_000, "nothing was logged");
    no_canary(Path::new(&home.path("")));
    verify(Path::new(&data));
}

/// Returns how many effects there are behind an inbox that gets what was taken.
fn effects(receiver: &Receiver) -> usize {
    let mut database = Connection::open_in_memory().unwrap();
    let inbox = Inbox::open(&database, Keeps::Revisions).unwrap();
    let taken = receiver.arrivals().into_iter().filter(|arrival| arrival.is_taken);
    let fresh = taken.filter(|arrival| {
        let message = Message {
            id: arrival.id.clone(),
            sender: "ledger effect".to_owned(),
            kind: "bookonce.Deposited".to_owned(),
            subject: arrival.subject.clone(),
            revision: Some(arrival.revision),
            transaction: None,
            time: String::new(),
        };
        let transaction = database.transaction().unwrap();
        let accepted = inbox.accept(&transaction, &message).unwrap();
        transaction.commit().unwrap();
        accepted == Accepted::Fresh
    });
    fresh.count()
}

/// Looks for each secret in each file, but in its own.
fn no_canary(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            no_canary(&path);
        } else if !name.starts_with("secret-") {
            let bytes = std::fs::read(&path).unwrap();
            for (_, text, raw) in SECRETS {
                for secret in [text, raw] {
                    let is_there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                    assert!(!is_there, "{} has a secret in it", path.display());
                }
            }
        }
    }
}

#[test]
fn two_hundred_messages_through_faults_and_kills_keep_their_guarantee() {
    storm(200, 3);
}

#[test]
#[ignore = "long: ten thousand messages, ten kills"]
fn ten_thousand_messages_through_faults_and_kills_keep_their_guarantee() {
    storm(10_000, 10);
}
