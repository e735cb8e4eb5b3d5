//! What is right of transfers is found right, on both chains, and is what a person would reckon.

use super::audited;
use super::forge::*;
use super::history::{Told, entries, export, id, position_of, streams_export};
use super::history_transfers::{Story, transferred};
use crate::audit::rules::digest;
use crate::audit::show::replay::Replayed;
use crate::audit::values::finding::Flaw;

#[test]
fn a_history_of_transfers_is_right_at_every_end_and_on_both_chains() {
    let events = transferred();
    for end in 0..=events.len() {
        let along_journal = audited(&export(&events[..end]));
        assert_eq!(along_journal.finding, None, "{end}");
        if end > 0 {
            let along_streams = audited(&streams_export(&events[..end]));
            assert_eq!(along_streams.finding, None, "{end}");
            let of = |books| digest::of(&books);
            assert_eq!(along_journal.books.map(of), along_streams.books.map(of));
        }
    }
    let replayed = Replayed::of(&audited(&export(&events)).books.unwrap());
    assert!(replayed.balanced());
    let transit = replayed.internal.iter().find(|of| of.account == "@transit").unwrap();
    assert_eq!(transit.balance, "-31.00", "what the last two have credited and not captured");
}

/// What is wrong with a transfer's event must not make its other events, on other streams, look wrong.
#[test]
fn what_is_wrong_with_one_step_is_found_once() {
    let events = transferred();
    let of = id(1_001);
    let steps: Vec<usize> = (0..events.len()).filter(|place| events[*place].id.starts_with(&of)).collect();
    for place in steps {
        let is_own = events[place].stream.starts_with("transfer-");
        // A line that can't be read, and one that can, whose answer is another.
        for says in ["unreadable", if is_own { "finishing" } else { "7.00" }] {
            let mut events = events.clone();
            events[place].balance = says.into();
            // The stream is set aside, and with it what comes in it.
            let audited = audited(&export(&events));
            assert_eq!(audited.findings.listed().len(), 1, "{place}: {}", audited.findings);
            assert_eq!(audited.finding.unwrap().position(), Some(place as u64 + 1));
        }
    }
}

/// Compares with the lines of two transfers, which were made by hand from the contract's text.
#[test]
fn the_digest_has_a_line_for_each_transfer_under_way_and_one_for_all_that_ended() {
    use sha2::{Digest, Sha256};
    let seen_of = |events: &[Told], of: &str| {
        let own = |told: &&Told| told.stream == format!("transfer-{of}");
        let mut seen = vec![0; 32];
        for told in events.iter().filter(own) {
            let id = match told.id.len() {
                36 => hex::decode(told.id.replace('-', "")).unwrap(),
                _ => told.id.clone().into_bytes(),
            };
            let word = match told.kind {
                "Declined" => format!("declined:{}", told.data.split('"').nth(7).unwrap()),
                kind => format!("accepted:{kind}"),
            };
            seen = Sha256::digest([&seen, &id, word.as_bytes()].concat()).to_vec();
        }
        hex::encode(seen)
    };
    let digest_of = |events: &[Told]| digest::of(&audited(&export(events)).books.unwrap());
    let accounts_of = |events: &[Told]| {
        let books = audited(&export(events)).books.unwrap();
        let line = |(name, account): (&str, &crate::audit::rules::account::Account)| {
            let show = |units| crate::audit::values::money::show(units, account.currency);
            let (balance, held) = (show(account.balance), show(account.held()));
            let (status, seen) = (account.status.text(), hex::encode(account.id_history));
            format!("{name}|{}|{balance}|{}|{status}|{held}|{seen}\n", account.currency, show(account.limit))
        };
        books.accounts().into_iter().map(line).collect::<String>()
    };
    let mut s = Story::new();
    held(&mut s);
    let under_way = s.t.events.clone();
    let line = |events: &[Told], state: &str| {
        format!("transfer|{0}|alice|bob|EUR|40.00|{state}|{1}\n", of(), seen_of(events, &of()))
    };
    let zero = "0".repeat(64);
    let text = format!("{}{}ended|0|{zero}\n", accounts_of(&under_way), line(&under_way, "under_way"));
    assert_eq!(digest_of(&under_way), hex::encode(Sha256::digest(text)));
    s.credit(&of(), 4_000);
    s.capture(&of(), "bob", 4_000, 0);
    s.completed(&of(), 4_000);
    let fields = format!(r#""operation":"cancel","code":"transfer_ended",{REASON}"#);
    s.client(&of(), 2_001, "Declined", &fields, "completed");
    let ended = s.t.events;
    let sum = hex::encode(Sha256::digest(line(&ended, "completed")));
    let text = format!("{}ended|1|{sum}\n", accounts_of(&ended));
    assert_eq!(digest_of(&ended), hex::encode(Sha256::digest(text)));
}

/// Two instances took one ID at the same time, one for a deposit and one for a transfer.
#[test]
fn one_id_of_a_transfer_and_of_a_deposit_is_listed_along_streams_and_else_a_flaw() {
    let mut s = Story::new();
    let data = format!(r#""amount":"5.00","currency":"EUR",{}"#, entries("carol", "5.00", "@cash"));
    s.t.tell("dora", "AccountOpened", r#""currency":"EUR","overdraft_limit":"0.00""#, "0.00", "0.00");
    s.t.tell_as(1_001, "dora", "Deposited", &data.replace("carol", "dora"), "5.00", "5.00");
    held(&mut s);
    s.credit(&of(), 4_000);
    let audit = audited(&streams_export(&s.t.events));
    assert_eq!(audit.finding, None);
    let shown: Vec<String> = audit.double_uses.iter().map(ToString::to_string).collect();
    let (first, again) = (position_of(7), position_of(8));
    let (id, stream) = (of(), format!("transfer-{}", of()));
    assert_eq!(shown, [format!("{id} on dora (position {first}) and on {stream} (position {again})")]);
    assert_eq!(audited(&export(&s.t.events)).finding.unwrap().flaw, Flaw::SeenBefore(8));
}
