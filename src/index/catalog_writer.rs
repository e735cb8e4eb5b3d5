//! The catalog's one writer moves the checkpoint, and says which runs there are.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::domain::money::Money;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;

use super::catalog::{self, Checkpoint};
use super::error::IndexError;
use super::failure::Failure;
use super::lsm::block::RunId;
use super::lsm::memtable::Memtable;
use super::lsm::run::Run;
use super::lsm::tree::{Tree, TreeKind};
use super::parts::Parts;
use super::rows::{self, Kind};
use super::timer_key::timer_key;

/// A `CatalogWriter` is the catalog's one writing connection, with what is known of the parts of its rows.
#[derive(Debug)]
pub(super) struct CatalogWriter {
    connection: Connection,
    /// These are the parts at the checkpoint; none after a transaction that failed, when they are read again.
    parts: Option<Parts>,
    /// This is the most rows of a part.
    rows_together: u64,
    /// This is the number of holds that are open at the checkpoint.
    open_holds: i64,
    /// It says that streams have timers at the checkpoint.
    has_timers: bool,
    next_file: u64,
    /// This is the index's seed.
    seed: u64,
    /// This is a random number of this start.
    fresh: u64,
}

impl CatalogWriter {
    pub(super) fn new(
        connection: Connection,
        rows_together: u64,
        seed: u64,
        fresh: u64,
    ) -> Result<Self, IndexError> {
        let parts = Some(Parts::load(&connection, rows_together)?);
        let next_file =
            catalog::meta(&connection, "next_file")?.and_then(|text| text.parse().ok()).unwrap_or(1);
        let open_holds =
            catalog::meta(&connection, "open_holds")?.and_then(|text| text.parse().ok()).unwrap_or(0);
        let has_timers = catalog::has_timers(&connection)?;
        Ok(Self { connection, parts, rows_together, open_holds, has_timers, next_file, seed, fresh })
    }

    /// Returns the number of holds that are open at the checkpoint.
    pub(super) fn open_holds(&self) -> i64 {
        self.open_holds
    }

    /// Says whether streams have timers at the checkpoint.
    pub(super) fn has_timers(&self) -> bool {
        self.has_timers
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn empty_wal(&self) -> Result<(), IndexError> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Returns the file's name and the number of the next run. A name may come again after a crash, a number does not:
    /// it is a hash of the file's and of this start's random number.
    pub(super) fn new_run(&mut self, tree: TreeKind) -> (String, RunId) {
        let name = format!("{}-{}.run", tree.name(), self.next_file);
        let digest = Sha256::new()
            .chain_update(self.fresh.to_le_bytes())
            .chain_update(self.next_file.to_le_bytes())
            .finalize();
        let number = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        self.next_file += 1;
        (name, RunId { index: self.seed, number, tree: tree.tag() })
    }
}

impl CatalogWriter {
    /// Says which runs a tree has.
    pub(super) fn set_runs(&mut self, kind: TreeKind, tree: &Tree) -> Result<(), IndexError> {
        let next_file = self.next_file.to_string();
        let transaction = self.connection.transaction()?;
        catalog::set_runs(&transaction, kind, &named(tree))?;
        catalog::set_meta(&transaction, "next_file", &next_file)?;
        catalog::set_seal(&transaction)?;
        transaction.commit()?;
        Ok(())
    }

