//! `verify`: everything that a journal can show of itself, and in words what it can't.

use std::fmt;
use std::path::Path;

use super::flaw::{Finding, Flaw, Place};
use super::run::{Audited, Options, audit};
use super::source::{folder, wal};
use super::{Error, chain, digest, source};

/// What an audit of a folder or a file has found, to be shown to a person.
#[derive(Debug)]
pub struct Verdict {
    /// What the audit of the events gave.
    pub audited: Audited,
    /// Whether a hash that was kept elsewhere was compared.
    pub expected: bool,
}

impl Verdict {
    /// Was everything found right?
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.audited.finding.is_none()
    }

    /// The first bad position, where there is one.
    #[must_use]
    pub fn first_bad(&self) -> Option<u64> {
        self.audited.finding.as_ref().and_then(Finding::position)
    }
}

/// Audits a data folder or an exported file. A folder's database is also checked page by page.
///
/// # Errors
/// When it can't be read at all.
pub fn verify(path: &Path, options: Options<'_>) -> Result<Verdict, Error> {
    let expected = options.expect.is_some();
    let source = match source::open(path) {
        Ok(source) => source,
        Err(Error::Damaged { why, .. }) => {
            return Ok(Verdict { audited: Audited::unreadable(why), expected });
        }
        Err(error) => return Err(error),
    };
    let mut audited = audit(source, options)?;
    if audited.finding.is_none() && path.is_dir() {
        // What lies behind the last event that can be read: pages cut out of the tree, frames behind a bad one.
        let behind = match wal::behind(&path.join(folder::JOURNAL))? {
            Some(flaw) => Some(flaw),
            None => folder::structure(path)?,
        };
        let place = Place::Position(audited.position + 1);
        audited.finding = behind.map(|flaw: Flaw| Finding { place, flaw });
    }
    Ok(Verdict { audited, expected })
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Audited { journal_id, from, position, hash, counts, books, finding, .. } = &self.audited;
        if let Some(id) = journal_id {
            writeln!(f, "journal    {id}")?;
        }
        let count: u64 = counts.values().sum();
        writeln!(f, "events     {count} (positions {from} to {position})")?;
        for (name, count) in counts {
            writeln!(f, "           {count} {name}")?;
        }
        if let Some(hash) = hash {
            writeln!(
                f,
                "{}       {position}:{}",
                if finding.is_some() { "good" } else { "head" },
                chain::show(hash)
            )?;
        }
        if let Some(finding) = finding {
            writeln!(f, "BAD        {finding}")?;
            return writeln!(f, "Everything before that was found right; nothing after it was looked at.");
        }
        if let Some(books) = books {
            writeln!(f, "digest     {}", digest::of(books))?;
        }
        writeln!(f, "RIGHT      every check passed\n")?;
        self.limits(f)
    }
}

impl Verdict {
    /// What the checks can't show, said with the verdict so that nobody takes it for more.
    fn limits(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Audited { from, position, hash, journal_id, whole, .. } = &self.audited;
        if *from > 1 {
            writeln!(
                f,
                "This is a part of a journal: its events are chained and well formed, but whether each was allowed, and each \
                 answer right, follows from the events before position {from} and was not checked."
            )?;
        }
        if journal_id.is_none() {
            writeln!(
                f,
                "There is no manifest: what the first event is chained to was not checked, and events missing at the end \
                 would not show."
            )?;
        }
        if self.expected {
            return writeln!(
                f,
                "The hash expected is there: every event up to it is, byte for byte, the one that was there when it was \
                 noted. What came after it rests on the chain alone."
            );
        }
        writeln!(
            f,
            "The chain shows that no event was changed, moved, put in or taken out, unless every hash after it was computed \
             anew; and {}. Only a hash kept elsewhere shows either:",
            if *whole {
                "a new manifest can be made for a file cut short"
            } else {
                "events missing at the end leave no trace"
            }
        )?;
        match hash {
            Some(hash) => {
                writeln!(
                    f,
                    "keep `{position}:{}` and give it to `bookonce verify --expect`.",
                    chain::show(hash)
                )
            }
            None => writeln!(f, "keep the journal's head, and give it to `bookonce verify --expect`."),
        }
    }
}
