//! The auditor takes the parsed lines of a journal in order, and checks each against those before.
//!
//! What is wrong with one account does not hide the others: the account is set aside, and the rest is looked at to the end.

use std::collections::HashSet;
use std::ops::ControlFlow;

use foldhash::fast::RandomState;
use uuid::Uuid;

use crate::audit::error::Error;
use crate::audit::parse::event_line;
use crate::audit::parse::manifest::Manifest;
use crate::audit::parse::read_block::{Block, BrokenLine, ParsedLine, ParsedLines, RowClaim};
use crate::audit::rules::books::Books;
use crate::audit::rules::fragment::Fragment;
use crate::audit::rules::stream_chains::StreamChains;
use crate::audit::run::audited::Audited;
use crate::audit::run::options::{Options, StopAt};
use crate::audit::run::pipeline;
use crate::audit::source::interface::{Source, SourceInfo};
use crate::audit::values::chain::{self, Chain, Hash};
use crate::audit::values::event::{Event, TYPES};
use crate::audit::values::finding::{Finding, Findings, Flaw, Place};

/// No line of an event is shorter than this.
const SHORTEST_LINE: u64 = 400;

/// Reads a journal and checks everything in it that can be checked.
///
/// # Errors
/// Fails when the journal can't be read. That something in it is wrong is no error but a [`Finding`].
pub(crate) fn audit(source: Box<dyn Source>, options: Options<'_>) -> Result<Audited, Error> {
    let mut auditor = Auditor::new(source.info().clone(), options);
    let first = (auditor.info.chain, auditor.info.previous);
    pipeline::run(source, first, |block, lines| auditor.block(block, lines))?;
    Ok(auditor.finish())
}

/// A `Before` has the events that were taken before: all of the journal's, or those of a fragment.
pub(super) enum Before {
    Whole(Box<Books>),
    Fragment(Box<Fragment>),
}

/// An `Auditor` has what was found so far.
pub(super) struct Auditor<'a> {
    pub(super) info: SourceInfo,
    pub(super) options: Options<'a>,
    pub(super) before: Before,
    /// This is what is needed where the chain runs along each stream.
    pub(super) streams: StreamChains,
    /// This is the position that must come next; along streams, the lowest that may come.
    pub(super) next: u64,
    /// This says whether positions are missing before the next event, so that its hash can't follow from the one before it.
    pub(super) after_gap: bool,
    /// This is the position and the id of the first event, where the chain runs along each stream.
    pub(super) first: Option<(u64, Option<Uuid>)>,
    /// This says whether the hash that was kept elsewhere was compared.
    pub(super) met: bool,
    /// This is how many events were found right.
    pub(super) events: u64,
    pub(super) first_hash: Option<Hash>,
    pub(super) hash: Option<Hash>,
    /// This is how many events of each type there were, in the order of [`TYPES`]. A map would cost a look-up for each
    /// event.
    pub(super) counts: [u64; TYPES.len()],
    pub(super) findings: Findings,
    /// These are the streams with whose events something is wrong. Their later events are set aside.
    pub(super) aside: HashSet<Box<[u8]>, RandomState>,
    /// These are the position and the head hash before the first finding.
    pub(super) good: Option<(u64, Option<Hash>)>,
    pub(super) stopped: bool,
}

impl<'a> Auditor<'a> {
    fn new(info: SourceInfo, options: Options<'a>) -> Self {
        let from = info.from;
        let mut books = Box::new(Books::new(info.chain));
        if let (Some(last), None) = (info.last, &options.to) {
            // The source's word is taken only as far as its size bears it out.
            let events = last.saturating_add(1).saturating_sub(from).min(info.bytes / SHORTEST_LINE);
            books.reserve(usize::try_from(events).unwrap_or_default());
        }
        let before = match info.begins {
            true => Before::Whole(books),
            false => Before::Fragment(Box::new(Fragment::new(info.chain, from))),
        };
        Self {
            before,
            streams: StreamChains::default(),
            next: from,
            after_gap: false,
            first: None,
            met: false,
            events: 0,
            first_hash: None,
            hash: info.previous,
            counts: [0; TYPES.len()],
            findings: Findings::default(),
            aside: HashSet::default(),
            good: None,
            stopped: false,
            info,
            options,
        }
    }

    pub(super) fn manifest(&self) -> Option<&Manifest> {
        self.info.manifest.as_ref().and_then(|manifest| manifest.as_ref().ok())
    }

