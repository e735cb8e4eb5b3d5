//! An act of an operator on a destination is done here: it is prepared, decided by the ledger, and told to who serves the
//! destination.
//!
//! It goes on to its end also when whoever asked does not wait any more, so that a destination whose pause was recorded is not
//! sent to.

use crate::domain::command::{Command, Operation};
use crate::domain::decide::Refusal;
use crate::domain::delivery::decide::{DeliveryOperation, Refused};
use crate::domain::delivery::name::DestinationName;
use crate::ledger::{Ledger, ReadError, Unavailable, Verdict};
use crate::tasks;

use super::runner::{Deliveries, NotPrepared};

/// This is how often an act is prepared anew because the destination has moved meanwhile.
const TRIES: u32 = 5;

/// The reason why there is no verdict on an act.
#[derive(Debug)]
pub enum NotDone {
    /// It could not be prepared.
    NotPrepared(NotPrepared),
    /// The ledger can't say whether its ID was booked.
    Unreadable(ReadError),
    /// The ledger could not rule on it.
    Unavailable(Unavailable),
}

impl From<ReadError> for NotDone {
    fn from(error: ReadError) -> Self {
        Self::Unreadable(error)
    }
}

/// Does what an operator asks of a destination. An ID that was booked before gets its first answer, however the destination
/// stands now.
///
/// # Errors
/// Fails when it is not possible as the destination stands, or the ledger can't be read or written.
pub async fn act(deliveries: &Deliveries, ledger: &Ledger, command: Command) -> Result<Verdict, NotDone> {
    let (deliveries, ledger) = (deliveries.clone(), ledger.clone());
    let done = tasks::spawn(async move { done(&deliveries, &ledger, command).await }).await;
    done.unwrap_or(Err(NotDone::Unavailable(Unavailable::OutcomeUnknown)))
}

async fn done(deliveries: &Deliveries, ledger: &Ledger, command: Command) -> Result<Verdict, NotDone> {
    let (Some(name), Operation::Delivery(asked)) =
        (command.stream.destination().cloned(), &command.operation)
    else {
        return Ok(Verdict::Refused(Refusal::Destination(Refused::NotFound)));
    };
    if matches!(**asked, DeliveryOperation::Test { .. }) {
        return tried_out(deliveries, ledger, &name, command).await;
    }
    for _ in 0..TRIES {
        let verdict = decided(deliveries, ledger, (&name, &command), asked).await?;
        if !matches!(verdict, Verdict::Refused(Refusal::Destination(Refused::Stale))) {
            return Ok(verdict);
        }
    }
    Ok(Verdict::Unavailable(Unavailable::InProgress))
}

async fn decided(
    deliveries: &Deliveries,
    ledger: &Ledger,
    (name, command): (&DestinationName, &Command),
    asked: &DeliveryOperation,
) -> Result<Verdict, NotDone> {
    let prepared = match deliveries.prepare(name, asked).await {
        Ok(prepared) => prepared,
        Err(why) => {
            if !is_booked(ledger, command).await? {
                return Err(NotDone::NotPrepared(why));
            }
            asked.clone()
        }
    };
    let operation = Operation::Delivery(Box::new(prepared));
    let command = Command { operation, ..command.clone() };
    let verdict = ruled(ledger, command.clone()).await?;
    if let (Verdict::Booked(..), Operation::Delivery(asked)) = (&verdict, &command.operation) {
        deliveries.acted(name, asked);
    }
    Ok(verdict)
}

/// Sends what an operator asks to send, and records what came of it. An ID that was booked before sends nothing; nor does one
/// whose message is under way.
async fn tried_out(
    deliveries: &Deliveries,
    ledger: &Ledger,
    name: &DestinationName,
    mut command: Command,
) -> Result<Verdict, NotDone> {
    let Some(_under_way) = deliveries.begin_trial(command.id) else {
        return Ok(Verdict::Unavailable(Unavailable::InProgress));
    };
    if !is_booked(ledger, &command).await? {
        let came = deliveries.try_out(name, &command).await.map_err(NotDone::NotPrepared)?;
        command.operation = Operation::Delivery(Box::new(came));
    }
    ruled(ledger, command).await
}

async fn is_booked(ledger: &Ledger, command: &Command) -> Result<bool, ReadError> {
    Ok(ledger.transaction(command.id).await?.is_some_and(|history| history.first.is_some()))
}

async fn ruled(ledger: &Ledger, command: Command) -> Result<Verdict, NotDone> {
    let ruled = ledger.execute([command]).await.map_err(NotDone::Unavailable)?.pop();
    Ok(ruled.unwrap_or(Verdict::Unavailable(Unavailable::OutcomeUnknown)))
}
