//! The holder is a random id of a data folder. It says whether the folder is the one that served its destinations, or a copy of
//! it: two copies that both send would send everything twice.
//!
//! It stands in `sending.json`, beside the inode and the birth time of the journal's file. A copy has a file of its own, so
//! that these differ; a folder that is moved within its disk keeps both. The file is in no export. A cloned disk or machine
//! can't be told from its original by this.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// This is the name of the file.
const FILE: &str = "sending.json";
/// This is the name of the journal's file.
const JOURNAL: &str = "journal.db";

/// A `Holder` is what the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Holder {
    /// This is the random id.
    holder: Uuid,
    /// This is the inode of the journal's file.
    inode: u64,
    /// This is when the journal's file was made, in nanoseconds since 1970; `None` where the file system does not say.
    born_ns: Option<u64>,
}

/// A `Found` says whose folder it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is the folder in which this id was written.
    Own(Uuid),
    /// It is a copy of the folder in which this id was written.
    Copy(Uuid),
    /// No id was written, or it was not copied with the rest.
    Nothing,
}

/// Looks whose folder it is.
///
/// # Errors
/// Fails when the file or the journal can't be read, or the file says something else. Nothing may be sent then: nobody knows
/// whether the folder is a copy.
pub fn find(folder: &Path) -> io::Result<Found> {
    let written: Holder = match std::fs::read(folder.join(FILE)) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    let here = here(folder, written.holder)?;
    Ok(if here == written { Found::Own(written.holder) } else { Found::Copy(written.holder) })
}

/// Writes an id into a folder, in the place of the one before. It is durable when this returns.
///
/// # Errors
/// Fails when it can't be written; then the one before it counts.
pub fn write(folder: &Path, id: Uuid) -> io::Result<()> {
    let new = folder.join(format!("{FILE}.new"));
    let mut out = File::create(&new)?;
    serde_json::to_writer(&mut out, &here(folder, id)?)?;
    out.write_all(b"\n")?;
    out.sync_all()?;
    std::fs::rename(&new, folder.join(FILE))?;
    File::open(folder)?.sync_all()
}

fn here(folder: &Path, holder: Uuid) -> io::Result<Holder> {
    let data = std::fs::metadata(folder.join(JOURNAL))?;
    let born = data.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    let born_ns = born.and_then(|born| u64::try_from(born.as_nanos()).ok());
    Ok(Holder { holder, inode: data.ino(), born_ns })
}
