//! This file reads a WAL before SQLite does. SQLite stops at the first frame that is not right and drops what is behind
//! it without an error. That is right for the torn end of a commit that was never acknowledged, and wrong for anything
//! else.
//!
//! A frame that belongs to the same WAL and stands behind the end of the torn commit proves that a later commit was
//! made durable. Then the start is refused. The file's format: <https://www.sqlite.org/fileformat2.html#walformat>.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

use super::Error;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// A `Finding` says what a WAL holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The WAL holds nothing, or whole commits only.
    Whole,
    /// The WAL holds whole commits, and behind them something that is no whole commit, perhaps a part of a frame. SQLite will
    /// cut it. It is a commit that was being written when the machine failed, or what is left of commits whose end was lost.
    Torn {
        /// This is where the last whole commit ends in the file.
        at: u64,
        /// This is the length of the torn part, in bytes.
        bytes: u64,
    },
    /// The WAL holds whole commits up to a bad frame, and behind it commits that were durable once.
    Damaged {
        /// This is where the bad frame begins in the file.
        at: u64,
    },
}

#[derive(Clone, Copy)]
struct Header {
    salts: [u8; 8],
    sums: [u32; 2],
    big_endian: bool,
    page: usize,
}

/// Reads the WAL beside a database, and says whether it is whole, torn or damaged.
///
/// # Errors
/// Fails when it can't be read.
pub fn inspect(path: &Path) -> Result<Finding, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Finding::Whole),
        Err(error) => return Err(Error::io(path)(error)),
    };
    let mut file = BufReader::with_capacity(1 << 20, file);
    inspect_bytes(&mut file).map_err(Error::io(path))
}

fn inspect_bytes(file: &mut impl Read) -> std::io::Result<Finding> {
    let mut head = [0; HEADER];
    let got = fill(file, &mut head)?;
    if got == 0 || (got < HEADER && head.iter().all(|byte| *byte == 0)) {
        return Ok(Finding::Whole);
    }
    let Some(header) = header(&head).filter(|_| got == HEADER) else {
        let mut rest = [0; 1];
        // A header without frames, torn or not, has no commits behind it.
        return Ok(if fill(file, &mut rest)? == 0 {
            Finding::Torn { at: 0, bytes: got as u64 }
        } else {
            Finding::Damaged { at: 0 }
        });
    };
    let mut frame = vec![0; FRAME_HEADER + header.page];
    let mut walk = Walk {
        sums: header.sums,
        good_until: HEADER as u64,
        ours_until: 0,
        bad: None,
        commit_seen_behind_bad: false,
    };
    let mut at = HEADER as u64;
    loop {
        let got = fill(file, &mut frame)?;
        if got == 0 {
            break;
        }
        if let Some(damaged) = walk.step(&header, &frame, got, at) {
            return Ok(damaged);
        }
        at += got as u64;
    }
    Ok(walk.end())
}

struct Walk {
    sums: [u32; 2],
    /// This is where the last whole commit ends.
    good_until: u64,
    /// This is where the last frame with this WAL's salts ends.
    ours_until: u64,
    /// This is where the first frame that is not right begins.
    bad: Option<u64>,
    commit_seen_behind_bad: bool,
}

impl Walk {
    fn step(&mut self, header: &Header, frame: &[u8], got: usize, at: u64) -> Option<Finding> {
        let whole = got == frame.len();
        let ours = whole && frame.get(8..16) == Some(&header.salts[..]);
        let ends_commit = frame.get(4..8).is_some_and(|size| size != [0; 4]);
        if let Some(bad) = self.bad {
            if ours && self.commit_seen_behind_bad {
                return Some(Finding::Damaged { at: bad });
            }
            self.commit_seen_behind_bad |= ours && ends_commit;
            if ours {
                self.ours_until = at + got as u64;
            }
            return None;
        }
        // The last frame may be cut before its salts. Then nothing shows that it is of an older WAL.
        let is_cut = !whole && (got < 16 || frame.get(8..16) == Some(&header.salts[..]));
        let sums = whole.then(|| frame_sums(self.sums, frame, header.big_endian));
        if ours && sums.is_some_and(|sums| frame.get(16..24) == Some(&be(sums)[..])) {
            self.sums = sums.unwrap_or_default();
            if ends_commit {
                self.good_until = at + got as u64;
            }
        } else {
            self.bad = Some(at);
            // The bad frame may itself be the end of its commit: then what follows is a later one.
            self.commit_seen_behind_bad = ours && ends_commit;
        }
        if ours || is_cut {
            self.ours_until = at + got as u64;
        }
        None
    }

