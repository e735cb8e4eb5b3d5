//! These helpers forge histories of transfers: a story is told that is right up to its last event.

use super::audited;
use super::forged::found;
use super::history::{Told, export, id, streams_export};
use super::history_transfers::{ATM, Story};

/// Tells a story whose last event must be found for a reason that has these words, along the journal and along streams.
pub(super) fn last_is_found(why: &str, tell: impl FnOnce(&mut Story)) {
    let mut s = Story::new();
    tell(&mut s);
    let events = s.t.events;
    let before = &events[..events.len() - 1];
    assert_eq!(audited(&export(before)).finding, None, "before: {why}");
    found(&events, events.len(), why);
    let along = audited(&streams_export(&events)).finding.unwrap_or_else(|| panic!("not found: {why}"));
    assert!(along.to_string().contains(why), "{along} (no {why:?})");
}

/// Does the same, of an event that is changed after it was told.
pub(super) fn changed_is_found(why: &str, tell: impl FnOnce(&mut Story), change: impl FnOnce(&mut Told)) {
    last_is_found(why, |s| {
        tell(s);
        change(s.t.events.last_mut().unwrap());
    });
}

pub(super) fn swap(told: &mut Told, from: &str, to: &str) {
    assert!(told.data.contains(from), "{} has no {from}", told.data);
    told.data = told.data.replace(from, to);
}

pub(super) fn of() -> String {
    id(1_001)
}

pub(super) fn held(s: &mut Story) {
    s.request(1_001, "bob", 4_000, 60);
    s.hold(&of(), "bob", 4_000);
}

pub(super) fn credited(s: &mut Story) {
    held(s);
    s.credit(&of(), 4_000);
}

pub(super) fn captured(s: &mut Story) {
    credited(s);
    s.capture(&of(), "bob", 4_000, 0);
}

pub(super) const REASON: &str = r#""reason":"because""#;

pub(super) fn cancelled(s: &mut Story) {
    s.client(&of(), 2_001, "TransferCancelRequested", REASON, "stopping");
}

pub(super) fn sent(s: &mut Story) {
    s.request(1_001, ATM, 4_000, 60);
    s.hold(&of(), ATM, 4_000);
    let sent = r#""provider":"atm","repeat":"never","claim":"4f""#;
    s.note(&of(), "payout:1", "PayoutSent", sent, "paying");
}

pub(super) fn settled(s: &mut Story, data: &str, state: &str) {
    s.note(&of(), "settle:1", "PayoutSettled", data, state);
}
