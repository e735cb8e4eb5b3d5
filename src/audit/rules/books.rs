//! The books say what every account has, as the journal alone gives it. Each event is checked against the rules before
//! it counts.
//!
//! They cost about 200 bytes for each guarded account, about 40 for each reversal or prevention, and for each transaction what
//! [`IdSet`] says.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use crate::audit::rules::double_use::NamedDoubleUse;
use crate::audit::rules::id_history;
use crate::audit::rules::id_set::{IdSet, KnownId, Movement};
use crate::audit::rules::internal_accounts::InternalAccounts;
use crate::audit::rules::judge;
use crate::audit::rules::judge::{AccountBefore, Judgement, Status, Target};
use crate::audit::values::chain::Chain;
use crate::audit::values::correction::{CORRECTIONS, Correction};
use crate::audit::values::currency::Currency;
use crate::audit::values::event::{Asked, Change, Event, Fact, Moment};
use crate::audit::values::finding::Flaw;
use crate::audit::values::money;

/// An `Account` is a guarded account, as the events so far leave it.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) currency: Currency,
    /// This is the balance in minor units.
    pub(crate) balance: i128,
    /// This is how far the balance may go below zero, in minor units.
    pub(crate) limit: i128,
    pub(crate) status: Status,
    /// This is the revision of the newest event.
    pub(crate) revision: u64,
    /// This is the running hash of what became of which ID on the account.
    pub(crate) id_history: [u8; 32],
}

/// `Books` are the books after the events that were taken so far.
#[derive(Debug)]
pub(crate) struct Books {
    chain: Chain,
    names: HashMap<Box<[u8]>, u32, RandomState>,
    accounts: Vec<Account>,
    internal: InternalAccounts,
    ids: IdSet,
    /// This is the sum that was reversed of a transaction on an account so far.
    reversed: HashMap<(u32, u128), i128, RandomState>,
    /// These are the transactions that were ruled out on an account, and the transaction that ruled each out.
    prevented: HashMap<(u32, u128), u128, RandomState>,
    recorded_at: Option<Moment>,
}

impl Books {
    /// Begins the books of a journal that is chained so.
    #[must_use]
    pub(crate) fn new(chain: Chain) -> Self {
        Self {
            chain,
            names: HashMap::default(),
            accounts: Vec::new(),
            internal: InternalAccounts::default(),
            ids: IdSet::new(chain, 1),
            reversed: HashMap::default(),
            prevented: HashMap::default(),
            recorded_at: None,
        }
    }

    /// Makes room for this many events.
    pub(crate) fn reserve(&mut self, events: usize) {
        self.ids.reserve(events);
    }

    /// Takes the next event of a whole journal.
    ///
    /// # Errors
    /// Says what is wrong with it, after the events before. The books are of no further use then.
    pub(crate) fn take(&mut self, event: &Event, block: &[u8]) -> Result<(), Flaw> {
        self.not_back(event)?;
        let name = event.account.of(block);
        let known = self.names.get(name).copied();
        let account = match (&event.fact, known) {
            (Fact::Opened { .. }, Some(_)) => return Err(Flaw::OpenedTwice),
            (Fact::Opened { limit }, None) => {
                let account = self.open(event, name, *limit)?;
                self.take_id(event, account, block)?;
                account
            }
            (_, None) => return Err(Flaw::NotOpened),
            (fact, Some(account)) => {
                self.take_id(event, account, block)?;
                let judgement = self.judge(event, account, block)?;
                self.agree(event, block, account, judgement)?;
                self.book(event.id, fact, account, judgement, block)?;
                account
            }
        };
        if let Some(account) = self.accounts.get_mut(account as usize) {
            account.id_history = id_history::after(&account.id_history, event);
        }
        self.answered(event, account)
    }

    /// Takes the ID alone of an event whose account was set aside: an ID that was booked twice is found on any account.
    ///
    /// # Errors
    /// Fails when the ID was seen before.
    pub(crate) fn take_id_alone(&mut self, event: &Event, block: &[u8]) -> Result<(), Flaw> {
        match self.names.get(event.account.of(block)).copied() {
            Some(account) => self.take_id(event, account, block),
            None => Ok(()),
        }
    }

    fn not_back(&mut self, event: &Event) -> Result<(), Flaw> {
        if self.chain == Chain::Streams {
            // That is so within a stream only, and looked at with its chain.
            return Ok(());
        }
        let back = self.recorded_at.is_some_and(|last| last > event.recorded_at);
        self.recorded_at = Some(event.recorded_at);
        if back { Err(Flaw::TimeBack) } else { Ok(()) }
    }

    fn open(&mut self, event: &Event, name: &[u8], limit: i128) -> Result<u32, Flaw> {
        if event.revision != 0 {
            return Err(Flaw::Revision { says: event.revision, expected: 0 });
        }
        let account = u32::try_from(self.accounts.len()).unwrap_or(u32::MAX);
        let (currency, status) = (event.currency, Status::Open);
        self.names.insert(name.into(), account);
        self.accounts.push(Account { currency, balance: 0, limit, status, revision: 0, id_history: [0; 32] });
        Ok(account)
    }

