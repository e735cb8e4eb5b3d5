//! [`RunError`] is an error of a run.

use std::io;
use std::path::PathBuf;

/// A `RunError` is an error of a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The file can't be read or written.
    #[error("the index file {0} can't be used")]
    Io(PathBuf, #[source] io::Error),
    /// Its bytes are not what was written.
    #[error("the index file {0} is damaged")]
    Damaged(PathBuf),
}
