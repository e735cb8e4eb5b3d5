//! This is what a driver does for a payout beside steps and records: it waits for a place among the provider's calls, calls,
//! and takes the answer in.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::event::Event;
use crate::domain::ids::{Id, Step};
use crate::domain::payee::Payee;
use crate::domain::refusal::Refusal;
use crate::domain::transfer::asking;
use crate::domain::transfer::call::Call;
use crate::domain::transfer::command::{Label, TransferOperation};
use crate::domain::transfer::event::Fact;
use crate::domain::transfer::stage::Stage;
use crate::ledger::ReadError;
use crate::payouts::{Order, Place, Provider};
use crate::tasks;

use super::driver::{Driver, Goes};
use super::steps::Sent;

/// This is how often a driver that waits for a place looks at its transfer: another instance may have recorded something.
const LOOK: Duration = Duration::from_secs(5);

impl Driver<'_> {
    /// Begins a transfer to a provider: with a claim that no other driver has, and with the knowledge whether another copy of
    /// the ledger may have sent the payout.
    pub(super) async fn set_out(&mut self) {
        if matches!(self.view.terms.to, Payee::Account(_)) {
            return;
        }
        self.steps.calls.claim = Label::parse(&self.work.draws.id().to_string());
        loop {
            match self.work.ledger.may_be_sent_elsewhere(self.view.id).await {
                Ok(is_sent_elsewhere) => {
                    self.steps.calls.is_sent_elsewhere = is_sent_elsewhere;
                    return;
                }
                Err(_) => self.patience.wait(&self.work.draws).await,
            }
        }
    }

    /// Waits for a place among the provider's calls. What is recorded meanwhile, and a deadline that passes, is seen.
    pub(super) async fn wait_for_place(&mut self) -> Goes {
        let Some(provider) = self.work.provider(&self.view).map(Arc::clone) else { return Goes::No };
        let mut place = pin!(provider.place());
        loop {
            tokio::select! {
                biased;
                taken = &mut place => {
                    self.payout.place = taken;
                    return if self.payout.has_place() { Goes::On } else { Goes::No };
                }
                () = self.bell.notified() => {}
                () = tasks::sleep(LOOK) => {}
            }
            let is_late = self.work.ledger.now() >= self.view.terms.deadline_at;
            if self.refresh().await || (is_late && self.view.stage == Stage::UnderWay) {
                return Goes::On;
            }
        }
    }

    /// Calls the provider once, and takes in what it says.
    pub(super) async fn call(&mut self, call: Call) -> Goes {
        let Some(provider) = self.work.provider(&self.view).map(Arc::clone) else { return Goes::No };
        let Some(order) = self.order().await else { return self.pause().await };
        let Some(place) = self.payout.place.take() else { return self.wait_for_place().await };
        if call == Call::Pay && !std::mem::take(&mut self.payout.is_just_recorded) {
            match self.confirm().await {
                Confirmed::AsSeen => {}
                Confirmed::Changed => return self.look().await,
                Confirmed::Unknown => return self.pause().await,
                Confirmed::Stopping => return Goes::No,
            }
        }
        self.ask_provider(&provider, call, &order, place).await
    }

    async fn ask_provider(&mut self, provider: &Provider, call: Call, order: &Order, place: Place) -> Goes {
        let said = provider.call(call, order, &place).await;
        drop(place);
        tracing::debug!(transfer = %self.view.id, provider = %provider.name(), ?call, ?said, "a provider was asked");
        self.steps.calls.learn(call, said);
        if self.steps.calls.told.is_some() {
            self.patience.rest();
            return Goes::On;
        }
        self.pause().await
    }

    /// Waits before the provider is asked again, and sees what was recorded meanwhile.
    async fn pause(&mut self) -> Goes {
        self.payout.is_just_recorded = false;
        tokio::select! {
            biased;
            () = self.bell.notified() => {}
            () = self.patience.wait(&self.work.draws) => {}
        }
        self.refresh().await;
        Goes::On
    }

    /// Asks whether the stream still ends where this driver has seen it end. A payout is never sent again on what was seen a
    /// while ago: an operator may have said meanwhile that it was not paid.
    async fn confirm(&self) -> Confirmed {
        let operation = TransferOperation::Confirm { seen: self.view.revision };
        let id = Id::first_of(self.view.id, Step::Settle);
        match self.work.send(asking::record(&self.view, id, operation)).await {
            Sent::Refused(Refusal::NothingNew) => Confirmed::AsSeen,
            Sent::Refused(_) | Sent::Booked(_) | Sent::Other(_) => Confirmed::Changed,
            Sent::Unknown | Sent::Damaged => Confirmed::Unknown,
            Sent::Stopping => Confirmed::Stopping,
        }
    }

    /// Reads how the transfer stands, and says whether that is new.
    async fn refresh(&mut self) -> bool {
        match self.work.ledger.transfer_state(self.view.id).await {
            Ok(Some(seen)) if seen.revision > self.view.revision => {
                self.view = seen;
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// Returns the order of the payout, which is made of the transfer's request; `None` where that can't be read now.
    async fn order(&mut self) -> Option<Arc<Order>> {
        if self.payout.order.is_none() {
            self.payout.order = self.read_order().await.ok().flatten().map(Arc::new);
        }
        self.payout.order.clone()
    }

    async fn read_order(&self) -> Result<Option<Order>, ReadError> {
        let found = self.work.ledger.transfer(self.view.id).await?;
        let first = found.as_ref().and_then(|found| found.events.first());
        Ok(first.and_then(|first| match &first.event.transfer()?.fact {
            Fact::Requested { metadata, .. } => Order::of(&self.view, metadata),
            Fact::CancelRequested(_)
            | Fact::TimedOut
            | Fact::PayoutSent(_)
            | Fact::PayoutSettled(_)
            | Fact::PayoutContradicted(_)
            | Fact::Stalled(_)
            | Fact::Resumed(_)
            | Fact::Abandoned(_)
            | Fact::Completed { .. }
            | Fact::Unmoved(_)
            | Fact::Declined { .. } => None,
        }))
    }

    /// Takes in that an event of this driver is recorded, now or by a try before.
    pub(super) fn is_recorded(&mut self, event: &Event) {
        match event.transfer().map(|body| &body.fact) {
            Some(Fact::PayoutSent(_)) => {
                self.steps.calls.is_mine = true;
                self.payout.is_just_recorded = !self.patience.has_waited();
            }
            Some(Fact::PayoutContradicted(_)) => {
                self.steps.calls.told = None;
                self.work.was_contradicted();
            }
            Some(_) | None => {}
        }
    }
}

/// A `Confirmed` says whether the stream of a transfer ends where its driver has seen it end.
enum Confirmed {
    /// It does.
    AsSeen,
    /// More was recorded.
    Changed,
    /// Nobody can say at the moment.
    Unknown,
    /// The service stops.
    Stopping,
}