    /// Says what must become of the request that the event tells of.
    fn judge(&mut self, event: &Event, number: u32, block: &[u8]) -> Result<Judgement, Flaw> {
        let prevented = !self.prevented.is_empty() && self.prevented.contains_key(&(number, event.id));
        let account = self.accounts.get_mut(number as usize).ok_or(Flaw::NotOpened)?;
        let expected = account.revision.saturating_add(1);
        if event.revision != expected {
            return Err(Flaw::Revision { says: event.revision, expected });
        }
        if event.currency != account.currency {
            return Err(Flaw::OtherCurrency(account.currency.to_string()));
        }
        account.revision = event.revision;
        let Account { currency, balance, limit, status, .. } = *account;
        let before = AccountBefore { currency, balance, limit, status, prevented };
        let request = match &event.fact {
            Fact::Opened { .. } => return Err(Flaw::OpenedTwice),
            Fact::Moved { direction, amount, .. } => judge::Request::Move(*direction, *amount),
            Fact::Reversed { reverses, amount, partial, force, .. } => {
                let asked = partial.then_some(*amount);
                judge::Request::Reverse {
                    target: self.target(event, number, *reverses),
                    amount: asked,
                    force: *force,
                }
            }
            Fact::Prevented { reverses } => judge::Request::Reverse {
                target: self.target(event, number, *reverses),
                amount: None,
                force: false,
            },
            Fact::Corrected { asked, .. } => self.correction(event, *asked, block),
            Fact::Changed(change) => judge::Request::Change(*change),
            Fact::LimitChanged { .. } => judge::Request::Limit,
            Fact::Declined { asked, .. } => match *asked {
                Asked::Move { direction, amount } => judge::Request::Move(direction, amount),
                Asked::Reversal { reverses, amount, force } => {
                    judge::Request::Reverse { target: self.target(event, number, reverses), amount, force }
                }
                Asked::Correction(asked) => self.correction(event, asked, block),
                Asked::Change(change) => judge::Request::Change(change),
                Asked::Limit => judge::Request::Limit,
            },
        };
        Ok(judge::judge(&before, request))
    }

    /// Finds what the judge must know of a correction.
    fn correction(&self, event: &Event, asked: Correction, block: &[u8]) -> judge::Request {
        // The event's own ID is in the list by now; before it, it was not.
        let mut corrects = asked.corrects(block);
        let follows = |expected: u64| expected.checked_add(1) == Some(event.revision);
        judge::Request::Correct {
            wanted: asked.wanted,
            is_as_expected: asked.expected_revision.is_none_or(follows),
            were_booked: corrects.all(|id| id != event.id && self.ids.has(id)),
            force: asked.force,
        }
    }

    /// Finds what a reversal on this account that names this ID is to reverse.
    fn target(&self, event: &Event, account: u32, id: u128) -> Target {
        let ruled_out = self.prevented.contains_key(&(account, id));
        // The event's own ID is in the list by now; before it, it was not.
        match self.ids.get(id, account).filter(|_| id != event.id) {
            None if ruled_out => Target::RuledOut,
            None => Target::Unseen,
            Some(KnownId { moved: Some(moved), .. }) => Target::Moved {
                direction: moved.direction,
                amount: moved.amount.into(),
                reversed: self.reversed.get(&(account, id)).copied().unwrap_or_default(),
            },
            Some(KnownId { moved: None, .. }) => Target::Other,
        }
    }

    /// Checks that the event says what the rules say.
    fn agree(&self, event: &Event, block: &[u8], account: u32, judgement: Judgement) -> Result<(), Flaw> {
        match (&event.fact, judgement) {
            (_, Judgement::Unrecorded(why)) => Err(Flaw::Unrecorded(why)),
            (Fact::Declined { code, prevented_by, .. }, Judgement::Declined(ruled)) if *code == ruled => {
                let by = self.prevented.get(&(account, event.id));
                if prevented_by.is_some() && by != prevented_by.as_ref() {
                    Err(Flaw::PreventedBy)
                } else {
                    Ok(())
                }
            }
            (Fact::Reversed { reverses, amount, signed, counter, .. }, Judgement::Accepted(ruled)) => {
                if *amount != ruled.abs() {
                    let show = |units: i128| money::show(units, event.currency);
                    return Err(Flaw::Left { says: show(*amount), left: show(ruled.abs()) });
                }
                let other =
                    self.ids.get(*reverses, account).and_then(|known| known.moved).map(|moved| moved.counter);
                let same = other.is_some() && self.internal.known(counter.of(block)) == other;
                if *signed == ruled && same { Ok(()) } else { Err(Flaw::NotOffsetting) }
            }
            (Fact::Corrected { signed, .. }, Judgement::Accepted(ruled)) if *signed != ruled => {
                let show = |units: i128| money::show(units, event.currency);
                Err(Flaw::Corrected { says: show(*signed), needs: show(ruled) })
            }
            (Fact::Corrected { .. }, Judgement::Accepted(_))
            | (Fact::Prevented { .. }, Judgement::Prevention)
            | (Fact::Moved { .. } | Fact::Changed(_) | Fact::LimitChanged { .. }, Judgement::Accepted(_)) => {
                Ok(())
            }
            (fact, judgement) => Err(Flaw::Outcome { says: fact.outcome(), ruled: judgement.to_string() }),
        }
    }

