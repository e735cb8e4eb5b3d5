//! The rare states that a journal shows are found here: each from its events, from who sent them, and from who had died.

use std::collections::BTreeMap;

use bookonce::domain::account::decline::Decline;
use bookonce::domain::account::event::Fact;
use bookonce::domain::command::Operation;
use bookonce::domain::event::{Body, Event};
use bookonce::domain::ids::{Id, Step, TransactionId};
use bookonce::domain::kind::Kind;
use bookonce::domain::stream::StreamName;
use bookonce::domain::transfer::command::{TransferOperation, Unmoved};
use bookonce::domain::transfer::event::Fact as Told;

use crate::executor::Owner;
use crate::marks::TAKEOVERS;
use crate::node::Author;
use crate::outside::number_of;
use crate::run::Run;
use crate::world::BEGINNING;

/// Returns the number of the instance of which this is a life.
pub fn instance_of(owner: Owner) -> Owner {
    owner.saturating_sub(1) % 16
}

/// An `Of` is what a journal has of one transfer, in order.
#[derive(Default)]
struct Of<'a> {
    events: Vec<(&'a Event, Author)>,
}

/// Notes all rare states that the events of a journal show, each with its author.
pub fn mark(run: &Run, events: &[Event], authors: &[Author]) {
    let mut transfers: BTreeMap<TransactionId, Of<'_>> = BTreeMap::new();
    for (event, author) in events.iter().zip(authors) {
        mark_one(run, event);
        if matches!(event.id, Id::Step { .. })
            && event.kind() != Kind::Expiry
            && run.world.was_paused(author.0)
        {
            run.world.wrong(format!("{} was sent by an instance that was paused", event.id));
        }
        let of = match event.id {
            Id::Step { of, step, .. } if step != Step::Expiry => Some(of),
            Id::Step { .. } | Id::Client(_) | Id::Absent => event.stream.transfer(),
        };
        if let Some(of) = of {
            transfers.entry(of).or_default().events.push((event, *author));
        }
    }
    for (id, of) in &transfers {
        of.mark_ways(run);
        of.mark_drivers(run);
        of.mark_stops(run);
        of.mark_claim(run, *id);
        of.mark_between(run, *id, events, authors);
    }
    mark_expiries(run, events, authors);
}

fn mark_one(run: &Run, event: &Event) {
    let Some(body) = event.account() else { return };
    let is_step = matches!(event.id, Id::Step { .. });
    let state = match (&body.fact, body.decline()) {
        (_, Some(Decline::HoldExpired)) => "capture or release after the expiry",
        (_, Some(Decline::HoldsOpen)) => "closing with an open hold",
        (_, Some(Decline::CaptureExceedsHold)) => "capture above its hold",
        (Fact::HoldExpired { .. }, _) => "hold expired",
        (Fact::HoldCaptured { released: Some(_), .. }, _) => "hold captured in part",
        (Fact::HoldPrevented { .. }, _) if is_step => "release of a transfer before its hold",
        (Fact::HoldPrevented { .. }, _) => "release before its hold",
        (Fact::Corrected(_), _) => "correction",
        (Fact::Declined { operation, .. }, Some(Decline::Prevented(by))) => {
            let by_itself = matches!(by, Id::Step { .. });
            match (operation, by_itself) {
                (Operation::TransferHold(_), true) => "hold of a transfer ruled out, then it comes",
                (Operation::TransferHold(_), false) => "transfer ruled out by a client on `from`",
                (Operation::TransferCredit(_), true) => "credit ruled out, then it comes",
                (Operation::TransferCredit(_), false) => "transfer ruled out by a client on `to`",
                _ => return,
            }
        }
        (Fact::Declined { operation: Operation::TransferCredit(_), .. }, Some(Decline::AccountClosed)) => {
            "`to` closed in between"
        }
        (Fact::Declined { operation: Operation::TransferCredit(_), .. }, Some(Decline::BalanceTooLarge)) => {
            "`to` full in between"
        }
        _ => return,
    };
    run.world.mark(state);
}

