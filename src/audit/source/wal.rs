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

/// Looks behind the first bad frame of the WAL of this database. A WAL that is started over while it is read is taken as good:
/// then a service is running, and has read the frames itself.
///
/// # Errors
/// Fails when the file is there and can't be read.
pub(crate) fn behind(database: &Path) -> Result<Option<Flaw>, Error> {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    let read = || match std::fs::read(&path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(Error::Read { path: (&path).into(), source }),
    };
    let bytes = read()?;
    match look(&bytes) {
        Some(flaw) if read()?.get(..HEADER) == bytes.get(..HEADER) => Ok(Some(flaw)),
        _ => Ok(None),
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |four| u32::from_be_bytes(*four))
}

fn look(wal: &[u8]) -> Option<Flaw> {
    let header = wal.get(..HEADER)?;
    let page = number(header, 8) as usize;
    let mut sums = Sums { pair: (0, 0), little: number(header, 0) & 1 == 0 };
    sums.add(header.get(..24)?);
    let known = number(header, 0) & !1 == 0x377f_0682 && (512..=65_536).contains(&page);
    if !known || sums.pair != (number(header, 24), number(header, 28)) {
        let frames = wal.get(HEADER..).is_some_and(|behind| behind.len() > FRAME_HEADER);
        return frames
            .then(|| Flaw::Database("the -wal file's header is damaged: what was in it is lost".into()));
    }
    let salt = header.get(16..24)?;
    let mut bad = None;
    let mut commits_from_bad = 0_u64;
    for (frame, place) in wal.get(HEADER..)?.chunks_exact(page.saturating_add(FRAME_HEADER)).zip(1_u64..) {
        let ours = frame.get(8..16) == Some(salt);
        if bad.is_none() {
            sums.add(frame.get(..8)?);
            sums.add(frame.get(FRAME_HEADER..)?);
            if !ours || sums.pair != (number(frame, 16), number(frame, 20)) {
                bad = Some(place);
            }
        }
        if bad.is_some() && ours && number(frame, 4) != 0 {
            commits_from_bad = commits_from_bad.saturating_add(1);
        }
    }
    // One commit may be the one that was being written, but not two.
    let flaw =
        |frame| format!("frame {frame} of the -wal file is damaged, and later commits stand behind it");
    bad.filter(|_| commits_from_bad > 1).map(|frame| Flaw::Database(flaw(frame)))
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