    /// Lets an event that is right take effect.
    fn book(
        &mut self,
        id: u128,
        fact: &Fact,
        number: u32,
        judgement: Judgement,
        block: &[u8],
    ) -> Result<(), Flaw> {
        let account = self.accounts.get_mut(number as usize).ok_or(Flaw::NotOpened)?;
        let currency = account.currency;
        if let Judgement::Accepted(signed) = judgement {
            account.balance = account.balance.checked_add(signed).ok_or(Flaw::NoSum("the balance"))?;
        }
        match fact {
            Fact::Opened { .. } | Fact::Declined { .. } => {}
            Fact::Prevented { reverses } => {
                self.prevented.insert((number, *reverses), id);
            }
            Fact::Changed(change) => {
                account.status = match change {
                    Change::Freeze => Status::Frozen,
                    Change::Unfreeze => Status::Open,
                    Change::Close => Status::Closed,
                }
            }
            Fact::LimitChanged { limit } => account.limit = *limit,
            Fact::Moved { direction, amount, counter } => {
                self.internal.give(counter.of(block), currency, direction.signed(*amount))?;
            }
            Fact::Corrected { signed, .. } => self.internal.give(CORRECTIONS, currency, *signed)?,
            Fact::Reversed { reverses, amount, signed, counter, .. } => {
                self.internal.give(counter.of(block), currency, *signed)?;
                let reversed = self.reversed.entry((number, *reverses)).or_default();
                *reversed = reversed.checked_add(*amount).ok_or(Flaw::NoSum("the sum reversed"))?;
            }
        }
        Ok(())
    }

    /// Takes the event's ID, which must be new. This comes first, because nothing worse can be found than an ID booked twice.
    fn take_id(&mut self, event: &Event, number: u32, block: &[u8]) -> Result<(), Flaw> {
        let moved = match &event.fact {
            Fact::Moved { direction, amount, counter } => Some(Movement {
                direction: *direction,
                amount: u64::try_from(*amount).map_err(|_| Flaw::NoSum("the amount"))?,
                counter: self.internal.number(counter.of(block)),
            }),
            Fact::Opened { .. }
            | Fact::Reversed { .. }
            | Fact::Prevented { .. }
            | Fact::Corrected { .. }
            | Fact::Changed(_)
            | Fact::LimitChanged { .. }
            | Fact::Declined { .. } => None,
        };
        self.ids.take(event, KnownId { account: number, moved })
    }

    /// Checks the answer that the event gives for ever: it must say what the books have after the event.
    fn answered(&self, event: &Event, number: u32) -> Result<(), Flaw> {
        let account = self.accounts.get(number as usize).ok_or(Flaw::NotOpened)?;
        let available = account.balance.checked_add(account.limit).ok_or(Flaw::NoSum("what is available"))?;
        for (field, says, is) in
            [("balance", event.answer.0, account.balance), ("available", event.answer.1, available)]
        {
            if says != is {
                let show = |units| money::show(units, account.currency);
                return Err(Flaw::Answer { field, says: show(says), is: show(is) });
            }
        }
        Ok(())
    }

    /// Gives the position of the last event that was taken; 0 when there is none.
    #[must_use]
    pub(crate) fn position(&self) -> u64 {
        self.ids.position()
    }

    /// Lists the IDs that were seen on two accounts, with the names of these.
    #[must_use]
    pub(crate) fn double_uses(&self) -> Vec<NamedDoubleUse> {
        NamedDoubleUse::named(
            self.ids.double_uses(),
            self.names.iter().map(|(name, number)| (*number, &**name)),
        )
    }

    /// Lists the guarded accounts, in the order of the bytes of their names.
    #[must_use]
    pub(crate) fn accounts(&self) -> Vec<(&str, &Account)> {
        let mut accounts: Vec<_> = self
            .names
            .iter()
            .filter_map(|(name, number)| {
                Some((std::str::from_utf8(name).ok()?, self.accounts.get(*number as usize)?))
            })
            .collect();
        accounts.sort_unstable_by_key(|(name, _)| *name);
        accounts
    }

    /// Gives the balances of the ledger's own accounts in minor units, by name and currency.
    #[must_use]
    pub(crate) fn internal(&self) -> BTreeMap<(&str, Currency), i128> {
        self.internal.balances()
    }
}
