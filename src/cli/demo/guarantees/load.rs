//! The load books deposits on many accounts from a few clients, each under one ID through every kill of the service.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::cli::outcome::Error;
use crate::client::ids::derive;
use crate::client::policy::Policy;
use crate::client::random::Draws;
use crate::client::request::{MoveBody, Request};
use crate::client::sender::Client;
use crate::domain::money::Direction;

/// This many clients take part.
const CLIENTS: u64 = 8;
/// They share this many accounts. A message that fails holds up its own account alone, so that many accounts go on.
const ACCOUNTS: u64 = 200;

const POLICY: Policy = Policy {
    timeout: Duration::from_secs(2),
    first_delay: Duration::from_millis(20),
    longest_delay: Duration::from_millis(400),
    patience: Duration::from_secs(90),
};

/// A `Load` is the clients at work.
pub(super) struct Load {
    clients: JoinSet<Result<u64, Error>>,
}

impl Load {
    /// Opens the accounts, and begins.
    ///
    /// # Errors
    /// Fails when an account can't be opened.
    pub(super) async fn begin(at: SocketAddr, seed: u64, length: Duration) -> Result<Self, Error> {
        let client = || Client::new(&format!("http://{at}"), None, POLICY);
        let opener = client()?;
        for number in 0..ACCOUNTS {
            let id = derive("demo guarantees open", &format!("{seed} {number}"));
            asked(&opener, &Request::open(id, &account(number), "EUR", None)).await?;
        }
        let until = Instant::now() + length;
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            clients.spawn(work(client()?, seed.wrapping_add(number), until));
        }
        Ok(Self { clients })
    }

    /// Waits until each client has its last answer, and returns how many deposits were booked.
    ///
    /// # Errors
    /// Fails when one was not booked.
    pub(super) async fn end(self) -> Result<u64, Error> {
        self.clients.join_all().await.into_iter().sum()
    }
}

fn account(number: u64) -> String {
    format!("demo-{number:03}")
}

async fn work(client: Client, seed: u64, until: Instant) -> Result<u64, Error> {
    let draws = Draws::new(seed);
    let mut booked = 0;
    while Instant::now() < until {
        let id = derive("demo guarantees", &format!("{seed} {booked}"));
        let asked_for = MoveBody { amount: "1.00", ..MoveBody::default() };
        let to = account(draws.below(ACCOUNTS));
        asked(&client, &Request::moved(id, &to, Direction::Credit, &asked_for)).await?;
        booked += 1;
        tokio::time::sleep(Duration::from_millis(5 + draws.below(20))).await;
    }
    Ok(booked)
}

async fn asked(client: &Client, request: &Request) -> Result<(), Error> {
    let answer = client.send(request).await?;
    if answer.accepted() { Ok(()) } else { Err(format!("it was not booked: {}", answer.problem()).into()) }
}
