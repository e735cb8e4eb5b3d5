//! The receivers are three, one for each guarantee. Each loses requests and answers and is late; one of them has an inbox.
//!
//! What arrived is counted by the message's id, and so are its effects. Two of the receivers have an effect at each arrival;
//! the third has it in a database, in one transaction with its inbox, and sometimes it breaks off before it commits.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, TransactionBehavior};

use crate::cli::outcome::Error;
use crate::cli::trial_receiver::{Receives, TrialReceiver};
use crate::client::inbox::{Accepted, Inbox, InboxError, Keeps, Message};
use crate::client::random::Draws;

/// These are the guarantees, each with the name of its destination.
const GUARANTEES: [(&str, &str); 3] =
    [("most", "at_most_once"), ("least", "at_least_once"), ("effect", "exactly_once_effect")];
/// Parked messages come again soon, because the storm is short.
const MORE: &str =
    "retry = [\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\",\"1s\"]\nin_flight = 32\nclaim = 20\n";

/// A `Receiver` is one of the three.
pub(super) struct Receiver {
    /// This is the name of its destination.
    pub(super) name: &'static str,
    /// This is the guarantee.
    pub(super) guarantee: &'static str,
    /// This is how often each message arrived, by its id.
    arrivals: Mutex<BTreeMap<String, u64>>,
    /// This is where the effects are, with the inbox; `None` where each arrival has its effect.
    books: Option<Mutex<(Connection, Inbox)>>,
    draws: Draws,
    is_calm: AtomicBool,
}

/// A `Fate` is what happens to a request. It is drawn.
enum Fate {
    Answered,
    /// It never gets there.
    RequestLost,
    /// It is received, and the answer is lost.
    AnswerLost,
    /// The receiver breaks off before it has committed.
    BreaksOff,
    /// It is answered so much later.
    Late(Duration),
}

impl Receiver {
    fn fate(&self) -> Fate {
        let drawn = self.draws.below(100);
        match drawn {
            _ if self.is_calm.load(Ordering::Relaxed) => Fate::Answered,
            0..2 => Fate::RequestLost,
            2..5 => Fate::AnswerLost,
            5..6 if self.books.is_some() => Fate::BreaksOff,
            6..10 => Fate::Late(Duration::from_millis(self.draws.below(200))),
            _ => Fate::Answered,
        }
    }

    /// Returns how often each message arrived.
    pub(super) fn arrivals(&self) -> BTreeMap<String, u64> {
        self.arrivals.lock().clone()
    }

    /// Says whether a message has arrived.
    pub(super) fn has(&self, id: &str) -> bool {
        self.arrivals.lock().contains_key(id)
    }

    /// Returns how many effects each message had.
    ///
    /// # Errors
    /// Fails when the database can't be read.
    pub(super) fn effects(&self) -> Result<BTreeMap<String, u64>, Error> {
        let Some(books) = &self.books else { return Ok(self.arrivals()) };
        let books = books.lock();
        let mut all = books.0.prepare("SELECT message, count(*) FROM effects GROUP BY message")?;
        let found = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Takes a message, and makes its effect where it is to have one.
    fn take(&self, message: &Message, breaks_off: bool) -> Result<(), InboxError> {
        if let Some(books) = &self.books {
            let (database, inbox) = &mut *books.lock();
            let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if inbox.accept(&transaction, message)? == Accepted::Fresh {
                transaction.execute("INSERT INTO effects (message) VALUES (?1)", [&message.id])?;
            }
            if breaks_off {
                return Ok(transaction.rollback()?);
            }
            transaction.commit()?;
        }
        // What breaks off has arrived for nobody.
        let mut arrivals = self.arrivals.lock();
        let times = arrivals.entry(message.id.clone()).or_default();
        *times = times.saturating_add(1);
        Ok(())
    }
}

impl Receives for Receiver {
    async fn receive(&self, body: &[u8]) -> Option<u16> {
        let fate = self.fate();
        if matches!(fate, Fate::RequestLost) {
            return None;
        }
        let Ok(message) = Message::parse(body) else { return Some(400) };
        if self.take(&message, matches!(fate, Fate::BreaksOff)).is_err() {
            return Some(503);
        }
        match fate {
            Fate::Answered => Some(200),
            Fate::RequestLost | Fate::AnswerLost | Fate::BreaksOff => None,
            Fate::Late(by) => {
                tokio::time::sleep(by).await;
                Some(200)
            }
        }
    }
}

/// The `Receivers` listen until they are dropped.
pub(super) struct Receivers {
    receivers: [Arc<Receiver>; 3],
    listening: Vec<TrialReceiver>,
}

impl Receivers {
    /// Starts the three. The database of the one with effects is in the folder.
    ///
    /// # Errors
    /// Fails when they can't listen, or the database can't be made.
    pub(super) async fn start(folder: &Path, seed: u64) -> Result<Self, Error> {
        let database = Connection::open(folder.join("effects.db"))?;
        database.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE effects (message TEXT NOT NULL)",
        )?;
        let inbox = Inbox::open(&database, Keeps::Revisions)?;
        let mut books = Some(Mutex::new((database, inbox)));
        let [most, least, effect] = GUARANTEES;
        let mut one = |(name, guarantee): (&'static str, &'static str), keeps: bool| {
            let draws = Draws::new(seed ^ name.len() as u64);
            let books = if keeps { books.take() } else { None };
            let (arrivals, is_calm) = (Mutex::default(), AtomicBool::new(false));
            Arc::new(Receiver { name, guarantee, arrivals, books, draws, is_calm })
        };
        let receivers = [one(most, false), one(least, false), one(effect, true)];
        let mut listening = Vec::new();
        for receiver in &receivers {
            listening.push(TrialReceiver::start(Arc::clone(receiver)).await?);
        }
        Ok(Self { receivers, listening })
    }

    /// Returns the settings file of a service that sends to them.
    pub(super) fn settings(&self) -> String {
        let each = self.receivers.iter().zip(&self.listening);
        each.map(|(receiver, at)| at.settings(receiver.name, receiver.guarantee, MORE)).collect()
    }

    /// Ends their faults.
    pub(super) fn calm(&self) {
        self.receivers.iter().for_each(|receiver| receiver.is_calm.store(true, Ordering::Relaxed));
    }

    /// Gives the three.
    pub(super) const fn each(&self) -> &[Arc<Receiver>; 3] {
        &self.receivers
    }
}
