//! Parts are an export and those that were made after it. They are read one behind the other, as one journal.
//!
//! Each part says in its manifest where it begins and which hash goes before it. They fit when each begins where the one
//! before it ends. The manifest of the whole is made of those of its parts, so that nothing can be missing between them.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use crate::audit::error::Error;
use crate::audit::parse::manifest::Manifest;
use crate::audit::parse::read_block::Block;
use crate::audit::source::file::File;
use crate::audit::source::interface::{Source, SourceInfo};
use crate::audit::values::chain::Chain;

/// `Parts` are several files that are read as one.
#[derive(Debug)]
pub(crate) struct Parts {
    info: SourceInfo,
    files: VecDeque<File>,
}

/// Opens an exported file, or an export and its parts in their order.
///
/// # Errors
/// Fails when one can't be read or is no export, or when they do not follow each other.
pub(crate) fn open_files(first: &Path, parts: &[PathBuf]) -> Result<Box<dyn Source>, Error> {
    let file = File::open(first)?;
    if parts.is_empty() {
        return Ok(Box::new(file));
    }
    let mut info = file.info().clone();
    let mut whole = manifest(first, &file)?.clone();
    let mut files = VecDeque::from([file]);
    for path in parts {
        let part = File::open(path)?;
        let next = manifest(path, &part)?;
        let place = match whole.chain() {
            Chain::Journal => next.from == whole.to.saturating_add(1),
            Chain::Streams => next.from > whole.to,
        };
        let fits = next.journal_id == whole.journal_id && next.chain() == whole.chain();
        if !fits || !place || next.previous_hash != whole.last_hash {
            return Err(Error::NotNext { path: path.clone(), after: whole.to, from: next.from });
        }
        (whole.to, whole.last_hash) = (next.to, next.last_hash);
        whole.count = whole.count.saturating_add(next.count);
        info.bytes = info.bytes.saturating_add(part.info().bytes);
        files.push_back(part);
    }
    info.last = Some(whole.to);
    info.manifest = Some(Ok(whole));
    Ok(Box::new(Parts { info, files }))
}

fn manifest<'a>(path: &Path, file: &'a File) -> Result<&'a Manifest, Error> {
    match &file.info().manifest {
        Some(Ok(manifest)) => Ok(manifest),
        Some(Err(flaw)) => Err(Error::PartManifest { path: path.into(), why: flaw.to_string() }),
        None => Err(Error::PartManifest { path: path.into(), why: "there is none".into() }),
    }
}

impl Source for Parts {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn fill(&mut self, block: &mut Block) -> Result<bool, Error> {
        let Some(file) = self.files.front_mut() else { return Ok(false) };
        if file.fill(block)? {
            return Ok(true);
        }
        self.files.pop_front();
        // What is wrong behind a part's last line must end the reading.
        Ok(block.broken.is_none() && !self.files.is_empty())
    }
}
