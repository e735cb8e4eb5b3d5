//! The sums over the whole ledger are the trial balance, the digest, and what the ledger's own accounts have. As of now they
//! come from the index; at an older position they come from the journal, event by event.
//!
//! All but what one own account has now are long reads: they visit every account, or every event up to the position.

use std::collections::BTreeMap;

use crate::domain::account::Account;
use crate::domain::currency::Currency;
use crate::domain::digest::StateHash;
use crate::domain::event::Event;
use crate::domain::ids::{AccountName, CounterAccount};
use crate::domain::money::Money;
use crate::domain::state::State;
use crate::index::{Index, IndexError, Overlay};

use super::fold::{Fold, each_event};
use super::handle::Ledger;
use super::long_reads::Wanted;
use super::types::{At, OwnBalances, Position, ReadError, TrialBalance};

/// This is the number of accounts that are read at a time.
const PAGE: usize = 4_096;

impl Ledger {
    /// Returns the totals per account kind and currency, after the last event at or before a position, or now.
    ///
    /// # Errors
    /// Fails when the ledger can't be read, or the position is behind its end.
    pub async fn trial_balance(&self, at: Option<Position>) -> Result<TrialBalance, ReadError> {
        self.not_beyond(at).await?;
        let (index, reader) = (self.0.index.clone(), self.0.reader.clone());
        self.long(move |wanted| {
            let now = at_or_before(&index, at, |overlay| {
                let mut sums = BTreeMap::new();
                let visited = visit_all(overlay, wanted, |account| add(&mut sums, account))?;
                let internal = overlay.internal()?;
                Ok(visited.map(|()| (overlay.position(), sums, internal)))
            })?;
            let (position, guarded, internal) = match now {
                Some(now) => now,
                None => {
                    let (mut sums, mut internal) = (BTreeMap::new(), BTreeMap::new());
                    let fold = Fold { reader: &*reader, last: at.unwrap_or_default(), wanted };
                    let position = fold.every_event_and_stream(
                        |event| move_own(&mut internal, event),
                        |state| state.account().into_iter().for_each(|account| add(&mut sums, account)),
                    )?;
                    (position, sums, internal)
                }
            };
            let named = |((name, currency), sum): ((CounterAccount, Currency), Money)| {
                ((name.to_string(), currency), sum)
            };
            Ok(TrialBalance { position, guarded, internal: internal.into_iter().map(named).collect() })
        })
        .await
    }

    /// Returns the balance of one of the ledger's own accounts in each currency; `None` for one that was never used.
    ///
    /// # Errors
    /// Fails when the ledger can't be read, or a position is behind its end.
    pub async fn internal_account(
        &self,
        name: &CounterAccount,
        at: &[At],
    ) -> Result<Vec<Option<OwnBalances>>, ReadError> {
        self.not_beyond(at.iter().filter_map(|at| at.position()).max()).await?;
        let (index, name) = (self.0.index.clone(), name.clone());
        if at.iter().all(|at| *at == At::Now) {
            let times = at.len();
            return self.blocking(move || Ok(vec![now(&index, &name)?; times])).await;
        }
        let (reader, end) = (self.0.reader.clone(), self.head().position);
        let at = at.to_vec();
        self.long(move |wanted| {
            let by_position = at.iter().map(|at| at.position()).collect::<Option<Vec<_>>>();
            let last = by_position.and_then(|positions| positions.into_iter().max()).unwrap_or(end);
            let mut sums = vec![OwnBalances::new(); at.len()];
            each_event(&*reader, last, wanted, |event, position| {
                let Some(body) = event.account() else { return };
                let Some(entries) = body.entries().filter(|entries| *entries.counter_account == name) else {
                    return;
                };
                for (sums, _) in sums.iter_mut().zip(&at).filter(|(_, at)| counts(**at, event, position)) {
                    let sum = sums.entry(body.currency).or_insert_with(|| Money::zero(body.currency));
                    *sum = sum.minus(entries.guarded).unwrap_or(*sum);
                }
            })?;
            Ok(sums.into_iter().map(|sums| (!sums.is_empty()).then_some(sums)).collect())
        })
        .await
    }

