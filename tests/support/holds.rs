//! These are holds and steps of transfers in few words: what happened, and what is asked.

#![allow(dead_code, reason = "each test binary uses its own part")]

use bookonce::domain::command::{
    Capturing, Command, Crediting, HoldSeconds, Holding, Operation, Placing, Releasing, RulingOut, Stopped,
};
use bookonce::domain::ids::{CounterAccount, Id, Step};
use bookonce::domain::metadata::Metadata;
use bookonce::domain::money::WrittenAmount;
use bookonce::domain::payee::Payee;
use bookonce::domain::stream::StreamName;
use bookonce::domain::transfer::command::{Requesting, TimeoutSeconds, TransferOperation};

use crate::support::{command, id, name, reason};

fn written(amount: &str) -> WrittenAmount {
    WrittenAmount::parse(amount).unwrap()
}

/// Asks to set money aside for a minute.
pub fn hold(n: u128, account: &str, amount: &str) -> Command {
    hold_for(n, account, amount, 60)
}

pub fn hold_for(n: u128, account: &str, amount: &str, seconds: u64) -> Command {
    let expires_in_seconds = HoldSeconds::new(seconds).unwrap();
    let placing = Placing { amount: written(amount), expires_in_seconds, metadata: Metadata::default() };
    command(n, account, Operation::Hold(placing))
}

pub fn capture(n: u128, account: &str, hold: u128, amount: Option<&str>) -> Command {
    let capturing = Capturing {
        hold: id(hold).into(),
        amount: amount.map(written),
        counter_account: CounterAccount::default(),
        metadata: Metadata::default(),
        to: None,
    };
    command(n, account, Operation::Capture(capturing))
}

pub fn release(n: u128, account: &str, hold: u128) -> Command {
    command(n, account, Operation::Release(Releasing { hold: id(hold).into(), reason: None }))
}

pub fn release_because(n: u128, account: &str, hold: u128) -> Command {
    command(n, account, Operation::Release(Releasing { hold: id(hold).into(), reason: Some(reason()) }))
}

/// Returns the ID of the first attempt at a step.
pub fn step(of: u128, step: Step) -> Id {
    Id::first_of(id(of), step)
}

fn stepped(of: u128, of_step: Step, account: &str, operation: Operation) -> Command {
    Command { id: step(of, of_step), ..command(1, account, operation) }
}

/// The service books the expiry of a hold.
pub fn expire(hold: u128, account: &str) -> Command {
    stepped(hold, Step::Expiry, account, Operation::Expire(id(hold)))
}

/// A transfer to bob, or to a provider, sets its amount aside.
pub fn transfer_hold(transfer: u128, account: &str, amount: &str, to: &str) -> Command {
    let to = Payee::parse(to).unwrap();
    let holding = Holding { transfer: id(transfer), amount: written(amount), to };
    stepped(transfer, Step::Hold, account, Operation::TransferHold(holding))
}

pub fn transfer_credit(transfer: u128, account: &str, amount: &str, from: &str) -> Command {
    let crediting = Crediting { transfer: id(transfer), amount: written(amount), from: name(from) };
    stepped(transfer, Step::Credit, account, Operation::TransferCredit(crediting))
}

pub fn transfer_capture(transfer: u128, account: &str, amount: &str, to: &str) -> Command {
    let to = Payee::parse(to).unwrap();
    let capturing = Capturing {
        hold: step(transfer, Step::Hold),
        amount: Some(written(amount)),
        counter_account: to.counter_account().clone(),
        metadata: Metadata::default(),
        to: Some(to),
    };
    stepped(transfer, Step::Capture, account, Operation::Capture(capturing))
}

pub fn transfer_release(transfer: u128, account: &str) -> Command {
    let releasing = Releasing { hold: step(transfer, Step::Hold), reason: None };
    stepped(transfer, Step::Release, account, Operation::Release(releasing))
}

pub fn rule_out(transfer: u128, account: &str, code: Stopped) -> Command {
    stepped(transfer, Step::RuleOut, account, Operation::RuleOut(RulingOut { transfer: id(transfer), code }))
}

/// Asks for a transfer between two accounts, which may take an hour.
pub fn transfer(n: u128, from: &str, to: &str, amount: &str) -> Command {
    let requesting = Requesting {
        from: name(from),
        to: Payee::parse(to).unwrap(),
        amount: written(amount),
        timeout_seconds: TimeoutSeconds::new(3_600).unwrap(),
        metadata: Metadata::default(),
    };
    let operation = Operation::Transfer(TransferOperation::Request(Box::new(requesting)));
    Command { stream: StreamName::Transfer(id(n)), ..command(n, from, operation) }
}
