//! The holder is the random id of a data folder. It tells a folder from its copies: two of them that both pay would pay
//! everything twice.
//!
//! It stands in `sending.json`, beside the inode and the birth time of `journal.db`. In a copy these differ; a folder that was
//! moved within its file system keeps both, and so does one that is started again. The journal's database names the id, too: a
//! folder whose database was taken without the file, or put over that of another copy, is told by that. Nothing of it is in an
//! export. A copy in which a destination was resumed has an id for messages alone, in `messages.json`, found in the same way:
//! what the folder is to transfers does not change by that. What can't be told: a cloned disk, a snapshot that is mounted, and
//! files that were written over in their place.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

use super::folder::JOURNAL;
use super::{Error, database};

/// This is the name of the file.
const FILE: &str = "sending.json";
/// This is the name of the file with the id for messages alone.
const MESSAGES: &str = "messages.json";

/// A `Written` is what the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// This is the random id.
    holder: Uuid,
    /// This is the inode of the journal's file.
    inode: u64,
    /// This is when the journal's file was made, in nanoseconds since 1970; `None` where the file system does not say. Without
    /// it a copy that was given the inode of a deleted original is not told.
    born_ns: Option<u64>,
}

/// A `Found` says whose folder it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is the folder in which this id was written.
    Own(Uuid),
    /// No id is there, or it was not written whole: the folder is new, restored from an export, or of a version that wrote
    /// none.
    Unmarked,
    /// It is a copy, or nobody can tell.
    Doubtful(Doubt),
}

/// A `Doubt` says why a folder is taken for a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The journal is not the file that the id was written for.
    Copied,
    /// The journal's database names an id, and there is no file.
    Missing,
    /// The file can't be read, or says something else.
    Unreadable,
}

impl Doubt {
    /// Returns the doubt in words, as the end of a sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Copied => {
                "this folder is a copy: its journal is not the file that sending.json was written for"
            }
            Self::Missing => "sending.json is missing, which tells this folder from a copy of it",
            Self::Unreadable => "sending.json can't be read, which tells this folder from a copy of it",
        }
    }
}

/// Looks whose folder it is, and writes nothing.
///
/// # Errors
/// Fails when the journal can't be looked at or read.
pub fn find(folder: &Path) -> Result<Found, Error> {
    let path = folder.join(JOURNAL);
    let in_journal = database::read_holder(&database::open_to_read(&path)?)?;
    let written = match std::fs::read(folder.join(FILE)) {
        Ok(bytes) => serde_json::from_slice::<Written>(&bytes).map_err(io::Error::from),
        Err(error) => Err(error),
    };
    Ok(match (written, in_journal) {
        (Ok(written), _) if written != here(folder, written.holder)? => Found::Doubtful(Doubt::Copied),
        (Ok(written), Some(named)) if written.holder == named => Found::Own(named),
        (Ok(_), Some(_)) => Found::Doubtful(Doubt::Copied),
        // The process ended between the two, or before the first of them.
        (Ok(_), None) => Found::Unmarked,
        (Err(error), None) if error.kind() == io::ErrorKind::NotFound => Found::Unmarked,
        (Err(error), Some(_)) if error.kind() == io::ErrorKind::NotFound => Found::Doubtful(Doubt::Missing),
        (Err(error), _) => {
            tracing::warn!(%error, "sending.json can't be read");
            Found::Doubtful(Doubt::Unreadable)
        }
    })
}

/// Makes a folder the one that holds an id of its own, which is made of `fresh`, a random number. It is durable when this
/// returns. The file comes first: what a crash leaves in between is the folder of before or a doubtful one.
///
/// # Errors
/// Fails when it can't be written.
pub fn write(folder: &Path, fresh: Uuid) -> Result<Uuid, Error> {
    let id = id(fresh);
    let written = here(folder, id)?;
    if written.born_ns.is_none() {
        tracing::warn!(
            "the file system does not say when a file was made: not every copy of this folder will be told"
        );
    }
    write_file(folder, FILE, written).map_err(Error::io(folder.join(FILE)))?;
    database::write_holder(&database::open(&folder.join(JOURNAL))?, id)?;
    Ok(id)
}

/// Returns the id that a folder has for messages alone; `None` where it has none, or it is that of a folder of which this one
/// is a copy.
///
/// # Errors
/// Fails when the journal can't be looked at.
pub fn find_for_messages(folder: &Path) -> Result<Option<Uuid>, Error> {
    let written = match std::fs::read(folder.join(MESSAGES)) {
        Ok(bytes) => serde_json::from_slice::<Written>(&bytes).map_err(io::Error::from),
        Err(error) => Err(error),
    };
    match written {
        Ok(written) if written == here(folder, written.holder)? => Ok(Some(written.holder)),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            tracing::warn!(%error, "messages.json can't be read: every destination is held that was resumed here");
            Ok(None)
        }
    }
}

