//! What the index should know, kept in the plainest way, and every question that it can be asked.

use std::collections::{BTreeMap, HashMap};

use bookonce::domain::account::Account;
use bookonce::domain::account::corrected::{AskedChange, Corrected};
use bookonce::domain::account::event::{AccountEvent, Answer, Fact, Movement};
use bookonce::domain::currency::Currency;
use bookonce::domain::event::{Body, Event};
use bookonce::domain::ids::{AccountName, CounterAccount, Id, TransactionId};
use bookonce::domain::metadata::Metadata;
use bookonce::domain::money::{Amount, Direction, Money, WrittenAmount};
use bookonce::domain::state::State;
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::Timestamp;
use bookonce::index::record::{Facts, Mark, Role, StreamKey};
use bookonce::index::{Index, IndexError, InternalKey, Tracked};
use bookonce::store::chain::Hash;

use crate::journal;
use crate::support::*;

/// What the index should know, kept in the plainest way.
#[derive(Default)]
pub struct Known {
    pub events: Vec<Event>,
    after: Vec<Tracked>,
    marks: BTreeMap<u128, Vec<Mark>>,
    revisions: BTreeMap<(AccountName, u64), Facts>,
    places: Vec<(i64, Facts)>,
    accounts: BTreeMap<AccountName, Account>,
    /// What was taken back of an ID, and what ruled it out first, by account.
    reversed: BTreeMap<(u128, AccountName), Money>,
    ruled_out: BTreeMap<(u128, AccountName), u64>,
    internal: BTreeMap<InternalKey, Money>,
    /// These are the positions of the corrections that name an ID, with what is known of each.
    corrections: BTreeMap<TransactionId, Vec<(u64, Facts)>>,
}

/// What happens next: to which account, what, to which earlier ID, for how much.
pub type Choice = (u8, u8, u16, u32);

impl Known {
    pub fn hash(position: u64) -> Hash {
        if position == 0 { Hash::genesis(journal()) } else { Hash([position as u8; 32]) }
    }

    /// Makes up the next event, and learns it.
    pub fn next(&mut self, (account, kind, of, amount): Choice) {
        let position = self.events.len() as u64 + 1;
        let n = u128::from(position) * 7;
        let account = name(["alice", "bob", "carol", "dave"][usize::from(account % 4)]);
        let currency = Currency::parse(if account.as_str() == "dave" { "JPY" } else { "EUR" }).unwrap();
        let before = self.accounts.get(&account).cloned();
        let amount: Amount = WrittenAmount::parse(&(amount + 1).to_string()).unwrap().fit(currency).unwrap();
        let counter = if of.is_multiple_of(5) { "@fees" } else { "@cash" };
        let counter_account = CounterAccount::parse(counter).unwrap();
        let earlier = id(u128::from(of) % 600);
        let fact = match (before.is_some(), kind % 8) {
            (false, _) => {
                Fact::AccountOpened { overdraft_limit: Money::zero(currency), metadata: Metadata::default() }
            }
            // What an ID took back is in one currency: only accounts in euros reverse here.
            (_, 0) if currency.code() == "EUR" => Fact::Reversed {
                reverses: earlier,
                amount,
                direction: if of.is_multiple_of(2) { Direction::Credit } else { Direction::Debit },
                counter_account,
                reason: reason(),
                partial: true,
                force: true,
            },
            (_, 1) => Fact::Prevented { reverses: earlier, reason: reason(), force: false },
            (_, 2) => Fact::Frozen(reason()),
            (_, 3) if of.is_multiple_of(3) => Fact::Corrected(Box::new(Corrected {
                amount,
                direction: if of.is_multiple_of(2) { Direction::Credit } else { Direction::Debit },
                asked: AskedChange::By { expected_revision: None, effective_at_given: of.is_multiple_of(9) },
                reason: reason(),
                // Few IDs, so that some are corrected often.
                corrects: (0..of % 4).map(|n| id(u128::from(n) * 7 + u128::from(of % 2))).collect(),
                force: true,
            })),
            (_, kind) => {
                let effective_at_given = kind == 3;
                let moved =
                    Movement { amount, counter_account, effective_at_given, metadata: Metadata::default() };
                if kind % 2 == 0 { Fact::Deposited(moved) } else { Fact::Withdrawn(moved) }
            }
        };
        let at = Timestamp::from_micros(1_000_000 + position as i64);
        let zero = Money::zero(currency);
        let answer = Answer { balance: zero, available: zero };
        let event = Event {
            stream: StreamName::Account(account),
            revision: before.as_ref().map_or(0, |account| account.revision + 1),
            id: id(n).into(),
            recorded_at: at,
            body: Body::Account(AccountEvent { effective_at: at, currency, fact, answer }),
            origin: freeze(n, "alice").origin,
        };
        self.learn(event, before.map(State::Account).as_ref(), position);
    }

