//! These tests damage a journal without a forger: any byte flipped, any line cut, dropped, doubled or moved. Each is
//! found.

use super::history::{everything, export, lines, manifest};
use super::{audited, audited_with};
use crate::audit::run::options::Options;
use crate::audit::values::finding::{Finding, Flaw, Place};

/// Catches: a part of the line that no check reads, a manifest whose fields are not compared.
#[test]
fn every_flipped_byte_of_an_export_is_found_where_it_is() {
    let events = &everything()[..10];
    let bytes = export(events);
    let ends: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        let finding = audited(&flipped).finding.unwrap_or_else(|| panic!("byte {at} flipped and not found"));
        let line = ends.partition_point(|end| *end < at);
        let expected = if line < events.len() { line as u64 + 1 } else { u64::MAX };
        // A flipped manifest may make a first event look wrong, or be taken for an event that is none.
        let place = finding.position().unwrap_or(u64::MAX);
        assert!(place == expected || expected == u64::MAX, "byte {at} of line {}: {finding}", line + 1);
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_found() {
    let bytes = export(&everything()[..6]);
    for end in (1..bytes.len()).rev().step_by(7) {
        let cut = audited(&bytes[..end]);
        // Cut exactly between two events there is no manifest, which is said; anywhere else the line is no line.
        let between = bytes[end - 1] == b'\n';
        assert_eq!(cut.finding.is_none(), between, "cut at {end}: {:?}", cut.finding);
        assert!(!cut.whole);
    }
}

#[test]
fn a_line_that_is_missing_doubled_or_moved_is_found_where_it_should_be() {
    let told = lines(&everything());
    let end = manifest(&told);
    let place_of = |lines: &[String]| {
        audited((lines.concat() + &end).as_bytes()).finding.and_then(|finding| finding.position())
    };
    for place in 0..told.len() {
        let mut missing = told.clone();
        missing.remove(place);
        assert_eq!(place_of(&missing), Some(place as u64 + 1));
        let mut doubled = told.clone();
        doubled.insert(place, told[place].clone());
        assert_eq!(place_of(&doubled), Some(place as u64 + 2));
        if place > 0 {
            let mut moved = told.clone();
            moved.swap(place - 1, place);
            assert_eq!(place_of(&moved), Some(place as u64));
        }
    }
}

#[test]
fn a_file_whose_end_is_cut_off_is_told_by_its_manifest() {
    let told = lines(&everything());
    let end = manifest(&told);
    let finding = audited((told[..told.len() - 3].concat() + &end).as_bytes()).finding;
    let (place, flaw) = (Place::Position(told.len() as u64 - 2), Flaw::EndsBeforeManifest(told.len() as u64));
    assert_eq!(finding, Some(Finding { place, flaw }));
    let finding = audited((told.concat() + &manifest(&told[..5])).as_bytes()).finding;
    assert_eq!(finding, Some(Finding { place: Place::Position(6), flaw: Flaw::AfterManifest }));
}

#[test]
fn what_stands_behind_the_manifest_is_found() {
    let bytes = export(&everything()[..4]);
    for behind in ["\n", "x", "{}\n"] {
        let more = [&bytes, behind.as_bytes()].concat();
        assert!(audited(&more).finding.is_some(), "{behind:?}");
    }
}

#[test]
fn a_part_is_checked_as_far_as_it_can_be() {
    let told = lines(&everything());
    let hash = |line: &String| line[line.len() - 67..line.len() - 3].to_owned();
    let end = manifest(&told)
        .replace("\"from\":1,", "\"from\":11,")
        .replace(&format!("\"count\":{}", told.len()), &format!("\"count\":{}", told.len() - 10))
        .replace(&hash(&told[0]), &hash(&told[10]));
    let end = end.split("\"previous_hash\"").next().unwrap().to_owned()
        + &format!("\"previous_hash\":\"{}\"}}}}\n", hash(&told[9]));
    let part = told[10..].concat() + &end;
    let right = audited(part.as_bytes());
    assert_eq!((right.finding, right.from, right.position), (None, 11, told.len() as u64));
    assert!(right.whole && right.books.is_none());
    let changed = part.replacen("\"amount\":\"95.00\"", "\"amount\":\"96.00\"", 1);
    assert!(audited_with(changed.as_bytes(), Options::default()).finding.is_some());
    let dropped =
        told[10..].iter().enumerate().filter(|(place, _)| *place != 4).map(|(_, line)| line.as_str());
    let finding = audited((dropped.collect::<String>() + &end).as_bytes()).finding.unwrap();
    assert_eq!(finding.position(), Some(15));
}