/// Gives a folder an id for messages alone, which is made of `fresh`, a random number, and returns it. What the folder is to
/// transfers stays as it is. It is durable when this returns.
///
/// # Errors
/// Fails when it can't be written.
pub fn write_for_messages(folder: &Path, fresh: Uuid) -> Result<Uuid, Error> {
    let id = id(fresh);
    write_file(folder, MESSAGES, here(folder, id)?).map_err(Error::io(folder.join(MESSAGES)))?;
    Ok(id)
}

/// Makes the id of a random number that is used for other ids, too.
fn id(fresh: Uuid) -> Uuid {
    let hash: [u8; 32] = Sha256::digest([b"bookonce holder ".as_slice(), fresh.as_bytes()].concat()).into();
    let mut half = [0; 16];
    half.copy_from_slice(hash.split_at(16).0);
    Builder::from_random_bytes(half).into_uuid()
}

fn write_file(folder: &Path, name: &str, written: Written) -> io::Result<()> {
    let new = folder.join(format!("{name}.new"));
    let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    serde_json::to_writer(&mut out, &written)?;
    out.write_all(b"\n")?;
    out.sync_all()?;
    std::fs::rename(&new, folder.join(name))?;
    File::open(folder)?.sync_all()
}

fn here(folder: &Path, holder: Uuid) -> Result<Written, Error> {
    let path = folder.join(JOURNAL);
    let found = std::fs::metadata(&path).map_err(Error::io(path))?;
    let born = found.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    let born_ns = born.and_then(|born| u64::try_from(born.as_nanos()).ok());
    Ok(Written { holder, inode: found.ino(), born_ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Uuid = Uuid::from_u128(1);

    /// Makes a folder with a journal, and marks it.
    fn marked(folder: &Path) -> Uuid {
        std::fs::create_dir(folder).unwrap();
        database::open(&folder.join(JOURNAL)).unwrap();
        assert_eq!(find(folder).unwrap(), Found::Unmarked);
        write(folder, FIRST).unwrap()
    }

    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }

    #[test]
    fn a_copied_folder_is_told_and_a_moved_one_is_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let [first, other, moved] = ["first", "other", "moved"].map(|name| dir.path().join(name));
        let id = marked(&first);
        assert_eq!(find(&first).unwrap(), Found::Own(id));
        copy(&first, &other);
        assert_eq!(find(&other).unwrap(), Found::Doubtful(Doubt::Copied));
        std::fs::rename(&first, &moved).unwrap();
        assert_eq!(find(&moved).unwrap(), Found::Own(id));
        // A backup that is put back in the place of the original is a copy, too.
        std::fs::rename(&other, &first).unwrap();
        assert_eq!(find(&first).unwrap(), Found::Doubtful(Doubt::Copied));
        let own = write(&first, Uuid::from_u128(2)).unwrap();
        assert_ne!(own, id);
        assert_eq!((find(&first).unwrap(), find(&moved).unwrap()), (Found::Own(own), Found::Own(id)));
        // The original's journal is written over that of the copy, whose inode and birth time stay.
        let over = std::fs::read(moved.join(JOURNAL)).unwrap();
        std::fs::write(first.join(JOURNAL), over).unwrap();
        assert_eq!(find(&first).unwrap(), Found::Doubtful(Doubt::Copied));
    }

    #[test]
    fn a_file_that_is_missing_or_broken_is_doubtful_and_one_that_was_never_written_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, file) = (dir.path().join("data"), dir.path().join("data").join(FILE));
        let id = marked(&folder);
        let good = std::fs::read_to_string(&file).unwrap();
        for broken in
            ["", "{}", "null", &good.replace("holder", "owner"), &format!("{good}x"), &good[..good.len() / 2]]
        {
            std::fs::write(&file, broken).unwrap();
            assert_eq!(find(&folder).unwrap(), Found::Doubtful(Doubt::Unreadable), "{broken}");
        }
        // It was written where the file system does not say when a file was made.
        let born = serde_json::from_str::<Written>(&good).unwrap().born_ns;
        if born.is_some() {
            let unsaid = Written { holder: id, born_ns: None, ..serde_json::from_str(&good).unwrap() };
            std::fs::write(&file, serde_json::to_string(&unsaid).unwrap()).unwrap();
            assert_eq!(find(&folder).unwrap(), Found::Doubtful(Doubt::Copied));
        }
        std::fs::remove_file(&file).unwrap();
        assert_eq!(find(&folder).unwrap(), Found::Doubtful(Doubt::Missing));
        // The process ended after the file and before the database.
        std::fs::write(&file, good).unwrap();
        let journal = database::open(&folder.join(JOURNAL)).unwrap();
        journal.execute("DELETE FROM journal WHERE key = 'holder'", []).unwrap();
        assert_eq!(find(&folder).unwrap(), Found::Unmarked);
    }
}
