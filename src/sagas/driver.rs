//! A driver takes one transfer to its end, or to where an operator is needed. It keeps nothing that it could not ask for
//! again: one that starts anew asks the steps again, under their IDs.

use tokio::sync::Notify;

use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::ids::Id;
use crate::domain::transfer::Transfer;
use crate::domain::transfer::asking;
use crate::domain::transfer::command::TransferOperation;
use crate::domain::transfer::steps::{Ask, Reply, Steps};
use crate::domain::transfer::todo::{Todo, todo};
use crate::ledger::next;

use super::held::Payout;
use super::patience::Patience;
use super::steps::Sent;
use super::work::Work;

/// A `Driver` drives one transfer.
pub(super) struct Driver<'a> {
    pub(super) work: &'a Work,
    /// This is the transfer, as it was seen last.
    pub(super) view: Transfer,
    pub(super) steps: Steps,
    pub(super) patience: Patience,
    /// It rings when something was recorded of the transfer that the driver has not seen.
    pub(super) bell: &'a Notify,
    pub(super) payout: Payout,
}

/// A `Goes` says whether a driver goes on.
#[derive(PartialEq, Eq)]
pub(super) enum Goes {
    On,
    /// It can't: the service stops, or what it found is wrong.
    No,
}

impl<'a> Driver<'a> {
    pub(super) fn new(work: &'a Work, view: Transfer, bell: &'a Notify) -> Self {
        let steps = work.steps(&view);
        Self { work, view, steps, patience: Patience::default(), bell, payout: Payout::default() }
    }

    /// Drives it until nothing is to be done any more, or for now. Returns the transfer as it was seen last.
    pub(super) async fn run(mut self) -> Transfer {
        self.set_out().await;
        loop {
            let goes = match todo(&self.view, &self.steps, self.work.ledger.now()) {
                Todo::Ask(ask) => match asking::step(&self.view, ask) {
                    Some(command) => self.ask(ask, command).await,
                    None => Goes::No,
                },
                Todo::Call(call) => self.call(call).await,
                // The place of the call is taken first, so that nothing stands between the record and the call.
                Todo::Record(_, TransferOperation::Send(_)) if !self.payout.has_place() => {
                    self.wait_for_place().await
                }
                Todo::Record(id, operation) => self.record(id, operation).await,
                Todo::LookAgain => self.look().await,
                Todo::Rest(_) | Todo::Nothing => Goes::No,
            };
            if goes == Goes::No {
                return self.view;
            }
        }
    }

    async fn ask(&mut self, ask: Ask, command: Command) -> Goes {
        let reply = match self.work.send(command).await {
            Sent::Booked(event) => asking::booked(&event),
            Sent::Refused(refusal) => asking::refused(&refusal).unwrap_or(Reply::Unknown),
            Sent::Other(first) => return self.wrong(&first),
            Sent::Damaged if self.patience.is_damaged_for_long() => Reply::Stuck,
            Sent::Damaged | Sent::Unknown => Reply::Unknown,
            Sent::Stopping => return Goes::No,
        };
        self.steps.learn(ask, reply);
        if reply == Reply::Unknown {
            self.patience.wait(&self.work.draws).await;
        } else {
            self.patience.rest();
        }
        Goes::On
    }

    async fn record(&mut self, id: Id, operation: TransferOperation) -> Goes {
        let is_of_payout = operation.is_of_payout();
        let command = asking::record(&self.view, id, operation);
        match self.work.send(command).await {
            Sent::Booked(event) => {
                self.is_recorded(&event);
                match next(&self.view, &event) {
                    Some(after) => {
                        self.view = after;
                        self.patience.rest();
                        Goes::On
                    }
                    None => self.look().await,
                }
            }
            // Another driver was told otherwise, or its claim was first.
            Sent::Other(_) if is_of_payout => self.look().await,
            // One that had not seen all may have wanted another end than was recorded.
            Sent::Other(first) if first.revision != self.view.revision.saturating_add(1) => self.look().await,
            Sent::Other(first) => self.wrong(&first),
            Sent::Refused(_) => self.look().await,
            Sent::Damaged | Sent::Unknown => {
                self.patience.wait(&self.work.draws).await;
                Goes::On
            }
            Sent::Stopping => Goes::No,
        }
    }

    /// Reads how the transfer stands. Where nothing new is to be seen yet, it waits: what was recorded elsewhere comes here a
    /// moment later.
    pub(super) async fn look(&mut self) -> Goes {
        match self.work.ledger.transfer_state(self.view.id).await {
            Ok(Some(seen)) if seen.revision > self.view.revision => {
                self.view = seen;
                self.patience.rest();
            }
            Ok(_) | Err(_) => self.patience.wait(&self.work.draws).await,
        }
        Goes::On
    }

    /// Ends after an ID of the service's own was found with another content, which is damage. No other transfer waits for it.
    fn wrong(&self, first: &Event) -> Goes {
        tracing::error!(
            transfer = %self.view.id,
            id = %first.id,
            "an ID of the service's own stands for something else: the transfer is left as it is"
        );
        Goes::No
    }
}
