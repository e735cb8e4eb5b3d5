//! These tests read journals chained along their streams: right ones, and what a forger or an operator can do to one.
//!
//! Each forgery names the position at which it is found, or by what alone. Catches: a chain that is not followed across
//! blocks or not begun as its stream's own, a head that does not run over every event, an ID looked up on another account.

use super::history::{
    Teller, Told, entries, everything, export, heads, id, position_of, streams, streams_export,
    streams_manifest,
};
use super::{audited, audited_with};
use crate::audit::run::options::{Options, StopAt};
use crate::audit::show::replay::Replayed;
use crate::audit::values::chain::{self, Chain, Hash};
use crate::audit::values::finding::{Finding, Flaw, Place};

/// Makes events of three accounts that are mixed, so that hardly one follows the one before it in the journal.
fn mixed() -> Vec<Told> {
    let mut t = Teller::default();
    let accounts = ["a", "b", "c"];
    for account in accounts {
        t.tell(account, "AccountOpened", r#""currency":"EUR","overdraft_limit":"0.00""#, "0.00", "0.00");
    }
    for round in 1..=5 {
        for account in accounts {
            let balance = format!("{round}.00");
            t.moves(account, "1.00", "EUR", &balance, &balance);
        }
    }
    t.events
}

fn with_manifest(lines: &[String]) -> Vec<u8> {
    (lines.concat() + &streams_manifest(lines, 0..lines.len())).into_bytes()
}

/// Both with a manifest made anew, and without one, where that is another thing.
fn found(lines: &[String]) -> Finding {
    let finding = audited(&with_manifest(lines)).finding.expect("a finding");
    assert_eq!(audited(lines.concat().as_bytes()).finding.as_ref(), Some(&finding));
    finding
}

fn at(place: usize, flaw: Flaw) -> Finding {
    Finding { place: Place::Position(position_of(place)), flaw }
}

fn hash(text: &str) -> Hash {
    chain::read(text.as_bytes()).unwrap()
}

#[test]
fn a_history_of_everything_is_right_and_has_the_books_of_the_other_chain() {
    let events = everything();
    let along = audited(&streams_export(&events));
    assert_eq!((along.finding, along.chain, along.whole, along.begins), (None, Chain::Streams, true, true));
    assert_eq!((along.from, along.position), (position_of(0), position_of(events.len() - 1)));
    assert_eq!(along.hash.map(|hash| chain::show(&hash)), heads(&streams(&events)).pop());
    assert_eq!(along.streams, ["account-alice", "account-bob", "account-carol"]);
    let ours = Replayed::of(&along.books.unwrap());
    let theirs = Replayed::of(&audited(&export(&events)).books.unwrap());
    assert_eq!(ours.position, along.position);
    assert_eq!(Replayed { position: theirs.position, ..ours }, theirs);
}

#[test]
fn without_a_manifest_its_first_line_tells_the_chain() {
    for events in [everything(), mixed()] {
        let lines = streams(&events);
        let read = audited(lines.concat().as_bytes());
        assert_eq!((read.finding, read.chain, read.whole), (None, Chain::Streams, false));
        assert_eq!(read.hash.map(|hash| chain::show(&hash)), heads(&lines).pop());
        let first: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(read.journal_id.unwrap().to_string(), first["event_id"].as_str().unwrap());
    }
}

/// Catches: a chain checked within a block only.
#[test]
fn a_chain_is_followed_over_blocks() {
    let mut t = Teller::default();
    t.tell("late", "AccountOpened", r#""currency":"EUR","overdraft_limit":"0.00""#, "0.00", "0.00");
    t.tell("busy", "AccountOpened", r#""currency":"EUR","overdraft_limit":"0.00""#, "0.00", "0.00");
    for round in 1..2_500 {
        let balance = format!("{round}.00");
        t.moves("busy", "1.00", "EUR", &balance, &balance);
    }
    t.moves("late", "1.00", "EUR", "1.00", "1.00");
    let bytes = streams_export(&t.events);
    assert!(bytes.len() > 1 << 20);
    assert_eq!(audited(&bytes).finding, None);
    let mut lines = streams(&t.events);
    t.events[0].metadata = r#""$correlationId":"another","actor":"loopback""#.into();
    lines[0] = streams(&t.events)[0].clone();
    assert_eq!(found(&lines), at(t.events.len() - 1, Flaw::StreamChain));
}

#[test]
fn every_flipped_byte_is_found_but_those_of_a_position() {
    let events = &everything()[..8];
    let bytes = streams_export(events);
    let ends: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    for flip in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[flip] ^= 1 << (flip % 8);
        let line = ends.partition_point(|end| *end < flip);
        let start = line.checked_sub(1).map_or(0, |before| ends[before] + 1);
        let (digits, finding) = (start + 12..start + 16, audited(&flipped).finding);
        if digits.contains(&flip) && finding.is_none() {
            continue;
        }
        let finding = finding.unwrap_or_else(|| panic!("byte {flip} flipped and not found"));
        let place = finding.position().unwrap_or(u64::MAX);
        let last = if line == 0 { 0 } else { position_of(line - 1) };
        assert!(
            line == events.len() || digits.contains(&flip) || (last < place && place <= position_of(line)),
            "byte {flip} of line {}: {finding}",
            line + 1
        );
    }
}

#[test]
fn an_event_that_is_changed_swapped_put_in_or_taken_out_is_found_where_it_is() {
    let events = mixed();
    let right = streams(&events);
    for place in 3..events.len() - 3 {
        let mut changed = right.clone();
        changed[place] = changed[place].replace(r#""actor":"loopback""#, r#""actor":"loopbacc""#);
        assert_eq!(found(&changed), at(place, Flaw::EventId));

        let mut made_anew = events.clone();
        made_anew[place].metadata = r#""$correlationId":"another","actor":"loopback""#.into();
        changed[place] = streams(&made_anew)[place].clone();
        assert_eq!(found(&changed), at(place + 3, Flaw::StreamChain), "the next of its stream shows it");

        let mut missing = right.clone();
        missing.remove(place);
        let revision = events[place].revision;
        assert_eq!(found(&missing), at(place + 3, Flaw::Revision { says: revision + 1, expected: revision }));

        let mut doubled = right.clone();
        let again =
            right[place].replacen(&position_of(place).to_string(), &(position_of(place) + 1).to_string(), 1);
        doubled.insert(place + 1, again);
        let flaw = Flaw::Revision { says: revision, expected: revision + 1 };
        let place_of = Place::Position(position_of(place) + 1);
        assert_eq!(found(&doubled), Finding { place: place_of, flaw });

        let mut swapped = right.clone();
        swapped.swap(place, place + 1);
        let back = Flaw::Position(position_of(place));
        assert_eq!(
            found(&swapped),
            Finding { place: Place::Position(position_of(place + 1) + 1), flaw: back }
        );
    }
}

#[test]
fn two_events_of_a_stream_that_change_places_are_found() {
    let events = mixed();
    let mut lines = streams(&events);
    let (one, other) = (position_of(6).to_string(), position_of(9).to_string());
    lines.swap(6, 9);
    lines[6] = lines[6].replacen(&other, &one, 1);
    lines[9] = lines[9].replacen(&one, &other, 1);
    assert_eq!(found(&lines), at(6, Flaw::Revision { says: 3, expected: 2 }));
}

/// A noted head shows here what no chain along streams shows.
#[test]
fn what_is_made_anew_or_left_out_whole_is_found_by_a_hash_kept_elsewhere() {
    let events = mixed();
    let right = streams(&events);
    let kept = heads(&right);
    let expect = |place: usize| Some((position_of(place), hash(&kept[place + 1])));
    let audited_for = |lines: &[String], place| {
        audited_with(&with_manifest(lines), Options { expect: expect(place), ..Options::default() }).finding
    };
    for place in 0..events.len() {
        assert_eq!(audited_for(&right, place), None);
    }
    let not_expected = |finding: Option<Finding>, place: usize| {
        let finding = finding.expect("a finding");
        assert_eq!(finding.position(), Some(position_of(place)));
        assert!(matches!(finding.flaw, Flaw::NotExpected(_)), "{finding}");
    };
    let mut rehashed = events.clone();
    rehashed[7].metadata = r#""$correlationId":"another","actor":"loopback""#.into();
    let rehashed = streams(&rehashed);
    assert_eq!(audited(&with_manifest(&rehashed)).finding, None, "every hash after it was made anew");
    not_expected(audited_for(&rehashed, 12), 12);
    assert_eq!(audited_for(&rehashed, 6), None, "what was noted before it is still there");

    let without_b: Vec<String> = right.iter().filter(|line| !line.contains("account-b")).cloned().collect();
    assert_eq!(audited(&with_manifest(&without_b)).finding, None, "a whole account leaves no gap");
    not_expected(audited_for(&without_b, 12), 12);
    let gone = audited_for(&without_b, 10);
    assert_eq!(gone, Some(at(10, Flaw::NoneExpected)), "the position noted was that account's");
    let manifest = streams_manifest(&right, 0..right.len());
    let told = audited((without_b.concat() + &manifest).as_bytes()).finding;
    assert_eq!(told, Some(Finding { place: Place::Manifest, flaw: Flaw::Manifest("count") }));

    let rolled_back = &right[..right.len() - 1];
    assert_eq!(audited(&with_manifest(rolled_back)).finding, None);
    let end = Some(Finding {
        place: Place::Position(position_of(events.len() - 2) + 1),
        flaw: Flaw::EndsBeforeExpected,
    });
    assert_eq!(audited_for(rolled_back, events.len() - 1), end);

    let mut other_order = right.clone();
    let (one, other) = (position_of(6).to_string(), position_of(7).to_string());
    other_order.swap(6, 7);
    other_order[6] = other_order[6].replacen(&other, &one, 1);
    other_order[7] = other_order[7].replacen(&one, &other, 1);
    assert_eq!(
        audited(&with_manifest(&other_order)).finding,
        None,
        "the order between accounts is not chained"
    );
    not_expected(audited_for(&other_order, 8), 8);
}

#[test]
fn a_manifest_that_is_not_of_these_events_is_told() {
    let right = streams(&mixed());
    let manifest = streams_manifest(&right, 0..right.len());
    let told = |lines: &[String], manifest: &str| audited((lines.concat() + manifest).as_bytes()).finding;
    let of_manifest = |flaw| Some(Finding { place: Place::Manifest, flaw });
    assert_eq!(told(&right, &manifest), None);
    let last = manifest.replace(heads(&right).last().unwrap(), &"0".repeat(64));
    assert_eq!(told(&right, &last), of_manifest(Flaw::Manifest("last_hash")));
    let cut = told(&right[..right.len() - 1], &manifest);
    assert!(matches!(cut.unwrap().flaw, Flaw::EndsBeforeManifest(_)));
    let more = streams_manifest(&right, 0..right.len() - 1);
    assert_eq!(told(&right, &more), Some(at(right.len() - 1, Flaw::AfterManifest)));
    let late = told(&right[1..], &manifest);
    assert_eq!(late, Some(at(0, Flaw::Position(position_of(1)))));
    // Another journal's id, with the hash that such a journal begins with.
    let other = "018f4e6e-9d52-7a30-8f7e-3f6b2a1c0d4e";
    let genesis = chain::show(&chain::genesis(other.parse().unwrap()));
    let first: serde_json::Value = serde_json::from_str(&right[0]).unwrap();
    let other =
        manifest.replace(first["event_id"].as_str().unwrap(), other).replace(&heads(&right)[0], &genesis);
    assert_eq!(told(&right, &other), of_manifest(Flaw::ManifestId));
    // Such an export never has no events.
    let none = manifest.replace(&format!("\"count\":{}", right.len()), "\"count\":0");
    assert_eq!(told(&right, &none), of_manifest(Flaw::Manifest("count")));
}

#[test]
fn time_goes_back_between_streams_and_never_within_one() {
    let mut events = mixed();
    events[6].recorded_at = "2026-11-21T02:00:04.999999Z".into();
    assert_eq!(audited(&streams_export(&events)).finding, None);
    assert_eq!(audited(&export(&events)).finding.unwrap().position(), Some(7));
    events[6].recorded_at = "2026-11-21T02:00:03.000002Z".into();
    assert_eq!(found(&streams(&events)), at(6, Flaw::StreamTimeBack));
}

/// Catches: a stream that is taken for begun at whatever revision comes first.
#[test]
fn a_stream_that_does_not_begin_at_its_beginning_is_found() {
    let events = mixed();
    let mut cut = streams(&events);
    cut.remove(1);
    assert_eq!(found(&cut), at(4, Flaw::Revision { says: 1, expected: 0 }));
    let mut elsewhere = streams(&events);
    let mut renamed = events.clone();
    renamed[1].stream = "account-d".into();
    elsewhere[1] = streams(&renamed)[1].clone();
    assert_eq!(found(&elsewhere), at(4, Flaw::Revision { says: 1, expected: 0 }));
    // Chained to another stream's beginning.
    let of_a = streams(&{
        let mut all = events.clone();
        all[1].stream = "account-a".into();
        all.split_off(1)
    })[0]
        .replace("account-a", "account-b");
    let mut grafted = streams(&events);
    let hash = of_a[of_a.len() - 67..].to_owned();
    let length = grafted[1].len();
    grafted[1].replace_range(length - 67.., &hash);
    assert_eq!(found(&grafted), at(1, Flaw::StreamChain));
}

#[test]
fn the_rules_are_the_same() {
    let mut events = everything();
    events[2].balance = "61.00".into();
    assert!(matches!(found(&streams(&events)).flaw, Flaw::Answer { field: "balance", .. }));
    let mut events = mixed();
    events[0].kind = "Deposited";
    events[0].data = format!(r#""amount":"1.00","currency":"EUR",{}"#, entries("a", "1.00", "@cash"));
    assert_eq!(found(&streams(&events)), at(0, Flaw::NotOpened));
}

/// Two instances took one ID at the same time. Catches: one account's transaction taken back on the other.
#[test]
fn one_id_on_two_accounts_is_listed_and_on_one_it_is_a_flaw() {
    let mut t = Teller::default();
    for account in ["a", "b"] {
        t.tell(account, "AccountOpened", r#""currency":"EUR","overdraft_limit":"0.00""#, "0.00", "0.00");
    }
    let deposit = |t: &mut Teller, account: &str, amount: &str| {
        let data = format!(r#""amount":"{amount}","currency":"EUR",{}"#, entries(account, amount, "@cash"));
        t.tell_as(77, account, "Deposited", &data, amount, amount);
    };
    deposit(&mut t, "a", "5.00");
    deposit(&mut t, "b", "7.00");
    let once = t.clone();
    for (account, amount) in [("a", "5.00"), ("b", "7.00")] {
        let back = format!(
            r#""reverses":"{}","amount":"{amount}","currency":"EUR",{},"reason":"""#,
            id(77),
            entries(account, &format!("-{amount}"), "@cash")
        );
        t.tell(account, "Reversed", &back, "0.00", "0.00");
    }
    for account in ["a", "b"] {
        let again = format!(r#""reverses":"{}","reason":"""#, id(77));
        t.declines(account, "reversal reversal_exceeds_original", &again, "0.00", "0.00");
    }
    let audit = audited(&streams_export(&t.events));
    assert_eq!(audit.finding, None);
    let shown: Vec<String> = audit.double_uses.iter().map(ToString::to_string).collect();
    let (first, again) = (position_of(2), position_of(3));
    assert_eq!(shown, [format!("{} on a (position {first}) and on b (position {again})", id(77))]);
    assert_eq!(audited(&export(&t.events)).finding.unwrap().flaw, Flaw::SeenBefore(3), "along the journal");
    for (account, first) in [("a", 2), ("b", 3)] {
        let mut t = once.clone();
        deposit(&mut t, account, "1.00");
        assert_eq!(found(&streams(&t.events)), at(4, Flaw::SeenBefore(position_of(first))));
    }
}

#[test]
fn books_as_of_a_moment_are_those_of_every_stream_up_to_it() {
    let mut events = mixed();
    // The clock of the instance that writes c is a second slow: its next event is recorded before those that go before.
    for told in events.iter_mut().filter(|told| told.stream == "account-c") {
        told.recorded_at = told.recorded_at.replace("02:00", "01:59");
    }
    let moment: [u8; 27] = events[7].recorded_at.as_bytes().try_into().unwrap();
    let stopped = audited_with(
        &streams_export(&events),
        Options { to: Some(StopAt::Moment(moment)), ..Options::default() },
    );
    assert_eq!((stopped.finding, stopped.whole), (None, false));
    let books = stopped.books.unwrap();
    let revisions: Vec<_> =
        books.accounts().iter().map(|(name, account)| (*name, account.revision)).collect();
    assert_eq!(revisions, [("a", 2), ("b", 2), ("c", 5)]);
    let to = Some(StopAt::Position(position_of(7) + 1));
    let stopped = audited_with(&streams_export(&events), Options { to, ..Options::default() });
    assert_eq!((stopped.finding, stopped.position), (None, position_of(7)));
}
