//! The model of transfers says of each event in a transfer's stream, and of each of its steps on an account, whether it may
//! be there. It has a table of states of its own.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{cents, text};

/// A `Transfer` says what a transfer is like.
#[derive(Clone, Debug)]
pub struct Transfer {
    pub from: String,
    pub to: String,
    /// This is what it is to move, in cents.
    pub amount: i128,
    pub state: &'static str,
    /// These are its steps by name and attempt, each with the code of its decline, or `None` where it was accepted.
    pub steps: BTreeMap<String, Option<String>>,
    deadline_at: String,
    stalled_in: &'static str,
    /// This is what stopped it first.
    stopped: Option<&'static str>,
    /// This is what became of its payout: `sent`, `done` or `declined`.
    payout: &'static str,
    /// This is what was paid of it, in cents, where it was less than asked.
    part: Option<i128>,
    cancellable: bool,
    written: String,
    revision: u64,
    seen: [u8; 32],
}

/// `Transfers` are all transfers that lines have named so far.
#[derive(Clone, Default)]
pub struct Transfers(pub BTreeMap<String, Transfer>);

/// These are the ends.
const ENDS: [&str; 4] = ["completed", "declined", "compensated", "cancelled"];

/// Returns the state after an event of this type in a state; `None` where it must not be there.
fn after(state: &'static str, kind: &str, data: &Value) -> Option<&'static str> {
    let paid = if data["outcome"] == "done" { "finishing" } else { "releasing" };
    let is_end = ENDS.contains(&state);
    let is_left = matches!(state, "needs_operator" | "abandoned");
    Some(match (kind, state) {
        ("TransferCompleted", "under_way" | "stopping" | "finishing") => "completed",
        ("TransferDeclined", "under_way" | "stopping") => "declined",
        ("TransferCompensated", "under_way" | "stopping" | "releasing") => "compensated",
        ("TransferCancelled", "stopping" | "releasing") => "cancelled",
        ("TransferTimedOut" | "TransferCancelRequested", "under_way") => "stopping",
        ("TransferTimedOut" | "TransferCancelRequested", "paying") => "asking",
        ("PayoutSent", "under_way") => "paying",
        ("PayoutSettled", "paying" | "asking" | "needs_operator" | "abandoned") => paid,
        ("PayoutContradicted", "finishing" | "releasing" | "needs_operator" | "abandoned") => {
            "needs_operator"
        }
        ("PayoutContradicted", _) if is_end => "needs_operator",
        ("TransferStalled", _) if !is_end && !is_left => "needs_operator",
        ("TransferAbandoned", "needs_operator") => "abandoned",
        _ => return None,
    })
}

impl Transfer {
    /// Says whether it has ended.
    pub fn is_over(&self) -> bool {
        ENDS.contains(&self.state)
    }

    /// Says whether a step was accepted.
    pub fn is_done(&self, step: &str) -> bool {
        self.steps.get(step) == Some(&None)
    }

    fn has_done(&self, name: &str) -> bool {
        self.steps.iter().any(|(step, code)| code.is_none() && step.starts_with(name))
    }

    /// Returns what moves where it moves, in cents.
    fn moves(&self) -> i128 {
        self.part.unwrap_or(self.amount)
    }

    /// Returns the code with which its first attempt at a step was declined.
    pub fn declined(&self, step: &str) -> Option<&str> {
        self.steps.get(step)?.as_deref()
    }

    /// Returns what was credited and is not captured.
    pub fn in_transit(&self) -> i128 {
        if self.is_done("credit:1") && !self.has_done("capture") { self.amount } else { 0 }
    }

    /// Returns the code with which an act of a client must be declined, if it must.
    fn decline(&self, operation: &str) -> Option<&'static str> {
        let may = match (operation, self.state) {
            ("cancel", "paying") if !self.cancellable => return Some("too_late"),
            ("cancel", "under_way" | "paying") | ("abandon", "needs_operator") => true,
            ("retry", "needs_operator" | "abandoned") => !ENDS.contains(&self.stalled_in),
            ("outcome", "paying" | "asking" | "needs_operator" | "abandoned") => self.payout == "sent",
            _ => false,
        };
        let why = if self.is_over() { "transfer_ended" } else { "wrong_state" };
        (!may).then_some(why)
    }

    /// Checks that the end is the one that its steps show.
    fn check_end(&self, kind: &str, data: &Value) {
        let (step, code) = (data["step"].as_str(), data["code"].as_str());
        let undone = self.has_done("release");
        let right = match kind {
            "TransferCompleted" => self.has_done("capture") && cents(text(data, "amount")) == self.moves(),
            "TransferDeclined" => step == Some("hold") && code == self.declined("hold:1"),
            "TransferCompensated" if step == Some("credit") => undone && code == self.declined("credit:1"),
            "TransferCompensated" => undone && code != Some("timed_out") || self.is_stopped_by("timed_out"),
            "TransferCancelled" => undone && self.is_stopped_by("cancelled"),
            _ => true,
        };
        assert!(right, "another end is right for {self:?}: {kind} {data}");
    }

    /// Says whether a stop was first: its credit was ruled out, or its payout was never sent or never paid.
    fn is_stopped_by(&self, why: &str) -> bool {
        let is_ruled_out = self.is_done("rule-out:1") || self.to.starts_with("@external:");
        is_ruled_out && self.stopped == Some(why)
    }

    /// Checks that a step which was accepted may come after those before it.
    fn check_step(&self, step: &str, data: &Value) {
        assert!(!self.is_over(), "{step} comes after the end: {self:?}");
        let is_credit_out =
            self.is_done("rule-out:1") || self.steps.get("credit:1").is_some_and(Option::is_some);
        let is_open = self.is_done("hold:1") && !self.has_done("release") && !self.has_done("capture");
        let may = match step {
            "credit" => is_open,
            "capture" => is_open && (self.is_done("credit:1") || self.payout == "done"),
            "release" if self.to.starts_with("@external:") => matches!(self.payout, "" | "declined"),
            "release" => is_credit_out,
            "rule-out" => !self.steps.contains_key("credit:1") && data["code"].as_str() == self.stopped,
            _ => true,
        };
        assert!(may, "{step} must not come here: {self:?}");
    }
}

