//! The index's files on a disk that stops at any moment, or that does not do what it was told.
//!
//! The folder is taken at moments while events come in. Between two of them lie the states that a crash can leave: they are
//! made by hand, and from each the index must open and know everything. Then the disk lies: a write is lost, torn or lands
//! elsewhere. The index is refused, or it knows everything; a map beside it says which.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::Index as Any;

use crate::folders::{as_a_crash_leaves_it, write_all};
use crate::known::{Choice, Known};
use crate::{WHOLE, asked, choices, open_index};

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// What a disk writes as one.
const SECTOR: usize = 512;

fn is_run(path: &&PathBuf) -> bool {
    path.extension().is_some_and(|end| end == "run")
}

/// The index is fed in bursts; its files are taken after each.
fn bursts(bursts: &[Vec<Choice>]) -> (Known, Vec<Files>) {
    let dir = tempfile::tempdir().unwrap();
    let mut known = Known::default();
    let index = open_index(dir.path()).unwrap();
    let mut taken = vec![as_a_crash_leaves_it(dir.path())];
    for burst in bursts {
        let before = known.last();
        burst.iter().for_each(|choice| known.next(*choice));
        for after in before..known.last() {
            index.wait_for_room(1, || false);
            known.feed(&index, after, after + 1);
        }
        taken.push(as_a_crash_leaves_it(dir.path()));
    }
    index.close().unwrap();
    taken.push(as_a_crash_leaves_it(dir.path()));
    (known, taken)
}

/// Where a crash falls: among the runs that are being written, in the catalog's log, or among the files to be removed.
#[derive(Clone, Debug)]
enum Crash {
    WritingRuns(Any, Any),
    MovingTheCheckpoint(Any),
    RemovingRuns(Any),
}

fn crash() -> impl Strategy<Value = Crash> {
    prop_oneof![
        (any::<Any>(), any::<Any>()).prop_map(|(run, cut)| Crash::WritingRuns(run, cut)),
        any::<Any>().prop_map(Crash::MovingTheCheckpoint),
        any::<Any>().prop_map(Crash::RemovingRuns),
    ]
}

/// Returns the number of commits in the frames of a WAL (<https://www.sqlite.org/fileformat2.html#walformat>).
fn commits(wal: &[u8], has_header: bool) -> usize {
    const HEADER: usize = 32;
    const FRAME: usize = 24 + 4_096;
    let frames = wal.get(if has_header { HEADER } else { 0 }..).unwrap_or_default();
    frames.chunks(FRAME).filter(|frame| frame.get(4..8).is_some_and(|size| size != [0; 4])).count()
}

impl Crash {
    /// What it leaves between two moments.
    fn between(&self, before: &Files, after: &Files) -> Files {
        let new: Vec<_> = after.keys().filter(is_run).filter(|path| !before.contains_key(*path)).collect();
        let gone: Vec<_> = before.keys().filter(is_run).filter(|path| !after.contains_key(*path)).collect();
        match self {
            // The catalog is still the one of before.
            Self::WritingRuns(run, cut) => {
                let mut files = before.clone();
                let whole = run.index(new.len() + 1);
                files.extend(new.iter().take(whole).map(|path| ((*path).clone(), after[*path].clone())));
                if let Some(path) = new.get(whole) {
                    let bytes = &after[*path];
                    files.insert((*path).clone(), bytes[..cut.index(bytes.len() + 1)].to_vec());
                }
                files
            }
            // Nothing is removed before the catalog no longer names it. Whatever is not in the log was not committed.
            Self::MovingTheCheckpoint(cut) => {
                let mut files = after.clone();
                files.extend(gone.iter().map(|path| ((*path).clone(), before[*path].clone())));
                let (database, log) = (PathBuf::from("index.db"), PathBuf::from("index.db-wal"));
                let (Some(old), Some(new)) = (before.get(&log), after.get(&log)) else { return files };
                // With several commits between the moments, a cut would bring back a catalog whose runs nobody has kept:
                // they are removed only when the next catalog is durable, and then such a cut can't be.
                let is_one = new.starts_with(old) && commits(&new[old.len()..], old.is_empty()) <= 1;
                if before.get(&database) == after.get(&database) && is_one {
                    let cut = old.len() + cut.index(new.len() - old.len() + 1);
                    files.insert(log, new[..cut].to_vec());
                }
                files
            }
            Self::RemovingRuns(still_there) => {
                let mut files = after.clone();
                let left = gone.iter().skip(still_there.index(gone.len() + 1));
                files.extend(left.map(|path| ((*path).clone(), before[*path].clone())));
                files
            }
        }
    }
}

