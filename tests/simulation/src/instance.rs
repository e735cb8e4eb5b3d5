//! [`Instance`] is one machine with a ledger: it starts, crashes, and starts again. What outlives a crash is its clock, its
//! index's files, and its store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bookonce::index::Index;
use bookonce::ledger::{DriveOrder, Ledger};
use bookonce::payouts::Providers;
use bookonce::sagas::Sagas;
use bookonce::store::Head;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::clock::SetClock;
use crate::disk::Disk;
use crate::executor::Owner;
use crate::index_files::IndexFiles;
use crate::node::{Author, Node};
use crate::outside::Outside;
use crate::seat::Seat;
use crate::service::Service;
use crate::world::World;
use crate::{embedded, shared};

/// A `Life` is an instance from a start to the next crash.
pub struct Life {
    /// This is the owner of its tasks.
    pub owner: Owner,
    /// This is its clerk.
    pub clerk: Seat,
    /// This is its index.
    pub index: Index,
    /// This tells how far its journal goes.
    pub head: watch::Receiver<Head>,
    /// This is its ledger.
    pub ledger: Ledger,
    /// These drive its transfers.
    pub sagas: Sagas,
    /// These are the payout providers that it is set up with.
    pub providers: Providers,
    /// This is its handle of the store, where several write one.
    pub store: Option<bookonce::store::eventstoredb::Store>,
}

/// A `Place` is the store of all instances.
#[derive(Clone)]
pub enum Place {
    /// It is held by the one instance.
    Embedded(Disk),
    /// Several instances write it.
    Shared(Node),
}

impl Place {
    /// Returns who wrote each line of the journal, and when.
    #[must_use]
    pub fn authors(&self) -> Vec<Author> {
        match self {
            Self::Embedded(disk) => disk.authors(),
            Self::Shared(node) => node.authors(),
        }
    }

    /// Says whether an event of this type can be read in a stream.
    #[must_use]
    pub fn has_recorded(&self, stream: &str, kind: &str) -> bool {
        match self {
            Self::Embedded(disk) => disk.has_recorded(stream, kind),
            Self::Shared(node) => {
                node.read(|log| log.iter().any(|record| record.stream == stream && record.kind == kind))
            }
        }
    }
}

/// An `Instance` is one machine with a ledger.
pub struct Instance {
    /// This is its number, which its clients know.
    pub number: usize,
    /// This is its clock.
    pub clock: SetClock,
    files: Mutex<IndexFiles>,
    life: Mutex<Option<Arc<Life>>>,
    /// Its transfers are paused.
    paused: AtomicBool,
    /// Its ledger is a copy that was restored.
    restored: AtomicBool,
    /// It is set up without one of the payout providers.
    incomplete: AtomicBool,
    lives: AtomicU64,
}

impl Instance {
    /// Makes a machine on which nothing runs.
    ///
    /// # Errors
    /// Fails when there is no room for its files.
    pub fn new(number: usize) -> std::io::Result<Self> {
        Ok(Self {
            number,
            clock: SetClock::default(),
            files: Mutex::new(IndexFiles::new()?),
            life: Mutex::default(),
            paused: AtomicBool::new(false),
            restored: AtomicBool::new(false),
            incomplete: AtomicBool::new(false),
            lives: AtomicU64::new(0),
        })
    }

    /// Returns the present life.
    pub fn life(&self) -> Option<Arc<Life>> {
        self.life.lock().clone()
    }

    /// Starts the ledger.
    pub fn start(&self, world: &World, place: &Place, outside: &Outside) {
        let lives = self.lives.fetch_add(1, Ordering::Relaxed) + 1;
        let owner = 1 + self.number as u64 + 16 * lives;
        let clock = self.clock.reader(world);
        let drive = self.drive(world, owner);
        let providers = self.set_up(world, owner, outside);
        let seed = 77 + self.number as u64;
        let started = {
            let files = self.files.lock();
            let service = Service { owner, drive, folder: files.data(), providers };
            match place {
                Place::Embedded(disk) => files
                    .open(disk.journal_id(), seed)
                    .and_then(|index| embedded::start(world, disk, index, clock, service)),
                Place::Shared(node) => files
                    .open(uuid::Uuid::nil(), seed)
                    .and_then(|index| shared::start(world, node, index, clock, service)),
            }
        };
        match started {
            Ok(life) => {
                world.step("start", format!("{} at {}", self.number, life.head.borrow().position));
                if self.files.lock().was_old() && has_holds_and_transfers(&life) {
                    world.mark("index one checkpoint old with open holds and transfers");
                }
                if drive == DriveOrder::Resume && has_open(&life) {
                    let is_copy = self.restored.load(Ordering::Relaxed);
                    world.mark(if is_copy {
                        "restored, then resumed with open transfers"
                    } else {
                        "paused, then resumed with open transfers"
                    });
                }
                *self.life.lock() = Some(Arc::new(life));
            }
            Err(why) => world.wrong(format!("instance {} does not start: {why}", self.number)),
        }
    }

