//! These tests kill the sender at each named point of a message's way, and at random ones. Then another sender goes on, and
//! each message is booked once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bookonce::client::faults::{FaultRates, Proxy};
use bookonce::client::outbox::file::{Outbox, Point};
use bookonce::client::outbox::lock::SenderLock;
use bookonce::client::outbox::order::Order;
use bookonce::client::outbox::sending::{End, Sender, Sending};
use bookonce::domain::ids::TransactionId;
use bookonce::domain::time::system_clock;
use rustix::process::{Pid, Signal, getpid, kill_process};

use super::*;

const ID: &str = "018f4e6e-9d52-7a30-8f7e-0000000000aa";
const POINTS: [Point; 5] =
    [Point::BeforeWrite, Point::Written, Point::BeforeSend, Point::Answered, Point::BeforeConfirmation];

/// This is no test: it is the process that dies. It stores a message and sends it, as `bookonce send` does, and kills itself
/// at the point that it is told of.
#[tokio::test(flavor = "multi_thread")]
async fn the_sender_that_dies() {
    let told =
        ["OUTBOX_FILE", "OUTBOX_URL", "OUTBOX_DIES_AT"].map(|name| std::env::var(name).unwrap_or_default());
    let [file, url, dies_at] = told;
    if file.is_empty() {
        return;
    }
    let observer = move |point: Point| {
        if format!("{point:?}") == dies_at {
            kill_process(getpid(), Signal::KILL).unwrap();
        }
    };
    let outbox = Outbox::open_or_make(Path::new(&file), &url, system_clock()).unwrap();
    let mut outbox = outbox.observed_by(std::sync::Arc::new(observer));
    let line = r#"{"op":"withdraw","account":"alice","amount":"40.00"}"#;
    let order = Order::read(line, TransactionId::parse(ID).unwrap()).unwrap();
    outbox.add(&[order], Duration::from_secs(600), None).unwrap();
    let lock = SenderLock::take(Path::new(&file)).unwrap();
    let mut sender = Sender::new(outbox, lock, Sending::default()).unwrap();
    sender.run(End::NothingGoesFurther, std::future::pending(), |_| ()).await.unwrap();
}

/// Starts the process that dies at this point; at none where it is nothing.
fn dying(mailbox: &Mailbox, at: &str) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "outbox::kills::the_sender_that_dies", "--nocapture"])
        .env("OUTBOX_FILE", mailbox.file())
        .env("OUTBOX_URL", &mailbox.url)
        .env("OUTBOX_DIES_AT", at)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Seen failing with an attempt that is not in the file before it is sent, with an answer that is confirmed too early, and
/// with another ID for the next sender's attempt.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_point_it_is_stored_or_not_and_booked_once_or_not_at_all() {
    for point in POINTS {
        let (service, _folder) = service();
        let mailbox = Mailbox::new(service.address);
        let mut child = dying(&mailbox, &format!("{point:?}"));
        let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        assert_eq!(status.code(), None, "{point:?}: it was not killed");
        let (stored, booked) = match point {
            Point::BeforeWrite => (None, 0),
            Point::Written => (Some("pending"), 0),
            Point::BeforeSend => (Some("sending"), 0),
            Point::Answered | Point::BeforeConfirmation => (Some("sending"), 1),
        };
        assert_eq!(mailbox.states().await, stored.into_iter().collect::<Vec<_>>(), "{point:?}");
        assert_eq!(events_of(&service.journal(), ID), booked, "{point:?}");
        mailbox.outbox(&["run"]).await.ends(0, "");
        let times = usize::from(stored.is_some());
        assert_eq!(mailbox.states().await, vec!["confirmed"; times], "{point:?}");
        assert_eq!(events_of(&service.journal(), ID), times, "{point:?}");
    }
}

/// The sender dies when the service has booked the message, and its answer is still on the way.
#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_send_it_is_booked_once() {
    let (service, _folder) = service();
    let rates = FaultRates { drip: 1000, longest_delay: Duration::from_secs(600), ..FaultRates::NONE };
    let network = Proxy::start(vec![service.address], 1, rates).await.unwrap();
    let mailbox = Mailbox::new(network.address);
    let mut child = dying(&mailbox, "");
    while events_of(&service.journal(), ID) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(mailbox.states().await, ["sending"]);
    network.calm();
    mailbox.outbox(&["run"]).await.ends(0, "balance 60.00");
    assert_eq!((network.counts().came.load(Ordering::Relaxed), events_of(&service.journal(), ID)), (2, 1));
}

/// Seen failing with another ID for each attempt.
#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_amid_many_messages_each_is_booked_once() {
    const MESSAGES: usize = 120;
    let (service, _folder) = service();
    let mailbox = Mailbox::new(service.address);
    let line = |n: usize| {
        format!(r#"{{"op":"deposit","account":"alice","amount":"1.00","metadata":{{"n":"{n}"}}}}"#)
    };
    let lines: Vec<String> = (0..MESSAGES).map(line).collect();
    mailbox.send_lines(&lines.join("\n"), &["--wait", "0s"]).await.ends(3, "pending");
    let mut kills = 0;
    for wait in (0..12).map(|n| 40 + n * 7) {
        let mut child = mailbox.command(&["outbox", "run"]).stdout(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(wait)).await;
        kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
        kills += usize::from(child.wait().unwrap().code().is_none());
    }
    mailbox.outbox(&["run"]).await.ends(0, "");
    let messages = mailbox.list().await;
    let journal = service.journal();
    assert_eq!(journal.len(), 2 + MESSAGES);
    for message in &messages {
        let id = message["transaction_id"].as_str().unwrap();
        assert_eq!((message["state"].as_str().unwrap(), events_of(&journal, id)), ("confirmed", 1));
    }
    assert!(kills > 3, "too little happened to prove anything: {kills} kills");
}
