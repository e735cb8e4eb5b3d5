//! What is right is found right, and the books are what a person would reckon.

use std::collections::BTreeSet;

use super::history::{Told, corrections, everything, export, id, lines};
use super::history_deliveries::story;
use super::history_holds::held;
use super::history_transfers::transferred;
use super::{audited, audited_with};
use crate::audit::rules::digest;
use crate::audit::run::audited::Audited;
use crate::audit::run::options::{Options, StopAt};
use crate::audit::values::chain;
use crate::audit::values::code::Code;
use crate::audit::values::event::TYPES;
use crate::audit::values::finding::{Finding, Flaw, Place};

fn right(events: &[Told]) -> Audited {
    let audited = audited(&export(events));
    assert_eq!(audited.finding, None);
    audited
}

#[test]
fn a_history_of_everything_is_right() {
    let events = everything();
    let audited = right(&events);
    assert_eq!(audited.position, events.len() as u64);
    assert!(audited.whole);
}

#[test]
fn the_histories_together_have_every_type_and_every_code() {
    let histories = [everything(), corrections(), held(), transferred(), story().t.events];
    let audits = histories.each_ref().map(|events| right(events));
    let types = audits.iter().flat_map(|audited| audited.counts.keys()).collect::<BTreeSet<_>>();
    assert_eq!(types, TYPES.iter().collect());
    let told = histories.concat();
    // It takes a thousand holds, and has a test of its own.
    for code in Code::ALL.into_iter().filter(|code| *code != Code::TooManyHolds) {
        let has = |told: &Told| told.data.contains(&format!(r#""code":"{}""#, code.text()));
        assert!(told.iter().any(has), "no decline in them with {}", code.text());
    }
}

#[test]
fn what_is_between_a_credit_and_its_capture_is_named() {
    let said: Vec<String> = right(&transferred()).in_transit.iter().map(ToString::to_string).collect();
    let said_of = |number, amount, state| {
        let id = id(number);
        format!("{id}: {amount} EUR is credited on bob and not yet captured on alice ({state})")
    };
    assert_eq!(said, [said_of(1_015, "15.00", "under_way"), said_of(1_016, "16.00", "abandoned")]);
}

#[test]
fn the_books_after_it_balance() {
    let books = right(&everything()).books.unwrap();
    let accounts: Vec<_> =
        books.accounts().into_iter().map(|(name, account)| (name, account.balance)).collect();
    assert_eq!(accounts, [("alice", 0), ("bob", 1_000_000_000_000_000), ("carol", 0)]);
    let internal: Vec<_> =
        books.internal().into_iter().map(|((name, of), sum)| (name, of.to_string(), sum)).collect();
    assert_eq!(
        internal,
        [
            ("@atm", "EUR".to_owned(), 0),
            ("@cash", "EUR".to_owned(), 0),
            ("@cash", "JPY".to_owned(), -1_000_000_000_000_000),
        ]
    );
}

#[test]
fn every_beginning_of_it_is_right_too() {
    let events = everything();
    for end in 0..events.len() {
        right(&events[..end]);
    }
}

#[test]
fn it_stops_where_it_is_told_to() {
    let events = everything();
    let moment: [u8; 27] = events[6].recorded_at.as_bytes().try_into().unwrap();
    for to in [StopAt::Position(7), StopAt::Moment(moment)] {
        let stopped = audited_with(&export(&events), Options { to: Some(to), ..Options::default() });
        assert_eq!((stopped.position, stopped.finding, stopped.whole), (7, None, false));
        assert_eq!(digest::of(&stopped.books.unwrap()), digest::of(&right(&events[..7]).books.unwrap()));
    }
}

#[test]
fn the_books_can_be_looked_at_on_the_way() {
    let events = everything();
    let mut on_the_way = String::new();
    let mut look = |books: &crate::audit::rules::books::Books| on_the_way = digest::of(books);
    audited_with(&export(&events), Options { pause: Some((9, &mut look)), ..Options::default() });
    assert_eq!(on_the_way, digest::of(&right(&events[..9]).books.unwrap()));
}

#[test]
fn a_hash_kept_elsewhere_shows_what_the_chain_alone_can_not() {
    let mut events = everything();
    let kept = right(&events[..10]).hash.unwrap();
    let expect = |at| Options { expect: Some((at, kept)), ..Options::default() };
    assert_eq!(audited_with(&export(&events), expect(10)).finding, None);
    let cut = audited_with(&export(&events[..9]), expect(10)).finding;
    assert_eq!(cut, Some(Finding { place: Place::Position(10), flaw: Flaw::EndsBeforeExpected }));
    events[1].metadata = r#""$correlationId":"another","actor":"loopback""#.into();
    let now = chain::show(&right(&events[..10]).hash.unwrap());
    let forged = audited_with(&export(&events), expect(10)).finding;
    assert_eq!(forged, Some(Finding { place: Place::Position(10), flaw: Flaw::NotExpected(now) }));
}

#[test]
fn a_file_without_its_manifest_is_read_as_far_as_it_goes() {
    let audited = audited(lines(&everything()).concat().as_bytes());
    assert_eq!((audited.finding, audited.whole, audited.journal_id), (None, false, None));
}

/// Compares with the digest of two events, which was computed by hand from the contract's text.
#[test]
fn the_digest_is_what_the_contract_says() {
    use sha2::{Digest, Sha256};
    let books = right(&everything()[..2]).books.unwrap();
    let id = |last: u8| [0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, last];
    let opened = Sha256::digest([&[0; 32][..], &id(1), b"accepted:AccountOpened"].concat());
    let seen = Sha256::digest([&opened[..], &id(2), b"accepted:Deposited"].concat());
    let line = format!("alice|EUR|100.00|50.00|open|0.00|{}\n", hex::encode(seen));
    assert_eq!(digest::of(&books), hex::encode(Sha256::digest(line)));
}