    /// Notes what is wrong. The events of the stream are set aside from here on, because what follows from them would be
    /// found wrong, too; those of other streams are looked at.
    fn note(&mut self, place: u64, flaw: Flaw, stream: Option<&[u8]>) {
        self.good.get_or_insert((self.next.saturating_sub(1), self.hash));
        self.findings.add(Finding { place: Place::Position(place), flaw });
        if let Some(stream) = stream {
            self.aside.insert(stream.into());
        }
    }

    /// Takes the lines of a block, and says whether more are wanted.
    fn block(&mut self, block: &Block, lines: &ParsedLines) -> ControlFlow<()> {
        self.rows(block, lines);
        if self.stopped {
            return ControlFlow::Break(());
        }
        if let Some(progress) = self.options.progress {
            progress(match self.info.chain {
                Chain::Journal => self.next.saturating_sub(1),
                // There positions are no count.
                Chain::Streams => self.events,
            });
        }
        ControlFlow::Continue(())
    }

    fn rows(&mut self, block: &Block, lines: &ParsedLines) {
        let mut start = 0;
        for (row, &end) in block.rows.iter().zip(&lines.rows) {
            let of_row = lines.lines.get(start..end).unwrap_or_default();
            start = end;
            match &row.claim {
                None => self.lines(of_row, block),
                Some(claim) => self.claimed(claim, of_row, block),
            }
        }
        if let (Some(flaw), false) = (&block.broken, self.stopped) {
            self.wrong(flaw, block.says, flaw.unread().map(str::as_bytes));
        }
    }

    /// Takes the lines of a row, and compares them with what the table says of it.
    fn claimed(&mut self, claim: &RowClaim, lines: &[ParsedLine], block: &Block) {
        if u64::try_from(claim.first) != Ok(self.next) && !self.is_past(self.next) {
            self.note(self.next, Flaw::RowFirst(claim.first), None);
            let says = lines
                .first()
                .and_then(|line| line.as_ref().map_or_else(|wrong| wrong.says, |event| Some(event.position)));
            if let Some(says) = says.filter(|says| u64::try_from(claim.first) == Ok(*says)) {
                (self.next, self.after_gap) = (says, true);
            }
        }
        let claimed = usize::try_from(claim.count).unwrap_or_default().min(lines.len());
        let (as_claimed, more) = lines.split_at_checked(claimed).unwrap_or((lines, &[]));
        self.lines(as_claimed, block);
        let has = lines.len() as u64;
        if !self.stopped && u64::try_from(claim.count) != Ok(has) {
            self.note(self.next, Flaw::RowCount { says: claim.count, has }, None);
        }
        self.lines(more, block);
        let flaw = match lines.first() {
            None => Flaw::Row("it has no events"),
            Some(Ok(first)) if claim.recorded_at != first.recorded_at => Flaw::RowTime,
            Some(Ok(_) | Err(_)) => return,
        };
        if !self.stopped {
            self.note(self.next, flaw, None);
        }
    }

    /// Says whether this position is behind the last one that was asked for.
    fn is_past(&self, position: u64) -> bool {
        matches!(self.options.to, Some(StopAt::Position(to)) if position > to)
    }

    fn lines(&mut self, lines: &[ParsedLine], block: &Block) {
        for line in lines {
            if self.stopped {
                return;
            }
            match line {
                Ok(event) => self.event(event, block),
                Err(broken) => self.broken(broken, block),
            }
        }
    }

    /// Takes a line that is wrong by itself.
    fn broken(&mut self, broken: &BrokenLine, block: &Block) {
        match (&broken.event, broken.says) {
            // A line that is not the next one is no follower of the one before: its place is wrong, and not the line.
            (Some(event), Some(says)) if says != self.next || self.after_gap => self.event(event, block),
            (_, says) => {
                let stream = broken.stream.map(|stream| stream.of(&block.bytes));
                self.wrong(&broken.flaw, says, stream);
            }
        }
    }

    /// Notes something that is wrong in the place of the next event, and goes on behind it.
    fn wrong(&mut self, flaw: &Flaw, says: Option<u64>, stream: Option<&[u8]>) {
        let place = match (self.info.chain, says) {
            (Chain::Streams, Some(says)) => says.max(self.next),
            (Chain::Streams, None) | (Chain::Journal, _) => self.next,
        };
        if self.is_past(place) {
            self.stopped = true;
            return;
        }
        self.note(place, flaw.clone(), stream);
        self.doubt_transfers();
        // What the running hash would be is not known behind it.
        (self.next, self.hash, self.after_gap) = (place.saturating_add(1), None, false);
    }

