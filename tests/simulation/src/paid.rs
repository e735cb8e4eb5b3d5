//! The payouts of a run are checked here: what the ledger has booked against what the payout providers' own books say.

use std::collections::BTreeMap;

use bookonce::domain::account::event::Fact;
use bookonce::domain::event::Event;
use bookonce::domain::ids::{Id, Step, TransactionId};
use bookonce::domain::transfer::command::StallCode;
use bookonce::domain::transfer::event::{Fact as Told, Terms};

use crate::model::{Model, cents, euros};
use crate::outside::{number_of, own_account};
use crate::provider::Entry;
use crate::run::Run;

/// A `Payout` is what a journal has of one transfer to a provider.
struct Payout<'a> {
    provider: usize,
    terms: &'a Terms,
    captured: i128,
    events: Vec<&'a Event>,
}

/// Checks that no key was paid twice, that what left the ledger is what was paid, and that an operator was called only for a
/// reason.
///
/// # Errors
/// Fails with what does not hold.
pub fn check(run: &Run, events: &[Event], model: &Model) -> Result<(), String> {
    let payouts = payouts(events);
    let mut own: BTreeMap<usize, i128> = BTreeMap::new();
    for (id, payout) in &payouts {
        *own.entry(payout.provider).or_default() += payout.captured;
        let key = Id::first_of(*id, Step::Payout).to_string();
        let entry = run.outside.entry(payout.provider, &key).unwrap_or_default();
        let state = model.transfers.0.get(&id.to_string()).map_or("", |transfer| transfer.state);
        one(payout, &entry, state)
            .map_err(|why| format!("{key} is {state}: {why}; the provider: {entry:?}"))?;
        called(run, payout, &entry)
            .map_err(|why| format!("{key} is {state}: {why}; the provider: {entry:?}"))?;
        mark(run, payout, &entry);
    }
    for (at, provider, balance) in run.readings.own() {
        let booked = own.get(&provider).copied().unwrap_or_default();
        if cents(&balance) != booked {
            let (own, booked) = (own_account(provider), euros(booked));
            return Err(format!("instance {at} has {balance} on {own}, and {booked} were captured"));
        }
    }
    Ok(())
}

/// Returns the transfers to providers that a journal has.
fn payouts(events: &[Event]) -> BTreeMap<TransactionId, Payout<'_>> {
    let mut payouts = BTreeMap::new();
    for event in events {
        let requested = event.transfer().map(|body| &body.fact);
        if let Some(Told::Requested { terms, .. }) = requested
            && let (Some(id), Some(provider)) = (event.stream.transfer(), number_of(&terms.to))
        {
            payouts.insert(id, Payout { provider, terms, captured: 0, events: Vec::new() });
        }
        let of = event.id.transfer().or(event.stream.transfer());
        let Some(payout) = of.and_then(|of| payouts.get_mut(&of)) else { continue };
        payout.events.push(event);
        if let Some(Fact::HoldCaptured { amount, .. }) = event.account().map(|body| &body.fact) {
            payout.captured += cents(&amount.to_string());
        }
    }
    payouts
}

/// Checks one payout against the books of its provider.
fn one(payout: &Payout<'_>, entry: &Entry, state: &str) -> Result<(), String> {
    if entry.times > 1 && !entry.is_forgotten {
        return Err(format!("it was paid {} times", entry.times));
    }
    if entry.is_excused() || state == "abandoned" {
        return Ok(());
    }
    if payout.captured != entry.paid() {
        return Err(format!(
            "{} left the ledger, and {} were paid",
            euros(payout.captured),
            euros(entry.paid())
        ));
    }
    if payout.events.iter().any(|event| event.type_name() == "PayoutContradicted") {
        return Err("it is contradicted, and its provider says always the same".to_owned());
    }
    Ok(())
}

/// Checks that the service called an operator for a reason.
fn called(run: &Run, payout: &Payout<'_>, entry: &Entry) -> Result<(), String> {
    let traits = run.world.plan().providers.get(payout.provider);
    let most = traits.map_or(0, |traits| traits.means.ask_for_seconds);
    // One that works for long and can't be asked leaves it open also where nothing goes wrong.
    let may_be_open = !run.world.plan().calm || traits.is_some_and(|traits| traits.slow > 0);
    for event in &payout.events {
        let Some(Told::Stalled(stall)) = event.transfer().map(|body| &body.fact) else { continue };
        let is_right = match stall.code {
            StallCode::OutcomeUnknown => {
                may_be_open && event.recorded_at >= payout.terms.deadline_at.plus_seconds(most.into())
            }
            StallCode::Restored => run.world.was_ever_paused(),
            // The copy of a ledger may lack the money that the original had, and one that is told of a payment in doubt.
            StallCode::Declined => run.world.was_ever_paused() || entry.is_excused(),
            StallCode::StoreDamaged => run.world.plan().poison > 0,
        };
        if !is_right {
            return Err(format!("an operator was called for no reason: {stall:?}"));
        }
    }
    Ok(())
}

/// Notes the rare states that a payout shows.
fn mark(run: &Run, payout: &Payout<'_>, entry: &Entry) {
    let world = &run.world;
    if !entry.sent.is_empty() && entry.came == 0 {
        world.mark("payout: never arrived");
    }
    let by_copies = entry.sent.iter().filter(|owner| run.is_current(**owner)).count();
    if by_copies > 0 && by_copies < entry.sent.len() && !entry.is_forgotten {
        world.mark("payout: sent by the original and by its copy");
    }
    let (mut is_by_operator, mut has_ended) = (false, false);
    for event in &payout.events {
        let Some(told) = event.transfer().map(|body| &body.fact) else { continue };
        match told {
            Told::PayoutSettled(said) => {
                is_by_operator = said.reason.is_some();
                if said.amount.is_some() {
                    world.mark("payout: in part");
                }
                if is_by_operator {
                    world.mark("payout: an operator's word");
                }
            }
            Told::Completed { .. } | Told::Unmoved(_) => has_ended = true,
            Told::PayoutContradicted(_) if is_by_operator => {
                world.mark("payout: contradicted after an operator's word");
            }
            Told::PayoutContradicted(_) if has_ended => world.mark("payout: contradicted after the end"),
            Told::Stalled(stall) => match stall.code {
                StallCode::OutcomeUnknown => world.mark("payout: nobody could tell"),
                StallCode::Restored => world.mark("payout: asked about after a restore"),
                StallCode::Declined | StallCode::StoreDamaged => {}
            },
            Told::Abandoned(_) => world.mark("payout: abandoned"),
            Told::Resumed(_) => world.mark("payout: gone on with by an operator"),
            _ => {}
        }
    }
}
