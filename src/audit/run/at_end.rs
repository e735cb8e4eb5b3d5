//! At the end of a journal the auditor finds what shows only when all events were read, and says what it has found.

use crate::audit::parse::manifest::Manifest;
use crate::audit::rules::in_transit;
use crate::audit::run::audited::Audited;
use crate::audit::run::auditor::{Auditor, Before};
use crate::audit::run::options::StopAt;
use crate::audit::values::chain;
use crate::audit::values::event::TYPES;
use crate::audit::values::finding::{Finding, Flaw, Place};

impl Auditor<'_> {
    pub(super) fn finish(mut self) -> Audited {
        let stopped = self.stopped;
        for finding in self.at_end() {
            self.findings.add(finding);
        }
        let counted = TYPES.into_iter().zip(self.counts).filter(|(_, count)| *count > 0);
        // Of a moment's books, later events were read and not counted.
        let all = !stopped && !matches!(self.options.to, Some(StopAt::Moment(_)));
        let in_transit = match &self.before {
            Before::Whole(books) => in_transit::of(books),
            Before::Fragment(_) => Vec::new(),
        };
        let (double_uses, books) = match self.before {
            Before::Whole(books) => (books.double_uses(), Some(*books)),
            Before::Fragment(fragment) => (fragment.double_uses(), None),
        };
        let looked_at = self.next.saturating_sub(1);
        let (position, hash) = self.good.unwrap_or((looked_at, self.hash));
        let mut aside: Vec<String> =
            self.aside.iter().map(|stream| String::from_utf8_lossy(bare(stream)).into_owned()).collect();
        aside.sort_unstable();
        Audited {
            chain: self.info.chain,
            begins: self.info.begins,
            journal_id: self.info.journal_id,
            from: self.first.map_or(self.info.from, |(position, _)| position),
            position,
            hash,
            looked_at,
            counts: counted.collect(),
            whole: all && self.findings.first().is_none() && matches!(self.info.manifest, Some(Ok(_))),
            double_uses,
            streams: self.streams.names(),
            books,
            in_transit,
            finding: self.findings.first().cloned(),
            findings: self.findings,
            aside,
        }
    }

    /// Finds what shows only when all events were read.
    fn at_end(&self) -> Vec<Finding> {
        let found = |place, flaw| vec![Finding { place, flaw }];
        let is_right = self.findings.first().is_none();
        if !self.stopped {
            match &self.info.manifest {
                Some(Ok(manifest)) if manifest.to >= self.next => {
                    return found(Place::Position(self.next), Flaw::EndsBeforeManifest(manifest.to));
                }
                // What its counts and hashes are is known where every event was found right, and else not.
                Some(Ok(manifest)) if is_right => {
                    if let Some(flaw) = self.against(manifest) {
                        return found(Place::Manifest, flaw);
                    }
                }
                Some(Err(flaw)) => return found(Place::Manifest, flaw.clone()),
                Some(Ok(_)) | None => {}
            }
        }
        match self.options.expect {
            _ if !is_right => Vec::new(),
            Some((at, _)) if at >= self.next && !self.stopped => {
                found(Place::Position(self.next), Flaw::EndsBeforeExpected)
            }
            Some((at, _)) if at < self.next && !self.met => found(Place::Position(at), Flaw::NoneExpected),
            _ => Vec::new(),
        }
    }

    /// Compares a manifest with the events before it.
    fn against(&self, manifest: &Manifest) -> Option<Flaw> {
        let last = self.hash.unwrap_or(manifest.previous_hash);
        let first = manifest.first_hash.map(|_| self.first_hash.unwrap_or(manifest.previous_hash));
        // With another id in its manifest a whole journal would pass for a part: its own first event tells.
        let begins = |id| self.info.begins || chain::genesis(id) == manifest.previous_hash;
        match self.first.and_then(|(_, id)| id) {
            Some(id) if id != manifest.journal_id && begins(id) => Some(Flaw::ManifestId),
            _ if manifest.count != self.events => Some(Flaw::Manifest("count")),
            _ if manifest.first_hash != first => Some(Flaw::Manifest("first_hash")),
            _ if manifest.last_hash != last => Some(Flaw::Manifest("last_hash")),
            _ => None,
        }
    }
}

/// Gives the name of an account, or the whole name of a transfer's stream.
fn bare(stream: &[u8]) -> &[u8] {
    stream.strip_prefix(b"account-").unwrap_or(stream)
}
