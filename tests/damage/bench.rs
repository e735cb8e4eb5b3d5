//! [`Bench`] is a service over a node, and an operator who does things to the node.

use std::path::{Path, PathBuf};

use bookonce::store::eventstoredb::prepare_tls;
use eventstore::{
    AppendToStreamOptions, Client, DeleteStreamOptions, EventData, ExpectedRevision, TombstoneStreamOptions,
};
use eventstore_standin::{Options, Standin};
use serde_json::{Value, json};

use crate::log::Log;
use crate::support::http::{Reply, Service, id};
use crate::support::node::Node;
use crate::support::process::bookonce;
use crate::support::store::{runtime, stop, until};

/// A service over a node, with two accounts of 100.00, and an operator who does things to the node.
pub struct Bench {
    service: Option<Service>,
    pub node: Node,
    operator: Client,
    pub log: Log,
    _dir: tempfile::TempDir,
    /// This is the file of the stand-in, where it is that.
    pub file: PathBuf,
    /// A deposit that alice's account was booked with, and its first answer.
    pub first: (String, Reply),
}

impl Bench {
    pub fn new() -> Self {
        Self::over(Node::start_empty(), tempfile::tempdir().unwrap())
    }

    /// Makes one over the stand-in, whose file can be altered.
    pub fn in_file() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { data: Some(dir.path().join("node")), ..Options::default() };
        Self::over(Node::Standin(Box::new(Standin::start(options).unwrap())), dir)
    }

    fn over(node: Node, dir: tempfile::TempDir) -> Self {
        let file = dir.path().join("node");
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

    pub fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    /// Stops the service; its folder.
    pub fn stop(&mut self) -> tempfile::TempDir {
        let mut service = self.service.take().unwrap();
        let folder = std::mem::replace(&mut service.folder, tempfile::tempdir().unwrap());
        stop(service.app.ledger());
        folder
    }

    pub fn start(&mut self, folder: tempfile::TempDir) {
        self.service = Some(Service::over(folder, &self.node.connection_string()));
    }

    /// The service knows nothing of the accounts but what it finds.
    pub fn start_afresh(&mut self) {
        self.start(tempfile::tempdir().unwrap());
        self.ready();
    }

    pub fn ready(&self) {
        until("the service is ready", || self.service().get("/readyz").status == 200);
    }

    /// An index is built, and events are missing: nobody knows which IDs they booked, so that none is booked anew.
    pub fn lacks(&self, what: &str) {
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
    pub fn lacks_until_accepted(&mut self, what: &str) {
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

    /// Lets the events of a deleted stream be gone from the journal.
    pub fn scavenge(&mut self, stream: &str) {
        self.node.as_standin().unwrap().scavenge(stream);
    }

    pub fn delete(&self, stream: &str) {
        let any = DeleteStreamOptions::default().expected_revision(ExpectedRevision::Any);
        runtime().block_on(self.operator.delete_stream(stream, &any)).unwrap();
    }

    pub fn tombstone(&self, stream: &str) {
        let any = TombstoneStreamOptions::default().expected_revision(ExpectedRevision::Any);
        runtime().block_on(self.operator.tombstone_stream(stream, &any)).unwrap();
    }

    pub fn set_metadata(&self, stream: &str, metadata: &Value) {
        self.append(&format!("$${stream}"), "$metadata", metadata);
    }

    pub fn write(&self, stream: &str) {
        self.append(stream, "Noted", &json!({"by": "an operator"}));
    }

    fn append(&self, stream: &str, kind: &str, data: &Value) {
        let any = AppendToStreamOptions::default().expected_revision(ExpectedRevision::Any);
        let event = EventData::json(kind, data).unwrap();
        runtime().block_on(self.operator.append_to_stream(stream, &any, event)).unwrap();
    }

    /// The figure says so.
    pub fn counts(&self, damaged: usize) -> bool {
        let metrics = self.service().get("/metrics");
        metrics.text().contains(&format!("bookonce_store_damaged_accounts {damaged}\n"))
    }

    /// Alice is refused whatever is asked of her, is counted and named; bob is not concerned.
    pub fn alice_is_refused_and_bob_is_not(&self) {
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
    pub fn alice_is_well(&self) {
        let again = self.service().post("/v1/accounts/alice/deposits", &self.first.0);
        assert_eq!((again.status, again.text()), (201, self.first.1.text()));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        deposit(self.service(), "alice");
    }

    pub fn whole_is_refused(&self) {
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

pub fn refused(reply: &Reply) {
    assert_eq!((reply.status, reply.code().as_str()), (503, "store_damaged"), "{}", reply.text());
    assert!(reply.header("retry-after").is_some());
}

/// Books a deposit, and waits until the index has it: the last event of an index is looked for in the store at its next start.
pub fn deposit(service: &Service, account: &str) {
    let body = format!(r#"{{"transaction_id":"{}","amount":"1.00"}}"#, id());
    let reply = service.post(&format!("/v1/accounts/{account}/deposits"), body);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let position: u64 = reply.header("bookonce-position").unwrap().parse().unwrap();
    until("the index has it", || service.app.ledger().head().position >= position);
}

pub fn rebuild(data: &Path) {
    let (code, said, complaint) = bookonce(&["rebuild", "--data", data.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}{complaint}");
    assert!(said.contains("serve --store"), "{said}");
}

pub fn accept_missing(data: &Path) {
    let data = data.to_str().unwrap();
    let (code, said, complaint) = bookonce(&["rebuild", "--accept-missing", "--data", data]);
    assert_eq!(code, 0, "{said}{complaint}");
}
