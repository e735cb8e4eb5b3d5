//! An event that a newer version of this program wrote is nothing wrong: the auditor says that it must be upgraded, and looks
//! at everything else.

use super::audited;
use super::history::{Told, everything, export, position_of, streams_export};
use crate::audit::values::finding::{Flaw, Place};

fn with(change: impl Fn(&mut Told)) -> (usize, Vec<Told>) {
    let mut events = everything();
    let at = events.iter().rposition(|event| event.stream == "account-bob").unwrap();
    change(&mut events[at]);
    (at, events)
}

/// Seen failing with an auditor that calls the event of an upgraded writer wrong.
#[test]
fn an_event_of_a_newer_version_is_told_as_such_and_hides_no_other() {
    type Change = fn(&mut Told);
    let newer: [(Change, &str); 3] = [
        (|told| told.version = 2, "of version 2"),
        (|told| told.kind = "Blessed", "of type \"Blessed\""),
        (|told| (told.version, told.data) = (7, r#""anything":[1,2]"#.into()), "of version 7"),
    ];
    for (change, says) in newer {
        let (at, events) = with(change);
        let along_journal = (export(&events), at as u64 + 1);
        let along_streams = (streams_export(&events), position_of(at));
        for (bytes, place) in [along_journal, along_streams] {
            let audited = audited(&bytes);
            let [finding] = audited.findings.listed() else { panic!("{}", audited.findings) };
            assert_eq!(finding.place, Place::Position(place));
            assert!(
                matches!(&finding.flaw, Flaw::Newer { stream, what } if stream == "account-bob" && what == says)
            );
            assert!(audited.findings.are_only_newer() && !audited.whole);
            assert_eq!((audited.aside, audited.looked_at > place), (vec!["bob".to_owned()], true));
        }
    }
}

/// Guards against: a flipped bit that passes for a newer version, and a version that is too low to be newer.
#[test]
fn what_is_not_of_its_own_id_or_of_an_older_version_is_wrong() {
    let (_, events) = with(|_| {});
    let flipped = String::from_utf8(export(&events)).unwrap().replacen("\"version\":1", "\"version\":3", 1);
    let (_, older) = with(|told| told.version = 0);
    for bytes in [flipped.into_bytes(), export(&older)] {
        let audited = audited(&bytes);
        assert!(audited.finding.is_some() && !audited.findings.are_only_newer(), "{}", audited.findings);
    }
}

/// Guards against: one event of a newer version that makes what is wrong elsewhere look harmless.
#[test]
fn what_is_wrong_beside_a_newer_event_stays_wrong() {
    let (_, mut events) = with(|told| told.version = 2);
    let place = events.iter().rposition(|event| event.stream == "account-alice").unwrap();
    events[place].balance = "1234567.00".into();
    let audited = audited(&export(&events));
    assert_eq!(audited.findings.listed().len(), 2, "{}", audited.findings);
    assert!(!audited.findings.are_only_newer());
}

/// Guards against: an event of a kind of stream that a later version has, which is called damage.
#[test]
fn an_event_of_an_unknown_kind_of_stream_is_of_a_newer_version() {
    let (at, events) = with(|told| (told.stream, told.revision) = ("bulk-7".into(), 0));
    let audited = audited(&export(&events[..=at]));
    let [finding] = audited.findings.listed() else { panic!("{}", audited.findings) };
    assert_eq!(finding.place, Place::Position(at as u64 + 1));
    assert!(finding.to_string().contains("in a kind of stream which is not known here"), "{finding}");
    assert!(audited.findings.are_only_newer() && audited.aside == ["bulk-7"]);
}
