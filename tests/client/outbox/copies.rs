//! These tests put back a copy of the outbox of the day before, and send from it again.

use bookonce::client::faults::{FaultRates, Proxy};

use super::*;

/// Seen failing with another ID for each attempt, and with a message that a booked reversal leaves unknown.
#[tokio::test(flavor = "multi_thread")]
async fn yesterdays_copy_run_again_books_nothing_more_and_agrees_in_the_end() {
    let (service, _folder) = service();
    let rates = FaultRates { lose_answer: 1000, ..FaultRates::NONE };
    let network = Proxy::start(vec![service.address], 1, rates).await.unwrap();
    let mailbox = Mailbox::new(network.address);
    // One is booked without an answer, one was not sent yet, and one will be ruled out in the original.
    let first =
        mailbox.send(&["withdraw", "alice", "40.00", "--wait", "200ms"]).await.ends(3, "pending").id();
    let second = mailbox.send(&["deposit", "alice", "5.00", "--wait", "0s"]).await.ends(3, "pending").id();
    let third = mailbox.send(&["withdraw", "alice", "7.00", "--wait", "0s"]).await.ends(3, "pending").id();
    let copy = mailbox.folder().join("yesterday");
    std::fs::copy(mailbox.file(), &copy).unwrap();
    network.calm();
    mailbox.outbox(&["rule-out", &third]).await.ends(0, "it rules out");
    mailbox.outbox(&["run"]).await.ends(4, "ruled_out");
    assert_eq!(mailbox.states().await, ["confirmed", "confirmed", "confirmed", "ruled_out"]);
    let before = service.journal();
    assert_eq!(balance(service.address, "alice"), "65.00");

    std::fs::copy(&copy, mailbox.file()).unwrap();
    mailbox.outbox(&["run"]).await.ends(4, "402 prevented");
    assert_eq!(mailbox.states().await, ["confirmed", "confirmed", "declined"]);
    assert_eq!(balance(service.address, "alice"), "65.00");
    let after = service.journal();
    for id in [&first, &second] {
        assert_eq!((events_of(&before, id), events_of(&after, id)), (1, 1));
    }
    assert_eq!((events_of(&before, &third), events_of(&after, &third)), (0, 1), "its decline is recorded");
    mailbox.outbox(&["run"]).await.ends(0, "");
    assert_eq!(service.journal(), after);
}

/// Seen failing with an edit that makes another ID each time: the original's and the copy's were both booked.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_edit_of_a_copy_is_the_same_message() {
    let (service, _folder) = service();
    let mailbox = Mailbox::new(service.address);
    let old = mailbox.send(&["withdraw", "alice", "1.005"]).await.ends(5, "400").id();
    let copy = mailbox.folder().join("yesterday");
    std::fs::copy(mailbox.file(), &copy).unwrap();
    for _ in 0..2 {
        std::fs::copy(&copy, mailbox.file()).unwrap();
        mailbox.outbox(&["edit", &old, "amount=1.50"]).await.ends(0, "in place of");
        mailbox.outbox(&["run"]).await.ends(0, "balance 98.50");
    }
    assert_eq!(balance(service.address, "alice"), "98.50");
}
