//! A store that went back to an earlier state leaves a mark in the data folder of each instance that finds it.
//!
//! The index of such an instance knows events that the store lacks, and a rebuild of it must be ordered. What the lost events
//! brought to destinations was sent, and what is booked in their place may look like it. So nothing is sent to any destination
//! after such a rebuild until an operator says so: the mark says that they are still to be paused.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::tasks;

use super::handle::Ledger;

/// This is the name of the file.
const FILE: &str = "store-went-back";
/// This is how often it is looked whether the store has gone back.
const EVERY: Duration = Duration::from_secs(1);

/// Leaves the mark in a folder.
///
/// # Errors
/// Fails when it can't be written.
pub(super) fn mark(folder: &Path) -> io::Result<()> {
    File::create(folder.join(FILE))?.sync_all()?;
    File::open(folder)?.sync_all()
}

impl Ledger {
    /// Waits until the store is found to have gone back, and leaves the mark. It resolves after that.
    pub(crate) async fn notes_that_it_went_back(&self) {
        loop {
            if self.status().kind == Some("other_store")
                && let Some(path) = self.own_folder()
            {
                match tasks::blocking(move || mark(&path)).await {
                    Some(Ok(())) => return,
                    Some(Err(error)) => {
                        tracing::warn!(%error, "it could not be noted that the store went back")
                    }
                    None => {}
                }
            }
            tasks::sleep(EVERY).await;
        }
    }

    /// Says whether the store went back, and destinations are still to be paused for it.
    ///
    /// # Errors
    /// Fails when the folder can't be looked at.
    pub(crate) fn went_back(&self) -> io::Result<bool> {
        self.own_folder().map_or(Ok(false), |folder| folder.join(FILE).try_exists())
    }

    /// Notes that all destinations are paused.
    ///
    /// # Errors
    /// Fails when the mark can't be removed.
    pub(crate) fn paused_for_that(&self) -> io::Result<()> {
        let Some(folder) = self.own_folder() else { return Ok(()) };
        match std::fs::remove_file(folder.join(FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn own_folder(&self) -> Option<PathBuf> {
        self.0.folder.as_ref().map(|folder| folder.held().path())
    }
}