/// Returns the word for an event of a transfer or of one of its steps.
fn word(event: &Event) -> &'static str {
    let is_declined = event.decline_code().is_some();
    match (&event.body, event.id) {
        (Body::Transfer(body), _) => match &body.fact {
            Told::Requested { .. } => "the request",
            Told::CancelRequested(_) => "the cancel",
            Told::TimedOut => "the timeout",
            Told::PayoutSent(_) => "the sending",
            Told::PayoutSettled(_) => "the settling",
            Told::Completed { .. } | Told::Unmoved(_) => "the end",
            Told::Declined { .. } => "an act that is declined",
            _ => "another act",
        },
        (Body::Account(_), Id::Step { step: Step::Hold, .. }) if is_declined => "the declined hold",
        (Body::Account(_), Id::Step { step: Step::Credit, .. }) if is_declined => "the declined credit",
        (Body::Account(_), Id::Step { step, .. }) => match step {
            Step::Hold => "the hold",
            Step::Credit => "the credit",
            Step::RuleOut => "the ruling out",
            Step::Capture => "the capture",
            Step::Release => "the release",
            _ => "another step",
        },
        (Body::Account(_), Id::Client(_) | Id::Absent) | (Body::Delivery(_) | Body::Letter(_), _) => {
            "another event"
        }
    }
}

