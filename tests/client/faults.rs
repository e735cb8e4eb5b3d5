//! These tests look at the faulty network from both of its ends. They catch a proxy that does less harm than it says.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use bookonce::client::faults::{FaultRates, Proxy};
use bookonce::client::ids::derive;
use bookonce::client::request::{MoveBody, Request};
use bookonce::client::sender::Client;
use bookonce::domain::money::Direction;

use crate::fake::Fake;
use crate::sending::hasty;

const KIND: FaultRates = FaultRates { longest_delay: Duration::from_millis(2), ..FaultRates::NONE };

async fn network(rates: FaultRates) -> (Fake, Proxy, Client) {
    let (fake, address) = Fake::start().await;
    fake.0.lock().unwrap().accounts.insert("alice".into(), 0);
    let proxy = Proxy::start(vec![address], 7, rates).await.unwrap();
    let client = Client::new(&format!("http://{}", proxy.address), None, hasty()).unwrap();
    (fake, proxy, client)
}

fn deposit(number: usize) -> Request {
    let asked = MoveBody { amount: "1.00", ..MoveBody::default() };
    Request::moved(derive("test", &number.to_string()), "alice", Direction::Credit, &asked)
}

#[tokio::test]
async fn a_lost_request_never_arrives() {
    let (fake, proxy, client) = network(FaultRates { lose_request: 1000, ..KIND }).await;
    assert!(client.attempt(&deposit(1)).await.is_err());
    assert_eq!(proxy.counts().lost_requests.load(Ordering::Relaxed), 1);
    assert!(fake.0.lock().unwrap().came.is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_lost_after_the_booking() {
    let (fake, proxy, client) = network(FaultRates { lose_answer: 1000, ..KIND }).await;
    assert!(client.attempt(&deposit(1)).await.is_err());
    assert_eq!((fake.balance("alice"), proxy.counts().lost_answers.load(Ordering::Relaxed)), (Some(100), 1));
    proxy.calm();
    let answer = client.send(&deposit(1)).await.unwrap();
    assert!(answer.replayed && answer.accepted());
    assert_eq!(fake.balance("alice"), Some(100));
}

#[tokio::test]
async fn a_doubled_request_comes_twice_and_is_answered_alike() {
    let (fake, proxy, client) = network(FaultRates { double: 1000, ..KIND }).await;
    assert!(client.send(&deposit(1)).await.unwrap().accepted());
    assert_eq!((fake.balance("alice"), fake.0.lock().unwrap().came.len()), (Some(100), 2));
    assert_eq!(proxy.counts().disagreed.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_delayed_request_arrives() {
    let (fake, proxy, client) = network(FaultRates { delay: 1000, ..KIND }).await;
    assert_eq!(client.send(&deposit(1)).await.unwrap().attempts, 1);
    assert_eq!((fake.balance("alice"), proxy.counts().delayed.load(Ordering::Relaxed)), (Some(100), 1));
}

#[tokio::test]
async fn a_cut_answer_breaks_off_after_the_booking() {
    let (fake, proxy, client) = network(FaultRates { cut: 1000, ..KIND }).await;
    assert!(client.attempt(&deposit(1)).await.is_err());
    assert_eq!((fake.balance("alice"), proxy.counts().cut.load(Ordering::Relaxed)), (Some(100), 1));
}

#[tokio::test]
async fn a_dripped_answer_comes_whole() {
    let (fake, proxy, client) = network(FaultRates { drip: 1000, ..KIND }).await;
    assert!(client.send(&deposit(1)).await.unwrap().accepted());
    assert_eq!((fake.balance("alice"), proxy.counts().dripped.load(Ordering::Relaxed)), (Some(100), 1));
}

#[tokio::test]
async fn a_request_is_passed_by_the_next_one() {
    let rates = FaultRates { reorder: 1000, longest_delay: Duration::from_secs(60), ..KIND };
    let (fake, proxy, client) = network(rates).await;
    let (first, second) = (client.clone(), client);
    let first = tokio::spawn(async move { first.attempt(&deposit(1)).await });
    while proxy.counts().reordered.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    proxy.calm();
    assert!(second.attempt(&deposit(2)).await.is_ok());
    assert!(first.await.unwrap().is_ok());
    let ids = [2, 1].map(|number| deposit(number).id.to_string());
    assert_eq!(fake.0.lock().unwrap().came, ids);
}

/// The program stands between a client and the service until it is told to stop, and says what it did.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_does_the_harm_that_it_is_asked_for() {
    let (fake, address) = Fake::start().await;
    fake.0.lock().unwrap().accounts.insert("alice".into(), 0);
    let to = address.to_string();
    let mut proxy = Command::new(env!("CARGO_BIN_EXE_bookonce"))
        .args(["fault-proxy", "--to", &to, "--seed", "3", "--lose-answer", "1000"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(proxy.stdout.take().unwrap());
    let mut greeting = String::new();
    out.read_line(&mut greeting).unwrap();
    let url = greeting.split([' ', ',']).find(|word| word.starts_with("http://")).unwrap();
    let client = Client::new(url, None, hasty()).unwrap();
    assert!(client.attempt(&deposit(1)).await.is_err());
    assert_eq!(fake.balance("alice"), Some(100));
    let pid = rustix::process::Pid::from_child(&proxy);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let mut counts = String::new();
    out.read_line(&mut counts).unwrap();
    assert!(counts.starts_with("requests 1, lost requests 0, lost answers 1,"), "{counts}");
    assert_eq!(proxy.wait().unwrap().code(), Some(0));
    for wrong in [&["--cut", "600", "--drip", "600"][..], &["--black-hole", "1"], &["--tcp", "--drip", "1"]] {
        let command = ["fault-proxy", "--to", &to];
        let ended = Command::new(env!("CARGO_BIN_EXE_bookonce")).args(command).args(wrong).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{wrong:?}");
    }
}

#[tokio::test]
async fn through_all_of_it_each_is_booked_once() {
    let all = FaultRates {
        lose_request: 150,
        lose_answer: 150,
        double: 150,
        delay: 150,
        cut: 100,
        reorder: 100,
        drip: 100,
        ..KIND
    };
    let (fake, _proxy, client) = network(all).await;
    for number in 0..200 {
        assert!(client.send(&deposit(number)).await.unwrap().accepted());
    }
    assert_eq!((fake.balance("alice"), fake.0.lock().unwrap().booked), (Some(20_000), 200));
}
