//! The failure of the index is final for this process, and everybody who uses the index shares it.
//!
//! Whoever finds a damaged part notes it here, a reader as well as the index's own threads; from then on the clerk
//! decides nothing. Damage is also marked in the index's folder, so that the next start refuses the index at once and
//! does not wait until that part is read again.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::error::IndexError;

/// This is the name of the file that marks a damaged index.
const MARK: &str = "DAMAGED";

/// A `Failure` is the failure of an index, if it has failed.
#[derive(Debug)]
pub(crate) struct Failure {
    mark: PathBuf,
    why: Mutex<Option<Why>>,
}

#[derive(Clone, Debug)]
struct Why {
    text: String,
    /// This is true where a part of the files is not what was written.
    is_damage: bool,
}

impl Failure {
    /// Makes the failure of the index in this folder, which has not failed yet.
    pub(crate) fn none(dir: &Path) -> Self {
        Self { mark: dir.join(MARK), why: Mutex::new(None) }
    }

    /// Refuses a folder in which a damage was marked.
    pub(super) fn check_mark(dir: &Path) -> Result<(), IndexError> {
        match std::fs::read_to_string(dir.join(MARK)) {
            Ok(text) => Err(IndexError::Damaged(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the mark of damage, because the index that it was made for is being deleted.
    pub(super) fn remove_mark(dir: &Path) -> Result<(), IndexError> {
        match std::fs::remove_file(dir.join(MARK)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Notes that a part of the index is not what was written. Only the first damage that is found is kept and logged.
    pub(crate) fn damaged(&self, text: &str) {
        if self.set(text, true) {
            tracing::error!(
                "{text}: nothing is decided any more. Stop the service and build the index anew with `bookonce rebuild`"
            );
            // If the mark can't be written, the damage is found again when that part is read.
            let _marked_or_not = std::fs::write(&self.mark, text);
        }
    }

    /// Notes that the index can't go on, though its files are what was written.
    pub(super) fn stopped(&self, text: &str) {
        self.set(text, false);
    }

    fn set(&self, text: &str, is_damage: bool) -> bool {
        let mut why = self.why.lock();
        let is_news = why.as_ref().is_none_or(|known| is_damage && !known.is_damage);
        if is_news {
            *why = Some(Why { text: text.to_owned(), is_damage });
        }
        is_news
    }

    /// Returns the reason why the index can't go on, if it can't.
    pub(super) fn why(&self) -> Option<String> {
        self.why.lock().as_ref().map(|why| why.text.clone())
    }

    /// Says whether damage was found.
    pub(super) fn is_damage(&self) -> bool {
        self.why.lock().as_ref().is_some_and(|why| why.is_damage)
    }
}