impl Transfers {
    /// Takes in an event of a transfer's own stream.
    pub fn line(&mut self, transfer: &str, event: &Value) {
        let (kind, data) = (text(event, "type"), &event["data"]);
        let known = self.0.get_mut(transfer);
        let Some(of) = known else {
            assert_eq!((kind, event["revision"].as_u64()), ("TransferRequested", Some(0)), "{event}");
            assert_eq!(text(event, "transaction_id"), transfer);
            self.0.insert(transfer.to_owned(), requested(event, data));
            return;
        };
        of.revision += 1;
        assert_eq!(event["revision"].as_u64(), Some(of.revision), "revisions without gaps: {event}");
        of.take(event, kind, data);
        assert_eq!(text(&event["answer"], "state"), of.state, "{event}");
        of.seen = saw(of.seen, event);
    }

    /// Takes in a step on an account; an ID that is no step's changes nothing. Returns what it moves to `@transit`.
    pub fn step(&mut self, account: &str, id: &str, data: &Value, code: Option<&str>) {
        let Some((transfer, step)) = id.split_once(':') else { return };
        let (name, _) = step.split_once(':').expect("a step and an attempt");
        if name == "expiry" {
            return;
        }
        let of = self.0.get_mut(transfer).expect("a transfer that was requested before");
        let side = if matches!(name, "credit" | "rule-out") { &of.to } else { &of.from };
        assert_eq!(side, account, "{id}");
        match name {
            "hold" | "credit" => assert_eq!(cents(text(data, "amount")), of.amount, "{id}"),
            "capture" => assert_eq!(cents(text(data, "amount")), of.moves(), "{id}"),
            _ => {}
        }
        if code.is_none() {
            of.check_step(name, data);
        }
        let new = of.steps.insert(step.to_owned(), code.map(str::to_owned)).is_none();
        assert!(new, "{id} is there twice");
    }