    /// Moves the checkpoint in one transaction, with the runs and the state that belong to it.
    pub(super) fn move_checkpoint(
        &mut self,
        trees: &[Tree; 3],
        frozen: &Memtable,
        to: Checkpoint,
    ) -> Result<(), IndexError> {
        let mut parts = match self.parts.take() {
            Some(parts) => parts,
            None => Parts::load(&self.connection, self.rows_together)?,
        };
        let transaction = self.connection.transaction()?;
        for tracked in frozen.all_streams() {
            let stream = tracked.state.stream();
            let (kind, key) = rows::stream_row(&stream);
            let before = if rows::has_row(&tracked.state) {
                parts.set(&transaction, kind, key, &rows::state_value(tracked))?
            } else {
                parts.remove(&transaction, kind, key)?
            };
            let before = match before {
                Some(before) => rows::timer(&stream, &before)?,
                None => None,
            };
            set_timer(&transaction, &stream, (before, tracked.state.timer()), &mut parts)?;
        }
        let adding = |kind, key: &[u8], currency, amount: Money, parts: &mut Parts| {
            let before = match catalog::state(&transaction, kind, key)? {
                Some(value) => rows::read_sum(&value)?.1,
                None => Money::zero(currency),
            };
            let after = before.plus(amount).ok_or_else(|| IndexError::damaged("a sum can't be counted"))?;
            parts.set(&transaction, kind, key, &rows::sum_value(currency, after)).map(drop)
        };
        for (key, (currency, amount)) in frozen.all_reversed() {
            adding(Kind::Reversed, &rows::reversed_row_key(key), *currency, *amount, &mut parts)?;
        }
        for (key, amount) in frozen.all_internal() {
            adding(Kind::Internal, &rows::internal_key(key), key.1, *amount, &mut parts)?;
        }
        for (stream, span, currency, moved) in frozen.all_moved() {
            let key = rows::moved_key(stream, span);
            let after = match catalog::state(&transaction, Kind::Moved, &key)? {
                Some(value) => rows::read_moved(&value)?.1.with(*moved)?,
                None => *moved,
            };
            parts.set(&transaction, Kind::Moved, &key, &rows::moved_value(currency, &after))?;
        }
        for note in frozen.notes() {
            let (kind, key, value) = rows::note_row(note);
            parts.set(&transaction, kind, &key, &value)?;
        }
        for (kind, tree) in TreeKind::ALL.into_iter().zip(trees) {
            catalog::set_runs(&transaction, kind, &named(tree))?;
        }
        let open_holds = self.open_holds.saturating_add(frozen.open_holds());
        catalog::set_meta(&transaction, "open_holds", &open_holds.to_string())?;
        let ended = catalog::ended(&transaction)?.plus(frozen.layers().ended());
        catalog::set_ended(&transaction, ended)?;
        parts.write(&transaction)?;
        catalog::set_meta(&transaction, "next_file", &self.next_file.to_string())?;
        catalog::set_checkpoint(&transaction, to)?;
        catalog::set_seal(&transaction)?;
        let has_timers = catalog::has_timers(&transaction)?;
        transaction.commit()?;
        (self.parts, self.open_holds, self.has_timers) = (Some(parts), open_holds, has_timers);
        Ok(())
    }
}

/// Moves the timer of a stream from the first of these times to the second.
fn set_timer(
    connection: &Connection,
    stream: &StreamName,
    (before, after): (Option<Timestamp>, Option<Timestamp>),
    parts: &mut Parts,
) -> Result<(), IndexError> {
    if before == after {
        return Ok(());
    }
    if let Some(at) = before {
        parts.remove(connection, Kind::Timer, &timer_key(at, stream))?;
    }
    if let Some(at) = after {
        parts.set(connection, Kind::Timer, &timer_key(at, stream), "")?;
    }
    Ok(())
}

fn named(tree: &Tree) -> Vec<catalog::NamedRun> {
    let named = |run: &Arc<Run>| {
        let file = run.path().file_name()?.to_string_lossy().into_owned();
        Some(catalog::NamedRun { file, number: run.id().number, sum: run.sum() })
    };
    tree.runs().iter().filter_map(named).collect()
}

/// Opens the runs that the catalog names, and removes the files that it does not.
pub(super) fn open_trees(
    dir: &Path,
    connection: &Connection,
    seed: u64,
    failure: &Arc<Failure>,
) -> Result<[Tree; 3], IndexError> {
    let mut trees: [Tree; 3] = Default::default();
    let mut known = Vec::new();
    for (kind, tree) in TreeKind::ALL.into_iter().zip(&mut trees) {
        let named = catalog::runs(connection, kind)?;
        let runs = named.iter().map(|named| {
            let id = RunId { index: seed, number: named.number, tree: kind.tag() };
            Ok::<_, IndexError>(Arc::new(Run::open(&dir.join(&named.file), id, named.sum, failure)?))
        });
        *tree = Tree::new(runs.collect::<Result<_, _>>()?);
        known.extend(named.into_iter().map(|named| named.file));
    }
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".run") && !known.contains(&name) {
            std::fs::remove_file(dir.join(name))?;
        }
    }
    Ok(trees)
}