/// What the disk did not do as it was told.
#[derive(Clone, Debug)]
enum Lie {
    /// A sector is what it was before.
    Lost(Any, Any),
    /// A sector was never written.
    Zero(Any, Any),
    /// A sector landed in the place of another, of the same file or of another.
    Misdirected(Any, Any, Any, Any),
    /// Two sectors changed places.
    Swapped(Any, Any, Any, Any),
    /// A whole file is what it was before.
    Stale(Any),
    /// A file's end is missing.
    Cut(Any, Any),
}

fn lie() -> impl Strategy<Value = Lie> {
    let any = any::<Any>;
    prop_oneof![
        (any(), any()).prop_map(|(file, at)| Lie::Lost(file, at)),
        (any(), any()).prop_map(|(file, at)| Lie::Zero(file, at)),
        (any(), any(), any(), any()).prop_map(|(a, b, c, d)| Lie::Misdirected(a, b, c, d)),
        (any(), any(), any(), any()).prop_map(|(a, b, c, d)| Lie::Swapped(a, b, c, d)),
        any().prop_map(Lie::Stale),
        (any(), any()).prop_map(|(file, at)| Lie::Cut(file, at)),
    ]
}

/// A sector of one of the files: which file, which sector, its bytes.
fn sector<'a>(files: &'a mut Files, file: &Any, at: &Any) -> Option<(PathBuf, usize, &'a mut [u8])> {
    let count = files.len();
    let (path, bytes) = files.iter_mut().nth(file.index(count))?;
    let sectors = bytes.len().div_ceil(SECTOR);
    let nth = (sectors > 0).then(|| at.index(sectors))?;
    Some((path.clone(), nth, bytes.chunks_mut(SECTOR).nth(nth)?))
}

fn overwrite(place: &mut [u8], with: &[u8]) {
    let length = place.len().min(with.len());
    place[..length].copy_from_slice(&with[..length]);
}

impl Lie {
    /// Changes the files of now; `before`: what they were at an earlier moment.
    fn tell(&self, files: &mut Files, before: &Files) {
        match self {
            Self::Lost(file, at) => {
                let Some((path, nth, place)) = sector(files, file, at) else { return };
                place.fill(0);
                if let Some(old) = before.get(&path).and_then(|old| old.chunks(SECTOR).nth(nth)) {
                    overwrite(place, old);
                }
            }
            Self::Zero(file, at) => {
                if let Some((_, _, place)) = sector(files, file, at) {
                    place.fill(0);
                }
            }
            Self::Misdirected(file, at, other, there) => {
                let Some(written) = sector(files, file, at).map(|(_, _, bytes)| bytes.to_vec()) else {
                    return;
                };
                if let Some((_, _, place)) = sector(files, other, there) {
                    overwrite(place, &written);
                }
            }
            Self::Swapped(file, at, other, there) => {
                let Some(one) = sector(files, file, at).map(|(_, _, bytes)| bytes.to_vec()) else { return };
                let Some((_, _, place)) = sector(files, other, there) else { return };
                let two = place.to_vec();
                overwrite(place, &one);
                if let Some((_, _, place)) = sector(files, file, at) {
                    overwrite(place, &two);
                }
            }
            Self::Stale(file) => {
                let path = files.keys().nth(file.index(files.len())).cloned();
                if let Some((path, old)) = path.and_then(|path| Some((path.clone(), before.get(&path)?))) {
                    files.insert(path, old.clone());
                }
            }
            Self::Cut(file, at) => {
                let count = files.len();
                if let Some(bytes) = files.values_mut().nth(file.index(count)) {
                    let length = at.index(bytes.len() + 1);
                    bytes.truncate(length);
                }
            }
        }
    }
}

/// More cases than usual, when `BOOKONCE_TEST_TIMES` says so.
fn cases(usual: u32) -> u32 {
    let times = std::env::var("BOOKONCE_TEST_TIMES").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    usual.saturating_mul(times)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(6),
        max_shrink_iters: 50,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Catches: a run that is used before its catalog row is durable, a row that is durable before its run; a file that is
    /// removed too soon; a piece of any file that is believed where it is not what was written there.
    #[test]
    fn whatever_the_disk_does_the_index_is_right_or_refused(
        choices in proptest::collection::vec(choices(50), 2..4),
        crashes in proptest::collection::vec(crash(), 3),
        lies in proptest::collection::vec(lie(), 6),
    ) {
        let (known, taken) = bursts(&choices);
        let dir = tempfile::tempdir().unwrap();
        for pair in taken.windows(2) {
            let [before, after] = pair else { continue };
            for crash in &crashes {
                write_all(dir.path(), &crash.between(before, after));
                let opened = asked(dir.path(), &known, WHOLE);
                prop_assert!(opened.is_ok(), "after {crash:?} it does not open: {:?}", opened.err());
            }
            for lie in &lies {
                let mut files = after.clone();
                lie.tell(&mut files, before);
                write_all(dir.path(), &files);
                // A wrong answer panics; to be refused is right.
                let _right_or_refused = asked(dir.path(), &known, WHOLE);
            }
        }
    }
}