    /// Returns a hash of everything that decisions depend on, after the last event at or before a position, or now. The
    /// position is returned with it.
    ///
    /// # Errors
    /// Fails when the ledger can't be read, or the position is behind its end.
    pub async fn digest(&self, at: Option<Position>) -> Result<(Position, String), ReadError> {
        self.not_beyond(at).await?;
        let (index, reader) = (self.0.index.clone(), self.0.reader.clone());
        self.long(move |wanted| {
            let now = at_or_before(&index, at, |overlay| {
                let mut hash = StateHash::default();
                let visited = visit_all(overlay, wanted, |account| hash.add(account))?;
                overlay.every_open_transfer(|transfer| hash.add_transfer(transfer))?;
                hash.add_ended(overlay.ended()?);
                Ok(visited.map(|()| (overlay.position(), hash.finish())))
            })?;
            if let Some(now) = now {
                return Ok(now);
            }
            let mut hash = StateHash::default();
            let fold = Fold { reader: &*reader, last: at.unwrap_or_default(), wanted };
            let position = fold.every_stream(|state| match state {
                State::Account(account) => hash.add(account),
                State::Transfer(transfer) => hash.add_transfer(transfer),
            })?;
            Ok((position, hash.finish()))
        })
        .await
    }

    /// Refuses a position behind the journal's end: what will stand there nobody knows yet.
    pub(super) async fn not_beyond(&self, at: Option<Position>) -> Result<(), ReadError> {
        match at {
            Some(position) if position > self.head().position => {
                let head = self.end().await?.position;
                if position > head { Err(ReadError::BeyondHead { head }) } else { Ok(()) }
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Asks the index, unless an event after `at` is in it already. Both are seen in one view: what is answered for a position
/// never has a later event in it.
fn at_or_before<T>(
    index: &Index,
    at: Option<Position>,
    work: impl FnOnce(&Overlay<'_>) -> Result<Result<T, ReadError>, IndexError>,
) -> Result<Option<T>, ReadError> {
    let answer = index.overlay(|overlay| match at {
        Some(at) if overlay.position() > at => Ok(None),
        Some(_) | None => work(overlay).map(Some),
    })?;
    answer.transpose()
}

/// Visits every account, by name, while that is wanted.
fn visit_all(
    overlay: &Overlay<'_>,
    wanted: &Wanted,
    mut visit: impl FnMut(&Account),
) -> Result<Result<(), ReadError>, IndexError> {
    let mut after: Option<AccountName> = None;
    loop {
        if let Err(stop) = wanted.check() {
            return Ok(Err(stop));
        }
        let page = overlay.accounts(after.as_ref(), PAGE)?;
        page.iter().for_each(&mut visit);
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.name.clone()),
            _ => return Ok(Ok(())),
        }
    }
}

/// Returns what an own account has now.
fn now(index: &Index, name: &CounterAccount) -> Result<Option<OwnBalances>, ReadError> {
    let (_, own) = index.own_account(name)?;
    Ok((!own.is_empty()).then_some(own))
}

/// Says whether an event counts for who asks as of this time.
fn counts(at: At, event: &Event, position: Position) -> bool {
    match at {
        At::Now => true,
        At::Position(last) => position <= last,
        At::Known(moment) => event.recorded_at <= moment,
        At::Effective(moment) => event.effective_at() <= moment,
        At::Both { effective, known } => event.effective_at() <= effective && event.recorded_at <= known,
    }
}

/// Adds what an event moved from or to one of the ledger's own accounts.
fn move_own(sums: &mut BTreeMap<(CounterAccount, Currency), Money>, event: &Event) {
    let Some(body) = event.account() else { return };
    let Some(entries) = body.entries() else { return };
    let key = (entries.counter_account.clone(), body.currency);
    let sum = sums.entry(key).or_insert_with(|| Money::zero(body.currency));
    *sum = sum.minus(entries.guarded).unwrap_or(*sum);
}

fn add(sums: &mut BTreeMap<Currency, Money>, account: &Account) {
    let sum = sums.entry(account.currency).or_insert_with(|| Money::zero(account.currency));
    *sum = sum.plus(account.balance).unwrap_or(*sum);
}
