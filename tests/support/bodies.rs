//! The bodies are what clients of the storm ask for, with each ID two of them: the usual one, and one that it is misused for.

use bookonce::domain::command::Command;
use proptest::prelude::*;
use proptest::sample::select;

use crate::holds::{capture, hold_for, release};
use crate::model;
use crate::support::*;
use crate::transfers::{cancel, request};

/// IDs 1 to this one are used, again and again.
pub const IDS: u128 = 60;

fn account() -> impl Strategy<Value = &'static str> {
    select(&["alice", "bob", "carol"][..])
}

fn amount() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => (1_i128..20_000).prop_map(model::euros),
        1 => Just("1000000000000000.00".to_owned()),
    ]
}

fn body(n: u128) -> impl Strategy<Value = Command> {
    let reversal = (account(), 1..=IDS, proptest::option::weighted(0.3, amount()), any::<bool>());
    prop_oneof![
        2 => (account(), select(&["0", "100"][..])).prop_map(move |(a, limit)| open_with(n, a, "EUR", limit)),
        6 => (account(), amount()).prop_map(move |(a, amount)| deposit(n, a, &amount)),
        6 => (account(), amount()).prop_map(move |(a, amount)| withdraw(n, a, &amount)),
        6 => reversal.prop_map(move |(a, of, amount, force)| reverse(n, a, of, amount.as_deref(), force)),
        4 => (account(), correction(n), any::<bool>()).prop_map(move |(a, command, force)| {
            let command = Command { stream: name(a).into(), ..command };
            if force { forced(command) } else { command }
        }),
        // None of these expires while the test runs: the service would book that at a time of its own.
        6 => (account(), amount()).prop_map(move |(a, amount)| hold_for(n, a, &amount, 3_600)),
        5 => (account(), 1..=IDS, proptest::option::weighted(0.3, amount()))
            .prop_map(move |(a, of, amount)| capture(n, a, of, amount.as_deref())),
        3 => (account(), 1..=IDS).prop_map(move |(a, of)| release(n, a, of)),
        6 => (account(), account(), amount()).prop_map(move |(a, to, amount)| request(n, a, to, &amount, 3_600)),
        2 => (1..=IDS).prop_map(move |of| cancel(n, of)),
        1 => account().prop_map(move |a| freeze(n, a)),
        1 => account().prop_map(move |a| unfreeze(n, a)),
        1 => account().prop_map(move |a| close(n, a)),
        1 => (account(), select(&["0", "50.00"][..])).prop_map(move |(a, limit)| set_limit(n, a, limit)),
    ]
}

/// Returns a correction of some account: by an amount, or to a balance while the last event has some revision.
fn correction(n: u128) -> impl Strategy<Value = Command> {
    let by = (amount(), any::<bool>()).prop_map(move |(amount, credits)| {
        let sign = if credits { "" } else { "-" };
        correct_by(n, "alice", &format!("{sign}{amount}"))
    });
    // Few revisions, so that many are as expected.
    let to = (0_i128..30_000, 0..12_u64)
        .prop_map(move |(cents, revision)| correct_to(n, "alice", &model::euros(cents - 10_000), revision));
    let corrects = proptest::collection::hash_set(1..=IDS, 0..3);
    (prop_oneof![by, to], corrects).prop_map(|(command, ids)| {
        let ids: Vec<u128> = ids.into_iter().collect();
        naming(command, &ids)
    })
}

/// For each ID the usual body and another one.
pub fn bodies() -> impl Strategy<Value = Vec<[Command; 2]>> {
    (1..=IDS).map(|n| (body(n), body(n)).prop_map(|(usual, other)| [usual, other])).collect::<Vec<_>>()
}
