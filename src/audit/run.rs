//! One audit from beginning to end: lines in order, each checked against the ones before, up to the first that is wrong.

use uuid::Uuid;

use super::block::{Block, Lines};
use super::books::Books;
use super::chain::{self, Hash};
use super::event::{Event, Moment};
use super::flaw::{Finding, Flaw, Place};
use super::part::Part;
use super::pipeline::{self, Go};
use super::source::{Opening, Source};
use super::{Error, manifest::Manifest};

/// No event has a line shorter than this.
const SHORTEST_LINE: u64 = 400;

/// Where to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// After the event at this position.
    Position(u64),
    /// After the last event that was recorded at or before this moment.
    Moment(Moment),
}

/// A position at which to show the books, and whom to show them.
pub type Pause<'a> = (u64, &'a mut dyn FnMut(&Books));

/// What is asked of an audit beside its checks.
#[derive(Default)]
pub struct Options<'a> {
    /// Where to stop; else at the end.
    pub to: Option<To>,
    /// A hash that was kept elsewhere, and the position that it is to be found at.
    pub expect: Option<(u64, Hash)>,
    /// Where to show the books on the way.
    pub pause: Option<Pause<'a>>,
    /// Whom to tell how far it has come, now and then.
    pub progress: Option<&'a dyn Fn(u64)>,
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("to", &self.to).field("expect", &self.expect).finish_non_exhaustive()
    }
}

/// The result of an audit.
#[derive(Debug)]
pub struct Audited {
    /// The journal's id, where the source says it.
    pub journal_id: Option<Uuid>,
    /// The first position.
    pub from: u64,
    /// The last position that was found right; one less than `from` when there is none.
    pub position: u64,
    /// The hash there; none when there is no event and the source does not say what goes before.
    pub hash: Option<Hash>,
    /// How many events of each type were found right.
    pub counts: std::collections::BTreeMap<&'static str, u64>,
    /// The books after them; none when the journal does not begin at position 1.
    pub books: Option<Books>,
    /// Whether a manifest was there and has shown that nothing is missing at the end.
    pub whole: bool,
    /// The first thing that is wrong.
    pub finding: Option<Finding>,
}

/// Reads a journal and checks all that can be checked.
///
/// # Errors
/// When it can't be read. That it is wrong is no error but a [`Finding`].
pub fn audit(source: Box<dyn Source>, options: Options<'_>) -> Result<Audited, Error> {
    let mut auditor = Auditor::new(source.opening().clone(), options);
    pipeline::run(source, auditor.opening.previous, |block, lines| auditor.block(block, lines))?;
    Ok(auditor.finish())
}

/// The events before, as far as they are known.
enum Before {
    Whole(Box<Books>),
    Part(Part),
}

struct Auditor<'a> {
    opening: Opening,
    options: Options<'a>,
    before: Before,
    /// The position that comes next.
    next: u64,
    first_hash: Option<Hash>,
    hash: Option<Hash>,
    /// By [`Fact::number`](super::event::Fact::number): a map would cost a look-up an event.
    counts: [u64; super::event::TYPES.len()],
    finding: Option<Finding>,
    stopped: bool,
}

impl<'a> Auditor<'a> {
    fn new(opening: Opening, options: Options<'a>) -> Self {
        let from = opening.from;
        let mut books = Box::<Books>::default();
        if let (Some(last), None) = (opening.last, &options.to) {
            // The source's word is taken only as far as its size bears it out.
            let events = last.saturating_add(1).saturating_sub(from).min(opening.bytes / SHORTEST_LINE);
            books.reserve(usize::try_from(events).unwrap_or_default());
        }
        let before = if from == 1 { Before::Whole(books) } else { Before::Part(Part::new(from)) };
        let hash = opening.previous;
        let counts = [0; super::event::TYPES.len()];
        let (first_hash, finding, stopped) = (None, None, false);
        Self { opening, options, before, next: from, first_hash, hash, counts, finding, stopped }
    }

    fn manifest(&self) -> Option<&Manifest> {
        self.opening.manifest.as_ref().and_then(|manifest| manifest.as_ref().ok())
    }

    /// Takes a block's events.
    fn block(&mut self, block: &Block, lines: &Lines) -> Go {
        match self.rows(block, lines) {
            Ok(()) if !self.stopped => {}
            Ok(()) => return Go::Stop,
            Err(flaw) => {
                self.finding = Some(Finding { place: Place::Position(self.next), flaw });
                return Go::Stop;
            }
        }
        if let Some(progress) = self.options.progress {
            progress(self.next - 1);
        }
        Go::On
    }

