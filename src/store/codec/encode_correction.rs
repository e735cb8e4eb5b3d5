//! These functions write the parts of a correction: of one that was booked, and of one that was declined.

use crate::domain::account::corrected::{AskedChange, Corrected};
use crate::domain::command::{BalanceChange, Correction};
use crate::domain::ids::TransactionId;

use super::json::{self, flag, number, put, text};

/// Writes what a booked correction has after its entries.
pub(super) fn booked(corrected: &Corrected, out: &mut Vec<u8>) {
    let expected = match corrected.asked {
        AskedChange::To { balance, expected_revision } => {
            put(out, &[",\"balance\":\""]);
            balance.write(out);
            out.push(b'"');
            Some(expected_revision)
        }
        AskedChange::By { expected_revision, .. } => expected_revision,
    };
    revision(expected, out);
    flag("effective_at_given", corrected.effective_at_given(), out);
    put(out, &[",\"reason\":"]);
    text(corrected.reason.as_str(), out);
    ids(&corrected.corrects, out);
    flag("force", corrected.force, out);
}

/// Writes the request of a correction that was declined.
pub(super) fn declined(asked: &Correction, out: &mut Vec<u8>) {
    match &asked.change {
        BalanceChange::To { balance, .. } => put(out, &[",\"balance\":\"", &balance.to_string(), "\""]),
        BalanceChange::By { amount, direction, .. } => {
            put(out, &[",\"amount\":\"", &amount.to_string(), "\",\"direction\":\"", direction.name(), "\""]);
        }
    }
    revision(asked.change.expected_revision(), out);
    flag("effective_at_given", asked.change.effective_at().is_some(), out);
    put(out, &[",\"reason\":"]);
    text(asked.reason.as_str(), out);
    ids(&asked.corrects, out);
    flag("force", asked.force, out);
}

fn revision(expected: Option<u64>, out: &mut Vec<u8>) {
    if let Some(revision) = expected {
        put(out, &[",\"expected_revision\":"]);
        number(revision, out);
    }
}

/// Writes the list of the IDs that are corrected, if there are any.
fn ids(corrects: &[TransactionId], out: &mut Vec<u8>) {
    if !corrects.is_empty() {
        put(out, &[",\"corrects\":"]);
        json::ids(corrects, out);
    }
}
