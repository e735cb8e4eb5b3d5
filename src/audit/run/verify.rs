//! To verify a journal is to audit it to its end, and to look also at what lies behind the last event that can be read.

use std::path::{Path, PathBuf};

use crate::audit::error::Error;
use crate::audit::run::audited::Audited;
use crate::audit::run::auditor::audit;
use crate::audit::run::options::Options;
use crate::audit::source::interface::Source;
use crate::audit::source::open::open;
use crate::audit::source::wal::Torn;
use crate::audit::source::{folder, wal};
use crate::audit::values::finding::{Finding, Place};

/// The extent says how much of a journal was there to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// It is all of the journal, up to the end that its folder, its store or its manifest has.
    Whole,
    /// It is a file without a manifest; an export that was made to its end has one.
    Unfinished,
    /// It is a part that begins later than the journal.
    Part,
}

/// A verified journal is one whose audit has ended, with whatever was found.
#[derive(Debug)]
pub(crate) struct Verified {
    /// This is what the audit of the events has given.
    pub(crate) audited: Audited,
    /// This says whether a hash that was kept elsewhere was compared.
    pub(crate) expected: bool,
    /// This is how much of a journal there is.
    pub(crate) extent: Extent,
    /// This is what stands behind the last whole commit of a folder's WAL.
    pub(crate) torn: Option<Torn>,
    /// These are the streams in a store that no longer show everything that the journal has, and what was done to each.
    pub(crate) cut: Vec<(String, String)>,
}

impl Verified {
    /// Says whether nothing is known to be wrong, and there are events that only a newer version of this program can read.
    #[must_use]
    pub(crate) fn needs_newer(&self) -> bool {
        self.audited.findings.are_only_newer() && self.cut.is_empty()
    }

    /// Says whether everything was found right.
    #[must_use]
    pub(crate) fn is_right(&self) -> bool {
        self.audited.finding.is_none() && self.cut.is_empty()
    }
}

/// Audits a data folder, an exported file, or an export with the parts that were made after it. A folder's database is
/// also checked page by page.
///
/// # Errors
/// Fails when one can't be read at all, or they do not follow each other.
pub(crate) fn verify(path: &Path, parts: &[PathBuf], options: Options<'_>) -> Result<Verified, Error> {
    let expected = options.expect.is_some();
    let source = match open(path, parts) {
        Ok(source) => source,
        Err(Error::Damaged { why, .. }) => {
            let audited = Audited::unreadable(why);
            return Ok(Verified { audited, expected, extent: Extent::Whole, torn: None, cut: Vec::new() });
        }
        Err(error) => return Err(error),
    };
    let mut audited = audit(source, options)?;
    let mut torn = None;
    if path.is_dir() {
        // What lies behind the last event that can be read: pages cut out of the tree, frames behind a bad one.
        let wal = wal::behind(&path.join(folder::JOURNAL))?;
        torn = wal.torn;
        let behind = match wal.flaw {
            Some(flaw) => Some(flaw),
            None if audited.finding.is_none() => folder::structure(path)?,
            None => None,
        };
        let place = Place::Position(audited.looked_at.saturating_add(1));
        if let Some(flaw) = behind {
            audited.find(Finding { place, flaw });
        }
    }
    let extent = match (audited.begins, audited.whole || path.is_dir()) {
        (_, false) => Extent::Unfinished,
        (true, true) => Extent::Whole,
        (false, true) => Extent::Part,
    };
    Ok(Verified { audited, expected, extent, torn, cut: Vec::new() })
}

/// Finds out which of these streams no longer show everything that was written to them, and why.
pub(crate) type Cut<'a> = &'a mut dyn FnMut(&[String]) -> Result<Vec<(String, String)>, Error>;

/// Audits a journal in a store. `cut` is asked about every stream that was seen, because the journal keeps for a while what is
/// gone from a stream.
///
/// # Errors
/// Fails when the store can't be read.
pub(crate) fn verify_store(
    source: Box<dyn Source>,
    options: Options<'_>,
    cut: Cut<'_>,
) -> Result<Verified, Error> {
    let expected = options.expect.is_some();
    let audited = audit(source, options)?;
    let cut = cut(&audited.streams)?;
    Ok(Verified { audited, expected, extent: Extent::Whole, torn: None, cut })
}
