//! A path names a source: it is opened as a data folder when it is a folder, and else as an exported file.

use std::path::{Path, PathBuf};

use crate::audit::error::Error;
use crate::audit::source::folder::Folder;
use crate::audit::source::interface::Source;
use crate::audit::source::parts::open_files;

/// Opens a data folder, an exported file, or an export and its parts in their order.
///
/// # Errors
/// Fails when one can't be read or is neither, or when the parts do not follow each other.
pub(crate) fn open(path: &Path, parts: &[PathBuf]) -> Result<Box<dyn Source>, Error> {
    let folder = std::iter::once(path).chain(parts.iter().map(PathBuf::as_path)).find(|path| path.is_dir());
    match folder {
        None => open_files(path, parts),
        Some(_) if parts.is_empty() => Ok(Box::new(Folder::open(path)?)),
        Some(folder) => Err(Error::FolderInParts(folder.into())),
    }
}
