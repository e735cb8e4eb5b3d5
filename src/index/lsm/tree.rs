//! A tree has the runs of one kind of record, oldest first. Runs of similar size are merged, so that there are few of
//! them.

use std::path::Path;
use std::sync::Arc;

use super::block::RunId;
use super::run::Run;
use super::run_error::RunError;
use crate::index::failure::Failure;
use crate::index::record::Record;
use crate::index::tuning::Tuning;

/// A `TreeKind` names one of the three trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TreeKind {
    /// The tree of IDs leads from an ID to the positions at which it plays a role.
    Ids,
    /// The tree of revisions leads from a stream and a revision to the position and the facts of the event.
    Revisions,
    /// The tree of places leads from a position to the facts of the event, which can be known without reading it.
    Places,
}

impl TreeKind {
    /// These are all three kinds.
    pub const ALL: [Self; 3] = [Self::Ids, Self::Revisions, Self::Places];

    /// Its name in file names and in the catalog.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ids => "ids",
            Self::Revisions => "revisions",
            Self::Places => "places",
        }
    }

    /// Its number in the blocks of its runs.
    pub(in crate::index) fn tag(self) -> u32 {
        match self {
            Self::Ids => 1,
            Self::Revisions => 2,
            Self::Places => 3,
        }
    }

    /// Says whether the tree's runs have a filter. Only the tree of IDs is asked for single random keys, for which a
    /// filter saves reading.
    #[must_use]
    pub fn filtered(self) -> bool {
        self == Self::Ids
    }
}

/// The runs of one tree. It is immutable: a change makes a new list of the same runs.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    runs: Vec<Arc<Run>>,
}

impl Tree {
    /// A tree of these runs, oldest first.
    #[must_use]
    pub fn new(runs: Vec<Arc<Run>>) -> Self {
        Self { runs }
    }

    /// Its runs, oldest first.
    #[must_use]
    pub fn runs(&self) -> &[Arc<Run>] {
        &self.runs
    }

    /// Returns the tree with one more, newest, run.
    #[must_use]
    pub fn with(&self, run: Arc<Run>) -> Self {
        let mut runs = self.runs.clone();
        runs.push(run);
        Self { runs }
    }

    /// Returns the tree in which the run `merged` replaces the runs `old`.
    #[must_use]
    pub fn replaced(&self, old: &[Arc<Run>], merged: Arc<Run>) -> Self {
        let is_old = |run: &Arc<Run>| old.iter().any(|other| Arc::ptr_eq(run, other));
        let at = self.runs.iter().position(is_old).unwrap_or(0);
        let mut runs: Vec<_> = self.runs.iter().filter(|run| !is_old(run)).cloned().collect();
        runs.insert(at, merged);
        Self { runs }
    }

    /// Appends the records with this key.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn get(&self, key: u128, out: &mut Vec<Record>) -> Result<(), RunError> {
        for run in &self.runs {
            if run.may_contain(key) {
                run.range(key, key, false, usize::MAX, out)?;
            }
        }
        Ok(())
    }

    /// Appends the records of a key from this one on: at least the first `limit` are among them.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn get_from(&self, from: Record, limit: usize, out: &mut Vec<Record>) -> Result<(), RunError> {
        let asked = self.runs.iter().filter(|run| run.may_contain(from.key));
        asked.into_iter().try_for_each(|run| run.of_key_from(from, limit, out))
    }

    /// Appends the records with `low <= key <= high` from one end, in no order between runs: at least the `limit`
    /// nearest to that end are among them.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn range(
        &self,
        low: u128,
        high: u128,
        backwards: bool,
        limit: usize,
        out: &mut Vec<Record>,
    ) -> Result<(), RunError> {
        self.runs.iter().try_for_each(|run| run.range(low, high, backwards, limit, out))
    }

    /// Returns neighbouring runs that should be merged into one: at least [`Tuning::fan_in`] runs of one tier. The tier
    /// of a run counts as at least that of any newer run. Otherwise small runs between large ones, which occur when
    /// flushes are late, would never be merged.
    #[must_use]
    pub fn to_merge(&self, tuning: Tuning) -> Option<Vec<Arc<Run>>> {
        let mut group = 0..0;
        let mut largest = 0;
        let mut found = None;
        for (at, run) in self.runs.iter().enumerate().rev() {
            let tier = tier(run, tuning).max(largest);
            group = if tier == largest && !group.is_empty() { at..group.end } else { at..at + 1 };
            largest = tier;
            if group.len() >= tuning.fan_in {
                found = Some(group.clone());
            } else if found.is_some() {
                break;
            }
        }
        self.runs.get(found?).map(<[_]>::to_vec)
    }
}

fn tier(run: &Arc<Run>, tuning: Tuning) -> u32 {
    let mut tier = 0;
    let mut holds = tuning.lowest;
    while run.records() > holds {
        holds = holds.saturating_mul(tuning.fan_in.max(2) as u64);
        tier += 1;
    }
    tier
}

/// Merges runs into one new file. Each block is checked when it is read, so a merge does not copy damage.
///
/// # Errors
/// Fails when a run can't be read or the new one can't be written.
pub(super) fn merge(
    kind: TreeKind,
    runs: &[Arc<Run>],
    path: &Path,
    id: RunId,
    failure: &Arc<Failure>,
) -> Result<Run, RunError> {
    let total = runs.iter().map(|run| run.records()).sum();
    let inputs = runs.iter().map(|run| run.iter().peekable()).collect();
    Run::write(path, id, Merge { inputs }, kind.filtered().then_some(total), failure)
}

/// A `Merge` gives the records of several sorted inputs, in order. The inputs are few, so the smallest is found by looking
/// at each.
struct Merge<I: Iterator<Item = Result<Record, RunError>>> {
    inputs: Vec<std::iter::Peekable<I>>,
}

impl<I: Iterator<Item = Result<Record, RunError>>> Iterator for Merge<I> {
    type Item = Result<Record, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut least: Option<(usize, Option<Record>)> = None;
        for (at, input) in self.inputs.iter_mut().enumerate() {
            // An error counts as the least, so that it comes out at once.
            let Some(head) = input.peek().map(|head| head.as_ref().ok().copied()) else { continue };
            if least.is_none_or(|(_, best)| head < best) {
                least = Some((at, head));
            }
        }
        self.inputs.get_mut(least?.0)?.next()
    }
}
