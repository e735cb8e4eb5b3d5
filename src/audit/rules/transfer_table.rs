//! The table of a transfer's states: which event may come in which state, and which state follows. It is made from the
//! contract's text.

use crate::audit::values::transfer::{Paid, State, TransferFact};

/// Gives the state after an event; `None` when no such event may come in this state. `before` is the state that a stalled or
/// abandoned transfer goes back to.
#[must_use]
pub(super) fn after(state: State, before: State, fact: &TransferFact) -> Option<State> {
    let settled = |paid: &Paid| if paid.done { State::Finishing } else { State::Releasing };
    match (fact, state) {
        (TransferFact::Refused { .. }, _) => Some(state),
        (TransferFact::CancelRequested | TransferFact::TimedOut, State::UnderWay) => Some(State::Stopping),
        (TransferFact::CancelRequested | TransferFact::TimedOut, State::Paying) => Some(State::Asking),
        (TransferFact::PayoutSent { .. }, State::UnderWay) => Some(State::Paying),
        (
            TransferFact::PayoutSettled(paid),
            State::Paying | State::Asking | State::NeedsOperator | State::Abandoned,
        ) => Some(settled(paid)),
        (TransferFact::PayoutContradicted(_), state) if may_be_contradicted(state) => {
            Some(State::NeedsOperator)
        }
        (TransferFact::Stalled { .. }, state) if is_driven(state) => Some(State::NeedsOperator),
        (TransferFact::Resumed, State::NeedsOperator | State::Abandoned) => Some(before),
        (TransferFact::Abandoned, State::NeedsOperator) => Some(State::Abandoned),
        (TransferFact::Completed { .. }, State::UnderWay | State::Stopping | State::Finishing) => {
            Some(State::Completed)
        }
        (TransferFact::NotHeld(_), State::UnderWay | State::Stopping) => Some(State::Declined),
        (TransferFact::Compensated(_), State::UnderWay | State::Stopping | State::Releasing) => {
            Some(State::Compensated)
        }
        (TransferFact::Cancelled, State::Stopping | State::Releasing) => Some(State::Cancelled),
        (
            TransferFact::Requested { .. }
            | TransferFact::CancelRequested
            | TransferFact::TimedOut
            | TransferFact::PayoutSent { .. }
            | TransferFact::PayoutSettled(_)
            | TransferFact::PayoutContradicted(_)
            | TransferFact::Stalled { .. }
            | TransferFact::Resumed
            | TransferFact::Abandoned
            | TransferFact::Completed { .. }
            | TransferFact::NotHeld(_)
            | TransferFact::Compensated(_)
            | TransferFact::Cancelled,
            _,
        ) => None,
    }
}

/// Says whether the service drives a transfer in this state.
#[must_use]
pub(super) fn is_driven(state: State) -> bool {
    match state {
        State::UnderWay
        | State::Stopping
        | State::Paying
        | State::Asking
        | State::Finishing
        | State::Releasing => true,
        State::NeedsOperator
        | State::Abandoned
        | State::Completed
        | State::Declined
        | State::Compensated
        | State::Cancelled => false,
    }
}

/// Says whether this state is an end.
#[must_use]
pub(super) fn is_end(state: State) -> bool {
    matches!(state, State::Completed | State::Declined | State::Compensated | State::Cancelled)
}

/// Says whether what became of a payout may be told otherwise in this state: it was settled before.
fn may_be_contradicted(state: State) -> bool {
    is_end(state)
        || matches!(state, State::Finishing | State::Releasing | State::NeedsOperator | State::Abandoned)
}
