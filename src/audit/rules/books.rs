//! The books say what every account has and how far every transfer and every destination has come, as the journal alone gives
//! it. Each event is checked against the rules before it counts.
//!
//! They cost about 200 bytes for each guarded account, about 40 for each reversal or prevention, about 200 for each transfer,
//! 48 for each message that a destination has chosen and not settled, and for each transaction of a client what [`IdSet`] says.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use crate::audit::rules::account::Account;
use crate::audit::rules::deliveries::Deliveries;
use crate::audit::rules::double_use::NamedDoubleUse;
use crate::audit::rules::id_history;
use crate::audit::rules::id_set::{IdSet, KnownId, Role};
use crate::audit::rules::internal_accounts::InternalAccounts;
use crate::audit::rules::transfer::{To, Transfer};
use crate::audit::rules::transfers::{Sides, Transfers};
use crate::audit::values::chain::Chain;
use crate::audit::values::currency::Currency;
use crate::audit::values::delivery::DeliveryBody;
use crate::audit::values::event::{AccountBody, Body, Event, TransferBody};
use crate::audit::values::fact::Fact;
use crate::audit::values::finding::Flaw;
use crate::audit::values::id::{Id, Step};
use crate::audit::values::moment::Moment;
use crate::audit::values::money;
use crate::audit::values::transfer::TransferFact;