    /// Takes an event, where it is not behind the last one that was asked for.
    fn event(&mut self, event: &Event, block: &Block) {
        let past = match (self.options.to, self.info.chain) {
            (None, _) => false,
            (Some(StopAt::Position(to)), Chain::Journal) => self.next > to,
            (Some(StopAt::Position(to)), Chain::Streams) => event.position > to,
            (Some(StopAt::Moment(to)), Chain::Journal) => event.recorded_at > to,
            // The next one of another stream may be earlier.
            (Some(StopAt::Moment(_)), Chain::Streams) => false,
        };
        if past {
            self.stopped = true;
            return;
        }
        if !self.is_in_place(event) {
            self.note(self.next, Flaw::Position(event.position), None);
            self.doubt_transfers();
        }
        if event.position == u64::MAX {
            return;
        }
        (self.next, self.after_gap) = (event.position, false);
        if self.manifest().is_some_and(|manifest| event.position > manifest.to) {
            self.note(event.position, Flaw::AfterManifest, None);
            self.stopped = true;
            return;
        }
        let stream = event.stream.of(&block.bytes);
        let taken = self.take(event, stream, block);
        if let Err(flaw) = taken {
            self.note(event.position, flaw, Some(stream));
            self.hash = Some(event.hash).filter(|_| self.info.chain == Chain::Journal);
        }
        self.first_hash.get_or_insert(event.hash);
        self.events = self.events.saturating_add(1);
        self.next = event.position.saturating_add(1);
        if let (Some((at, show)), Before::Whole(books)) = (&mut self.options.pause, &self.before)
            && *at == event.position
        {
            show(books);
        }
    }

    /// Says whether the event stands where the one before it, or the manifest, says that it does.
    fn is_in_place(&self, event: &Event) -> bool {
        let begins_late = self.events == 0
            && self.good.is_none()
            && self.manifest().is_some_and(|manifest| manifest.from != event.position);
        match self.info.chain {
            _ if event.position == u64::MAX => false,
            Chain::Journal => event.position == self.next,
            Chain::Streams => event.position >= self.next && !begins_late,
        }
    }

    /// Notes that events may be missing or could not be read: then those of transfers can't be held against each other.
    fn doubt_transfers(&mut self) {
        if let Before::Whole(books) = &mut self.before {
            books.doubt_transfers();
        }
    }

    /// Holds an event against all events before it, and lets it count.
    fn take(&mut self, event: &Event, stream: &[u8], block: &Block) -> Result<(), Flaw> {
        let is_aside = !self.aside.is_empty() && self.aside.contains(stream);
        let hash = match self.info.chain {
            Chain::Journal => Some(event.hash),
            Chain::Streams => self.along_streams(event, is_aside, block)?,
        };
        let counts = match self.options.to {
            Some(StopAt::Moment(to)) => event.recorded_at <= to,
            Some(StopAt::Position(_)) | None => true,
        };
        match &mut self.before {
            Before::Whole(books) if is_aside => books.take_id_alone(event, &block.bytes)?,
            Before::Fragment(_) if is_aside => {}
            Before::Whole(books) if counts => books.take(event, &block.bytes)?,
            Before::Fragment(fragment) if counts => fragment.take(event, &block.bytes)?,
            Before::Whole(_) | Before::Fragment(_) => {}
        }
        if counts
            && !is_aside
            && let Some(place) = event.type_number()
            && let Some(count) = self.counts.get_mut(place)
        {
            *count = count.saturating_add(1);
        }
        if let Some((at, expected)) = self.options.expect
            && at == event.position
        {
            self.met = true;
            if let Some(hash) = hash.filter(|hash| *hash != expected) {
                self.note(event.position, Flaw::NotExpected(chain::show(&hash)), None);
            }
        }
        self.hash = hash;
        Ok(())
    }

    /// Checks what an event follows where the chain runs along each stream. Gives the journal's head hash after it.
    fn along_streams(&mut self, event: &Event, is_aside: bool, block: &Block) -> Result<Option<Hash>, Flaw> {
        if !is_aside {
            self.streams.take(event, &block.bytes, self.info.begins)?;
        }
        let mut before = self.hash;
        if self.first.is_none() && self.good.is_none() {
            let id = event_line::event_id(&block.bytes, event);
            self.first = Some((event.position, id));
            if let (Some(id), true) = (id, self.info.begins) {
                self.info.journal_id.get_or_insert(id);
                before = Some(chain::genesis(id));
            }
        }
        Ok(before.map(|before| chain::running(&before, &event.hash)))
    }
}
