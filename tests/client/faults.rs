//! These tests look at the faulty network from both of its ends. They catch a proxy that does less harm than it says.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bookonce::client::faults::{FaultRates, Proxy};
use bookonce::client::ids::derive;
use bookonce::client::request::{MoveBody, Request};
use bookonce::client::sender::Client;
use bookonce::domain::money::Direction;

use crate::fake::Fake;
use crate::sending::hasty;

const KIND: FaultRates = FaultRates {
    lose_request: 0,
    lose_answer: 0,
    double: 0,
    delay: 0,
    longest_delay: Duration::from_millis(2),
};

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
async fn through_all_of_it_each_is_booked_once() {
    let all = FaultRates { lose_request: 200, lose_answer: 200, double: 200, delay: 200, ..KIND };
    let (fake, _proxy, client) = network(all).await;
    for number in 0..200 {
        assert!(client.send(&deposit(number)).await.unwrap().accepted());
    }
    assert_eq!((fake.balance("alice"), fake.0.lock().unwrap().booked), (Some(20_000), 200));
}