    fn rows(&mut self, block: &Block, lines: &Lines) -> Result<(), Flaw> {
        let mut start = 0;
        for (number, (row, &end)) in block.rows.iter().zip(&lines.rows).enumerate() {
            let events = lines.events.get(start..end).unwrap_or_default();
            start = end;
            let broken = number + 1 == lines.rows.len() && lines.broken.is_some();
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
            match events.first() {
                None if !broken => return Err(Flaw::Row("it has no events")),
                Some(first) if !broken && claim.recorded_at != first.recorded_at => {
                    return Err(Flaw::RowTime);
                }
                _ => {}
            }
        }
        match lines.broken.as_ref().or(block.broken.as_ref()) {
            // A line that is not the next one is no follower of the one before: say the first, it is plainer.
            Some(Flaw::Chain) if !self.stopped && lines.says.is_some_and(|says| says != self.next) => {
                Err(Flaw::Position(lines.says.unwrap_or_default()))
            }
            Some(flaw) if !self.stopped => Err(flaw.clone()),
            _ => Ok(()),
        }
    }

    fn events(&mut self, events: &[Event], block: &Block) -> Result<(), Flaw> {
        for event in events {
            let past = match self.options.to {
                None => false,
                Some(To::Position(to)) => self.next > to,
                Some(To::Moment(to)) => event.recorded_at > to,
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
        if event.position != self.next {
            return Err(Flaw::Position(event.position));
        }
        if self.manifest().is_some_and(|manifest| event.position > manifest.to) {
            return Err(Flaw::AfterManifest);
        }
        match &mut self.before {
            Before::Whole(books) => books.take(event, &block.bytes)?,
            Before::Part(part) => part.take(event, &block.bytes)?,
        }
        if let Some((at, expected)) = self.options.expect
            && at == event.position
            && event.hash != expected
        {
            return Err(Flaw::NotExpected(chain::show(&event.hash)));
        }
        self.first_hash.get_or_insert(event.hash);
        self.hash = Some(event.hash);
        if let Some(count) = self.counts.get_mut(event.fact.number()) {
            *count += 1;
        }
        self.next += 1;
        if let (Some((at, show)), Before::Whole(books)) = (&mut self.options.pause, &self.before)
            && *at == event.position
        {
            show(books);
        }
        Ok(())
    }

    fn finish(mut self) -> Audited {
        let stopped = self.stopped;
        if self.finding.is_none() {
            self.finding = self.at_end();
        }
        let counted = super::event::TYPES.into_iter().zip(self.counts).filter(|(_, count)| *count > 0);
        Audited {
            journal_id: self.opening.journal_id,
            from: self.opening.from,
            position: self.next - 1,
            hash: self.hash,
            counts: counted.collect(),
            whole: !stopped && self.finding.is_none() && self.manifest().is_some(),
            books: match self.before {
                Before::Whole(books) => Some(*books),
                Before::Part(_) => None,
            },
            finding: self.finding,
        }
    }

    /// What shows only when all events were read.
    fn at_end(&self) -> Option<Finding> {
        let here = |flaw| Some(Finding { place: Place::Position(self.next), flaw });
        if !self.stopped {
            match &self.opening.manifest {
                Some(Ok(manifest)) if manifest.to >= self.next => {
                    return here(Flaw::EndsBeforeManifest(manifest.to));
                }
                Some(Ok(manifest)) => {
                    for (name, says, is) in [
                        (
                            "first_hash",
                            manifest.first_hash,
                            self.first_hash.unwrap_or(manifest.previous_hash),
                        ),
                        ("last_hash", manifest.last_hash, self.hash.unwrap_or(manifest.previous_hash)),
                    ] {
                        if says != is {
                            return Some(Finding { place: Place::Manifest, flaw: Flaw::Manifest(name) });
                        }
                    }
                }
                Some(Err(flaw)) => return Some(Finding { place: Place::Manifest, flaw: flaw.clone() }),
                None => {}
            }
        }
        match self.options.expect {
            Some((at, _)) if at >= self.next && !self.stopped => here(Flaw::EndsBeforeExpected),
            _ => None,
        }
    }
}

impl Audited {
    /// That of a database which is damaged so that it can't be begun.
    #[must_use]
    pub(super) fn unreadable(why: String) -> Self {
        Self {
            journal_id: None,
            from: 1,
            position: 0,
            hash: None,
            counts: std::collections::BTreeMap::new(),
            books: None,
            whole: false,
            finding: Some(Finding { place: Place::Position(1), flaw: Flaw::Database(why) }),
        }
    }
}
