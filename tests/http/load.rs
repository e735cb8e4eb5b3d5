//! These tests send more than the service can take, and requests whose answers take longer than their clients wait.

use std::time::Duration;

use crate::faulty::Faults;
use crate::support::http::{Reply, Service, id};
use crate::support::{options, store};
use bookonce::domain::ids::CounterAccount;
use bookonce::domain::time::system_clock;
use bookonce::http::{Config, Limits, router};
use bookonce::index::Tuning;
use bookonce::ledger::{Ledger, Options, Workings};
use eventstore_standin::faults as standin;

/// While nothing that was sent can be booked, what is too much is refused all the same: a refusal that waited for anybody's
/// commit would not come.
#[test]
fn row_29_what_is_too_much_is_refused_at_once_and_may_be_sent_again() {
    const CLIENTS: usize = 32;
    let faults = Faults::default();
    let service = Service::opened(|data| {
        let waiting = bookonce::clerk::Limits { jobs: 2, commands: 2 };
        let options = Options { limits: waiting, ..options(data, system_clock()) };
        if store::is_eventstoredb() {
            return store::open(options, Tuning::default());
        }
        let around = faults.clone();
        let appends = Box::new(move |inner| around.around(inner));
        Ledger::open_with(options, Workings { appends, ..Workings::default() })
    });
    service.account("alice");
    let node = |lag| {
        store::with_standin(service.folder.path(), |node| {
            node.faults().set(standin::Faults { visibility_lag: lag, ..standin::Faults::default() });
        });
    };
    let hold = || if store::is_eventstoredb() { node(Duration::from_secs(600)) } else { faults.hold() };
    let let_go = || if store::is_eventstoredb() { node(Duration::ZERO) } else { faults.let_go() };
    let before = faults.submitted();
    hold();
    let (send, receive) = std::sync::mpsc::channel();
    let sent: Vec<(String, Reply)> = std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            // The first is alone: its own thread appends, and nobody decides on the others meanwhile.
            if client == 1 && !store::is_eventstoredb() {
                faults.wait_submitted(before + 1);
            }
            let (send, service) = (send.clone(), &service);
            scope.spawn(move || {
                let body = format!(r#"{{"transaction_id":"{}","amount":"0.01"}}"#, id());
                let reply = service.post("/v1/accounts/alice/withdrawals", &body);
                drop(send.send((body, reply)));
            });
        }
        // Some are in hand and some wait; the others must not.
        let wait = Duration::from_secs(120);
        let refused: Vec<_> = (0..CLIENTS / 2).map_while(|_| receive.recv_timeout(wait).ok()).collect();
        let_go();
        drop(send);
        assert_eq!(refused.len(), CLIENTS / 2, "they waited for what was held");
        refused.into_iter().chain(receive.iter()).collect()
    });
    let (refused, accepted): (Vec<_>, Vec<_>) = sent.iter().partition(|(_, reply)| reply.status == 503);
    assert!(accepted.len() >= 2 && refused.len() >= CLIENTS / 2, "{} of {CLIENTS}", refused.len());
    assert!(accepted.iter().all(|(_, reply)| reply.status == 201), "{accepted:?}");
    for (_, reply) in &refused {
        assert_eq!((reply.code().as_str(), reply.header("retry-after")), ("overloaded", Some("1")));
    }
    let balance = service.get("/v1/accounts/alice").json()["balance"].as_str().unwrap().to_owned();
    assert_eq!(balance, format!("99.{:02}", 100 - accepted.len()));
    let again = service.post("/v1/accounts/alice/withdrawals", &refused[0].0);
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, None));
}

