//! These reads are sums over the whole ledger: the trial balance, the digest, and the ledger's own accounts. They come
//! from the index when they are asked for as of now, and from the journal, event by event, at an older position.

use std::collections::BTreeMap;

use crate::domain::account::Account;
use crate::domain::currency::Currency;
use crate::domain::digest::StateHash;
use crate::domain::event::{Body, Event};
use crate::domain::ids::{AccountName, CounterAccount};
use crate::domain::money::Money;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::index::IndexError;
use crate::store::{Journal, codec, lines_of};

use super::handle::Ledger;
use super::types::{At, Position, ReadError, TrialBalance};

/// This is the number of lines that are folded at a time.
const PAGE: usize = 4_096;

impl Ledger {
    /// Returns the totals per account kind and currency, after the last event at or before a position, or now.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn trial_balance(&self, at: Option<Position>) -> Result<TrialBalance, ReadError> {
        if let Some(position) = at.filter(|position| *position < self.0.index.reached()) {
            let books = self.books(move |_, at| at <= position).await?;
            return Ok(TrialBalance {
                position: books.position,
                guarded: books.guarded(),
                internal: books.named(),
            });
        }
        let index = self.0.index.clone();
        self.blocking(move || {
            Ok(index.overlay(|overlay| {
                let mut books = Books { position: overlay.position(), ..Books::default() };
                overlay.every_account(|account| books.add(account))?;
                books.internal = overlay.internal(None)?;
                let (guarded, internal) = (books.guarded(), books.named());
                Ok(TrialBalance { position: books.position, guarded, internal })
            })?)
        })
        .await
    }

    /// Returns the balance of one of the ledger's own accounts in each currency; `None` for one that was never used.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn internal_account(
        &self,
        name: &CounterAccount,
        at: At,
    ) -> Result<Option<BTreeMap<Currency, Money>>, ReadError> {
        let wanted = name.clone();
        let sums = match at {
            At::Now => {
                let index = self.0.index.clone();
                self.blocking(move || Ok(index.overlay(|overlay| overlay.internal(Some(&wanted)))?)).await?
            }
            At::Position(position) => self.books(move |_, at| at <= position).await?.internal,
            At::Known(moment) => self.books(move |event, _| event.recorded_at <= moment).await?.internal,
            At::Effective(moment) => self.books(move |event, _| happened_at(event) <= moment).await?.internal,
        };
        let own: BTreeMap<_, _> =
            sums.into_iter().filter(|((other, _), _)| other == name).map(|((_, c), sum)| (c, sum)).collect();
        Ok((!own.is_empty()).then_some(own))
    }

    /// Returns a hash of everything that decisions depend on, after the last event at or before a position, or now. The
    /// position is returned with it.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn digest(&self, at: Option<Position>) -> Result<(Position, String), ReadError> {
        if let Some(position) = at.filter(|position| *position < self.0.index.reached()) {
            let books = self.books(move |_, at| at <= position).await?;
            let mut hash = StateHash::default();
            books.accounts.values().for_each(|account| hash.add(account));
            return Ok((books.position, hash.finish()));
        }
        let index = self.0.index.clone();
        self.blocking(move || Ok(index.overlay(|overlay| Ok((overlay.position(), overlay.digest()?)))?)).await
    }

    /// Folds the journal from its beginning, and counts the events for which `counts` returns true.
    async fn books(
        &self,
        counts: impl Fn(&Event, Position) -> bool + Send + 'static,
    ) -> Result<Books, ReadError> {
        let (reader, last) = (self.0.reader.clone(), self.end().await?.position);
        self.long(move || Books::fold(&*reader, last, counts)).await
    }
}

/// `Books` are all accounts after some events.
#[derive(Default)]
struct Books {
    position: Position,
    sums: BTreeMap<Currency, Money>,
    accounts: BTreeMap<AccountName, Account>,
    internal: BTreeMap<(CounterAccount, Currency), Money>,
}

impl Books {
    fn fold(
        reader: &dyn Journal,
        last: Position,
        counts: impl Fn(&Event, Position) -> bool,
    ) -> Result<Self, ReadError> {
        let mut books = Self::default();
        let mut looked_at = 0;
        while looked_at < last {
            let lines = reader.lines(looked_at, PAGE)?;
            if lines.is_empty() {
                return Err(IndexError::damaged("the journal ends before its head").into());
            }
            for line in lines_of(&lines) {
                let line = codec::decode_proven(line).map_err(ReadError::unreadable)?;
                looked_at = line.position;
                if line.position <= last && counts(&line.event, line.position) {
                    books.event(&line.event, line.position)?;
                }
            }
        }
        Ok(books)
    }

    fn event(&mut self, event: &Event, position: Position) -> Result<(), ReadError> {
        self.position = position;
        let (StreamName::Account(name), Body::Account(body)) = (&event.stream, &event.body);
        if let Some(entries) = body.entries() {
            let key = (entries.counter_account.clone(), body.currency);
            let sum = self.internal.entry(key).or_insert_with(|| Money::zero(body.currency));
            *sum = sum.minus(entries.guarded).unwrap_or(*sum);
        }
        let before = self.accounts.get(name);
        // Events that do not count leave gaps in a stream; the balance of an account is asked of its own stream then.
        if before.map_or(0, |account| account.revision + 1) == event.revision {
            let after = Account::evolve(before, name, event, body).map_err(ReadError::unreadable)?;
            self.accounts.insert(name.clone(), after);
        }
        Ok(())
    }

    fn add(&mut self, account: &Account) {
        let sum = self.sums.entry(account.currency).or_insert_with(|| Money::zero(account.currency));
        *sum = sum.plus(account.balance).unwrap_or(*sum);
    }

    fn guarded(&self) -> BTreeMap<Currency, Money> {
        let mut all = Self { sums: self.sums.clone(), ..Self::default() };
        self.accounts.values().for_each(|account| all.add(account));
        all.sums
    }

    fn named(&self) -> BTreeMap<(String, Currency), Money> {
        self.internal.iter().map(|((name, currency), sum)| ((name.to_string(), *currency), *sum)).collect()
    }
}

/// Returns when an event happened in the world.
fn happened_at(event: &Event) -> Timestamp {
    let Body::Account(body) = &event.body;
    body.effective_at
}
