//! [`Transfer`] is one transfer, as its own events and its steps on accounts leave it.

use crate::audit::rules::transfer_table::is_end;
use crate::audit::values::code::Code;
use crate::audit::values::currency::Currency;
use crate::audit::values::id::Step;
use crate::audit::values::transfer::State;

/// A transfer is kept from its request on, also behind its end, because a late request may still be declined then. It costs
/// about 200 bytes with its place in the tables: less than the IDs of its five events would, of which one is kept.
#[derive(Debug, Clone)]
pub(crate) struct Transfer {
    /// This is the number of the account that the money goes out of.
    pub(crate) from: u32,
    pub(crate) to: To,
    /// This is the amount in minor units, at most 10^19.
    pub(crate) amount: u64,
    pub(crate) currency: Currency,
    /// This is the deadline in microseconds.
    pub(super) deadline: i64,
    /// This is the revision of the newest event in its own stream.
    pub(super) revision: u64,
    pub(crate) state: State,
    /// This is the state that it goes back to when an operator lets it go on.
    pub(super) before: State,
    pub(super) hold: HoldStep,
    pub(super) credit: CreditStep,
    pub(super) payout: PayoutStep,
    /// This is why it is to be stopped.
    pub(super) stop: Option<Stop>,
    pub(super) captures_declined: u32,
    pub(super) releases_declined: u32,
    pub(super) stalls: u32,
    pub(super) contradictions: u32,
    /// This says whether it was stalled because the ledger was restored.
    pub(super) restored: bool,
    /// This says whether its end is recorded.
    pub(super) ended: bool,
    /// This says that one of its events was found wrong, so that the others can't be held against it.
    pub(super) in_doubt: bool,
    /// This is the running hash of what became of which ID in its stream.
    pub(crate) id_history: [u8; 32],
}

/// This is where the money of a transfer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum To {
    /// It goes to the guarded account with this number.
    Account(u32),
    /// It goes to a provider, against the ledger's own account with this number.
    Outside(u32),
}

/// This is what became of a transfer's hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HoldStep {
    Unasked,
    Open,
    Declined(Code),
    /// It was ruled out; whether it came afterwards and was declined stands beside it.
    RuledOut {
        came: bool,
    },
    Captured,
    Released,
}

/// This is what became of a transfer's credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CreditStep {
    Unasked,
    Booked,
    Declined(Code),
    /// It was ruled out; whether it came afterwards and was declined stands beside it.
    RuledOut {
        came: bool,
    },
}

/// This is what became of a transfer's payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PayoutStep {
    None,
    Sent {
        cancellable: bool,
    },
    /// This amount was paid.
    Paid(u64),
    /// It never will be paid.
    Declined,
}

/// A stop is why a transfer is to be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    TimedOut,
    Cancelled,
}

impl Transfer {
    /// Says whether its credit is booked and its capture is not, so that `@transit` is below zero by its amount.
    #[must_use]
    pub(crate) fn is_in_transit(&self) -> bool {
        self.credit == CreditStep::Booked && self.hold == HoldStep::Open
    }

    /// Says whether its state is an end. One that needs an operator after its end is not at one.
    #[must_use]
    pub(crate) fn is_at_end(&self) -> bool {
        is_end(self.state)
    }

    /// Says whether a step of it was seen on this account.
    #[must_use]
    pub(super) fn was_seen_on(&self, account: u32) -> bool {
        (self.from == account && self.hold != HoldStep::Unasked)
            || (self.to == To::Account(account) && self.credit != CreditStep::Unasked)
    }

    /// Says whether its own hold or credit was ruled out by a step of its own.
    #[must_use]
    pub(super) fn is_ruled_out(&self, step: Step) -> bool {
        (step == Step::Hold && matches!(self.hold, HoldStep::RuledOut { .. }))
            || (step == Step::Credit && matches!(self.credit, CreditStep::RuledOut { .. }))
    }
}
