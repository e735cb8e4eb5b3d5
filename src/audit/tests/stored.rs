//! These tests feed a journal from a store, and make exports of one: whole ones and parts, which fit together by the
//! head's hash.

use std::io::Cursor;
use std::path::Path;

use super::history::{Told, everything, export, position_of, streams, streams_export, streams_manifest};
use super::{audited, audited_with};
use crate::audit::carry::export::ExportError;
use crate::audit::carry::export_streams::from_streams;
use crate::audit::carry::restore::{RestoreError, restore};
use crate::audit::error::Error;
use crate::audit::parse::manifest::Manifest;
use crate::audit::run::audited::Audited;
use crate::audit::run::auditor::audit;
use crate::audit::run::options::{Options, StopAt};
use crate::audit::run::verify::verify_store;
use crate::audit::show::replay::Replayed;
use crate::audit::source::channel::{Feeder, fed};
use crate::audit::source::file::File;
use crate::audit::values::chain::Chain;
use crate::audit::values::finding::{Finding, Flaw, Place};

/// Audits what this gives, from a thread of its own.
fn fed_by(give: impl FnOnce(Feeder) + Send) -> Result<Audited, Error> {
    let (feeder, fed) = fed();
    std::thread::scope(|scope| {
        scope.spawn(|| give(feeder));
        audit(Box::new(fed), Options::default())
    })
}

fn give(feeder: &Feeder, lines: &[String], a_piece: usize) {
    for piece in lines.chunks(a_piece) {
        feeder.lines(piece.concat().into_bytes()).unwrap();
    }
}

#[test]
fn what_is_fed_is_audited_as_a_file_is_whatever_the_pieces() {
    let (events, lines) = (everything(), streams(&everything()));
    let file = audited(&streams_export(&events));
    for a_piece in [1, 5, 1_000] {
        let fed = fed_by(|feeder| {
            give(&feeder, &lines, a_piece);
            feeder.end().unwrap();
        });
        let fed = fed.unwrap();
        assert_eq!((fed.finding, fed.position, fed.hash), (None, file.position, file.hash));
        assert_eq!((fed.journal_id, fed.whole), (file.journal_id, false));
        assert_eq!(Replayed::of(&fed.books.unwrap()), Replayed::of(file.books.as_ref().unwrap()));
    }
    let none = fed_by(|feeder| feeder.end().unwrap()).unwrap();
    assert_eq!((none.finding, none.position, none.hash, none.journal_id), (None, 0, None, None));
}

#[test]
fn an_event_that_the_ledger_did_not_write_is_found_where_it_is() {
    let lines = streams(&everything());
    let found = fed_by(|feeder| {
        give(&feeder, &lines[..5], 2);
        feeder.foreign("account-alice".into(), 9_999, "it is no event".into()).unwrap();
        feeder.end().unwrap();
    });
    let finding = found.unwrap().finding.unwrap();
    assert_eq!(finding.position(), Some(9_999));
    assert_eq!(
        finding.to_string(),
        "position 9999: the stream account-alice has an event here that the ledger did not write: it is no event"
    );
}

/// Catches: a reader that died taken for the journal's end.
#[test]
fn a_store_that_can_not_be_read_to_its_end_is_no_journal() {
    let lines = streams(&everything());
    let gone = fed_by(|feeder| give(&feeder, &lines, 7));
    assert!(matches!(gone, Err(Error::Store(_))));
    let failed = fed_by(|feeder| {
        give(&feeder, &lines, 7);
        feeder.failed("no route".into()).unwrap();
    });
    assert!(matches!(failed, Err(Error::Store(why)) if why.to_string() == "no route"));
}

#[test]
fn a_feeder_is_told_that_nobody_listens_when_the_audit_has_all_that_it_wants() {
    let lines = streams(&everything()).concat().into_bytes();
    let (feeder, fed) = fed();
    let to = Some(StopAt::Position(position_of(2)));
    std::thread::scope(|scope| {
        // More than the auditor and its channel hold.
        let deaf = scope.spawn(move || (0..100_000).any(|_| feeder.lines(lines.clone()).is_err()));
        let audited = audit(Box::new(fed), Options { to, ..Options::default() }).unwrap();
        assert_eq!((audited.finding, audited.position), (None, position_of(2)));
        assert!(deaf.join().unwrap());
    });
}

