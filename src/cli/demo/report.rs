//! The report is what the demonstration prints.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cents;
use super::proof::{Payouts, Proof};
use super::storm::{ACCOUNTS, StormResult, TELLERS};

/// A `Counted` is a count of what happened in a storm.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    /// This is the number of operations of each kind, in words.
    kinds: String,
    operations: usize,
    attempts: usize,
    accepted: usize,
    declined: usize,
    replayed: usize,
    lost_requests: u64,
    lost_answers: u64,
    doubled: u64,
    delayed: u64,
    service_down: u64,
    /// This is the number of doubled requests that got two different answers.
    pub(crate) disagreed: u64,
    kills: u32,
    calls: u64,
    lost_calls: u64,
    late_calls: u64,
}

impl Counted {
    /// Counts what a storm left behind.
    #[must_use]
    pub(crate) fn of(storm: &StormResult) -> Self {
        let operations = &storm.operations;
        let answers =
            || operations.iter().filter_map(|operation| operation.told.as_ref()).map(|(_, answer)| answer);
        let network = storm.proxy.counts();
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let [calls, lost_calls, late_calls] = storm.tills.each().fold([0; 3], |sums, till| {
            let [calls, lost, late] = till.counts();
            let [all_calls, all_lost, all_late] = sums;
            [all_calls + calls, all_lost + lost, all_late + late]
        });
        let mut kinds = BTreeMap::new();
        for operation in operations {
            *kinds.entry(operation.what).or_insert(0) += 1;
        }
        let kinds: Vec<_> = kinds.iter().map(|(what, times)| format!("{times} x {what}")).collect();
        Self {
            kinds: kinds.join(", "),
            operations: operations.len(),
            attempts: operations.iter().map(|operation| operation.ids.len()).sum(),
            accepted: answers().filter(|answer| answer.accepted()).count(),
            declined: answers().filter(|answer| answer.declined()).count(),
            replayed: answers().filter(|answer| answer.replayed).count(),
            lost_requests: read(&network.lost_requests),
            lost_answers: read(&network.lost_answers),
            doubled: read(&network.doubled),
            delayed: read(&network.delayed),
            service_down: read(&network.service_down),
            disagreed: read(&network.disagreed),
            kills: storm.kills,
            calls,
            lost_calls,
            late_calls,
        }
    }
}

/// Says what is going to happen.
#[must_use]
pub(crate) fn opening(seconds: u64) -> String {
    format!(
        "{TELLERS} clients share {ACCOUNTS} accounts for {seconds} s, over a network that loses, doubles and delays, \
         while the service is killed.\nTwice, side by side: once with clients that keep an ID, once with clients that do not."
    )
}

/// Says how the demonstration ended.
#[must_use]
pub(crate) fn verdict(holds: bool) -> &'static str {
    if holds {
        "The proof holds: with one ID for all attempts, what was answered is what was booked, once, to the cent."
    } else {
        "THE PROOF FAILS: with one ID for all attempts, the ledger is not what its clients were told."
    }
}

/// Says everything about one of the two ledgers.
#[must_use]
pub(crate) fn ledger(title: &str, counted: &Counted, proof: &Proof, verified: bool, said: &str) -> String {
    let mut text = format!("\n{title}\n");
    let (believed, found) = proof.totals();
    let differing = proof.balances.iter().filter(|(_, believed, found)| believed != found);
    let Counted { operations, attempts, accepted, declined, replayed, .. } = counted;
    let Counted { lost_requests, lost_answers, doubled, delayed, service_down, disagreed, kills, .. } =
        counted;
    let Counted { calls, lost_calls, late_calls, .. } = counted;
    let retried = attempts - operations;
    let Payouts { ended: [paid, not_paid], .. } = proof.payouts;
    let lines = [
        ("operations", counted.kinds.clone()),
        ("sent", format!("{operations} operations in {attempts} attempts ({retried} retries)")),
        (
            "the network",
            format!(
                "lost {lost_requests} requests and {lost_answers} answers, doubled {doubled}, delayed {delayed}"
            ),
        ),
        ("the service", format!("killed {kills} times; {service_down} attempts met it down or died with it")),
        (
            "answered",
            format!(
                "{accepted} booked, {declined} declined; {replayed} of them the first answer, given again"
            ),
        ),
        (
            "the payout providers",
            format!("called {calls} times; lost {lost_calls} requests or replies, {late_calls} came late"),
        ),
        ("doubled, answered otherwise", disagreed.to_string()),
        (
            "asked again in the end",
            format!("{} first answers, {} came back otherwise", proof.asked_again.0, proof.asked_again.1),
        ),
        ("never answered", proof.unanswered.to_string()),
        ("booked more than once", format!("{} operations", proof.bookings.doubled)),
        ("booked against the answer", format!("{} operations", proof.bookings.against_the_answer)),
        ("answered but not booked", format!("{} operations", proof.bookings.lost)),
        ("money moved wrongly", format!("{} EUR", cents::write(proof.bookings.wrong_cents))),
        ("payouts", format!("{paid} ended as paid, {not_paid} as not paid")),
        ("paid more than once", format!("{} payouts", proof.payouts.doubled)),
        ("paid against the end", format!("{} payouts", proof.payouts.against_the_end)),
        (
            "paid out",
            format!(
                "{} EUR by the providers, {} EUR by the ledger",
                cents::write(proof.payouts.paid),
                cents::write(proof.payouts.booked)
            ),
        ),
        (
            "expected balances",
            format!("{} EUR in all, by what the clients were told", cents::write(believed)),
        ),
        (
            "the ledger's balances",
            format!(
                "{} EUR in all, {} accounts of {ACCOUNTS} differ",
                cents::write(found),
                differing.clone().count()
            ),
        ),
        ("trial balance", if proof.balanced { "zero".to_owned() } else { "NOT ZERO".to_owned() }),
        (
            "bookonce verify",
            if verified { "right: every check passed".to_owned() } else { format!("WRONG: {said}") },
        ),
    ];
    for (name, value) in lines {
        // Writing to a String can't fail.
        let _ = writeln!(text, "  {name:<28}{value}");
    }
    for (account, believed, found) in differing {
        let _ = writeln!(
            text,
            "    {account}: the clients expect {}, the ledger has {} (a difference of {})",
            cents::write(*believed),
            cents::write(*found),
            cents::write(found - believed)
        );
    }
    text
}
