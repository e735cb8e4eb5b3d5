//! The sender's lock makes one process the only one that sends from an outbox. It is the system's lock on a file beside the
//! outbox, so that a process that is killed leaves none behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::error::Error;

/// A `SenderLock` is held until it is dropped.
#[derive(Debug)]
pub struct SenderLock {
    _file: File,
}

impl SenderLock {
    /// Takes the lock of the outbox at this path.
    ///
    /// # Errors
    /// Fails when another process has it, which is named, or the file can't be used.
    pub fn take(outbox: &Path) -> Result<Self, Error> {
        let path = PathBuf::from(format!("{}.lock", outbox.display()));
        let failed = |source| Error::Io { path: path.clone(), source };
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                // Who has it is a courtesy; that it is held is what matters.
                let _told_or_not = file
                    .set_len(0)
                    .and_then(|()| file.rewind())
                    .and_then(|()| write!(file, "process {}", std::process::id()));
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _read_or_not = file.read_to_string(&mut holder);
                Err(Error::Held { path: outbox.to_owned(), holder })
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
