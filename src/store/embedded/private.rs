//! This file makes what is in the data folder its owner's alone. Whoever can read the folder can read every account,
//! and whoever can write it can change what the ledger believes.
//!
//! New files are made so by the process (its `umask`). The functions here take away the rights that others have on
//! files that exist already.

use std::fs::{Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// These bits are the rights of the group and of all others.
const OF_OTHERS: u32 = 0o077;

/// Takes away all rights that others have on this folder and on what is in it. Links are left alone.
///
/// Where that can't be done (on a mounted volume of another owner) the service goes on, and logs it.
pub(super) fn make_private(folder: &Path) {
    let mut failed: Option<(String, io::Error)> = None;
    // The folder may be reached by a link; what is in it is not.
    if let Err(error) = std::fs::metadata(folder).and_then(|found| tighten(folder, &found)) {
        failed = Some((folder.display().to_string(), error));
    }
    walk(folder, &mut failed);
    if let Some((path, error)) = failed {
        tracing::warn!(path, %error, "others have rights on what is in the data folder, which can't be taken away");
    }
}

fn walk(folder: &Path, failed: &mut Option<(String, io::Error)>) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            failed.get_or_insert((folder.display().to_string(), error));
            return;
        }
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        match std::fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {}
            // A file may go while it is looked at; then there is nothing to take away.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(found) => {
                if let Err(error) = tighten(&path, &found) {
                    failed.get_or_insert((path.display().to_string(), error));
                }
                if found.is_dir() {
                    walk(&path, failed);
                }
            }
            Err(error) => {
                failed.get_or_insert((path.display().to_string(), error));
            }
        }
    }
}

fn tighten(path: &Path, found: &Metadata) -> io::Result<()> {
    match found.mode() & OF_OTHERS {
        0 => Ok(()),
        _ => std::fs::set_permissions(path, Permissions::from_mode(found.mode() & 0o7777 & !OF_OTHERS)),
    }
}
