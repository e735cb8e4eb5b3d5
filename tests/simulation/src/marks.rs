//! [`Marks`] count how often a run came into a state that is rare. A state that no run comes into is not tested.

use std::collections::BTreeMap;

/// `Marks` are the counts of rare states by their names.
#[derive(Clone, Debug, Default)]
pub struct Marks(pub BTreeMap<&'static str, u64>);

/// These are the states that each must be met by at least [`LEAST`] of 10,000 seeds.
const WANTED: &[&str] = &[
    "cancel after the credit, before the end",
    "cancel with timeout",
    "credit ruled out, then it comes",
    "disk full while stopping",
    "expiry against capture on two instances, capture first",
    "expiry against capture on two instances, expiry first",
    "`from` frozen in between",
    "`from` tries to close in between",
    "hold of a transfer ruled out, then it comes",
    "index one checkpoint old with open holds and transfers",
    "one ID for a transfer and a deposit on two instances",
    "paused, then resumed with open transfers",
    "release of a transfer before its hold",
    "stalled at a damaged account, mended, retried",
    "stop against a booked credit",
    "timeout after a cancel or an end",
    "timer of a fast clock",
    "`to` closed in between",
    "`to` full in between",
    "transfer ruled out by a client on `from`",
    "transfer ruled out by a client on `to`",
    "two drivers, each first somewhere",
    "answer lost, retried elsewhere",
    "append lands late",
    "append lost",
    "append's answer lost",
    "append taken over by another's",
    "bystander answered beside a damaged stream",
    "batch over several accounts",
    "calm run",
    "capture above its hold",
    "capture or release after the expiry",
    "clock set back",
    "clock set forward",
    "closing with an open hold",
    "commit in doubt, not written",
    "commit in doubt, written",
    "conflict that can not be read yet",
    "correction",
    "correction of an account that has changed",
    "crash between two effects",
    "crash while an append is under way",
    "disk full",
    "disk full, then room again",
    "expiry by a timer",
    "expiry soon after a start",
    "first answer after a crash",
    "first answer from another instance",
    "ID on two accounts at once",
    "hold captured in part",
    "hold expired",
    "index built anew",
    "ID on two accounts, booked on both",
    "ID reused on another account",
    "index lost",
    "index one checkpoint old",
    "leader gone",
    "outcome unknown to a client",
    "prevented",
    "release before its hold",
    "stream damaged",
    "stream damaged, then mended",
    "store unreachable for a while",
    "subscription dropped",
    "subscription deaf",
    "tail cut with the leader",
    "three instances",
    "payout: abandoned",
    "payout: arrived after its cancel",
    "payout: asked about after a restore",
    "payout: asked about before it arrived",
    "payout: an operator's word",
    "payout: claimer dead before the call",
    "payout: contradicted after an operator's word",
    "payout: contradicted after the end",
    "payout: gone on with by an operator",
    "payout: in part",
    "payout: its reply lost",
    "payout: never arrived",
    "payout: nobody could tell",
    "payout: of the original alone, after the backup",
    "payout: sent by the original and by its copy",
    "payout: two claims in one microsecond",
    "restored from a backup",
    "restored, then resumed with open transfers",
];

macro_rules! takeovers {
    ($($way:literal after $after:literal),* $(,)?) => {
        /// These are the ways to an end and the events after which whoever drove a transfer had died there, each with the
        /// states that it was taken over by the same instance, or by another.
        pub const TAKEOVERS: &[(&str, &str, &str, &str)] = &[$((
            $way,
            $after,
            concat!($way, ": crash after ", $after, ", taken over by the same instance"),
            concat!($way, ": crash after ", $after, ", taken over by another instance"),
        )),*];
    };
}

takeovers! {
    "completed" after "the request",
    "completed" after "the hold",
    "completed" after "the credit",
    "completed" after "the capture",
    "declined" after "the request",
    "declined" after "the declined hold",
    "compensated" after "the request",
    "compensated" after "the hold",
    "compensated" after "the declined credit",
    "compensated" after "the release",
    "timed out" after "the request",
    "timed out" after "the hold",
    "timed out" after "the timeout",
    "timed out" after "the ruling out",
    "cancelled" after "the hold",
    "cancelled" after "the cancel",
    "cancelled" after "the ruling out",
    "timed out or cancelled" after "the release",
    "paid out" after "the request",
    "paid out" after "the hold",
    "paid out" after "the sending",
    "paid out" after "the settling",
    "paid out" after "the capture",
    "not paid out" after "the sending",
    "not paid out" after "the settling",
    "not paid out" after "the release",
}

macro_rules! late {
    ($($kind:literal),* $(,)?) => {
        /// These are the types of events, each with the state that one landed late.
        pub const LATE: &[(&str, &str)] = &[$(($kind, concat!("late: ", $kind))),*];
    };
}

late! {
    "AccountOpened", "Deposited", "Withdrawn", "Reversed", "Prevented", "Corrected", "Frozen", "Unfrozen", "Closed",
    "OverdraftLimitChanged", "Declined", "HoldPlaced", "HoldCaptured", "HoldReleased", "HoldExpired", "HoldPrevented",
    "TransferCredited", "CreditPrevented", "TransferRequested", "TransferCancelRequested", "TransferTimedOut",
    "TransferCompleted", "TransferDeclined", "TransferCompensated", "TransferCancelled", "PayoutSent", "PayoutSettled",
    "TransferStalled", "TransferResumed",
}

/// Returns all states that must be met.
pub fn wanted() -> impl Iterator<Item = &'static str> {
    let takeovers = TAKEOVERS.iter().flat_map(|row| [row.2, row.3]);
    WANTED.iter().copied().chain(takeovers).chain(LATE.iter().map(|(_, state)| *state))
}

/// This is the number of seeds among 10,000 that must meet each state.
pub const LEAST: u64 = 10;

impl Marks {
    /// Notes that a state was met.
    pub fn meet(&mut self, state: &'static str) {
        debug_assert!(wanted().any(|listed| listed == state), "{state} is not listed");
        *self.0.entry(state).or_default() += 1;
    }

    /// Takes in the marks of another run: each state counts once a run.
    pub fn add(&mut self, run: &Self) {
        for state in run.0.keys() {
            *self.0.entry(state).or_default() += 1;
        }
    }

    /// Returns the states that fewer runs met than must.
    #[must_use]
    pub fn too_rare(&self) -> Vec<(&'static str, u64)> {
        let met = |state: &'static str| (state, self.0.get(state).copied().unwrap_or_default());
        wanted().map(met).filter(|(_, count)| *count < LEAST).collect()
    }
}
