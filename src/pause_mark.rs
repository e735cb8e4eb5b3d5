//! [`PauseMark`] is a file in a data folder that says whether transfers are driven there.
//!
//! `restore` leaves one in the folder that it makes, and an operator makes and ends one with `serve --pause-transfers` and
//! `--resume-transfers`. What a backup lacks may have been paid out by the original, so a copy must not pay by itself. A
//! file that can't be read stops the start: without it nobody knows whether the folder is a copy.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// This is the name of the file.
const FILE: &str = "transfers.json";

/// A `PauseMark` says why transfers are paused, and up to where another copy of the ledger may have gone on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PauseMark {
    /// This is the reason why nothing is driven; `None` where transfers are driven.
    pub(crate) paused: Option<PauseReason>,
    /// This is the last position of the journal when transfers were resumed last. Of a transfer that was requested at or
    /// before it, another copy of this ledger may have sent the payout.
    pub(crate) resumed_at: Option<u64>,
}

/// A `PauseReason` says why transfers are paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PauseReason {
    /// The folder was restored from an export.
    Restored,
    /// An operator ordered it.
    Ordered,
}

impl PauseReason {
    /// Returns the reason in words, as the end of a sentence.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Restored => "this folder was restored from an export",
            Self::Ordered => "an operator ordered it",
        }
    }
}

impl PauseMark {
    /// Returns the mark of a folder that was restored.
    pub(crate) fn restored() -> Self {
        Self { paused: Some(PauseReason::Restored), resumed_at: None }
    }

    /// Reads the mark of a folder. A folder without the file is driven.
    ///
    /// # Errors
    /// Fails when the file can't be read, or says something else.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        match std::fs::read(folder.join(FILE)) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes the mark into a folder, in the place of the one before. It is durable when this returns.
    ///
    /// # Errors
    /// Fails when it can't be written; then the mark before it counts.
    pub(crate) fn write(self, folder: &Path) -> io::Result<()> {
        let new = folder.join(format!("{FILE}.new"));
        let mut out = File::create(&new)?;
        serde_json::to_writer(&mut out, &self)?;
        out.write_all(b"\n")?;
        out.sync_all()?;
        std::fs::rename(&new, folder.join(FILE))?;
        File::open(folder)?.sync_all()
    }

    /// Returns the name of its file.
    pub(crate) fn file() -> &'static str {
        FILE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_a_broken_one_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(PauseMark::read(dir.path()).unwrap(), PauseMark::default());
        for mark in [
            PauseMark::restored(),
            PauseMark { paused: None, resumed_at: Some(7) },
            PauseMark { paused: Some(PauseReason::Ordered), resumed_at: Some(7) },
        ] {
            mark.write(dir.path()).unwrap();
            assert_eq!(PauseMark::read(dir.path()).unwrap(), mark);
        }
        for broken in ["", "{}x", "{\"paused\":\"maybe\",\"resumed_at\":null}", "{\"pause\":null}"] {
            std::fs::write(dir.path().join(FILE), broken).unwrap();
            assert!(PauseMark::read(dir.path()).is_err(), "{broken}");
        }
    }
}
