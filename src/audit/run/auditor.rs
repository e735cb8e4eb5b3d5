//! The auditor takes the parsed lines of a journal in order, and checks each against those before, up to the first wrong one.

use std::ops::ControlFlow;

use uuid::Uuid;

use crate::audit::error::Error;
use crate::audit::parse::event_line;
use crate::audit::parse::manifest::Manifest;
use crate::audit::parse::read_block::{Block, ParsedLines};
use crate::audit::rules::books::Books;
use crate::audit::rules::fragment::Fragment;
use crate::audit::rules::stream_chains::StreamChains;
use crate::audit::run::audited::Audited;
use crate::audit::run::options::{Options, StopAt};
use crate::audit::run::pipeline;
use crate::audit::source::interface::{Source, SourceInfo};
use crate::audit::values::chain::{self, Chain, Hash};
use crate::audit::values::event::{Event, TYPES};
use crate::audit::values::finding::{Finding, Flaw, Place};

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
enum Before {
    Whole(Box<Books>),
    Fragment(Fragment),
}

struct Auditor<'a> {
    info: SourceInfo,
    options: Options<'a>,
    before: Before,
    /// This is what is needed where the chain runs along each stream.
    streams: StreamChains,
    /// This is the position that must come next; along streams, the lowest that may come.
    next: u64,
    /// This is the position that is being looked at. A flaw is reported there.
    at: u64,
    /// This is the position and the id of the first event, where the chain runs along each stream.
    first: Option<(u64, Option<Uuid>)>,
    /// This says whether the hash that was kept elsewhere was compared.
    met: bool,
    /// This is how many events were found right.
    events: u64,
    first_hash: Option<Hash>,
    hash: Option<Hash>,
    /// This is how many events of each type there were, in the order of [`TYPES`]. A map would cost a look-up for each
    /// event.
    counts: [u64; TYPES.len()],
    finding: Option<Finding>,
    stopped: bool,
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
            false => Before::Fragment(Fragment::new(info.chain, from)),
        };
        Self {
            before,
            streams: StreamChains::default(),
            next: from,
            at: from,
            first: None,
            met: false,
            events: 0,
            first_hash: None,
            hash: info.previous,
            counts: [0; TYPES.len()],
            finding: None,
            stopped: false,
            info,
            options,
        }
    }

    fn manifest(&self) -> Option<&Manifest> {
        self.info.manifest.as_ref().and_then(|manifest| manifest.as_ref().ok())
    }

    /// Takes the events of a block, and says whether more are wanted.
    fn block(&mut self, block: &Block, lines: &ParsedLines) -> ControlFlow<()> {
        match self.rows(block, lines) {
            Ok(()) if !self.stopped => {}
            Ok(()) => return ControlFlow::Break(()),
            Err(flaw) => {
                self.finding = Some(Finding { place: Place::Position(self.at), flaw });
                return ControlFlow::Break(());
            }
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

    fn rows(&mut self, block: &Block, lines: &ParsedLines) -> Result<(), Flaw> {
        let mut start = 0;
        for (number, (row, &end)) in block.rows.iter().zip(&lines.rows).enumerate() {
            let events = lines.events.get(start..end).unwrap_or_default();
            start = end;
            let broken = number.saturating_add(1) == lines.rows.len() && lines.broken.is_some();
            let Some(claim) = &row.claim else {
                self.events(events, block)?;
                continue;
            };
            if u64::try_from(claim.first) != Ok(self.next) {
                return Err(Flaw::RowFirst(claim.first));
            }
            let has = events.len() as u64;
            let claimed = usize::try_from(claim.count).unwrap_or_default().min(events.len());
            self.events(events.get(..claimed).unwrap_or_default(), block)?;
            if self.stopped {
                return Ok(());
            }
            if !broken && u64::try_from(claim.count) != Ok(has) || claimed < events.len() {
                return Err(Flaw::RowCount { says: claim.count, has });
            }
            if broken {
                continue;
            }
            let first = events.first().ok_or(Flaw::Row("it has no events"))?;
            if claim.recorded_at != first.recorded_at {
                return Err(Flaw::RowTime);
            }
        }
        self.broken(block, lines)
    }

    /// Reports what ended the block too early, if anything did.
    fn broken(&mut self, block: &Block, lines: &ParsedLines) -> Result<(), Flaw> {
        let (flaw, says) = match (&lines.broken, &block.broken) {
            _ if self.stopped => return Ok(()),
            (Some(flaw), _) => (flaw, lines.says),
            (None, Some(flaw)) => (flaw, block.says),
            (None, None) => return Ok(()),
        };
        self.at = match (self.info.chain, says) {
            (Chain::Streams, Some(says)) => says.max(self.next),
            (Chain::Streams, None) | (Chain::Journal, _) => self.next,
        };
        match (flaw, says) {
            // A line that is not the next one is no follower of the one before: say the first, it is plainer.
            (Flaw::Chain, Some(says)) if says != self.next => Err(Flaw::Position(says)),
            _ => Err(flaw.clone()),
        }
    }

    fn events(&mut self, events: &[Event], block: &Block) -> Result<(), Flaw> {
        for event in events {
            let past = match (self.options.to, self.info.chain) {
                (None, _) => false,
                (Some(StopAt::Position(to)), Chain::Journal) => self.next > to,
                (Some(StopAt::Position(to)), Chain::Streams) => event.position > to,
                (Some(StopAt::Moment(to)), Chain::Journal) => event.recorded_at > to,
                // The next one of another stream may be earlier.
                (Some(StopAt::Moment(_)), Chain::Streams) => false,
            };
            if past || self.stopped {
                self.stopped = true;
                return Ok(());
            }
            self.event(event, block)?;
        }
        Ok(())
    }

    fn event(&mut self, event: &Event, block: &Block) -> Result<(), Flaw> {
        self.at = self.next;
        let hash = match self.info.chain {
            Chain::Journal if event.position != self.next || event.position == u64::MAX => {
                return Err(Flaw::Position(event.position));
            }
            Chain::Journal => Some(event.hash),
            Chain::Streams => self.along_streams(event, block)?,
        };
        if self.manifest().is_some_and(|manifest| event.position > manifest.to) {
            return Err(Flaw::AfterManifest);
        }
        let counts = match self.options.to {
            Some(StopAt::Moment(to)) => event.recorded_at <= to,
            Some(StopAt::Position(_)) | None => true,
        };
        if counts {
            match &mut self.before {
                Before::Whole(books) => books.take(event, &block.bytes)?,
                Before::Fragment(fragment) => fragment.take(event, &block.bytes)?,
            }
            if let Some(count) = self.counts.get_mut(event.fact.number()) {
                *count = count.saturating_add(1);
            }
        }
        if let Some((at, expected)) = self.options.expect
            && at == event.position
        {
            self.met = true;
            if let Some(hash) = hash.filter(|hash| *hash != expected) {
                return Err(Flaw::NotExpected(chain::show(&hash)));
            }
        }
        self.first_hash.get_or_insert(event.hash);
        self.hash = hash;
        self.events = self.events.saturating_add(1);
        self.next = event.position.saturating_add(1);
        self.at = self.next;
        if let (Some((at, show)), Before::Whole(books)) = (&mut self.options.pause, &self.before)
            && *at == event.position
        {
            show(books);
        }
        Ok(())
    }

    /// Checks what an event follows where the chain runs along each stream. Gives the journal's head hash after it.
    fn along_streams(&mut self, event: &Event, block: &Block) -> Result<Option<Hash>, Flaw> {
        let begins_late =
            self.first.is_none() && self.manifest().is_some_and(|manifest| manifest.from != event.position);
        if event.position < self.next || event.position == u64::MAX || begins_late {
            return Err(Flaw::Position(event.position));
        }
        self.at = event.position;
        self.streams.take(event, &block.bytes, self.info.begins)?;
        let mut before = self.hash;
        if self.first.is_none() {
            let id = event_line::event_id(&block.bytes, event);
            self.first = Some((event.position, id));
            if let (Some(id), true) = (id, self.info.begins) {
                self.info.journal_id.get_or_insert(id);
                before = Some(chain::genesis(id));
            }
        }
        Ok(before.map(|before| chain::running(&before, &event.hash)))
    }

    fn finish(mut self) -> Audited {
        let stopped = self.stopped;
        if self.finding.is_none() {
            self.finding = self.at_end();
        }
        let counted = TYPES.into_iter().zip(self.counts).filter(|(_, count)| *count > 0);
        // Of a moment's books, later events were read and not counted.
        let all = !stopped && !matches!(self.options.to, Some(StopAt::Moment(_)));
        let (double_uses, books) = match self.before {
            Before::Whole(books) => (books.double_uses(), Some(*books)),
            Before::Fragment(fragment) => (fragment.double_uses(), None),
        };
        Audited {
            chain: self.info.chain,
            begins: self.info.begins,
            journal_id: self.info.journal_id,
            from: self.first.map_or(self.info.from, |(position, _)| position),
            position: self.next.saturating_sub(1),
            hash: self.hash,
            counts: counted.collect(),
            whole: all && self.finding.is_none() && matches!(self.info.manifest, Some(Ok(_))),
            double_uses,
            accounts: self.streams.accounts(),
            books,
            finding: self.finding,
        }
    }

    /// Finds what shows only when all events were read.
    fn at_end(&self) -> Option<Finding> {
        let found = |place, flaw| Some(Finding { place, flaw });
        if !self.stopped {
            match &self.info.manifest {
                Some(Ok(manifest)) if manifest.to >= self.next => {
                    return found(Place::Position(self.next), Flaw::EndsBeforeManifest(manifest.to));
                }
                Some(Ok(manifest)) => {
                    if let Some(flaw) = self.against(manifest) {
                        return found(Place::Manifest, flaw);
                    }
                }
                Some(Err(flaw)) => return found(Place::Manifest, flaw.clone()),
                None => {}
            }
        }
        match self.options.expect {
            Some((at, _)) if at >= self.next && !self.stopped => {
                found(Place::Position(self.next), Flaw::EndsBeforeExpected)
            }
            Some((at, _)) if at < self.next && !self.met => found(Place::Position(at), Flaw::NoneExpected),
            _ => None,
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