    /// Returns what was credited and is not captured, of all of them.
    pub fn in_transit(&self) -> i128 {
        self.0.values().map(Transfer::in_transit).sum()
    }

    /// Adds their lines to the state digest.
    pub fn digest(&self, hash: &mut Sha256) {
        let (mut sum, mut count) = ([0_u8; 32], 0);
        for (id, of) in &self.0 {
            let (from, to, amount, seen) = (&of.from, &of.to, &of.written, hex::encode(of.seen));
            let line = format!("transfer|{id}|{from}|{to}|EUR|{amount}|{}|{seen}\n", of.state);
            if !of.is_over() {
                hash.update(line);
                continue;
            }
            count += 1;
            let mut carry = 0;
            for (byte, more) in sum.iter_mut().zip(Sha256::digest(line)).rev() {
                carry += u16::from(*byte) + u16::from(more);
                *byte = carry.to_le_bytes()[0];
                carry >>= 8;
            }
        }
        if !self.0.is_empty() {
            hash.update(format!("ended|{count}|{}\n", hex::encode(sum)));
        }
    }
}

impl Transfer {
    fn take(&mut self, event: &Value, kind: &str, data: &Value) {
        if kind == "Declined" {
            let right = self.decline(text(data, "operation"));
            assert_eq!(data["code"].as_str(), right, "another outcome is right for {event}");
            return;
        }
        let stopped = match kind {
            "TransferCancelRequested" => Some("cancelled"),
            "TransferTimedOut" => Some("timed_out"),
            _ => None,
        };
        if kind == "TransferTimedOut" {
            assert!(text(event, "recorded_at") >= self.deadline_at.as_str(), "too early: {event}");
        }
        self.stopped = self.stopped.or(stopped);
        self.check_end(kind, data);
        let before = self.state;
        self.state = match kind {
            "TransferResumed" => {
                assert_eq!(self.decline("retry"), None, "{event}");
                self.stalled_in
            }
            _ => after(before, kind, data).unwrap_or_else(|| panic!("in {before} there is no {event}")),
        };
        match kind {
            "PayoutSent" => {
                (self.payout, self.cancellable) = ("sent", data["cancellable"] == true);
            }
            "PayoutSettled" => {
                assert_eq!(self.payout, "sent", "{event}");
                self.payout = if data["outcome"] == "done" { "done" } else { "declined" };
                self.part = data["amount"].as_str().map(cents);
                assert!(self.part.is_none_or(|part| part < self.amount), "a part is less: {event}");
            }
            "TransferStalled" if data["code"] == "restored" => self.payout = "sent",
            _ => {}
        }
        if self.state == "needs_operator" && !matches!(before, "needs_operator" | "abandoned") {
            self.stalled_in = before;
        }
    }
}

fn requested(event: &Value, data: &Value) -> Transfer {
    let written = |key| text(data, key).to_owned();
    assert_ne!(written("from"), written("to"));
    assert!(text(data, "deadline_at") > text(event, "recorded_at"));
    Transfer {
        from: written("from"),
        to: written("to"),
        amount: cents(text(data, "amount")),
        state: "under_way",
        steps: BTreeMap::new(),
        deadline_at: written("deadline_at"),
        stalled_in: "",
        stopped: None,
        payout: "",
        part: None,
        cancellable: false,
        written: written("amount"),
        revision: 0,
        seen: saw([0; 32], event),
    }
}

fn saw(before: [u8; 32], event: &Value) -> [u8; 32] {
    let id = text(event, "transaction_id");
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(super::bytes(id));
    hash.update(match event["data"]["code"].as_str().filter(|_| event["type"] == "Declined") {
        Some(code) => format!("declined:{code}"),
        None => format!("accepted:{}", text(event, "type")),
    });
    hash.finalize().into()
}
