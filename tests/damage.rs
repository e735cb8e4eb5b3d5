//! These tests do to the store what an operator can do by mistake. The account is refused with 503 `store_damaged` while
//! others go on, a figure counts it and the log names it. A store that was put back from yesterday is refused as a whole,
//! until a rebuild is ordered.
//!
//! Catches, each seen once: a deleted stream that is taken for a new account (neither its metadata nor the revision at
//! which an append landed looked at: alice's second opening was answered 201), and a store put back from yesterday between
//! two looks at it (not compared again once it had been reached).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

#[path = "support/log.rs"]
mod log;
mod support;

use std::path::{Path, PathBuf};

use bookonce::store::eventstoredb::prepare_tls;
use eventstore::{
    AppendToStreamOptions, Client, DeleteStreamOptions, EventData, ExpectedRevision, TombstoneStreamOptions,
};
use eventstore_standin::file::{replaced, rewrite};
use eventstore_standin::{Options, Running, Standin};
use log::Log;
use serde_json::{Value, json};
use support::http::{Reply, Service, id};
use support::process::bookonce;
use support::store::{runtime, until};

/// A service over a node, with two accounts of 100.00, and an operator who does things to the node.
struct Bench {
    service: Option<Service>,
    node: Running,
    operator: Client,
    log: Log,
    _dir: tempfile::TempDir,
    file: PathBuf,
    /// A deposit that alice's account was booked with, and its first answer.
    first: (String, Reply),
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("node");
        let node = Standin::start(Options { data: Some(file.clone()), ..Options::default() }).unwrap();
        let _inside = runtime().enter();
        runtime().block_on(prepare_tls());
        let operator = Client::new(node.connection_string().parse().unwrap()).unwrap();
        let log = Log::of_this_process();
        let service = Service::over(tempfile::tempdir().unwrap(), &node.connection_string());
        until("the service is ready", || service.get("/readyz").status == 200);
        service.account("alice");
        service.account("bob");
        let body = format!(r#"{{"transaction_id":"{}","amount":"7.00"}}"#, id());
        let first = service.post("/v1/accounts/alice/deposits", &body);
        assert_eq!(first.status, 201);
        deposit(&service, "alice");
        Self { service: Some(service), node, operator, log, _dir: dir, file, first: (body, first) }
    }

    fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    /// Stops the service; its folder.
    fn stop(&mut self) -> tempfile::TempDir {
        let mut service = self.service.take().unwrap();
        let folder = std::mem::replace(&mut service.folder, tempfile::tempdir().unwrap());
        support::store::stop(service.app.ledger());
        folder
    }

    fn start(&mut self, folder: tempfile::TempDir) {
        self.service = Some(Service::over(folder, &self.node.connection_string()));
    }

    /// The service knows nothing of the accounts but what it finds.
    fn start_afresh(&mut self) {
        self.start(tempfile::tempdir().unwrap());
        self.ready();
    }

    fn ready(&self) {
        until("the service is ready", || self.service().get("/readyz").status == 200);
    }

    /// An index is built, and events are missing: nobody knows which IDs they booked, so that none is booked anew.
    fn lacks(&self, what: &str) {
        until("what is missing is told", || {
            let ready = self.service().get("/readyz");
            ready.status == 503 && ready.text().contains(what)
        });
        let figure = "bookonce_not_ready{cause=\"missing_events\"} 1\n";
        until("a figure tells it", || self.service().get("/metrics").text().contains(figure));
        let elsewhere = self.service().post("/v1/accounts/bob/deposits", &self.first.0);
        assert_eq!(elsewhere.status, 503, "{}", elsewhere.text());
    }

    /// The same, over a restart, too; then an operator says that it may go on.
    fn lacks_until_accepted(&mut self, what: &str) {
        self.start(tempfile::tempdir().unwrap());
        self.lacks(what);
        let folder = self.stop();
        self.start(folder);
        self.lacks(what);
        let folder = self.stop();
        accept_missing(folder.path());
        self.start(folder);
        self.ready();
        let metrics = self.service().get("/metrics");
        let (_, count) = what.rsplit_once(' ').unwrap();
        let figure = format!("\nbookonce_store_missing_events {count}\n");
        assert!(metrics.text().contains(&figure), "{}", metrics.text());
        let said = || self.log.has("an ID that they booked may be booked again");
        until("the log says it on", said);
    }

