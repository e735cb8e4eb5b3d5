//! [`Marks`] count how often a run came into a state that is rare. A state that no run comes into is not tested.

use std::collections::BTreeMap;

/// `Marks` are the counts of rare states by their names.
#[derive(Clone, Debug, Default)]
pub struct Marks(pub BTreeMap<&'static str, u64>);

/// These are the states that each must be met by at least [`LEAST`] of 10,000 seeds.
pub const WANTED: &[&str] = &[
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
];

/// This is the number of seeds among 10,000 that must meet each state.
pub const LEAST: u64 = 10;

impl Marks {
    /// Notes that a state was met.
    pub fn meet(&mut self, state: &'static str) {
        debug_assert!(WANTED.contains(&state), "{state} is not listed");
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
        WANTED.iter().copied().map(met).filter(|(_, count)| *count < LEAST).collect()
    }
}