    /// Returns the owner of its last life.
    #[must_use]
    pub fn last_owner(&self) -> Owner {
        1 + self.number as u64 + 16 * self.lives.load(Ordering::Relaxed)
    }

    /// Lets the present life crash after so many more steps of its tasks.
    pub fn crash_after(&self, world: &World, steps: u64) {
        if let Some(life) = self.life() {
            world.doom(life.owner, steps);
        }
    }

    /// Counts a step of a task, and crashes when it was the one.
    pub fn went_on(&self, world: &World, owner: Owner) {
        if self.life().is_some_and(|life| life.owner == owner) && world.is_doomed(owner) {
            world.mark("crash between two effects");
            self.crash(world);
        }
    }

    /// Draws whether a new life drives transfers. One that is paused stays so, also after a crash, until it is resumed.
    fn drive(&self, world: &World, owner: Owner) -> DriveOrder {
        let was_paused = self.paused.load(Ordering::Relaxed);
        let pauses = match was_paused {
            true => world.is_faulty() && world.draw(|random| random.below(3)) > 0,
            false => world.goes_wrong(world.plan().pause),
        };
        self.paused.store(pauses, Ordering::Relaxed);
        if pauses {
            world.pauses(owner);
        }
        if pauses || was_paused {
            world.is_paused_once();
        }
        match (pauses, was_paused) {
            (true, false) => DriveOrder::Pause,
            (false, true) => DriveOrder::Resume,
            // The mark in the folder says so.
            (true, true) | (false, false) => DriveOrder::AsBefore,
        }
    }

    /// Draws which payout providers a new life is set up with.
    fn set_up(&self, world: &World, owner: Owner, outside: &Outside) -> Providers {
        let count = world.plan().providers.len();
        let is_gone = count > 0 && world.goes_wrong(world.plan().gone);
        self.incomplete.store(is_gone, Ordering::Relaxed);
        let without = is_gone.then(|| world.draw(|random| random.place(count)));
        outside.set_up(owner, without)
    }

    /// Starts it anew where it is paused, so that it is resumed, and where a payout provider is missing.
    pub fn resume(&self, world: &World) {
        if self.paused.load(Ordering::Relaxed) || self.incomplete.load(Ordering::Relaxed) {
            self.crash(world);
        }
    }

    /// Crashes for good. A new folder is restored from a backup of its journal, with the mark that its transfers are paused.
    /// Returns the lines that the journal has there.
    ///
    /// # Errors
    /// Fails when it can't be restored.
    pub fn restore(&self, world: &World, disk: &Disk, lines: &[u8]) -> Result<Vec<u8>, String> {
        self.crash(world);
        self.paused.store(true, Ordering::Relaxed);
        self.restored.store(true, Ordering::Relaxed);
        self.files.lock().restore(world, lines, disk.journal_id())
    }

    /// Crashes: all of its tasks are gone where they waited.
    pub fn crash(&self, world: &World) {
        let Some(life) = self.life.lock().take() else { return };
        world.step("crash", self.number.to_string());
        world.died(life.owner);
        // One that was to be resumed may have died before.
        self.paused.store(life.ledger.is_paused(), Ordering::Relaxed);
        world.tasks().crash(life.owner);
        drop(life);
        self.files.lock().crash(world);
    }

    /// Builds the index anew from the store, as an operator orders it.
    pub fn rebuild(&self, world: &World) {
        world.mark("index built anew");
        self.crash(world);
        self.files.lock().lose(world);
    }

    /// Moves the checkpoint of its index.
    pub fn move_checkpoint(&self, world: &World) {
        if let Some(life) = self.life() {
            self.files.lock().move_checkpoint(world, &life.index);
        }
    }
}

/// Says whether an instance has open holds and transfers that have not ended.
fn has_holds_and_transfers(life: &Life) -> bool {
    has_open(life) && life.index.open_holds() > 0
}

/// Says whether an instance has transfers that have not ended.
fn has_open(life: &Life) -> bool {
    let mut has_transfers = false;
    let read = life.index.overlay(|overlay| overlay.every_open_transfer(|_| has_transfers = true));
    read.is_ok() && has_transfers
}
