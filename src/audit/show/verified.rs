//! The text of `bookonce verify` says what was found, what is wrong, and what no check can show.

use std::fmt;

use crate::audit::rules::digest;
use crate::audit::run::audited::Audited;
use crate::audit::run::verify::{Extent, Verified};
use crate::audit::source::wal::Torn;
use crate::audit::values::chain::{self, Chain};

/// At most this many transfers are named that are between their credit and their capture.
const IN_TRANSIT_NAMED: usize = 10_000;
/// At most this many accounts are named whose events were set aside.
const ASIDE_NAMED: usize = 20;

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Audited { journal_id, from, position, looked_at, hash, counts, books, finding, .. } =
            &self.audited;
        if let Some(id) = journal_id {
            writeln!(f, "journal    {id}")?;
        }
        let count: u64 = counts.values().sum();
        let right = if finding.is_some() { "found right " } else { "" };
        writeln!(f, "events     {count} {right}(positions {from} to {looked_at})")?;
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
        self.found(f)?;
        if finding.is_some() {
            return self.bad(f);
        }
        if let Some(books) = books {
            writeln!(f, "digest     {}", digest::of(books))?;
        }
        let verdict = match self.extent {
            _ if !self.cut.is_empty() => {
                "BAD        the journal is right, and its store no longer gives all of it: see above"
            }
            Extent::Whole => "RIGHT      every check passed",
            Extent::Part => "PART       every check passed that a part of a journal allows",
            Extent::Unfinished => {
                "UNFINISHED every check passed, and there is no manifest: an export that was made to its end has one"
            }
        };
        writeln!(f, "{verdict}\n")?;
        self.limits(f)
    }
}

impl Verified {
    /// Writes what is wrong, and what was looked at nevertheless.
    fn bad(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Audited { findings, aside, .. } = &self.audited;
        for finding in findings.listed() {
            let verdict = if finding.flaw.is_newer() { "NEWER" } else { "BAD" };
            writeln!(f, "{verdict:10} {finding}")?;
        }
        if findings.unlisted() > 0 {
            writeln!(f, "           {} more findings are not listed.", findings.unlisted())?;
        }
        writeln!(
            f,
            "Everything before the first of these was found right. What comes after it was looked at, too."
        )?;
        if findings.are_only_newer() {
            writeln!(
                f,
                "Nothing was found wrong. Whether all is right can only a version of bookonce say that knows these events."
            )?;
        }
        if aside.is_empty() {
            return Ok(());
        }
        let named = aside.get(..ASIDE_NAMED).unwrap_or(aside);
        write!(
            f,
            "Behind what is wrong with them, the events of these accounts were not looked at: {}",
            named.join(", ")
        )?;
        match aside.len().saturating_sub(named.len()) {
            0 => writeln!(f),
            more => writeln!(f, " and {more} more"),
        }
    }

    /// Writes what a person should know although the journal itself is right.
    fn found(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for twice in &self.audited.double_uses {
            writeln!(f, "TWICE      {twice}")?;
        }
        if !self.audited.double_uses.is_empty() {
            writeln!(
                f,
                "           Two instances took one transaction ID at the same time, each on another account. Each account goes \
                 on giving its own first answer; whether it was meant twice only the client can say."
            )?;
        }
        let in_transit = &self.audited.in_transit;
        for transfer in in_transit.iter().take(IN_TRANSIT_NAMED) {
            writeln!(f, "TRANSIT    {transfer}")?;
        }
        if let more @ 1.. = in_transit.len().saturating_sub(IN_TRANSIT_NAMED) {
            writeln!(f, "           {more} more transfers are between their credit and their capture.")?;
        }
        if let Some(Torn { at, bytes }) = self.torn {
            let position = self.audited.looked_at;
            writeln!(
                f,
                "TORN       the -wal file goes on behind its last whole commit, at byte {at}, with {bytes} bytes of none; \
                 the journal ends at position {position}.\n           A commit was being written when the machine or its \
                 disk failed, and was never answered; or the end of the file was lost afterwards, with commits that were."
            )?;
        }
        for (stream, what) in &self.cut {
            writeln!(f, "CUT        {stream}: what is to be read of this stream is limited: {what}")?;
        }
        Ok(())
    }

    /// Writes what the checks can't show, so that nobody takes the result for more than it is.
    fn limits(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Audited { from, journal_id, begins, chain, .. } = &self.audited;
        if !begins {
            writeln!(
                f,
                "This is a part of a journal: its events are chained and well formed, but whether each was allowed, and each \
                 answer right, follows from the events before position {from} and was not checked."
            )?;
        }
        match (journal_id, chain) {
            (Some(_), _) => {}
            (None, Chain::Journal) => writeln!(
                f,
                "There is no manifest: what the first event is chained to was not checked, and events missing at the end \
                 would not show."
            )?,
            (None, Chain::Streams) => {
                writeln!(f, "There are no events, and nothing shows whether there were any.")?
            }
        }
        if self.expected {
            return writeln!(
                f,
                "The hash expected is there: every event up to it is, byte for byte{}, the one that was there when it was \
                 noted. What came after it rests on the chain alone.",
                if *chain == Chain::Streams { " (but for its position)" } else { "" }
            );
        }
        match chain {
            Chain::Journal => self.limits_along_journal(f)?,
            Chain::Streams => self.limits_along_streams(f)?,
        }
        self.keep(f)
    }

    fn limits_along_journal(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "The chain shows that no event was changed, moved, put in or taken out, unless every hash after it was computed \
             anew; and {}. Only a hash kept elsewhere shows either:",
            if self.audited.whole {
                "a new manifest can be made for a file cut short"
            } else {
                "events missing at the end leave no trace"
            }
        )
    }

    fn limits_along_streams(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "The chain along each stream shows that no event of it was changed, moved, put in, or taken out of its middle, \
             unless every hash after it in its stream was computed anew. It does not show that a whole account is missing, \
             that the newest events of a stream are, that the order between accounts is another, or that the store was put \
             back to an older state{}. Only a hash kept elsewhere shows these:",
            if self.audited.whole { " (the manifest would, but a new one can be made)" } else { "" }
        )
    }

    /// Writes which hash to keep, to be safe from what the checks can't show.
    fn keep(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.audited.hash {
            Some(hash) => {
                let (position, hash) = (self.audited.position, chain::show(hash));
                writeln!(f, "keep `{position}:{hash}` and give it to `bookonce verify --expect`.")
            }
            None => writeln!(f, "keep the journal's head, and give it to `bookonce verify --expect`."),
        }
    }
}