#[test]
fn a_stream_that_was_cut_makes_a_right_journal_not_right() {
    let verdict = |cut: &[(String, String)]| {
        let bytes = streams_export(&everything());
        let file = File::new(Cursor::new(bytes), Path::new("test.ndjson")).unwrap();
        let mut asked = Vec::new();
        let verdict = verify_store(Box::new(file), Options::default(), &mut |accounts| {
            asked.extend_from_slice(accounts);
            Ok(cut.to_vec())
        });
        assert_eq!(asked, ["account-alice", "account-bob", "account-carol"]);
        verdict.unwrap()
    };
    assert!(verdict(&[]).is_right());
    let cut = verdict(&[("account-bob".into(), "$maxCount is 2".into())]);
    assert!(!cut.is_right());
    assert!(cut.to_string().contains("account-bob") && cut.to_string().contains("$maxCount is 2"), "{cut}");
}

fn exported(events: &[Told], range: (Option<u64>, Option<u64>)) -> (Vec<u8>, Result<Manifest, ExportError>) {
    let bytes = streams_export(events);
    let mut file = File::new(Cursor::new(bytes), Path::new("test.ndjson")).unwrap();
    let mut out = Vec::new();
    let manifest = from_streams(&mut file, range, &mut out, &|_| ());
    (out, manifest)
}

#[test]
fn an_export_is_the_lines_and_a_manifest_with_the_heads() {
    let events = everything();
    let (out, manifest) = exported(&events, (None, None));
    assert_eq!(out, streams_export(&events));
    assert_eq!(manifest.unwrap().chain(), Chain::Streams);
    let lines = streams(&events);
    for (from, to) in [(0, 1), (0, 7), (3, 11), (11, events.len()), (events.len() - 1, events.len())] {
        // The positions asked for need not be those of events.
        let range = (Some(position_of(from) - 2), Some(position_of(to - 1) + 2));
        let (out, manifest) = exported(&events, range);
        assert_eq!(
            String::from_utf8(out.clone()).unwrap(),
            lines[from..to].concat() + &streams_manifest(&lines, from..to)
        );
        assert_eq!(manifest.unwrap().begins(), from == 0);
        let part = audited(&out);
        assert_eq!((part.finding, part.whole), (None, true));
        assert_eq!((part.begins, part.books.is_some()), (from == 0, from == 0));
        assert_eq!((part.from, part.position), (position_of(from), position_of(to - 1)));
    }
}

#[test]
fn parts_fit_together_by_their_hashes_and_one_that_was_made_anew_does_not() {
    let events = everything();
    let cut = position_of(14);
    let (_, first) = exported(&events, (None, Some(cut)));
    let (second, manifest) = exported(&events, (Some(cut + 1), None));
    let (first, manifest) = (first.unwrap(), manifest.unwrap());
    assert_eq!(manifest.previous_hash, first.last_hash);
    let (_, whole) = exported(&events, (None, None));
    assert_eq!(manifest.last_hash, whole.unwrap().last_hash);
    // What was noted of the whole journal is found in a part.
    let expect =
        |at, hash| audited_with(&second, Options { expect: Some((at, hash)), ..Options::default() }).finding;
    assert_eq!(expect(manifest.to, manifest.last_hash), None);
    let place = Place::Position(cut);
    assert_eq!(expect(cut, first.last_hash), Some(Finding { place, flaw: Flaw::NoneExpected }));
    let mut changed = events;
    changed[3].metadata = r#""$correlationId":"another","actor":"loopback""#.into();
    let (_, other) = exported(&changed, (Some(cut + 1), None));
    assert_ne!(other.unwrap().previous_hash, first.last_hash);
}

#[test]
fn what_can_not_be_exported_is_said() {
    let events = everything();
    let between = (Some(position_of(3) + 1), Some(position_of(3) + 2));
    assert!(matches!(exported(&events, between).1, Err(ExportError::None { .. })));
    let end = (Some(position_of(events.len())), None);
    assert!(matches!(exported(&events, end).1, Err(ExportError::None { .. })));
    let (feeder, mut fed) = fed();
    give(&feeder, &streams(&events)[..3], 3);
    feeder.foreign("account-alice".into(), 9_999, "no event".into()).unwrap();
    feeder.foreign("account-bob".into(), 10_000, "no event".into()).unwrap();
    feeder.end().unwrap();
    let foreign = from_streams(&mut fed, (None, None), Vec::new(), &|_| ());
    let Err(ExportError::Bad(findings)) = foreign else { panic!("exported") };
    let places: Vec<Place> = findings.listed().iter().map(|finding| finding.place).collect();
    assert_eq!(places, [Place::Position(9_999), Place::Position(10_000)]);
}

/// Every hash would become another: what was noted of the journal would never be found again.
#[test]
fn it_is_not_restored_into_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("backup.ndjson"), folder.path().join("restored"));
    std::fs::write(&file, streams_export(&everything())).unwrap();
    assert!(matches!(restore((&file, &[]), &data, &|_| ()), Err(RestoreError::Streams)));
    assert!(!data.exists());
    std::fs::write(&file, export(&everything())).unwrap();
    restore((&file, &[]), &data, &|_| ()).unwrap();
}
