//! A path names a source: it is opened as a data folder when it is a folder, and else as an exported file.

use std::path::Path;

use crate::audit::error::Error;
use crate::audit::source::file::File;
use crate::audit::source::folder::Folder;
use crate::audit::source::interface::Source;

/// Opens a data folder or an exported file.
///
/// # Errors
/// When it can't be read, or is neither.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Source>, Error> {
    if path.is_dir() { Ok(Box::new(Folder::open(path)?)) } else { Ok(Box::new(File::open(path)?)) }
}