impl Of<'_> {
    /// Returns the name of the way on which it came to its end.
    fn way(&self) -> Option<&'static str> {
        self.events.iter().find_map(|(event, _)| match &event.transfer()?.fact {
            Told::Completed { .. } if self.has("the sending") => Some("paid out"),
            Told::Completed { .. } => Some("completed"),
            Told::Unmoved(Unmoved::Compensated { .. } | Unmoved::Cancelled) if self.has("the sending") => {
                Some("not paid out")
            }
            Told::Unmoved(Unmoved::Declined { .. }) => Some("declined"),
            Told::Unmoved(Unmoved::Compensated { step: Some(_), .. }) => Some("compensated"),
            Told::Unmoved(Unmoved::Compensated { step: None, .. }) => Some("timed out"),
            Told::Unmoved(Unmoved::Cancelled) => Some("cancelled"),
            _ => None,
        })
    }

    fn has(&self, what: &str) -> bool {
        self.events.iter().any(|(event, _)| word(event) == what)
    }

    fn place(&self, what: &str) -> Option<usize> {
        self.events.iter().position(|(event, _)| word(event) == what)
    }

    /// Notes after which of its events whoever drove it had died, and who took it up.
    fn mark_ways(&self, run: &Run) {
        let Some(way) = self.way() else { return };
        let acts = |event: &Event| matches!(word(event), "an act that is declined" | "another act");
        let driven: Vec<_> = self.events.iter().filter(|(event, _)| !acts(event)).collect();
        for pair in driven.windows(2) {
            let [(before, (first, _)), (_, (then, at))] = pair else { continue };
            if first == then || !run.world.was_dead(*first, *at) {
                continue;
            }
            let after = word(before);
            let way = match (way, after) {
                ("timed out" | "cancelled", "the release") => "timed out or cancelled",
                _ => way,
            };
            let row = TAKEOVERS.iter().find(|row| row.0 == way && row.1 == after);
            if let Some((_, _, by_same, by_other)) = row {
                let is_same = instance_of(*first) == instance_of(*then);
                run.world.mark(if is_same { by_same } else { by_other });
            }
        }
    }

    /// Notes that two drivers who both lived were each the first with some step.
    fn mark_drivers(&self, run: &Run) {
        let steps: Vec<_> = self.events.iter().filter(|(event, _)| event.account().is_some()).collect();
        let live_together = |a: &Author, b: &Author| {
            instance_of(a.0) != instance_of(b.0)
                && !run.world.was_dead(a.0, b.1)
                && !run.world.was_dead(b.0, a.1)
        };
        if steps.iter().any(|(_, a)| steps.iter().any(|(_, b)| live_together(a, b))) {
            run.world.mark("two drivers, each first somewhere");
        }
    }

    /// Notes that whoever claimed the payout died before it was sent.
    fn mark_claim(&self, run: &Run, id: TransactionId) {
        let Some(place) = self.place("the sending") else { return };
        let Some((Told::Requested { terms, .. }, (_, (claimer, _)))) = self
            .events
            .first()
            .and_then(|(event, _)| event.transfer())
            .map(|body| &body.fact)
            .zip(self.events.get(place))
        else {
            return;
        };
        let entry = number_of(&terms.to)
            .and_then(|number| run.outside.entry(number, &Id::first_of(id, Step::Payout).to_string()));
        let was_sent = entry.is_some_and(|entry| entry.sent.contains(claimer));
        if !was_sent && run.world.was_dead(*claimer, run.world.time()) {
            run.world.mark("payout: claimer dead before the call");
        }
    }

    fn mark_stops(&self, run: &Run) {
        let stopped = self.place("the cancel").or(self.place("the timeout"));
        let cancels = |event: &Event| {
            let told = event.transfer().map(|body| &body.fact);
            matches!(told, Some(Told::CancelRequested(_)))
                || matches!(told, Some(Told::Declined { operation: TransferOperation::Cancel(_), .. }))
        };
        let cancel = self.events.iter().position(|(event, _)| cancels(event));
        if stopped.is_some() && self.way() == Some("completed") {
            run.world.mark("stop against a booked credit");
        }
        let has = |kind| self.events.iter().any(|(event, _)| event.type_name() == kind);
        let between = !matches!(self.way(), None | Some("paid out" | "not paid out"));
        if has("TransferStalled") && has("TransferResumed") && between {
            run.world.mark("stalled at a damaged account, mended, retried");
        }
        if self.has("the timeout") && cancel.is_some() {
            run.world.mark("cancel with timeout");
        }
        if let (Some(credit), Some(cancel), Some(end)) =
            (self.place("the credit"), cancel, self.place("the end"))
            && credit < cancel
            && cancel < end
        {
            run.world.mark("cancel after the credit, before the end");
        }
        for (event, (_, at)) in &self.events {
            let Some(Told::TimedOut) = event.transfer().map(|body| &body.fact) else { continue };
            let first = self.events.first().and_then(|(event, _)| event.transfer());
            if let Some(Told::Requested { terms, .. }) = first.map(|body| &body.fact) {
                let passed = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
                if BEGINNING.micros() + passed < terms.deadline_at.micros() {
                    run.world.mark("timer of a fast clock");
                }
            }
        }
    }

    /// Notes what happened to its accounts between its hold and its end.
    fn mark_between(&self, run: &Run, id: TransactionId, events: &[Event], authors: &[Author]) {
        let from = self.events.iter().find_map(|(event, _)| match &event.transfer()?.fact {
            Told::Requested { terms, .. } => Some(StreamName::Account(terms.from.clone())),
            _ => None,
        });
        let Some(from) = from else { return };
        let at = |step| {
            let step = Id::first_of(id, step);
            events.iter().position(|event| event.id == step && event.decline_code().is_none())
        };
        if let (Some(hold), Some(settled)) = (at(Step::Hold), at(Step::Capture).or(at(Step::Release))) {
            for event in events.get(hold..settled).unwrap_or_default() {
                let Some(body) = event.account().filter(|_| event.stream == from) else { continue };
                match &body.fact {
                    Fact::Frozen(_) => run.world.mark("`from` frozen in between"),
                    Fact::Declined { operation: Operation::Close(_), .. } => {
                        run.world.mark("`from` tries to close in between");
                    }
                    _ => {}
                }
            }
        }
        let mut used = events.iter().zip(authors).filter(|(event, _)| event.id == Id::Client(id));
        if let (Some((_, (one, _))), Some((_, (other, _)))) = (used.next(), used.next())
            && instance_of(*one) != instance_of(*other)
        {
            run.world.mark("one ID for a transfer and a deposit on two instances");
        }
    }
}

/// Notes who was first where a hold was to expire and to be captured on two instances.
fn mark_expiries(run: &Run, events: &[Event], authors: &[Author]) {
    let mut expired: BTreeMap<TransactionId, Owner> = BTreeMap::new();
    for (event, (author, _)) in events.iter().zip(authors) {
        let Some(body) = event.account() else { continue };
        match &body.fact {
            Fact::HoldExpired { hold, .. } => drop(expired.insert(*hold, instance_of(*author))),
            Fact::Declined { operation: Operation::Capture(asked), decline: Decline::HoldExpired } => {
                let by = asked.hold.client().and_then(|hold| expired.get(&hold));
                if by.is_some_and(|by| *by != instance_of(*author)) {
                    run.world.mark("expiry against capture on two instances, expiry first");
                }
            }
            Fact::HoldCaptured { hold: Id::Client(hold), .. } => {
                let late = run.world.late_expiries(*hold);
                if late.iter().any(|by| instance_of(*by) != instance_of(*author)) {
                    run.world.mark("expiry against capture on two instances, capture first");
                }
            }
            _ => {}
        }
    }
}
