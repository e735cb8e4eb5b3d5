//! Bare appends have no ledger around them: the same events go through the same adapter, at exact revisions.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::cli::outcome::Error;
use crate::client::random::Draws;
use crate::domain::command::{Command, Move, Opening, Operation};
use crate::domain::currency::Currency;
use crate::domain::decide::{Standing, decide};
use crate::domain::ids::{AccountName, CounterAccount, Id};
use crate::domain::metadata::{Metadata, Origin};
use crate::domain::money::{Written, WrittenAmount};
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::domain::time::{Clock, system_clock};
use crate::store::chain::Hash;
use crate::store::eventstoredb::{Appended, Proposed, Store};

use super::super::load::Answered;
use super::super::wire::Accounts;

/// The bare store has streams, and a connection to the store that they are in. It is cheap to clone.
#[derive(Clone)]
pub(crate) struct Bare(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Clock,
    draws: Draws,
    /// These are the streams that nobody is appending to. They are taken from the front and put back at the end.
    resting: Mutex<VecDeque<Stream>>,
    last: AtomicU64,
}

/// Appends say how much is appended at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Appends {
    /// This is the number of appends at once.
    pub(crate) at_once: usize,
    /// This is the number of events in each.
    pub(crate) events: usize,
}

/// An `Until` says when a phase ends.
#[derive(Clone, Copy, Debug)]
enum Until {
    Passed(Duration),
    Begun(u64),
}

impl Bare {
    /// Opens these accounts' streams, with a thousand million in each.
    ///
    /// # Errors
    /// Fails when the store does not take an event.
    pub(crate) async fn open(store: Store, accounts: Accounts) -> Result<Self, Error> {
        let streams = accounts.numbers().map(|number| Stream::new(&accounts.name(number)));
        let resting = streams.collect::<Option<VecDeque<_>>>().ok_or("these are no names of accounts")?;
        let all = resting.len() as u64;
        let (clock, draws) = (system_clock(), Draws::fresh());
        let inner = Inner { store, clock, draws, resting: Mutex::new(resting), last: AtomicU64::new(0) };
        let bare = Self(Arc::new(inner));
        bare.until(Appends { at_once: 64, events: 1 }, Until::Begun(all)).await?;
        Ok(bare)
    }

    /// Appends for this long, and waits for every answer.
    ///
    /// # Errors
    /// Fails when the store does not take an event.
    pub(crate) async fn send(&self, appends: Appends, length: Duration) -> Result<Answered, Error> {
        self.until(appends, Until::Passed(length)).await
    }

    /// Gives the position of the last event that was appended.
    pub(crate) fn last(&self) -> u64 {
        self.0.last.load(Ordering::Relaxed)
    }

    async fn until(&self, appends: Appends, until: Until) -> Result<Answered, Error> {
        let (begun, count) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        for _ in 0..appends.at_once {
            let (bare, count) = (self.clone(), Arc::clone(&count));
            tasks.spawn(async move {
                let mut answered = Answered::default();
                while match until {
                    Until::Passed(length) => begun.elapsed() < length,
                    Until::Begun(all) => count.fetch_add(1, Ordering::Relaxed) < all,
                } {
                    let since = Instant::now();
                    bare.once(appends.events).await?;
                    answered.latencies.add(since.elapsed());
                }
                Ok::<_, Error>(answered)
            });
        }
        let mut all = Answered::default();
        while let Some(answered) = tasks.join_next().await {
            all.latencies.merge(&answered??.latencies);
        }
        all.took = begun.elapsed();
        Ok(all)
    }

    /// Appends once, to the stream that has rested longest.
    async fn once(&self, events: usize) -> Result<(), Error> {
        let stream = self.0.resting.lock().pop_front();
        let mut stream = stream.ok_or("there are fewer streams than appends at once")?;
        let position = stream.append(&self.0, events).await?;
        self.0.last.fetch_max(position, Ordering::Relaxed);
        self.0.resting.lock().push_back(stream);
        Ok(())
    }
}

/// A `Stream` is the stream of an account that nobody else writes to.
struct Stream {
    name: StreamName,
    state: Option<State>,
    hash: Hash,
}

impl Stream {
    fn new(name: &str) -> Option<Self> {
        let name = StreamName::Account(AccountName::parse(name)?);
        let hash = Hash::of_stream(&name);
        Some(Self { name, state: None, hash })
    }

    /// Appends withdrawals of a cent. When the stream is empty, it appends what opens the account.
    async fn append(&mut self, bare: &Inner, events: usize) -> Result<u64, Error> {
        let last = self.state.as_ref().map(|state| (state.revision(), self.hash));
        let mut proposed = Proposed::after(&self.name, last);
        let operations = match &self.state {
            None => vec![opening()?, Operation::Deposit(moved("1000000000.00")?)],
            Some(_) => vec![Operation::Withdraw(moved("0.01")?); events],
        };
        let mut state = self.state.clone();
        for operation in operations {
            let command = self.command(operation, &bare.draws);
            let standing = Standing { state: state.as_ref(), ..Standing::default() };
            let event = decide(standing, &command, (bare.clock)())
                .map_err(|refusal| format!("a withdrawal was refused: {refusal:?}"))?;
            state = Some(State::evolve(state.as_ref(), &event)?);
            if !proposed.push(&event) {
                return Err("so many events are too many for one append".into());
            }
        }
        match bare.store.append(&self.name, &proposed).await {
            Appended::Stored { position, .. } => {
                (self.state, self.hash) = (state, proposed.hash());
                Ok(position.unwrap_or_default())
            }
            other
            @ (Appended::Conflict | Appended::Unknown(_) | Appended::NotSent(_) | Appended::Deleted) => {
                Err(format!("the store did not take an append: {other:?}").into())
            }
        }
    }

    fn command(&self, operation: Operation, draws: &Draws) -> Command {
        let origin = Origin { correlation: None, causation: None, actor: "anonymous".into() };
        Command { id: Id::Client(draws.id()), stream: self.name.clone(), operation, origin }
    }
}

fn opening() -> Result<Operation, Error> {
    let currency = Currency::parse("EUR").ok_or("the euro is no currency")?;
    Ok(Operation::Open(Opening { currency, overdraft_limit: Written::ZERO, metadata: Metadata::default() }))
}

fn moved(amount: &str) -> Result<Move, Error> {
    let amount = WrittenAmount::parse(amount).map_err(|error| format!("{amount}: {error:?}"))?;
    let counter_account = CounterAccount::default();
    Ok(Move { amount, counter_account, effective_at: None, metadata: Metadata::default() })
}
