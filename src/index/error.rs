//! [`IndexError`] is an error of the index.

use super::lsm::run_error::RunError;

/// An `IndexError` is an error of the index. Each can be mended by building the index anew.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Its catalog can't be used.
    #[error("the index's catalog can't be used")]
    Catalog(#[from] rusqlite::Error),
    /// A run can't be used.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Its folder can't be used.
    #[error("the index's folder can't be used")]
    Io(#[from] std::io::Error),
    /// Its content is not what was written.
    #[error("the index is damaged: {0}")]
    Damaged(String),
}

impl IndexError {
    /// Makes an error that says what is damaged.
    pub fn damaged(what: &str) -> Self {
        Self::Damaged(what.to_owned())
    }

    /// Says whether a part of the index is not what was written. Where it is not so, the index can't be read at the
    /// moment.
    #[must_use]
    pub(super) fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Catalog(error) => {
                matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
            }
            Self::Run(RunError::Damaged(_)) | Self::Damaged(_) => true,
            Self::Run(RunError::Io(..)) | Self::Io(_) => false,
        }
    }

    /// Says whether another program has locked the catalog, so that the same may succeed when it has ended.
    #[must_use]
    pub(super) fn is_locked(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
        match self {
            Self::Catalog(error) => {
                matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
            }
            Self::Run(_) | Self::Io(_) | Self::Damaged(_) => false,
        }
    }

    /// Says whether the disk is full, so that the same may succeed when there is room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Catalog(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            Self::Run(RunError::Io(_, error)) | Self::Io(error) => {
                error.kind() == std::io::ErrorKind::StorageFull
            }
            Self::Run(RunError::Damaged(_)) | Self::Damaged(_) => false,
        }
    }
}
