//! The `-wal` file of a database may have a damaged frame although later commits stand behind that frame.
//!
//! SQLite reads a WAL up to the first frame whose checksum is wrong, and does not say that it stopped there. That is right for
//! a commit that was being written when the power failed: nothing stands behind it. A frame that was damaged afterwards looks
//! the same, except that later commits stand behind it, which were made when it was durable already. The file's format is
//! described at sqlite.org/fileformat2.html, 4.

use std::path::Path;

use crate::audit::error::Error;
use crate::audit::values::finding::Flaw;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Looks behind the last commit that SQLite reads in the WAL of this database. A WAL that is started over while it is read is
/// taken as good: then a service is running, and has read the frames itself.
///
/// # Errors
/// Fails when the file is there and can't be read.
pub(crate) fn behind(database: &Path) -> Result<Behind, Error> {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    let read = || match std::fs::read(&path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(Error::Read { path: (&path).into(), source }),
    };
    let bytes = read()?;
    let found = look(&bytes);
    if found == Behind::default() {
        return Ok(found);
    }
    // A running service has read the frames itself, and may be writing a commit at this moment.
    let again = read()?;
    let is_begun_anew = again.get(..HEADER) != bytes.get(..HEADER);
    Ok(Behind { flaw: found.flaw.filter(|_| !is_begun_anew), torn: found.torn.filter(|_| again == bytes) })
}

/// This says what stands behind the last commit that SQLite reads.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Behind {
    /// These are later commits, which were durable once.
    pub(crate) flaw: Option<Flaw>,
    /// This is something that is no whole commit.
    pub(crate) torn: Option<Torn>,
}

/// A torn end is what stands behind the last whole commit of a WAL and is no whole commit. It may be a commit that was being
/// written and was never answered, or what is left of commits whose end was lost later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Torn {
    /// This is where the last whole commit ends in the file.
    pub(crate) at: u64,
    /// This is how many bytes stand behind it.
    pub(crate) bytes: u64,
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |four| u32::from_be_bytes(*four))
}

fn look(wal: &[u8]) -> Behind {
    let damaged = |why: String| Behind { flaw: Some(Flaw::Database(why)), torn: None };
    let Some((header, frames)) = wal.split_at_checked(HEADER) else {
        let torn = Torn { at: 0, bytes: wal.len() as u64 };
        return Behind { torn: wal.iter().any(|byte| *byte != 0).then_some(torn), flaw: None };
    };
    let page = number(header, 8) as usize;
    let mut sums = Sums { pair: (0, 0), little: number(header, 0) & 1 == 0 };
    sums.add(header.get(..24).unwrap_or_default());
    let known = number(header, 0) & !1 == 0x377f_0682 && (512..=65_536).contains(&page);
    if !known || sums.pair != (number(header, 24), number(header, 28)) {
        return match frames.len() > FRAME_HEADER {
            true => damaged("the -wal file's header is damaged: what was in it is lost".into()),
            false => Behind::default(),
        };
    }
    let salt = header.get(16..24).unwrap_or_default();
    let mut bad = None;
    let mut commits_from_bad = 0_u64;
    // Where the last whole commit ends, and the last frame that is of this WAL and not of an older one.
    let (mut whole_until, mut ours_until, mut at) = (HEADER, HEADER, HEADER);
    for (frame, place) in frames.chunks(page.saturating_add(FRAME_HEADER)).zip(1_u64..) {
        let is_whole = frame.len() > page;
        let ours = frame.get(8..16).map_or(bad.is_none(), |salt_there| salt_there == salt);
        let ends_commit = ours && is_whole && number(frame, 4) != 0;
        at = at.saturating_add(frame.len());
        if bad.is_none() {
            sums.add(frame.get(..8).unwrap_or_default());
            sums.add(frame.get(FRAME_HEADER..).unwrap_or_default());
            if !ours || !is_whole || sums.pair != (number(frame, 16), number(frame, 20)) {
                bad = Some(place);
            } else if ends_commit {
                whole_until = at;
            }
        }
        if ours {
            ours_until = at;
        }
        if bad.is_some() && ends_commit {
            commits_from_bad = commits_from_bad.saturating_add(1);
        }
    }
    // One commit may be the one that was being written. Two can't both be.
    if let Some(frame) = bad.filter(|_| commits_from_bad > 1) {
        return damaged(format!(
            "frame {frame} of the -wal file is damaged, and later commits stand behind it"
        ));
    }
    let bytes = ours_until.saturating_sub(whole_until) as u64;
    Behind { flaw: None, torn: (bytes > 0).then_some(Torn { at: whole_until as u64, bytes }) }
}

/// The sums are the running checksum over a WAL.
struct Sums {
    pair: (u32, u32),
    little: bool,
}

impl Sums {
    fn add(&mut self, bytes: &[u8]) {
        for eight in bytes.chunks_exact(8) {
            let read = |at| {
                let word = number(eight, at);
                if self.little { word.swap_bytes() } else { word }
            };
            self.pair.0 = self.pair.0.wrapping_add(read(0)).wrapping_add(self.pair.1);
            self.pair.1 = self.pair.1.wrapping_add(read(4)).wrapping_add(self.pair.0);
        }
    }
}
