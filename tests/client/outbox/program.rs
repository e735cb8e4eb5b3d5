//! These tests send and settle messages with the program, to a real service.

use bookonce::client::faults::{FaultRates, Proxy};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_stored_sent_and_shown_and_its_code_says_how_it_went() {
    let (service, _folder) = service();
    let mailbox = Mailbox::new(service.address);
    let booked = mailbox.send(&["withdraw", "alice", "40.00", "--metadata", "atm=77"]).await;
    let booked = booked.ends(0, "confirmed: 201, balance 60.00");
    assert!(booked.out.starts_with(&format!("{} stored\n", booked.id())), "{booked:?}");
    mailbox.send(&["withdraw", "alice", "4000"]).await.ends(4, "declined: 402 insufficient_funds");
    mailbox
        .send(&["withdraw", "nobody", "1"])
        .await
        .ends(5, "needs_attention (refused): 404 account_not_found");
    mailbox.send(&["transfer", "alice", "1.00", "--to", "alice"]).await.ends(2, "");
    mailbox.send(&["withdraw", "alice", "1e3"]).await.ends(2, "amount");
    mailbox.send(&["steal", "alice", "1"]).await.ends(2, "there is no op");
    assert_eq!(mailbox.states().await, ["confirmed", "declined", "needs_attention refused"]);
    let shown = mailbox.outbox(&["show", &booked.id()]).await.ends(0, "\"attempts\": 1");
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(shown["body"], serde_json::json!({"amount": "40.00", "metadata": {"atm": "77"}}));
    assert_eq!(shown["answer"]["balance"], "60.00");
    mailbox.outbox(&["list"]).await.ends(0, "confirmed");
    assert_eq!(balance(service.address, "alice"), "60.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_op_of_a_batch_can_be_sent() {
    let (service, _folder) = service();
    let mailbox = Mailbox::new(service.address);
    mailbox
        .send(&["open_account", "bob", "--currency", "EUR", "--overdraft-limit", "5.00"])
        .await
        .ends(0, "201");
    let deposit =
        mailbox.send(&["deposit", "bob", "3.00", "--counter-account", "@till"]).await.ends(0, "201");
    let reverse = ["reverse", "bob", "1.00", "--reverses", &deposit.id(), "--reason", "mistake"];
    mailbox.send(&reverse).await.ends(0, "balance 2.00");
    let hold = mailbox.send(&["hold", "alice", "10", "--expires-in-seconds", "600"]).await.ends(0, "201");
    mailbox.send(&["capture", "alice", "4", "--hold", &hold.id()]).await.ends(0, "balance 96.00");
    let hold = mailbox.send(&["hold", "alice", "10", "--expires-in-seconds", "600"]).await.ends(0, "201");
    mailbox.send(&["release", "alice", "--hold", &hold.id()]).await.ends(0, "201");
    mailbox.send(&["transfer", "alice", "6.00", "--to", "bob"]).await.ends(0, "202");
    crate::support::store::until("the transfer has ended", || balance(service.address, "bob") == "8.00");
    assert_eq!(balance(service.address, "alice"), "90.00");
}

/// Seen failing while the right ones among wrong lines were stored.
#[tokio::test(flavor = "multi_thread")]
async fn lines_are_all_stored_or_none_and_the_same_lines_again_book_nothing_more() {
    let (service, _folder) = service();
    let mailbox = Mailbox::new(service.address);
    let line = |n: u32, amount: &str| {
        let id = format!("018f4e6e-9d52-7a30-8f7e-1000000000{n:02}");
        format!(r#"{{"op":"withdraw","account":"alice","amount":"{amount}","transaction_id":"{id}"}}"#)
    };
    let wrong = [line(1, "1.00"), line(2, "1e3")].join("\n");
    mailbox.send_lines(&wrong, &[]).await.ends(2, "line 2: amount");
    assert!(!mailbox.file().exists(), "nothing was stored");
    let right = [line(1, "1.00"), line(2, "2.00"), line(3, "500.00")].join("\n");
    for _ in 0..2 {
        let said = mailbox.send_lines(&right, &[]).await.ends(4, "declined");
        assert_eq!(said.out.lines().filter(|line| line.contains("confirmed")).count(), 2, "{said:?}");
    }
    mailbox.send_lines(&line(1, "9.00"), &[]).await.ends(2, "with another request");
    assert_eq!(balance(service.address, "alice"), "97.00");
    assert_eq!(mailbox.states().await, ["confirmed", "confirmed", "declined"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_network_down_it_waits_in_the_file_and_is_booked_once_when_it_is_back() {
    let (service, _folder) = service();
    let network = free_port();
    let mailbox = Mailbox::new(network);
    mailbox.send(&["withdraw", "alice", "40.00", "--wait", "300ms"]).await.ends(3, "pending");
    mailbox.send(&["deposit", "alice", "1.00", "--wait", "0s"]).await.ends(3, "pending");
    let _network =
        Proxy::start_at(network, vec![service.address], 1, FaultRates::NONE).await.expect("the port is free");
    let said = mailbox.outbox(&["run"]).await.ends(0, "confirmed: 201, balance 60.00");
    assert!(said.out.contains("balance 61.00"), "in their order: {said:?}");
    mailbox.outbox(&["run"]).await.ends(0, "");
    assert_eq!(balance(service.address, "alice"), "61.00");
}

/// Seen failing while a message did not wait for the one before it.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_needs_attention_holds_up_its_account_until_a_person_has_looked() {
    let (service, _folder) = service();
    let mailbox = Mailbox::new(service.address);
    let refused = mailbox.send(&["deposit", "bob", "5.00"]).await.ends(5, "404 account_not_found");
    mailbox.send(&["open_account", "bob", "--currency", "EUR", "--wait", "1s"]).await.ends(3, "pending");
    mailbox.send(&["withdraw", "alice", "1.00"]).await.ends(0, "confirmed");
    mailbox.outbox(&["run"]).await.ends(5, "");
    mailbox.outbox(&["run", "--go-on"]).await.ends(5, "201");
    mailbox.outbox(&["retry", &refused.id()]).await.ends(0, "pending");
    mailbox.outbox(&["run"]).await.ends(0, "balance 5.00");
    mailbox.outbox(&["drop", &refused.id()]).await.ends(0, "dropped");
    assert_eq!(mailbox.states().await, ["confirmed", "confirmed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_edited_under_a_new_id_and_the_old_one_stays() {
    let (service, _folder) = service();
    let mailbox = Mailbox::new(service.address);
    let old = mailbox.send(&["withdraw", "alice", "1.005"]).await.ends(5, "400 invalid_request").id();
    mailbox.outbox(&["edit", &old, "amount=many"]).await.ends(2, "amount");
    mailbox
        .outbox(&["edit", &old, "transaction_id=018f4e6e-9d52-7a30-8f7e-000000000009"])
        .await
        .ends(2, "can't be edited");
    let new = mailbox.outbox(&["edit", &old, "amount=1.50"]).await.ends(0, "in place of").id();
    assert_ne!(old, new);
    mailbox.outbox(&["edit", &old, "amount=1.60"]).await.ends(1, "was replaced already");
    mailbox.outbox(&["run"]).await.ends(0, "balance 98.50");
    let messages = mailbox.list().await;
    assert_eq!(messages[0]["replaced_by"], new.as_str());
    assert_eq!(messages[1]["replaces"], old.as_str());
    assert_eq!(mailbox.states().await, ["replaced", "confirmed"]);
}

/// A message that may be booked is neither edited nor dropped. It is asked again, or ruled out; then it is known. Seen
/// failing while every message could be edited, and while a booked reversal left what it names unknown.
#[tokio::test(flavor = "multi_thread")]
async fn past_its_deadline_it_is_unknown_and_is_ruled_out_whether_it_was_booked_or_not() {
    for lost in ["request", "answer"] {
        let (service, _folder) = service();
        let share = |which| if which == lost { 1000 } else { 0 };
        let rates =
            FaultRates { lose_request: share("request"), lose_answer: share("answer"), ..FaultRates::NONE };
        let network = Proxy::start(vec![service.address], 1, rates).await.unwrap();
        let mailbox = Mailbox::new(network.address);
        let said =
            mailbox.send(&["withdraw", "alice", "40.00", "--deadline", "400ms", "--wait", "20s"]).await;
        let id = said.ends(5, "needs_attention (unknown)").id();
        for refused in [&["edit", &id, "amount=4.00"][..], &["drop", &id]] {
            mailbox.outbox(refused).await.ends(1, "not before its outcome is known");
        }
        network.calm();
        mailbox.outbox(&["rule-out", &id]).await.ends(0, "it rules out");
        mailbox.outbox(&["retry", &id]).await.ends(1, "is being ruled out");
        mailbox.outbox(&["run"]).await.ends(4, "ruled_out");
        assert_eq!(mailbox.states().await, ["confirmed", "ruled_out"], "{lost}");
        assert_eq!(balance(service.address, "alice"), "100.00", "{lost}");
        let new = mailbox.outbox(&["edit", &id, "amount=4.00"]).await.ends(0, "in place of").id();
        mailbox.outbox(&["run"]).await.ends(0, "balance 96.00");
        mailbox.send(&["withdraw", "alice", "40.00", "--id", &id]).await.ends(4, "replaced");
        assert_eq!(balance(service.address, "alice"), "96.00", "{lost}");
        assert_eq!(events_of(&service.journal(), &new), 1);
    }
}

/// Seen failing while no deadline passed.
#[tokio::test(flavor = "multi_thread")]
async fn past_its_deadline_it_can_be_asked_again_under_the_same_id() {
    let (service, _folder) = service();
    let rates = FaultRates { lose_answer: 1000, ..FaultRates::NONE };
    let network = Proxy::start(vec![service.address], 1, rates).await.unwrap();
    let mailbox = Mailbox::new(network.address);
    let said = mailbox.send(&["withdraw", "alice", "40.00", "--deadline", "400ms", "--wait", "20s"]).await;
    let id = said.ends(5, "needs_attention (unknown)").id();
    network.calm();
    mailbox.outbox(&["run"]).await.ends(5, "");
    mailbox.outbox(&["retry", &id]).await.ends(0, "");
    mailbox.outbox(&["run"]).await.ends(0, "balance 60.00");
    mailbox.outbox(&["rule-out", &id]).await.ends(1, "is final");
    mailbox.outbox(&["edit", &id, "amount=1"]).await.ends(1, "is booked");
    assert_eq!(events_of(&service.journal(), &id), 1);
}

/// A deposit that was booked and spent can't be taken back. What became of it is still learnt.
#[tokio::test(flavor = "multi_thread")]
async fn a_ruling_out_that_is_declined_leaves_it_to_be_asked_again() {
    let (service, _folder) = service();
    let rates = FaultRates { lose_answer: 1000, ..FaultRates::NONE };
    let network = Proxy::start(vec![service.address], 1, rates).await.unwrap();
    let mailbox = Mailbox::new(network.address);
    let said = mailbox.send(&["deposit", "alice", "5.00", "--deadline", "2s", "--wait", "60s"]).await;
    let id = said.ends(5, "needs_attention (unknown)").id();
    assert_eq!(events_of(&service.journal(), &id), 1);
    network.calm();
    let others = Mailbox::new(service.address);
    others.send(&["withdraw", "alice", "105.00"]).await.ends(0, "balance 0.00");
    let order = mailbox.outbox(&["rule-out", &id]).await.ends(0, "it rules out").id();
    mailbox.outbox(&["rule-out", &id]).await.ends(0, &order);
    mailbox.outbox(&["run"]).await.ends(5, "declined: 402 insufficient_funds");
    assert_eq!(mailbox.states().await, ["declined", "needs_attention unknown"]);
    mailbox.outbox(&["rule-out", &id]).await.ends(1, "could not be ruled out");
    mailbox.outbox(&["retry", &id]).await.ends(0, "pending");
    mailbox.outbox(&["run"]).await.ends(0, "confirmed: 201, balance 105.00");
    assert_eq!(balance(service.address, "alice"), "0.00");
}

/// What rules out is not edited: what is made of it would rule out nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_ruling_out_that_is_refused_is_asked_again_or_dropped() {
    let (service, _folder) = service();
    let mailbox = Mailbox::new(service.address);
    let id = mailbox.send(&["deposit", "bob", "5.00"]).await.ends(5, "404 account_not_found").id();
    let order = mailbox.outbox(&["rule-out", &id]).await.ends(0, "it rules out").id();
    mailbox.outbox(&["run"]).await.ends(5, "404 account_not_found");
    mailbox.outbox(&["edit", &order, "reason=other"]).await.ends(1, "rules out another message");
    mailbox.outbox(&["drop", &order]).await.ends(0, "dropped");
    mailbox.send(&["open_account", "bob", "--currency", "EUR", "--go-on"]).await.ends(0, "confirmed");
    mailbox.outbox(&["rule-out", &id]).await.ends(0, &order);
    mailbox.outbox(&["run"]).await.ends(4, "ruled_out");
    assert_eq!(balance(service.address, "bob"), "0.00");
}

/// A sender that goes on until it is told to stop. It ends with the test.
struct Watching {
    process: std::process::Child,
    /// The file of its lock, and what stands there.
    lock: (std::path::PathBuf, String),
}

impl Watching {
    /// Starts it, and waits until it has the lock.
    fn begin(mailbox: &Mailbox) -> Self {
        let process = mailbox.command(&["outbox", "run", "--watch"]).spawn().unwrap();
        let holder = format!("process {}", process.id());
        let watching = Self { process, lock: (mailbox.folder().join("atm.outbox.lock"), holder) };
        crate::support::store::until("it has the lock", || watching.is_the_last_that_sent());
        watching
    }

    fn is_the_last_that_sent(&self) -> bool {
        std::fs::read_to_string(&self.lock.0).is_ok_and(|text| text == self.lock.1)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _reaped_already = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_add_while_one_sends() {
    let (service, _folder) = service();
    let mailbox = Mailbox::new(service.address);
    mailbox.send(&["withdraw", "alice", "1.00"]).await.ends(0, "confirmed");
    let mut watching = Watching::begin(&mailbox);
    let sends = (0..8).map(|_| mailbox.send(&["withdraw", "alice", "1.00", "--wait", "20s"]));
    for said in futures_util::future::join_all(sends).await {
        said.ends(0, "confirmed: 201");
    }
    assert!(watching.is_the_last_that_sent());
    let pid = rustix::process::Pid::from_child(&watching.process);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(watching.process.wait().unwrap().code(), Some(0));
    assert_eq!(balance(service.address, "alice"), "91.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sender_is_told_who_sends() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mailbox = Mailbox::new(silent.local_addr().unwrap());
    mailbox.send(&["withdraw", "alice", "1.00", "--wait", "0s"]).await.ends(3, "stored");
    let watching = Watching::begin(&mailbox);
    let holder = &watching.lock.1;
    let told = format!("another sender has the outbox {}: {holder}", mailbox.file().display());
    mailbox.send(&["withdraw", "alice", "1.00", "--wait", "300ms"]).await.ends(3, &told);
    mailbox.outbox(&["run"]).await.ends(1, &told);
    assert!(watching.is_the_last_that_sent());
}