/// `Books` are the books after the events that were taken so far.
#[derive(Debug)]
pub(crate) struct Books {
    chain: Chain,
    pub(super) names: HashMap<Box<[u8]>, u32, RandomState>,
    pub(super) accounts: Vec<Account>,
    pub(super) internal: InternalAccounts,
    pub(super) ids: IdSet,
    /// This says that an event was not read, so that IDs may have been booked that are not in the list.
    pub(super) lacks_ids: bool,
    /// This is the sum that was reversed of a transaction on an account so far.
    pub(super) reversed: HashMap<(u32, u128), i128, RandomState>,
    /// These are the transactions that were ruled out on an account, and the transaction that ruled each out.
    pub(super) prevented: HashMap<(u32, u128), u128, RandomState>,
    pub(super) transfers: Transfers,
    deliveries: Deliveries,
    recorded_at: Option<Moment>,
    position: u64,
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
            lacks_ids: false,
            reversed: HashMap::default(),
            prevented: HashMap::default(),
            transfers: Transfers::default(),
            deliveries: Deliveries::default(),
            recorded_at: None,
            position: 0,
        }
    }

    /// Makes room for this many events.
    pub(crate) fn reserve(&mut self, events: usize) {
        self.ids.reserve(events);
    }

    /// Takes the next event of a whole journal.
    ///
    /// # Errors
    /// Fails with what is wrong with it, after the events before. What it is of is of no further use then.
    pub(crate) fn take(&mut self, event: &Event, block: &[u8]) -> Result<(), Flaw> {
        self.not_back(event)?;
        let taken = match &event.body {
            Body::Account(body) => self.take_on_account(event, body, block),
            Body::Transfer(body) => self.take_of_transfer(event, body, block),
            Body::Delivery(body) => self.take_of_delivery(event, body, block),
            Body::Letter(body) => {
                self.position = event.position;
                self.deliveries.bury(event, body, block)
            }
        };
        if let Body::Account(_) | Body::Transfer(_) = event.body {
            self.deliveries.show(event, block);
        }
        if taken.is_err() {
            self.doubt(event, block);
            self.lacks_ids |= matches!(event.id, Id::Client(id) if !self.ids.has(id));
        }
        taken
    }

    fn take_on_account(&mut self, event: &Event, body: &AccountBody, block: &[u8]) -> Result<(), Flaw> {
        let name = body.account.of(block);
        let known = self.names.get(name).copied();
        let account = match (&body.fact, known) {
            (Fact::Opened { .. }, Some(_)) => return Err(Flaw::OpenedTwice),
            (Fact::Opened { limit }, None) => {
                let account = self.open(event, body, name, *limit)?;
                self.take_id(event, body, account, block)?;
                account
            }
            (_, None) => return Err(Flaw::NotOpened),
            (fact, Some(account)) => {
                self.take_id(event, body, account, block)?;
                let judgement = self.judge(event, body, account, block)?;
                let is_known = self.step(event, body, account, block)?;
                if is_known {
                    self.agree(event, body, block, account, judgement)?;
                }
                self.book(event.id, fact, account, block)?;
                account
            }
        };
        if let Some(account) = self.accounts.get_mut(account as usize) {
            account.id_history = id_history::after(&account.id_history, event.id, body);
        }
        self.answered(body, account)
    }

    fn take_of_transfer(&mut self, event: &Event, body: &TransferBody, block: &[u8]) -> Result<(), Flaw> {
        self.position = event.position;
        if let Id::Client(id) = event.id {
            let account = self.transfers.stream_number(body.transfer);
            self.ids.take(id, event.position, KnownId { account, role: Role::Other })?;
        }
        let sides = self.sides(&body.fact, block);
        self.transfers.take(event, body, sides, block)
    }

    fn take_of_delivery(&mut self, event: &Event, body: &DeliveryBody, block: &[u8]) -> Result<(), Flaw> {
        self.position = event.position;
        self.take_id_of_delivery(event, body, block)?;
        self.deliveries.take(event, body, block)
    }

    /// Takes the ID of an operator's act on a destination, which must be new.
    fn take_id_of_delivery(&mut self, event: &Event, body: &DeliveryBody, block: &[u8]) -> Result<(), Flaw> {
        let Id::Client(id) = event.id else { return Ok(()) };
        let account = self.deliveries.stream_number(body.name.of(block));
        self.ids.take(id, event.position, KnownId { account, role: Role::Other })
    }

    /// Finds the sides that an event of a transfer's own stream names.
    fn sides(&mut self, fact: &TransferFact, block: &[u8]) -> Sides {
        match fact {
            TransferFact::Requested { from, to, .. } => {
                let known = |name: &[u8]| {
                    let number = self.names.get(name).copied()?;
                    Some((number, self.accounts.get(number as usize)?.currency))
                };
                let to = match to.of(block) {
                    outside if outside.starts_with(b"@") => {
                        Some((To::Outside(self.internal.number(outside)), None))
                    }
                    account => known(account).map(|(number, of)| (To::Account(number), Some(of))),
                };
                Sides { from: known(from.of(block)), to }
            }
            TransferFact::PayoutSent { provider, .. } => {
                let name = [b"@external:", provider.of(block)].concat();
                let to = self.internal.known(&name).map(|number| (To::Outside(number), None));
                Sides { from: None, to }
            }
            TransferFact::CancelRequested
            | TransferFact::TimedOut
            | TransferFact::PayoutSettled(_)
            | TransferFact::PayoutContradicted(_)
            | TransferFact::Stalled { .. }
            | TransferFact::Resumed
            | TransferFact::Abandoned
            | TransferFact::Completed { .. }
            | TransferFact::NotHeld(_)
            | TransferFact::Compensated(_)
            | TransferFact::Cancelled
            | TransferFact::Refused { .. } => Sides { from: None, to: None },
        }
    }

    /// Takes the ID alone of an event whose stream was set aside: an ID that was booked twice is found on any account.
    ///
    /// # Errors
    /// Fails when the ID was seen before.
    pub(crate) fn take_id_alone(&mut self, event: &Event, block: &[u8]) -> Result<(), Flaw> {
        self.doubt(event, block);
        self.deliveries.doubt_all();
        match (&event.body, event.id) {
            (Body::Transfer(body), Id::Client(id)) => {
                let account = self.transfers.stream_number(body.transfer);
                self.ids.take(id, event.position, KnownId { account, role: Role::Other })
            }
            (Body::Transfer(_), Id::Own(_) | Id::Absent) | (Body::Letter(_), _) => Ok(()),
            (Body::Delivery(body), _) => self.take_id_of_delivery(event, body, block),
            (Body::Account(body), _) => match self.names.get(body.account.of(block)).copied() {
                Some(account) => self.take_id(event, body, account, block),
                None => {
                    self.lacks_ids = true;
                    Ok(())
                }
            },
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

    fn open(&mut self, event: &Event, body: &AccountBody, name: &[u8], limit: i128) -> Result<u32, Flaw> {
        if event.revision != 0 {
            return Err(Flaw::Revision { says: event.revision, expected: 0 });
        }
        let account = u32::try_from(self.accounts.len()).unwrap_or(u32::MAX);
        self.names.insert(name.into(), account);
        self.accounts.push(Account::open(body.currency, limit));
        Ok(account)
    }

    /// Takes the event's ID, which must be new. This comes first, because nothing worse can be found than an ID booked twice.
    fn take_id(&mut self, event: &Event, body: &AccountBody, account: u32, block: &[u8]) -> Result<(), Flaw> {
        self.position = event.position;
        let Id::Client(id) = event.id else { return Ok(()) };
        let role = self.role(&body.fact, block)?;
        self.ids.take(id, event.position, KnownId { account, role })
    }

    /// Checks the answer that the event gives for ever: it must say what the books have after the event.
    fn answered(&self, body: &AccountBody, number: u32) -> Result<(), Flaw> {
        let account = self.accounts.get(number as usize).ok_or(Flaw::NotOpened)?;
        let available = account
            .balance
            .checked_add(account.limit)
            .and_then(|sum| sum.checked_sub(account.held()))
            .ok_or(Flaw::NoSum("what is available"))?;
        for (field, says, is) in
            [("balance", body.answer.0, account.balance), ("available", body.answer.1, available)]
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
        self.position
    }

    /// Lists the IDs that were seen on two accounts, with the names of these.
    #[must_use]
    pub(crate) fn double_uses(&self) -> Vec<NamedDoubleUse> {
        if self.ids.double_uses().is_empty() {
            return Vec::new();
        }
        let transfers: Vec<(u32, String)> =
            self.transfers.stream_names().chain(self.deliveries.stream_names()).collect();
        let transfers = transfers.iter().map(|(number, name)| (*number, name.as_bytes()));
        let accounts = self.names.iter().map(|(name, number)| (*number, &**name));
        NamedDoubleUse::named(self.ids.double_uses(), accounts.chain(transfers))
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

    /// Lists the transfers, in the order of their requests, with the names of both sides.
    #[must_use]
    pub(crate) fn transfers(&self) -> Vec<(u128, &Transfer, [&str; 2])> {
        if self.transfers.is_empty() {
            return Vec::new();
        }
        let accounts: HashMap<u32, &[u8]> =
            self.names.iter().map(|(name, number)| (*number, &**name)).collect();
        let internal = self.internal.names();
        self.transfers
            .all()
            .map(|(id, transfer)| {
                let to = match transfer.to {
                    To::Account(number) => shown(&accounts, number),
                    To::Outside(number) => shown(&internal, number),
                };
                (id, transfer, [shown(&accounts, transfer.from), to])
            })
            .collect()
    }

    /// Notes that events may be missing, so that those of transfers and destinations can't be held against each other any more,
    /// and a correction not against what it names.
    pub(crate) fn doubt_transfers(&mut self) {
        self.transfers.doubt_all();
        self.deliveries.doubt_all();
        self.lacks_ids = true;
    }

    /// Notes that this event was found wrong or is not looked at: where it is a transfer's or a destination's, others of that
    /// one can't be held against it.
    pub(crate) fn doubt(&mut self, event: &Event, block: &[u8]) {
        match (&event.body, event.id) {
            (Body::Transfer(body), _) => self.transfers.doubt(body.transfer),
            (Body::Account(_), Id::Own(own)) if own.step != Step::Expiry => self.transfers.doubt(own.of),
            (Body::Delivery(body), _) => self.deliveries.doubt(body.name.of(block)),
            (Body::Letter(body), _) => self.deliveries.doubt(body.source.of(block)),
            (Body::Account(_), Id::Own(_) | Id::Client(_) | Id::Absent) => {}
        }
    }
}

/// Gives the name that has this number.
fn shown<'a>(names: &HashMap<u32, &'a [u8]>, number: u32) -> &'a str {
    names.get(&number).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
}