    /// Says what was found. Frames of an older WAL that are left behind the end of this one are no finding.
    fn end(&self) -> Finding {
        if self.ours_until > self.good_until {
            Finding::Torn { at: self.good_until, bytes: self.ours_until - self.good_until }
        } else {
            Finding::Whole
        }
    }
}

fn header(bytes: &[u8; HEADER]) -> Option<Header> {
    let word = |at: usize| {
        let mut word = [0; 4];
        word.copy_from_slice(&bytes[at..at + 4]);
        u32::from_be_bytes(word)
    };
    let big_endian = match word(0) {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return None,
    };
    let sums = add([0, 0], &bytes[..24], big_endian);
    let page = usize::try_from(word(8)).ok().filter(|page| (512..=65_536).contains(page))?;
    let mut salts = [0; 8];
    salts.copy_from_slice(&bytes[16..24]);
    (bytes[24..] == be(sums)).then_some(Header { salts, sums, big_endian, page })
}

fn frame_sums(before: [u32; 2], frame: &[u8], big_endian: bool) -> [u32; 2] {
    let (head, page) = frame.split_at(FRAME_HEADER);
    add(add(before, &head[..8], big_endian), page, big_endian)
}

/// Computes SQLite's checksum: two sums that run over pairs of words.
fn add(mut sums: [u32; 2], bytes: &[u8], big_endian: bool) -> [u32; 2] {
    let word =
        |bytes: &[u8; 4]| if big_endian { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) };
    for [first, second] in bytes.as_chunks::<4>().0.as_chunks::<2>().0 {
        sums[0] = sums[0].wrapping_add(word(first)).wrapping_add(sums[1]);
        sums[1] = sums[1].wrapping_add(word(second)).wrapping_add(sums[0]);
    }
    sums
}

fn be(sums: [u32; 2]) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&sums[0].to_be_bytes());
    bytes[4..].copy_from_slice(&sums[1].to_be_bytes());
    bytes
}

fn fill(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while let Some(rest) = buffer.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    /// Makes a WAL of `commits` commits of several pages each, as a killed process leaves it.
    fn killed(commits: usize) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let db = Connection::open(dir.path().join("j")).unwrap();
        db.execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(x)").unwrap();
        for _ in 0..commits {
            db.execute("INSERT INTO t VALUES (randomblob(9000))", []).unwrap();
        }
        std::fs::read(dir.path().join("j-wal")).unwrap()
    }

    fn look(bytes: &[u8]) -> Finding {
        inspect_bytes(&mut &bytes[..]).unwrap()
    }

    /// Returns where the frames begin that end a commit.
    fn commit_ends(wal: &[u8]) -> Vec<usize> {
        (HEADER..wal.len()).step_by(FRAME_HEADER + 4096).filter(|at| wal[at + 4..at + 8] != [0; 4]).collect()
    }

    #[test]
    fn a_whole_wal_is_whole() {
        assert_eq!(look(&killed(5)), Finding::Whole);
        assert_eq!(look(&[]), Finding::Whole);
    }

    /// Seen failing where the file ends in the middle of the first frame behind a whole commit: nothing was found there.
    #[test]
    fn a_torn_last_commit_is_cut_wherever_it_tore() {
        let wal = killed(3);
        let ends = commit_ends(&wal);
        let before_last = ends[ends.len() - 2] + FRAME_HEADER + 4096;
        for length in (before_last + 1..wal.len()).step_by(499) {
            let expected = Finding::Torn { at: before_last as u64, bytes: (length - before_last) as u64 };
            assert_eq!(look(&wal[..length]), expected, "cut at {length}");
        }
        assert!(matches!(look(&wal[..wal.len() - 4096]), Finding::Torn { .. }));
        let mut torn = wal.clone();
        torn[before_last + 100] ^= 1;
        assert!(matches!(look(&torn), Finding::Torn { .. }), "a bad frame in the last commit");
    }

    /// Catches: a start that believes SQLite and forgets acknowledged commits behind a flipped bit.
    #[test]
    fn a_bad_frame_before_the_last_commit_is_damage() {
        let wal = killed(6);
        let ends = commit_ends(&wal);
        let last_two = ends[ends.len() - 3] + FRAME_HEADER + 4096;
        for at in (0..last_two).step_by(97) {
            let mut bad = wal.clone();
            bad[at] ^= 4;
            assert!(matches!(look(&bad), Finding::Damaged { .. }), "byte {at} of {}", wal.len());
        }
    }
}