    fn delete(&self, stream: &str) {
        let any = DeleteStreamOptions::default().expected_revision(ExpectedRevision::Any);
        runtime().block_on(self.operator.delete_stream(stream, &any)).unwrap();
    }

    fn tombstone(&self, stream: &str) {
        let any = TombstoneStreamOptions::default().expected_revision(ExpectedRevision::Any);
        runtime().block_on(self.operator.tombstone_stream(stream, &any)).unwrap();
    }

    fn set_metadata(&self, stream: &str, metadata: &Value) {
        self.append(&format!("$${stream}"), "$metadata", metadata);
    }

    fn write(&self, stream: &str) {
        self.append(stream, "Noted", &json!({"by": "an operator"}));
    }

    fn append(&self, stream: &str, kind: &str, data: &Value) {
        let any = AppendToStreamOptions::default().expected_revision(ExpectedRevision::Any);
        let event = EventData::json(kind, data).unwrap();
        runtime().block_on(self.operator.append_to_stream(stream, &any, event)).unwrap();
    }

    /// The figure says so.
    fn counts(&self, damaged: usize) -> bool {
        let metrics = self.service().get("/metrics");
        metrics.text().contains(&format!("bookonce_store_damaged_accounts {damaged}\n"))
    }

    /// Alice is refused whatever is asked of her, is counted and named; bob is not concerned.
    fn alice_is_refused_and_bob_is_not(&self) {
        let service = self.service();
        for body in [self.first.0.clone(), format!(r#"{{"transaction_id":"{}","amount":"1.00"}}"#, id())] {
            refused(&service.post("/v1/accounts/alice/deposits", body));
        }
        let again = format!(r#"{{"transaction_id":"{}","account":"alice","currency":"EUR"}}"#, id());
        refused(&service.post("/v1/accounts", again));
        refused(&service.get("/v1/accounts/alice"));
        refused(&service.get("/v1/accounts/alice/entries"));
        assert!(self.counts(1), "{}", service.get("/metrics").text());
        let named = "bookonce_store_damaged{account=\"alice\"} 1\n";
        assert!(service.get("/metrics").text().contains(named), "the figures name the account");
        assert!(self.log.has("stream=account-alice"), "the log names the account's stream");
        deposit(service, "bob");
        assert_eq!(service.get("/v1/accounts/bob").status, 200);
        assert_eq!(service.get("/readyz").status, 200);
    }

    /// Alice goes on as if nothing had been.
    fn alice_is_well(&self) {
        let again = self.service().post("/v1/accounts/alice/deposits", &self.first.0);
        assert_eq!((again.status, again.text()), (201, self.first.1.text()));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        deposit(self.service(), "alice");
    }

    fn whole_is_refused(&self) {
        let service = self.service();
        until("the whole store is known to be damaged", || {
            let ready = service.get("/readyz");
            ready.status == 503 && ready.json()["detail"].as_str().unwrap().contains("rebuild")
        });
        for account in ["alice", "bob"] {
            let body = format!(r#"{{"transaction_id":"{}","amount":"1.00"}}"#, id());
            refused(&service.post(&format!("/v1/accounts/{account}/deposits"), body));
            refused(&service.get(&format!("/v1/accounts/{account}")));
        }
        refused(&service.post("/v1/accounts/alice/deposits", &self.first.0));
        for path in ["/v1/accounts", "/v1/journal", "/v1/journal/head", "/v1/trial-balance", "/v1/digest"] {
            refused(&service.get(path));
        }
        refused(&service.get(&format!("/v1/transactions/{}", id())));
    }
}

fn refused(reply: &Reply) {
    assert_eq!((reply.status, reply.code().as_str()), (503, "store_damaged"), "{}", reply.text());
    assert!(reply.header("retry-after").is_some());
}

fn deposit(service: &Service, account: &str) {
    let body = format!(r#"{{"transaction_id":"{}","amount":"1.00"}}"#, id());
    let reply = service.post(&format!("/v1/accounts/{account}/deposits"), body);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[test]
fn a_deleted_stream_of_an_account_in_use() {
    let bench = Bench::new();
    bench.delete("account-alice");
    until("the deletion is noticed", || bench.counts(1));
    bench.alice_is_refused_and_bob_is_not();
}

#[test]
fn a_deleted_stream_of_an_account_not_in_memory() {
    let mut bench = Bench::new();
    let folder = bench.stop();
    bench.delete("account-alice");
    bench.start(folder);
    bench.ready();
    until("the deletion is noticed", || bench.counts(1));
    bench.alice_is_refused_and_bob_is_not();
}

/// Its events are gone from the journal, too: nothing but the stream's metadata and its next revision tell of it.
#[test]
fn a_deleted_stream_of_an_account_that_the_index_has_never_heard_of() {
    let mut bench = Bench::new();
    drop(bench.stop());
    bench.delete("account-alice");
    bench.node.scavenge("account-alice");
    bench.lacks_until_accepted("account-alice lacks at least 1");
    let again = format!(r#"{{"transaction_id":"{}","account":"alice","currency":"EUR"}}"#, id());
    refused(&bench.service().post("/v1/accounts", again));
    bench.alice_is_refused_and_bob_is_not();
}

#[test]
fn a_stream_that_was_deleted_for_ever() {
    let mut bench = Bench::new();
    bench.tombstone("account-alice");
    until("the tombstone is noticed", || bench.counts(1));
    bench.alice_is_refused_and_bob_is_not();
    let folder = bench.stop();
    bench.start(folder);
    bench.ready();
    bench.alice_is_refused_and_bob_is_not();
    drop(bench.stop());
    // Its events are still in the journal.
    bench.start_afresh();
    bench.alice_is_refused_and_bob_is_not();
    drop(bench.stop());
    bench.node.scavenge("account-alice");
    bench.lacks_until_accepted("account-alice lacks at least 1");
    bench.alice_is_refused_and_bob_is_not();
}

/// Catches: an index that is built without them, is ready, and knows nothing of the IDs that they booked; and one that, with
/// the note that events are missing in it, can't be opened again. Both were seen.
#[test]
fn a_stream_that_was_cut_and_scavenged_before_the_index_was_built() {
    let mut bench = Bench::new();
    drop(bench.stop());
    bench.node.stop().unwrap();
    for _ in 0..2 {
        rewrite(&bench.file, 0, "account-alice", |event| replaced(event, b"account-alice", b"elsewhere.txt"));
    }
    bench.node.start().unwrap();
    bench.lacks_until_accepted("account-alice lacks at least 2");
    bench.alice_is_refused_and_bob_is_not();
    // Consent goes with a plain rebuild.
    let folder = bench.stop();
    rebuild(folder.path());
    bench.start(folder);
    bench.lacks("account-alice lacks at least 2");
}

fn cuts() -> [Value; 3] {
    [json!({"$maxCount": 1}), json!({"$maxAge": 3_600}), json!({"$tb": 2})]
}

#[test]
fn metadata_that_cuts_a_stream_in_use_and_is_taken_away_again() {
    let bench = Bench::new();
    for cut in cuts() {
        bench.set_metadata("account-alice", &cut);
        until("the cut is noticed", || bench.counts(1));
        bench.alice_is_refused_and_bob_is_not();
        bench.set_metadata("account-alice", &json!({}));
        until("the mending is noticed", || bench.counts(0));
        assert_eq!(bench.service().get("/v1/accounts/alice").status, 200);
        bench.alice_is_well();
    }
}

#[test]
fn metadata_that_cuts_a_stream_before_it_is_loaded() {
    for cut in cuts() {
        let mut bench = Bench::new();
        let folder = bench.stop();
        bench.set_metadata("account-alice", &cut);
        bench.start(folder);
        bench.ready();
        until("the cut is noticed", || bench.counts(1));
        bench.alice_is_refused_and_bob_is_not();
        bench.set_metadata("account-alice", &json!({}));
        until("the mending is noticed", || bench.counts(0));
        bench.alice_is_well();
    }
}

#[test]
fn an_event_of_somebody_else() {
    let mut bench = Bench::new();
    bench.write("account-alice");
    // Before the follower sees it, too.
    refused(
        &bench.service().post(
            "/v1/accounts/alice/deposits",
            format!(r#"{{"transaction_id":"{}","amount":"1.00"}}"#, id()),
        ),
    );
    bench.alice_is_refused_and_bob_is_not();
    let folder = bench.stop();
    bench.start(folder);
    bench.ready();
    until("it is known again", || bench.counts(1));
    bench.alice_is_refused_and_bob_is_not();
}

/// Nothing of the ledger in a stream of its own naming: an account that was never opened.
#[test]
fn a_stream_that_somebody_else_began() {
    let bench = Bench::new();
    bench.write("account-carol");
    until("it is noticed", || bench.counts(1));
    let opening = format!(r#"{{"transaction_id":"{}","account":"carol","currency":"EUR"}}"#, id());
    refused(&bench.service().post("/v1/accounts", opening));
    bench.alice_is_well();
}

#[test]
fn an_event_that_is_gone_from_the_middle_of_a_stream() {
    let mut bench = Bench::new();
    drop(bench.stop());
    bench.node.stop().unwrap();
    // The second event becomes one of a stream of another name.
    rewrite(&bench.file, 1, "account-alice", |event| replaced(event, b"account-alice", b"elsewhere.txt"));
    bench.node.start().unwrap();
    bench.lacks_until_accepted("account-alice lacks at least 1");
    bench.alice_is_refused_and_bob_is_not();
}

#[test]
fn an_event_that_was_altered() {
    for afresh in [true, false] {
        let mut bench = Bench::new();
        let folder = bench.stop();
        bench.node.stop().unwrap();
        rewrite(&bench.file, 2, "account-alice", |event| replaced(event, b"7.00", b"8.00"));
        bench.node.start().unwrap();
        if afresh {
            drop(folder);
            bench.start_afresh();
        } else {
            // The index has seen it: whoever asks for it does not get it.
            bench.start(folder);
            bench.ready();
            let first: Value = serde_json::from_str(&bench.first.0).unwrap();
            let path = format!("/v1/transactions/{}", first["transaction_id"].as_str().unwrap());
            refused(&bench.service().get(&path));
            refused(&bench.service().post("/v1/accounts/alice/deposits", &bench.first.0));
            continue;
        }
        bench.alice_is_refused_and_bob_is_not();
    }
}

/// While it runs and is connected again, and then at its start.
#[test]
fn a_store_that_was_put_back_from_yesterday() {
    let mut bench = Bench::new();
    bench.node.stop().unwrap();
    let yesterday = std::fs::read(&bench.file).unwrap();
    bench.node.start().unwrap();
    until("the service goes on", || {
        let body = format!(r#"{{"transaction_id":"{}","amount":"1.00"}}"#, id());
        bench.service().post("/v1/accounts/alice/deposits", body).status == 201
    });
    assert_eq!(bench.service().get("/v1/accounts/alice").status, 200);
    bench.node.stop().unwrap();
    std::fs::write(&bench.file, &yesterday).unwrap();
    bench.node.start().unwrap();
    bench.whole_is_refused();
    let folder = bench.stop();
    bench.start(folder);
    bench.whole_is_refused();
    let folder = bench.stop();
    rebuild(folder.path());
    bench.start(folder);
    bench.ready();
    bench.alice_is_well();
    assert_eq!(bench.service().get("/v1/accounts/alice").json()["balance"], "109.00");
}

fn rebuild(data: &Path) {
    let (code, said, complaint) = bookonce(&["rebuild", "--data", data.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}{complaint}");
    assert!(said.contains("serve --store"), "{said}");
}

fn accept_missing(data: &Path) {
    let data = data.to_str().unwrap();
    let (code, said, complaint) = bookonce(&["rebuild", "--accept-missing", "--data", data]);
    assert_eq!(code, 0, "{said}{complaint}");
}

/// The index of a store is no ledger of its own: nothing is made of it by mistake.
#[test]
fn a_folder_that_holds_the_index_of_a_store_is_not_opened_without_the_store() {
    let mut bench = Bench::new();
    let folder = bench.stop();
    let (code, said, complaint) =
        bookonce(&["serve", "--listen", "127.0.0.1:0", "--data", folder.path().to_str().unwrap()]);
    assert_eq!(code, 3, "{said}");
    assert!(complaint.contains("give --store"), "{complaint}");
    bench.start(folder);
    bench.ready();
    bench.alice_is_well();
}
