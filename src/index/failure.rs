//! The failure of the index: said once, final for this process, and known to everybody who asks the index anything.
//!
//! Whoever finds a damaged part says so here, a reader as well as the index's own threads; from then on the clerk decides
//! nothing. A damage is also marked in the index's folder, so that the next start refuses it at once and does not wait
//! until somebody reads that part again.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::error::IndexError;

/// The file that marks a damaged index.
const MARK: &str = "DAMAGED";

/// What ended the index, if anything did.
#[derive(Debug)]
pub(crate) struct Failure {
    mark: PathBuf,
    why: Mutex<Option<Why>>,
}

#[derive(Clone, Debug)]
struct Why {
    text: String,
    /// Is a part of the files not what was written?
    is_damage: bool,
}

impl Failure {
    /// No failure yet, of the index in this folder.
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

    /// Takes a mark away, with the index that it was made for.
    pub(super) fn remove_mark(dir: &Path) -> Result<(), IndexError> {
        match std::fs::remove_file(dir.join(MARK)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Says that a part of the index is not what was written. The first one that is found is the one that is told.
    pub(crate) fn damaged(&self, text: &str) {
        if self.set(text, true) {
            tracing::error!(
                "{text}: nothing is decided any more. Stop the service and build the index anew with `bookonce rebuild`"
            );
            // A disk that takes no writes changes nothing: the damage is found again when it is read.
            let _marked_or_not = std::fs::write(&self.mark, text);
        }
    }

    /// Says that the index can't go on, though its files are what was written.
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

    /// Why the index can't go on, if it can't.
    pub(super) fn why(&self) -> Option<String> {
        self.why.lock().as_ref().map(|why| why.text.clone())
    }

    /// Was a damage found?
    pub(super) fn is_damage(&self) -> bool {
        self.why.lock().as_ref().is_some_and(|why| why.is_damage)
    }
}