#[test]
fn a_client_that_will_not_wait_is_told_that_it_is_in_progress() {
    let config = Config { write_wait: Duration::ZERO, ..Config::default() };
    let service = Service::with(config, Limits::default(), router);
    // That many take longer than the shortest wait that a timer can measure.
    let ids: Vec<String> = (0..5_000).map(|_| id()).collect();
    let line = |(n, id): (usize, &String)| {
        format!(r#"{{"op":"open_account","transaction_id":"{id}","account":"a{n}","currency":"EUR"}}"#) + "\n"
    };
    let body: String = ids.iter().enumerate().map(line).collect();
    let reply = service.send("POST", "/v1/batch", &[("content-type", "application/x-ndjson")], body);
    assert_eq!((reply.status, reply.code().as_str()), (409, "in_progress"));
    assert_eq!(reply.header("retry-after"), Some("1"));
    let last = format!("/v1/transactions/{}", ids[4_999]);
    let booked = if store::is_eventstoredb() {
        // Nobody can say beforehand where it will be.
        store::until("the batch is booked", || service.get(&last).status == 200);
        service.get(&last)
    } else {
        service.get(&format!("{last}?min_position=5000"))
    };
    assert_eq!((booked.status, booked.json()["outcome"].as_str()), (200, Some("accepted")));
}

/// Guards against: bodies that all together take any amount of memory, and streams of which there is no end.
#[test]
fn large_bodies_and_feeds_are_let_in_as_long_as_there_is_room() {
    let config = Config { feeds: 2, ..Config::default() };
    let service = Service::with(config, Limits::default(), router);
    service.account("alice");
    let head = "POST /v1/batch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n";
    let line = format!(r#"{{"op":"deposit","transaction_id":"{}","account":"alice","amount":"1"}}"#, id());
    let body = format!("{line}\n").repeat(50);
    let batch = || service.send("POST", "/v1/batch", &[("content-type", "application/x-ndjson")], &body);
    // Sixteen fill the room; a batch may be in the way of one, so more are sent until it is full.
    let mut announced = Vec::new();
    let full = loop {
        announced.push(service.connect_and(format!("{head}content-length: 8388608\r\n\r\n").as_bytes()));
        let reply = batch();
        if reply.status != 200 {
            break reply;
        }
    };
    assert_eq!(
        (full.status, full.code().as_str(), full.header("retry-after")),
        (503, "overloaded", Some("1"))
    );
    service.account("bob");
    drop(announced);
    let again = std::iter::repeat_with(batch).find(|reply| reply.status == 200).unwrap();
    assert_eq!(again.text().lines().count(), 50);

    let feed = || service.connect_and(b"GET /v1/journal/live HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let mut feeds = [feed(), feed()];
    for feed in &mut feeds {
        let mut first = [0; 12];
        std::io::Read::read_exact(feed, &mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
    }
    assert_eq!(service.get("/v1/journal/live").code(), "overloaded");
}

/// Seen failing with an answer that was not weighed: it was booked, and answered 201.
#[test]
fn one_command_whose_answer_has_no_room_is_refused_before_it_is_booked() {
    let service = Service::start();
    service.account("alice");
    let notes: Vec<String> = (0..12).map(|n| format!(r#""key-{n}":"{}""#, "x".repeat(200))).collect();
    let body =
        |id: &str| format!(r#"{{"transaction_id":"{id}","amount":"1","metadata":{{{}}}}}"#, notes.join(","));
    // The body itself is one of those that are not counted. With an answer that repeats it, it is not.
    assert!((2_049..4_096).contains(&body(&id()).len()));
    let deposit = |id: &str| service.post("/v1/accounts/alice/deposits", body(id));
    let head = "POST /v1/batch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n";
    let mut announced = Vec::new();
    let (refused, reply) = loop {
        announced.push(service.connect_and(format!("{head}content-length: 8388608\r\n\r\n").as_bytes()));
        let id = id();
        let reply = deposit(&id);
        if reply.status != 201 {
            break (id, reply);
        }
        assert!(announced.len() < 1_000, "there is always room");
    };
    assert_eq!(
        (reply.status, reply.code().as_str(), reply.header("retry-after")),
        (503, "overloaded", Some("1"))
    );
    assert_eq!(service.get(&format!("/v1/transactions/{refused}")).status, 404);
    let small = format!(r#"{{"transaction_id":"{}","amount":"1"}}"#, id());
    assert_eq!(service.post("/v1/accounts/alice/deposits", small).status, 201);
    drop(announced);
    let again = std::iter::repeat_with(|| deposit(&refused)).find(|reply| reply.status != 503).unwrap();
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, None));
}

/// Guards against: a misspelt name of an own account that makes one, and a retry that is refused because of what was set
/// since.
#[test]
fn only_the_named_own_accounts_are_booked_to() {
    let service = Service::start();
    service.account("alice");
    let body = |id: &str, own: &str| {
        format!(r#"{{"transaction_id":"{id}","amount":"1","counter_account":"{own}"}}"#)
    };
    let deposit = |body: &str| service.post("/v1/accounts/alice/deposits", body);
    let before = body(&id(), "@old");
    let first = deposit(&before);
    let names = ["@cash", "@atm-77"].map(|name| CounterAccount::parse(name).unwrap());
    let _same = service.app.clone().naming_only(Some(names.into()));
    let again = deposit(&before);
    assert_eq!((again.status, again.body), (201, first.body));
    assert_eq!(deposit(&body(&id(), "@atm-77")).status, 201);
    let refused = deposit(&body(&id(), "@atm77"));
    assert_eq!((refused.status, refused.fields()), (400, vec!["counter_account".to_owned()]));
    let line = |own: &str| {
        format!(
            r#"{{"op":"deposit","transaction_id":"{}","account":"alice","amount":"1","counter_account":"{own}"}}"#,
            id()
        )
    };
    let lines = service.batch(&[line("@atm-77"), line("@atm77")]);
    assert_eq!((&lines[0]["status"], &lines[1]["status"]), (&201.into(), &400.into()));
    assert_eq!(service.get("/v1/accounts/@atm77").code(), "account_not_found");
}