    pub fn learn(&mut self, event: Event, before: Option<&State>, position: u64) {
        let after = State::evolve(before, &event).unwrap();
        let (StreamName::Account(name), Body::Account(body)) = (&event.stream, &event.body) else {
            unreachable!("it knows accounts only")
        };
        let key = |id: Id| u128::from_be_bytes(*id.client().unwrap().as_bytes());
        let mut mark = |id, role| self.marks.entry(key(id)).or_default().push(Mark { position, role });
        mark(event.id, Role::Booked);
        match &body.fact {
            Fact::Reversed { reverses, amount, .. } => {
                mark(Id::Client(*reverses), Role::Reversed);
                let sum = self
                    .reversed
                    .entry((key(Id::Client(*reverses)), name.clone()))
                    .or_insert(Money::zero(body.currency));
                *sum = sum.plus(amount.money()).unwrap();
            }
            Fact::Prevented { reverses, .. } => {
                mark(Id::Client(*reverses), Role::RuledOut);
                let first = self.ruled_out.entry((key(Id::Client(*reverses)), name.clone()));
                first.or_insert(position);
            }
            _ => {}
        }
        let facts = Facts::of(&event, position);
        for corrected in body.corrects() {
            self.corrections.entry(*corrected).or_default().push((position, facts));
        }
        self.revisions.insert((name.clone(), event.revision), facts);
        self.places.push((event.recorded_at.micros(), facts));
        if let Some(entries) = body.entries() {
            let key = (entries.counter_account.clone(), body.currency);
            let sum = self.internal.entry(key).or_insert(Money::zero(body.currency));
            *sum = sum.minus(entries.guarded).unwrap();
        }
        let key = StreamKey::of(&event.stream);
        self.accounts.insert(name.clone(), after.account().unwrap().clone());
        self.after.push(Tracked { state: after, key, hash: None });
        self.events.push(event);
    }

    /// Feeds the index with the events after a position, as a batch.
    pub fn feed(&self, index: &Index, after: u64, until: u64) {
        let range = after as usize..until as usize;
        let mut states: HashMap<StreamName, Tracked> = HashMap::new();
        for tracked in &self.after[range.clone()] {
            states.insert(tracked.state.stream(), tracked.clone());
        }
        let events = self.events[range.clone()].iter().zip(&self.after[range]).zip(after + 1..);
        let events = events.map(|((event, tracked), position)| (tracked.key, position, event));
        index.apply(events, states.into_values(), (until, Self::hash(until)));
    }

    pub fn last(&self) -> u64 {
        self.events.len() as u64
    }

