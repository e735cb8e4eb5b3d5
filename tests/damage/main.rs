//! These tests do to the store what an operator can do by mistake. The account is refused with 503 `store_damaged` while
//! others go on, a figure counts it and the log names it. A store that was put back from yesterday is refused as a whole,
//! until a rebuild is ordered.
//!
//! Catches, each seen once: a deleted stream that is taken for a new account (neither its metadata nor the revision at
//! which an append landed looked at: alice's second opening was answered 201), and a store put back from yesterday between
//! two looks at it (not compared again once it had been reached).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod bench;
#[path = "../support/log.rs"]
mod log;
#[path = "../support/mod.rs"]
mod support;

use bench::{Bench, rebuild, refused};
use eventstore_standin::file::{replaced, rewrite};
use serde_json::{Value, json};
use support::http::id;
use support::process::bookonce;
use support::store::until;

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
    let mut bench = Bench::in_file();
    drop(bench.stop());
    bench.delete("account-alice");
    bench.scavenge("account-alice");
    bench.lacks_until_accepted("account-alice lacks at least 1");
    let again = format!(r#"{{"transaction_id":"{}","account":"alice","currency":"EUR"}}"#, id());
    refused(&bench.service().post("/v1/accounts", again));
    bench.alice_is_refused_and_bob_is_not();
}

#[test]
fn a_stream_that_was_deleted_for_ever() {
    let mut bench = Bench::in_file();
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
    bench.scavenge("account-alice");
    bench.lacks_until_accepted("account-alice lacks at least 1");
    bench.alice_is_refused_and_bob_is_not();
}

/// Catches: an index that is built without them, is ready, and knows nothing of the IDs that they booked; and one that, with
/// the note that events are missing in it, can't be opened again. Both were seen.
#[test]
fn a_stream_that_was_cut_and_scavenged_before_the_index_was_built() {
    let mut bench = Bench::in_file();
    drop(bench.stop());
    bench.node.stop();
    for _ in 0..2 {
        rewrite(&bench.file, 0, "account-alice", |event| replaced(event, b"account-alice", b"elsewhere.txt"));
    }
    bench.node.start();
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
    let mut bench = Bench::in_file();
    drop(bench.stop());
    bench.node.stop();
    // The second event becomes one of a stream of another name.
    rewrite(&bench.file, 1, "account-alice", |event| replaced(event, b"account-alice", b"elsewhere.txt"));
    bench.node.start();
    bench.lacks_until_accepted("account-alice lacks at least 1");
    bench.alice_is_refused_and_bob_is_not();
}

#[test]
fn an_event_that_was_altered() {
    for afresh in [true, false] {
        let mut bench = Bench::in_file();
        let folder = bench.stop();
        bench.node.stop();
        rewrite(&bench.file, 2, "account-alice", |event| replaced(event, b"7.00", b"8.00"));
        bench.node.start();
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
    let mut bench = Bench::in_file();
    bench.node.stop();
    let yesterday = std::fs::read(&bench.file).unwrap();
    bench.node.start();
    until("the service goes on", || {
        let body = format!(r#"{{"transaction_id":"{}","amount":"1.00"}}"#, id());
        bench.service().post("/v1/accounts/alice/deposits", body).status == 201
    });
    assert_eq!(bench.service().get("/v1/accounts/alice").status, 200);
    bench.node.stop();
    std::fs::write(&bench.file, &yesterday).unwrap();
    bench.node.start();
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
