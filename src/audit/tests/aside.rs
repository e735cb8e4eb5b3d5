//! What is wrong with one account does not hide the others: its events are set aside, and everything else is looked at.
//!
//! Catches: an audit that ends at its first finding, and one that finds the same trouble again in every later event.

use super::audited;
use super::history::{
    Teller, Told, export, lines, manifest, position_of, streams, streams_export, streams_manifest,
};
use crate::audit::run::audited::Audited;
use crate::audit::values::finding::{Findings, Flaw, Place};

/// Accounts whose events are mixed: each is opened, and then gets one deposit a round.
fn mixed(accounts: &[String], rounds: u64) -> Vec<Told> {
    let mut t = Teller::default();
    for account in accounts {
        t.tell(account, "AccountOpened", r#""currency":"EUR","overdraft_limit":"0.00""#, "0.00", "0.00");
    }
    for round in 1..=rounds {
        for account in accounts {
            let balance = format!("{round}.00");
            t.moves(account, "1.00", "EUR", &balance, &balance);
        }
    }
    t.events
}

fn three() -> Vec<Told> {
    mixed(&["a", "b", "c"].map(str::to_owned), 5)
}

fn found(audited: &Audited) -> Vec<(Place, &Flaw)> {
    audited.findings.listed().iter().map(|finding| (finding.place, &finding.flaw)).collect()
}

/// Seen failing with an audit that ended at its first finding.
#[test]
fn what_is_wrong_on_two_accounts_is_found_on_both_and_once_on_each() {
    let mut events = three();
    // Of b, and of c: a balance that the books do not have, with every hash made anew.
    events[7].balance = "9.00".into();
    events[11].balance = "9.00".into();
    for (bytes, place) in
        [(export(&events), (|at| at as u64 + 1) as fn(usize) -> u64), (streams_export(&events), position_of)]
    {
        let audited = audited(&bytes);
        let places: Vec<Place> = found(&audited).into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, [Place::Position(place(7)), Place::Position(place(11))], "{}", audited.findings);
        assert!(found(&audited).iter().all(|(_, flaw)| matches!(flaw, Flaw::Answer { .. })));
        assert_eq!(audited.aside, ["b", "c"]);
        assert_eq!((audited.position, audited.looked_at), (place(7) - 1, place(events.len() - 1)));
        // All of a, of b up to what is wrong with it, and likewise of c.
        assert_eq!(audited.counts.values().sum::<u64>(), 6 + 2 + 3);
    }
}

/// Seen failing with an audit that ended at its first finding.
#[test]
fn a_line_that_is_no_event_hides_nothing_behind_it() {
    for along_streams in [false, true] {
        let events = three();
        let mut told = if along_streams { streams(&events) } else { lines(&events) };
        let end = if along_streams { streams_manifest(&told, 0..told.len()) } else { manifest(&told) };
        told[4] = told[4].replace("EUR", "EURO");
        told[9] = told[9].replacen('{', "[", 1);
        told[14] = told[14].replace("loopback", "loopbacc");
        let audited = audited((told.concat() + &end).as_bytes());
        let place = |at: usize| Place::Position(if along_streams { position_of(at) } else { at as u64 + 1 });
        let places: Vec<Place> = found(&audited).into_iter().map(|(place, _)| place).collect();
        assert_eq!(places[0], place(4));
        assert!(places.contains(&place(14)), "{}", audited.findings);
        // The account of the second can't be told from its line; it shows at that account's next event.
        assert!(places.contains(&place(12)), "{}", audited.findings);
        assert_eq!(audited.aside, ["a", "b", "c"]);
    }
}

/// Seen failing with an audit that ended at its first finding. Guards also against: one missing line that makes every line
/// behind it a finding.
#[test]
fn a_line_that_is_missing_is_found_once_and_again_where_its_account_goes_on() {
    let mut told = lines(&three());
    let end = manifest(&told);
    told.remove(7);
    let audited = audited((told.concat() + &end).as_bytes());
    let expected = [
        (Place::Position(8), &Flaw::Position(9)),
        (Place::Position(11), &Flaw::Revision { says: 3, expected: 2 }),
    ];
    assert_eq!(found(&audited), expected);
    assert_eq!(audited.aside, ["b"]);
}

/// Seen failing with an audit that ended at its first finding. Guards also against: an ID on an account that was set aside,
/// taken for one that was never booked.
#[test]
fn an_id_that_comes_twice_is_found_on_an_account_that_was_set_aside_too() {
    let mut events = three();
    events[3].balance = "9.00".into();
    events[10].id = events[9].id.clone();
    events[12].id = events[4].id.clone();
    let audited = audited(&export(&events));
    let flaws: Vec<&Flaw> = found(&audited).into_iter().map(|(_, flaw)| flaw).collect();
    assert!(matches!(flaws[0], Flaw::Answer { .. }));
    assert_eq!(flaws[1..], [&Flaw::SeenBefore(10), &Flaw::SeenBefore(5)]);
}

/// Seen failing with an audit that ended at its first finding. Guards also against: a report of a million lines.
#[test]
fn the_findings_are_listed_up_to_a_hundred_and_counted() {
    let accounts: Vec<String> = (0..130).map(|number| format!("a{number:03}")).collect();
    let mut events = mixed(&accounts, 2);
    events[130..260].iter_mut().for_each(|event| event.balance = "9.00".into());
    let audited = audited(&export(&events));
    assert_eq!(audited.findings.listed().len(), Findings::LISTED);
    assert_eq!(audited.findings.unlisted(), 30);
    assert!(audited.findings.to_string().ends_with("\n30 more findings are not listed"));
}
