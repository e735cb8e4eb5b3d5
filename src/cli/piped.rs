//! A `Piped` keeps what comes through a pipe in a file while a command works on it: an export is read twice, and its last
//! line first.

use std::fs::File;
use std::io::{copy, stdin};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::outcome::Error;
use crate::with_causes::with_causes;

/// Files to be read: those that were named, with what came through standard input in the place of `-`.
pub(super) struct Piped {
    /// This is the first of them.
    pub(super) first: PathBuf,
    /// These are the others, in their order.
    pub(super) parts: Vec<PathBuf>,
    /// This is the folder of the kept file, which goes with this.
    folder: Option<TempDir>,
}

impl Piped {
    /// Keeps standard input in a file, where it is named.
    pub(super) fn keep(first: &Path, parts: &[PathBuf]) -> Result<Self, Error> {
        let mut folder = None;
        let mut named = |path: &Path| {
            if path != Path::new("-") {
                return Ok::<_, Error>(path.to_owned());
            }
            if folder.is_some() {
                return Err("standard input (`-`) can be read only once".into());
            }
            let made = tempfile::tempdir()?;
            // The name is read in messages.
            let kept = made.path().join("standard input");
            copy(&mut stdin().lock(), &mut File::create(&kept)?)?;
            folder = Some(made);
            Ok(kept)
        };
        let first = named(first)?;
        let parts = parts.iter().map(|part| named(part)).collect::<Result<_, _>>()?;
        Ok(Self { first, parts, folder })
    }

    /// Says an error with its causes, without the folder that standard input was kept in: nobody has heard of it.
    pub(super) fn said(&self, error: impl std::error::Error + 'static) -> Error {
        let text = with_causes(&error);
        match &self.folder {
            None => text.into(),
            Some(folder) => text.replace(&format!("{}/", folder.path().display()), "").into(),
        }
    }
}
