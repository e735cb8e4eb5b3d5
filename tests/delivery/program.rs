//! The real program with a receiver beside it: it is killed at random and started again, its folder is copied and restored, and
//! its other commands are run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::receiver::{Does, Receiver};
use crate::running::one;
use crate::support::http::id;
use crate::support::process::{Process, bookonce, send, verify};
use crate::support::store;

/// A `Home` is a folder with the settings and the data of services.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("bookonce.toml"), settings).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn serve(&self, data: &str, more: &[&str]) -> Result<Process, String> {
        let config = self.path("bookonce.toml");
        let arguments = [&["--config", &config], more].concat();
        Process::start_with(Path::new(&self.path(data)), &arguments, &[])
    }
}

pub fn open(service: &Process, account: &str) {
    let body = format!("{{\"transaction_id\":\"{}\",\"account\":\"{account}\",\"currency\":\"EUR\"}}", id());
    let reply = send(service.address, "POST", "/v1/accounts", &body).unwrap();
    assert_eq!(reply.status, 201, "{}", reply.body);
}

pub fn deposit(service: &Process, account: &str) {
    let body = format!("{{\"transaction_id\":\"{}\",\"amount\":\"1.00\"}}", id());
    let reply = send(service.address, "POST", &format!("/v1/accounts/{account}/deposits"), &body).unwrap();
    assert_eq!(reply.status, 201, "{}", reply.body);
}

/// Returns the positions of the events of accounts in the journal, and of the messages to a destination that became letters.
pub fn journal(service: &Process, destination: &str) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let (mut events, mut letters) = (BTreeSet::new(), BTreeSet::new());
    for line in service.journal() {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        if line["stream"].as_str().unwrap().starts_with("account-") {
            events.insert(line["position"].as_u64().unwrap());
        }
        if line["type"] == "DeadLettered" && line["data"]["source"] == destination {
            assert!(letters.insert(line["data"]["position"].as_u64().unwrap()), "two letters: {line}");
        }
    }
    (events, letters)
}

fn taken(receiver: &Receiver) -> BTreeSet<u64> {
    receiver.taken().into_keys().collect()
}

/// Seen failing: with a message that is skipped, a claim that is not durable before its messages are sent, progress that is
/// recorded before the answer, and a parked message that is not kept.
#[test]
fn the_program_that_is_killed_at_random_keeps_the_guarantee_that_it_names() {
    if store::is_eventstoredb() {
        return;
    }
    let receiver = Receiver::start(|arrival, before| match (arrival.position % 10, before) {
        (3, _) => Does::Answers(422, None),
        (5, 0) => Does::TakesAndBreaks,
        (7, 0) => Does::Answers(500, None),
        (9, 0) => Does::TakesWithoutEnd,
        _ => Does::Takes,
    });
    let once = Receiver::start(|_, _| Does::Takes);
    let more = "retry = ['1s']\nclaim = 4\nin_flight = 8";
    let home =
        Home::new(&(one("crm", &receiver, "at_least_once", more) + &one("sms", &once, "at_most_once", more)));
    for round in 0..6_u32 {
        let mut service = home.serve("data", &[]).unwrap();
        if round == 0 {
            (0..5).for_each(|n| open(&service, &format!("a-{n}")));
        }
        (0..20).for_each(|n| deposit(&service, &format!("a-{}", n % 5)));
        std::thread::sleep(Duration::from_millis(u64::from(round * 37 % 90)));
        service.kill();
    }
    let mut service = home.serve("data", &[]).unwrap();
    let is_all = |destination, receiver| {
        let (events, letters) = journal(&service, destination);
        taken(receiver).union(&letters).copied().collect::<BTreeSet<_>>() == events
    };
    store::until("every message is taken or a letter", || is_all("crm", &receiver) && is_all("sms", &once));
    assert_eq!(service.stop(), Some(0));
    receiver.assert_in_order();
    let mut arrived = BTreeMap::new();
    once.arrivals().into_iter().for_each(|arrival| *arrived.entry(arrival.id).or_insert(0) += 1);
    assert!(arrived.values().all(|times| *times == 1), "{arrived:?}");
    verify(Path::new(&home.path("data")));
}