    /// Asks the index everything. `Err`: it says that it is damaged; a wrong answer panics.
    pub fn ask(&self, index: &Index) -> Result<(), IndexError> {
        for n in 0..self.last() * 7 + 20 {
            let asked = id(n.into());
            let key = u128::from_be_bytes(*asked.as_bytes());
            let right = self.marks.get(&key).cloned().unwrap_or_default();
            assert_eq!(index.marks(asked.into())?, right, "the marks of {asked}");
            let corrections = self.corrections.get(&asked).cloned().unwrap_or_default();
            let (all, stream) = (0..=u64::from(u32::MAX), StreamKey::of_corrections(asked.into()));
            assert_eq!(index.revisions(stream, all.clone(), false, usize::MAX)?, corrections, "of {asked}");
            let newest: Vec<_> = corrections.iter().rev().take(2).copied().collect();
            assert_eq!(index.revisions(stream, all, true, 2)?, newest, "the newest corrections of {asked}");
            let used = index.used(asked.into())?;
            let of = |role| right.iter().filter(move |mark| mark.role == role).map(|mark| mark.position);
            assert_eq!(used.booked, of(Role::Booked).collect::<Vec<_>>(), "where {asked} was booked");
            assert_eq!(used.ruled_out, of(Role::RuledOut).next().is_some(), "was {asked} ruled out");
            let is_named = right.iter().any(|mark| mark.role != Role::Booked);
            for name in self.accounts.keys().filter(|_| is_named || n % 50 == 0) {
                let stream = StreamName::Account(name.clone());
                let ruled_out = self.ruled_out.get(&(key, name.clone())).copied();
                assert_eq!(index.ruled_out(asked.into(), &stream)?, ruled_out, "{asked} on {name}");
                let sum = self.reversed.get(&(key, name.clone())).copied();
                assert_eq!(
                    index.taken_back(asked.into(), &stream)?.sum,
                    sum,
                    "taken back of {asked} on {name}"
                );
            }
        }
        for (name, account) in &self.accounts {
            let stream = StreamName::Account(name.clone());
            assert_eq!(index.tracked(&stream)?.unwrap().state, State::Account(account.clone()));
            let all = || self.revisions.iter().filter(|((other, _), _)| other == name);
            let right: Vec<_> = all().map(|((_, revision), facts)| (*revision, *facts)).collect();
            let stream = StreamKey::of(&stream);
            assert_eq!(index.revisions(stream, 0..=u64::from(u32::MAX), false, usize::MAX)?, right);
            let newest: Vec<_> = right.iter().rev().take(3).copied().collect();
            assert_eq!(index.revisions(stream, 0..=u64::from(u32::MAX), true, 3)?, newest);
            let middle: Vec<_> = right.iter().filter(|(r, _)| (2..=5).contains(r)).copied().collect();
            assert_eq!(index.revisions(stream, 2..=5, false, 10)?, middle);
        }
        assert_eq!(index.tracked(&StreamName::Account(name("nobody")))?, None);
        assert_eq!(index.places(1..=u64::from(u32::MAX), false, usize::MAX)?, self.places);
        let newest: Vec<_> = self.places.iter().rev().take(5).copied().collect();
        assert_eq!(index.places(1..=self.last(), true, 5)?, newest);
        index.overlay(|overlay| {
            assert_eq!(overlay.position(), self.last());
            assert_eq!(overlay.internal()?, self.internal);
            let accounts = overlay.accounts(None, 100)?;
            assert_eq!(accounts, self.accounts.values().cloned().collect::<Vec<_>>());
            let next =
                self.accounts.iter().find(|(name, _)| name.as_str() > "alice").map(|(_, account)| account);
            assert_eq!(overlay.accounts(Some(&name("alice")), 1)?.first(), next);
            for after in self.accounts.keys().map(Some).chain([None]) {
                for limit in [1, 2, 100] {
                    let page = overlay.accounts(after, limit)?;
                    assert_eq!(index.accounts(after, limit)?, page, "{limit} after {after:?}");
                }
            }
            Ok(())
        })?;
        for (own, _) in self.internal.keys() {
            let its = self.internal.iter().filter(|((name, _), _)| name == own);
            let its: BTreeMap<_, _> = its.map(|((_, currency), sum)| (*currency, *sum)).collect();
            assert_eq!(index.own_account(own)?, (self.last(), its), "{own}");
        }
        Ok(())
    }
}
