//! These reads say which holds of an account are open, and what became of one hold.

use crate::domain::account::event::{Effect, Fact};
use crate::domain::account::hold::open_holds::Hold;
use crate::domain::currency::Currency;
use crate::domain::event::Event;
use crate::domain::ids::{AccountName, Id};
use crate::domain::stream::StreamName;
use crate::index::IndexError;

use super::handle::Ledger;
use super::stream::Stream;
use super::types::{Placed, ReadError};

/// A `HoldsPage` is a page of the open holds of an account.
#[derive(Clone, Debug)]
pub struct HoldsPage {
    /// This is the account's currency.
    pub currency: Currency,
    /// These are the holds, in the order in which they expire; those of transfers come last.
    pub holds: Vec<Hold>,
    /// This is true when there are more.
    pub more: bool,
}

/// A `HoldHistory` is what one account's stream says of a hold.
#[derive(Clone, Debug)]
pub struct HoldHistory {
    /// This is the event that placed it; `None` where the hold was ruled out.
    pub placed: Option<Placed>,
    /// This is the event that settled it or ruled it out; `None` while it is open.
    pub settled_by: Option<Placed>,
}

impl Ledger {
    /// Returns up to `limit` open holds of an account that come after this one; `None` for an account that was never
    /// opened.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn open_holds(
        &self,
        name: &AccountName,
        after: Option<(i64, Id)>,
        limit: usize,
    ) -> Result<Option<HoldsPage>, ReadError> {
        self.undamaged(name)?;
        let stream = Stream::new(self, name);
        self.blocking(move || {
            let Some(account) = stream.now()? else { return Ok(None) };
            let wanted = account.holds.iter().filter(|hold| after.is_none_or(|after| hold.order() > after));
            let mut holds: Vec<Hold> = wanted.take(limit.saturating_add(1)).cloned().collect();
            let more = holds.len() > limit;
            holds.truncate(limit);
            Ok(Some(HoldsPage { currency: account.currency, holds, more }))
        })
        .await
    }

    /// Returns what an account's stream says of a hold; `None` where the account has never seen a hold of this ID.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn hold(&self, name: &AccountName, id: Id) -> Result<Option<HoldHistory>, ReadError> {
        self.undamaged(name)?;
        let Some(found) = self.transaction(id).await? else { return Ok(None) };
        let stream = StreamName::Account(name.clone());
        let is_here = |placed: &&Placed| placed.event.stream == stream;
        let placed = found
            .first
            .iter()
            .chain(&found.elsewhere)
            .find(|placed| is_here(placed) && is_hold(&placed.event));
        if let Some(placed) = placed {
            return Ok(Some(HoldHistory { placed: Some(placed.clone()), settled_by: found.settled_by }));
        }
        let (index, reader) = (self.0.index.clone(), self.0.reader.clone());
        self.blocking(move || {
            let Some(position) = index.ruled_out(id, &stream)? else { return Ok(None) };
            let by = Placed::from(reader.event(position)?);
            let is_it = by.event.stream == stream && by.event.names() == Some((id, Effect::RuledOut));
            let damaged = || IndexError::damaged("an event has not the part that the index says");
            let by = is_it.then_some(by).ok_or_else(damaged)?;
            Ok(Some(HoldHistory { placed: None, settled_by: Some(by) }))
        })
        .await
    }
}

fn is_hold(event: &Event) -> bool {
    event.account().is_some_and(|body| matches!(body.fact, Fact::HoldPlaced { .. }))
}