/// Guards against: a copy that sends what its original sends, and a command that reads a journal and sends something.
#[test]
fn a_copy_a_restored_folder_and_every_other_command_send_nothing() {
    if store::is_eventstoredb() {
        return;
    }
    let receiver = Receiver::start(|_, _| Does::Takes);
    let home = Home::new(&one("crm", &receiver, "at_least_once", ""));
    let mut service = home.serve("data", &[]).unwrap();
    open(&service, "alice");
    store::until("the first message has come", || !receiver.arrivals().is_empty());
    assert_eq!(service.stop(), Some(0));

    // What is booked while it is held is what a copy would send.
    let mut held = home.serve("data", &["--pause-messages"]).unwrap();
    deposit(&held, "alice");
    assert_eq!(held.stop(), Some(0));
    let (data, export, config) = (home.path("data"), home.path("export"), home.path("bookonce.toml"));
    let (code, lines, _) = bookonce(&["export", "--data", &data]);
    assert_eq!(code, 0);
    std::fs::write(&export, lines).unwrap();
    for arguments in [
        &["verify", &data][..],
        &["replay", "--data", &data],
        &["rebuild", "--data", &data],
        &["restore", &export, "--data", &home.path("restored")],
        &["keys", "list", "--config", &config],
    ] {
        let (code, said, complaint) = bookonce(arguments);
        assert_eq!(code, 0, "{arguments:?}: {said}{complaint}");
    }
    assert!(Command::new("cp").arg("-r").args([&data, &home.path("copy")]).status().unwrap().success());
    for folder in ["copy", "restored"] {
        let mut copy = home.serve(folder, &[]).unwrap();
        deposit(&copy, "alice");
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(copy.stop(), Some(0));
    }
    assert_eq!(receiver.arrivals().len(), 1, "{:?}", receiver.arrivals());

    std::fs::rename(&data, home.path("moved")).unwrap();
    let mut original = home.serve("moved", &[]).unwrap();
    store::until("the original goes on", || receiver.arrivals().len() == 2);
    assert_eq!(original.stop(), Some(0));
    verify(Path::new(&home.path("moved")));
}

/// Guards against: settings that can't be right and with which the service starts.
#[test]
fn bad_settings_are_refused_with_their_line_and_exit_code_2() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let receiver = Receiver::start(|_, _| Does::Takes);
    let good = one("crm", &receiver, "at_least_once", "");
    for (settings, named) in [
        (good.replace("guarantee = 'at_least_once'\n", ""), "line 1: `guarantee` must be said"),
        (good.clone() + "retries = 3", "unknown field `retries`"),
        (good.replace("http://", "http://me:secret@"), "line 3: `url` must have no user"),
        (good.replace("allow_private = ['127.0.0.1']\n", ""), "line 3: `url` names the blocked address"),
        (good.replace("'webhook'", "'kafka'"), "line 2: `kind` \"kafka\" is not built in"),
        (good.clone() + "secret_files = ['/nowhere/secret']", "can't be read"),
        (good.clone() + &format!("secret_files = ['{}']", secret.path().display()), "has no `whsec_`"),
        (good.replace("destinations.crm", "destinations.CRM"), "line 1: a destination's name"),
    ] {
        let home = Home::new(&settings);
        let (data, config) = (home.path("data"), home.path("bookonce.toml"));
        let (code, said, complaint) =
            bookonce(&["serve", "--data", &data, "--listen", "127.0.0.1:0", "--config", &config]);
        assert_eq!(code, 2, "{settings}: {said}{complaint}");
        assert!(complaint.contains(named), "{settings}: {complaint}");
    }
    assert!(receiver.arrivals().is_empty());
}
