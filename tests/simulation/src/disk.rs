//! [`Disk`] is the store of an embedded ledger: lines in memory, and commits that fail in each way in which a disk fails.

use std::sync::Arc;
use std::time::Duration;

use bookonce::store::chain::Hash;
use bookonce::store::codec::{self, Line};
use bookonce::store::draft::Draft;
use bookonce::store::{AppendError, Appends, CloseError, Journal, ReadError, lines_of};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::node::{Author, weight};
use crate::world::World;

/// A `Disk` has the durable lines of a journal. It outlives every crash.
#[derive(Clone)]
pub struct Disk(Arc<Inner>);

struct Inner {
    world: World,
    journal_id: Uuid,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// These are the lines, each with its line feed.
    lines: Vec<Vec<u8>>,
    /// These are who wrote each line, and when.
    by: Vec<Author>,
    /// Until then there is no room.
    full_until: Option<Duration>,
    /// This is the life of the instance that may write.
    life: u64,
}

impl Disk {
    /// Makes an empty disk for a journal with an id that the run draws.
    #[must_use]
    pub fn new(world: &World) -> Self {
        let (high, low) = world.draw(|random| (random.any(), random.any()));
        let journal_id =
            uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes());
        let (world, state) = (world.clone(), Mutex::default());
        Self(Arc::new(Inner { world, journal_id: journal_id.into_uuid(), state }))
    }

    /// Returns the id of the journal.
    #[must_use]
    pub fn journal_id(&self) -> Uuid {
        self.0.journal_id
    }

    /// Returns the writing side for one life of an instance. What an earlier life would still write never lands.
    #[must_use]
    pub fn writer(&self, life: u64) -> Box<dyn Appends> {
        self.0.state.lock().life = life;
        Box::new(Writer { disk: self.clone(), life })
    }

    /// Returns all lines, each with its line feed.
    #[must_use]
    pub fn all(&self) -> Vec<u8> {
        self.0.state.lock().lines.concat()
    }

    /// Returns who wrote each line.
    #[must_use]
    pub fn authors(&self) -> Vec<Author> {
        self.0.state.lock().by.clone()
    }

    /// Says whether an event of this type is in a stream.
    #[must_use]
    pub fn has_recorded(&self, stream: &str, kind: &str) -> bool {
        let (stream, kind) = (format!("\"stream\":\"{stream}\""), format!("\"type\":\"{kind}\""));
        let has = |line: &Vec<u8>| {
            let line = String::from_utf8_lossy(line);
            line.contains(&stream) && line.contains(&kind)
        };
        self.0.state.lock().lines.iter().any(has)
    }

    /// Puts the lines of a backup in the place of all that is here.
    pub fn restore(&self, lines: &[u8]) {
        let mut state = self.0.state.lock();
        state.lines = lines_of(lines).map(|line| [line, b"\n"].concat()).collect();
        let count = state.lines.len();
        state.by.truncate(count);
    }

    /// Returns the lines after a position.
    #[must_use]
    pub fn after(&self, position: u64) -> Vec<Vec<u8>> {
        let skip = usize::try_from(position).unwrap_or(usize::MAX);
        self.0.state.lock().lines.iter().skip(skip).cloned().collect()
    }
}

struct Writer {
    disk: Disk,
    life: u64,
}

impl Writer {
    fn outcome(&self, world: &World) -> Result<(), (AppendError, bool)> {
        let mut state = self.disk.0.state.lock();
        if state.life != self.life {
            return Err((AppendError::Unknown, false));
        }
        if let Some(until) = state.full_until {
            if world.is_faulty() && world.time() < until {
                return Err((AppendError::Full, false));
            }
            state.full_until = None;
            world.mark("disk full, then room again");
        }
        if !world.goes_wrong(world.plan().store) {
            return Ok(());
        }
        match world.draw(|random| random.below(6)) {
            0 | 1 => {
                let millis = world.draw(|random| random.between(1, 3_000));
                state.full_until = Some(world.time() + Duration::from_millis(millis));
                world.mark("disk full");
                Err((AppendError::Full, false))
            }
            2 => Err((AppendError::NotBegun, false)),
            3 => Err((AppendError::NotWritten, false)),
            4 => {
                world.mark("commit in doubt, not written");
                Err((AppendError::Unknown, false))
            }
            _ => {
                world.mark("commit in doubt, written");
                Err((AppendError::Unknown, true))
            }
        }
    }
}

impl Appends for Writer {
    fn append(&mut self, draft: &Draft) -> Result<(), AppendError> {
        let world = &self.disk.0.world;
        let outcome = self.outcome(world);
        world.step("commit", format!("{} to {}: {outcome:?}", draft.first, draft.last()));
        if matches!(outcome, Ok(()) | Err((_, true))) {
            let mut state = self.disk.0.state.lock();
            if state.lines.len() as u64 + 1 != draft.first {
                world.wrong(format!("a commit at {} does not follow on {}", draft.first, state.lines.len()));
            }
            let lines = lines_of(draft.lines()).map(|line| [line, b"\n"].concat());
            world.appended(self.life, lines_of(draft.lines()).map(weight));
            let before = state.lines.len();
            state.lines.extend(lines);
            let new = state.lines.len() - before;
            state.by.extend(std::iter::repeat_n((self.life, world.time()), new));
        }
        outcome.map_err(|(error, _)| error)
    }

    fn close(self: Box<Self>) -> Result<(), CloseError> {
        Ok(())
    }
}

impl Journal for Disk {
    fn lines(&self, after: u64, limit: usize) -> Result<Vec<u8>, ReadError> {
        Ok(self.after(after).into_iter().take(limit).flatten().collect())
    }

    fn event(&self, position: u64) -> Result<Line, ReadError> {
        let world = &self.0.world;
        if world.goes_wrong(world.plan().store / 4) {
            world.mark("store unreachable for a while");
            return Err(ReadError::Unreachable("too many files are open".into()));
        }
        let line = self.after(position.saturating_sub(1)).into_iter().next();
        let line = line.ok_or_else(|| ReadError::Damaged("there is no such event".into()))?;
        codec::decode(line.strip_suffix(b"\n").unwrap_or(&line))
            .map_err(|error| ReadError::Damaged(error.into()))
    }
}

/// Returns the hash that the journal begins with.
#[must_use]
pub fn genesis(disk: &Disk) -> Hash {
    Hash::genesis(disk.journal_id())
}
