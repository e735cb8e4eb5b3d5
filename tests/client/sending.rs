//! These tests send one request as often as it needs, and it is booked once.

use std::time::Duration;

use bookonce::client::ids::derive;
use bookonce::client::policy::Policy;
use bookonce::client::request::{MoveBody, Request};
use bookonce::client::sender::{Client, Error};
use bookonce::domain::money::Direction;

use crate::fake::{Fake, Trouble};

/// The usual policy, in a hurry.
pub fn hasty() -> Policy {
    Policy {
        timeout: Duration::from_secs(60),
        first_delay: Duration::from_millis(1),
        longest_delay: Duration::from_millis(5),
        patience: Duration::from_secs(120),
    }
}

async fn started() -> (Fake, Client) {
    let (fake, address) = Fake::start().await;
    fake.0.lock().unwrap().accounts.insert("alice".into(), 0);
    (fake, Client::new(&format!("http://{address}"), None, hasty()).unwrap())
}

fn deposit(name: &str, amount: &str) -> Request {
    Request::moved(
        derive("test", name),
        "alice",
        Direction::Credit,
        &MoveBody { amount, ..MoveBody::default() },
    )
}

#[tokio::test]
async fn what_leaves_it_open_is_sent_again_under_the_same_id() {
    let (fake, client) = started().await;
    fake.0.lock().unwrap().troubles.extend([
        Trouble::Refuse(503, "overloaded"),
        Trouble::Refuse(429, "rate_limited"),
        Trouble::Refuse(500, "internal"),
        Trouble::Refuse(409, "in_progress"),
        Trouble::BookAndForget,
    ]);
    let answer = client.send(&deposit("1", "40.00")).await.unwrap();
    assert_eq!((answer.status, answer.attempts, answer.replayed), (201, 6, true));
    assert_eq!(fake.balance("alice"), Some(4000));
    let came = fake.0.lock().unwrap().came.clone();
    assert!(came.iter().all(|id| *id == derive("test", "1").to_string()), "{came:?}");
}

#[tokio::test]
async fn an_answer_about_the_request_is_not_asked_for_again() {
    let (fake, client) = started().await;
    for (status, code) in [
        (400, "invalid_request"),
        (403, "forbidden"),
        (409, "account_exists"),
        (409, "account_changed"),
        (413, "too_large"),
    ] {
        fake.0.lock().unwrap().troubles.push_back(Trouble::Refuse(status, code));
        let answer = client.send(&deposit("1", "40.00")).await.unwrap();
        assert_eq!((answer.status, answer.attempts), (status, 1), "{code}");
    }
    client.send(&deposit("1", "40.00")).await.unwrap();
    assert_eq!(client.send(&deposit("1", "41.00")).await.unwrap().status, 422);
    assert_eq!(fake.balance("alice"), Some(4000));
}

#[tokio::test]
async fn a_second_client_with_the_same_id_gets_the_first_answer() {
    let (fake, client) = started().await;
    let first = client.send(&deposit("1", "40.00")).await.unwrap();
    let second = client.send(&deposit("1", "40.00")).await.unwrap();
    assert!(!first.replayed && second.replayed);
    assert_eq!(first.body, second.body);
    assert_eq!(fake.0.lock().unwrap().booked, 1);
}

#[tokio::test]
async fn patience_ends_and_says_that_the_same_id_is_safe() {
    let nobody = crate::support::Nobody::find();
    let policy = Policy { patience: Duration::from_secs(1), ..hasty() };
    let client = Client::new(&format!("http://{}", nobody.address), None, policy).unwrap();
    match client.send(&deposit("1", "40.00")).await {
        Err(error @ Error::GaveUp { attempts: 2.., .. }) => assert!(error.to_string().contains("same ID")),
        other => panic!("{other:?}"),
    }
}
