//! A held folder is known by its handle and not by its path, so that a folder that was moved away stays the one that it is, and
//! another one that stands in its place is never taken for it.
//!
//! Files are opened through the handle, where the system lets a path begin with one (Linux). The files that are open go
//! with the folder in any case. Whether the folder still stands at its path is asked once a second, off the way of a write.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

/// A file or folder is the same one when its device and its number there are the same.
type Identity = (u64, u64);

/// A `Held` is a folder that is held by its handle.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    handle: File,
    /// These stand in it and must stay the same.
    within: Mutex<Vec<(PathBuf, Identity)>>,
}

impl Held {
    /// Takes hold of the folder at this path.
    ///
    /// # Errors
    /// Fails when it can't be opened.
    pub fn take(path: &Path) -> io::Result<Self> {
        // A path that rests on the working directory would be another after a change of it.
        let path = std::path::absolute(path)?;
        Ok(Self { handle: File::open(&path)?, path, within: Mutex::default() })
    }

    /// Returns the path through which this folder is reached wherever it is moved; where the system has no such paths, the
    /// path at which it stood.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let through = PathBuf::from(format!("/proc/self/fd/{}", self.handle.as_raw_fd()));
        match (through.metadata(), self.handle.metadata()) {
            (Ok(found), Ok(held)) if of(&found) == of(&held) => through,
            (Ok(_) | Err(_), Ok(_) | Err(_)) => self.path.clone(),
        }
    }

    /// Remembers a file or folder that stands in the folder now, and must not become another one.
    pub fn remember(&self, name: &str) {
        if let Ok(found) = self.path().join(name).metadata() {
            self.within.lock().push((name.into(), of(&found)));
        }
    }

    /// Says that something else stands at the folder's path, in words for an operator. What can't be looked at is not taken for
    /// something else.
    #[must_use]
    pub fn replaced(&self) -> Option<String> {
        let Ok(held) = self.handle.metadata() else { return None };
        let within = self.within.lock();
        let all = within.iter().map(|(name, identity)| (self.path.join(name), *identity));
        std::iter::once((self.path.clone(), of(&held))).chain(all).find_map(|(path, identity)| {
            let shown = path.display();
            match path.metadata() {
                Ok(found) if of(&found) == identity => None,
                Ok(_) => Some(format!("{shown} is not the one that the service was started on")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Some(format!("{shown}, as it was when the service was started, is not there any more"))
                }
                Err(_) => None,
            }
        })
    }
}

fn of(found: &Metadata) -> Identity {
    (found.dev(), found.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_exchanged_is_told_and_the_folder_is_reached_where_it_went() {
        let dir = tempfile::tempdir().unwrap();
        let (here, away) = (dir.path().join("here"), dir.path().join("away"));
        fs::create_dir(&here).unwrap();
        fs::write(here.join("journal.db"), "ours").unwrap();
        let held = Held::take(&here).unwrap();
        held.remember("journal.db");
        assert_eq!(held.replaced(), None);
        fs::write(here.join("new"), "theirs").unwrap();
        fs::rename(here.join("journal.db"), here.join("old")).unwrap();
        assert!(
            held.replaced()
                .unwrap()
                .contains("journal.db, as it was when the service was started, is not there")
        );
        fs::rename(here.join("new"), here.join("journal.db")).unwrap();
        assert!(held.replaced().unwrap().contains("journal.db is not the one"));
        fs::rename(here.join("old"), here.join("journal.db")).unwrap();
        assert_eq!(held.replaced(), None);
        fs::rename(&here, &away).unwrap();
        fs::create_dir(&here).unwrap();
        assert!(held.replaced().unwrap().contains("here is not the one that the service was started on"));
        #[cfg(target_os = "linux")]
        assert_eq!(fs::read_to_string(held.path().join("journal.db")).unwrap(), "ours");
    }
}
