//! A run is an immutable file of sorted records, in blocks, with its directory and its filter behind them.
//!
//! ```text
//! block*            see `block`; 8 KiB each, the last one less
//! directory         20 bytes a block: its first key, its CRC-32
//! filter            64 bytes each, none for a tree that is only scanned
//! footer            magic, records, blocks, filter bytes, the index's seed, the run's number, the tree,
//!                   CRC-32 over directory, filter and footer
//! ```
//! The catalog names a run's number and the checksum in its footer; the footer proves the directory, and the directory
//! proves each block. So a block is believed only if it is the one that was written there, and not because its own
//! bytes are whole. The directory and the filter are read and compared when the run is opened; a block is compared each
//! time that it is read. Damage is noted for the whole index at once.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::{self, BYTES, Expected, HEADER, RECORDS, RunId};
use super::filter::{Filter, mix};
use super::run_error::RunError;
use super::run_writer::{MAGIC, Writer, Written};
use crate::index::failure::Failure;
use crate::index::record::{Record, SIZE};

const FOOTER: usize = 8 + 5 * 8 + 4 + 4;
/// These are the bytes of a block's entry in the directory.
const ENTRY: usize = 16 + 4;

/// A `Run` is an open run.
#[derive(Debug)]
pub struct Run {
    path: PathBuf,
    file: File,
    id: RunId,
    records: u64,
    first_keys: Vec<u128>,
    block_sums: Vec<u32>,
    filter: Option<Filter>,
    sum: u32,
    failure: Arc<Failure>,
}

impl Run {
    /// Writes the sorted records to a new file, durably, and opens it. If `filter_for` is given, the run has a filter
    /// for that many keys.
    ///
    /// # Errors
    /// Fails when the file can't be written.
    pub(crate) fn write(
        path: &Path,
        id: RunId,
        records: impl Iterator<Item = Result<Record, RunError>>,
        filter_for: Option<u64>,
        failure: &Arc<Failure>,
    ) -> Result<Self, RunError> {
        let written = write_file(path, id, records, filter_for).inspect_err(|_| {
            // An unfinished run is of no use; the catalog does not name it.
            let _removed_or_not = std::fs::remove_file(path);
        })?;
        let file = File::open(path).map_err(|error| RunError::Io(path.to_owned(), error))?;
        Ok(Self::over(path, file, id, written, failure))
    }

    fn over(path: &Path, file: File, id: RunId, written: Written, failure: &Arc<Failure>) -> Self {
        let Written { records, first_keys, block_sums, filter, sum } = written;
        let failure = Arc::clone(failure);
        Self { path: path.to_owned(), file, id, records, first_keys, block_sums, filter, sum, failure }
    }

    /// Opens the run that the catalog names: the one with this number, this tree and this checksum.
    ///
    /// # Errors
    /// Fails when it can't be read, or is not that run.
    pub(crate) fn open(path: &Path, id: RunId, sum: u32, failure: &Arc<Failure>) -> Result<Self, RunError> {
        let failed = |error| RunError::Io(path.to_owned(), error);
        let damaged = || RunError::Damaged(path.to_owned());
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let start = length.checked_sub(FOOTER as u64).ok_or_else(damaged)?;
        let mut footer = [0; FOOTER];
        file.read_exact_at(&mut footer, start).map_err(failed)?;
        let footer = Footer::read(&footer, id).ok_or_else(damaged)?;
        let trailer_start = footer.trailer_start(start).ok_or_else(damaged)?;
        let mut trailer = vec![0; usize::try_from(start - trailer_start).map_err(|_| damaged())?];
        file.read_exact_at(&mut trailer, trailer_start).map_err(failed)?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&trailer);
        crc.update(&footer.bytes);
        if crc.finalize() != footer.sum || footer.sum != sum {
            return Err(damaged());
        }
        let written = footer.written(&trailer).ok_or_else(damaged)?;
        Ok(Self::over(path, file, id, written, failure))
    }

    /// Returns the path of its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the run's id.
    pub(crate) fn id(&self) -> RunId {
        self.id
    }

    /// Returns the checksum in its footer, by which the catalog tells this file from any other whole run.
    #[must_use]
    pub fn sum(&self) -> u32 {
        self.sum
    }

    /// Returns the number of its records.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Returns the number of its blocks.
    pub(super) fn blocks(&self) -> usize {
        self.first_keys.len()
    }

    /// Returns the bytes of memory that it takes while it is open.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.first_keys.len() * ENTRY + self.filter.as_ref().map_or(0, Filter::bytes)
    }

    /// Says whether a record with this key may be here. `false` is certain. The question costs no I/O.
    #[must_use]
    pub fn may_contain(&self, key: u128) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.may_contain(mix(key, self.id.index)))
    }

    /// Appends the records with `low <= key <= high`, in order from the low end, or from the high end if `backwards`;
    /// at most about `limit` of them (a block's worth more may come).
    ///
    /// # Errors
    /// Fails when a block can't be read, or is not what was written.
    pub fn range(
        &self,
        low: u128,
        high: u128,
        backwards: bool,
        limit: usize,
        out: &mut Vec<Record>,
    ) -> Result<(), RunError> {
        let first = self.first_keys.partition_point(|key| *key < low).saturating_sub(1);
        let end = self.first_keys.partition_point(|key| *key <= high);
        let mut blocks = first..end;
        let start = out.len();
        while let Some(block) = if backwards { blocks.next_back() } else { blocks.next() } {
            let records = self.block(block)?;
            let inside = |record: &Record| (low..=high).contains(&record.key);
            if backwards {
                out.extend(records.into_iter().rev().filter(inside));
            } else {
                out.extend(records.into_iter().filter(inside));
            }
            if out.len() - start >= limit {
                break;
            }
        }
        Ok(())
    }

    /// Appends the records of a key from this one on, in order, at most about `limit` of them. The blocks that begin with one
    /// key are halved until the one is found in which the record lies, so that there may be any number of them.
    ///
    /// # Errors
    /// Fails when a block can't be read, or is not what was written.
    pub fn of_key_from(&self, from: Record, limit: usize, out: &mut Vec<Record>) -> Result<(), RunError> {
        let mut first = self.first_keys.partition_point(|key| *key < from.key).saturating_sub(1);
        let end = self.first_keys.partition_point(|key| *key <= from.key);
        let mut behind = end;
        while behind.saturating_sub(first) > 1 {
            let middle = first + (behind - first) / 2;
            if self.block(middle)?.first().is_some_and(|record| *record <= from) {
                first = middle;
            } else {
                behind = middle;
            }
        }
        let start = out.len();
        for block in first..end {
            let records = self.block(block)?;
            out.extend(records.into_iter().filter(|record| record.key == from.key && *record >= from));
            if out.len() - start >= limit {
                break;
            }
        }
        Ok(())
    }

    /// Returns all records in order, and reads a block at a time.
    pub fn iter(&self) -> impl Iterator<Item = Result<Record, RunError>> + '_ {
        (0..self.first_keys.len()).flat_map(|block| match self.block(block) {
            Ok(records) => records.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        })
    }

    /// Reads the records of a block, and checks that they are the ones that were written there.
    ///
    /// # Errors
    /// Fails when it can't be read, or is not what was written. The latter is noted for the whole index.
    pub(super) fn block(&self, block: usize) -> Result<Vec<Record>, RunError> {
        let damaged = || self.damaged();
        let expected = self.expected(block).ok_or_else(damaged)?;
        let mut bytes = vec![0; HEADER + expected.records * SIZE];
        match self.file.read_exact_at(&mut bytes, (block * BYTES) as u64) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(self.damaged()),
            Err(error) => return Err(RunError::Io(self.path.clone(), error)),
        }
        block::open(&bytes, self.id, expected).ok_or_else(damaged)
    }

    fn expected(&self, nth: usize) -> Option<Expected> {
        let before = (nth * RECORDS) as u64;
        let left = usize::try_from(self.records.checked_sub(before)?).ok()?;
        Some(Expected {
            nth,
            records: left.min(RECORDS),
            first_key: *self.first_keys.get(nth)?,
            next_key: self.first_keys.get(nth + 1).copied(),
            sum: *self.block_sums.get(nth)?,
        })
    }

    /// Notes for the whole index that this run is not what was written, and returns the error.
    pub(super) fn damaged(&self) -> RunError {
        let error = RunError::Damaged(self.path.clone());
        self.failure.damaged(&error.to_string());
        error
    }
}

fn write_file(
    path: &Path,
    id: RunId,
    records: impl Iterator<Item = Result<Record, RunError>>,
    filter_for: Option<u64>,
) -> Result<Written, RunError> {
    let failed = |error| RunError::Io(path.to_owned(), error);
    let file = File::create_new(path).map_err(failed)?;
    let mut out = Writer::new(file, id, filter_for);
    for record in records {
        out.push(record?).map_err(failed)?;
    }
    out.finish().map_err(failed)
}

/// A `Footer` is what a run's file says of itself. The catalog proves it.
struct Footer {
    /// These are all bytes but the checksum.
    bytes: [u8; FOOTER - 4],
    sum: u32,
    records: u64,
    blocks: u64,
    filter_bytes: u64,
}

impl Footer {
    /// Reads a footer; `None` when it is not a footer, or is the footer of another run.
    fn read(footer: &[u8; FOOTER], id: RunId) -> Option<Self> {
        let (bytes, sum) = footer.split_last_chunk::<4>()?;
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (numbers, tree) = rest.as_chunks::<8>();
        let [records, blocks, filter_bytes, index, number] = numbers else { return None };
        let [records, blocks, filter_bytes, index, number] =
            [records, blocks, filter_bytes, index, number].map(|bytes| u64::from_le_bytes(*bytes));
        let tree = u32::from_le_bytes(tree.try_into().ok()?);
        let is_right = magic == MAGIC
            && RunId { index, number, tree } == id
            && blocks == records.div_ceil(RECORDS as u64);
        let bytes = bytes.try_into().ok()?;
        is_right.then_some(Self { bytes, sum: u32::from_le_bytes(*sum), records, blocks, filter_bytes })
    }

    /// Returns where the directory begins in a file whose footer starts at `start`; `None` when that is not right after
    /// the blocks.
    fn trailer_start(&self, start: u64) -> Option<u64> {
        let behind = self.blocks.checked_mul(ENTRY as u64)?.checked_add(self.filter_bytes)?;
        let blocks = self.records.checked_mul(SIZE as u64)?.checked_add(self.blocks * HEADER as u64)?;
        start.checked_sub(behind).filter(|trailer| *trailer == blocks)
    }

    /// Reads from the directory and the filter what an open run keeps in memory.
    fn written(&self, trailer: &[u8]) -> Option<Written> {
        let blocks = usize::try_from(self.blocks).ok()?;
        let (directory, filter) = trailer.split_at_checked(blocks * ENTRY)?;
        let (mut first_keys, mut block_sums) = (Vec::with_capacity(blocks), Vec::with_capacity(blocks));
        for entry in directory.as_chunks::<ENTRY>().0 {
            let (key, sum) = entry.split_first_chunk::<16>()?;
            first_keys.push(u128::from_be_bytes(*key));
            block_sums.push(u32::from_le_bytes(sum.try_into().ok()?));
        }
        let filter = if filter.is_empty() { None } else { Some(Filter::read(filter)?) };
        let in_order = first_keys.is_sorted();
        in_order.then_some(Written { records: self.records, first_keys, block_sums, filter, sum: self.sum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: RunId = RunId { index: 9, number: 4, tree: 1 };

    fn failure(dir: &Path) -> Arc<Failure> {
        Arc::new(Failure::none(dir))
    }

    fn written(dir: &Path, count: u64, id: RunId) -> Run {
        let records = (0..count).map(|n| Ok(Record { key: u128::from(n / 2) << 40, value: n }));
        Run::write(&dir.join("run"), id, records, Some(count), &failure(dir)).unwrap()
    }

    #[test]
    fn what_was_written_is_found_from_both_ends() {
        let dir = tempfile::tempdir().unwrap();
        let sum = written(dir.path(), 1_000, ID).sum();
        let run = Run::open(&dir.path().join("run"), ID, sum, &failure(dir.path())).unwrap();
        assert_eq!(run.iter().map(|r| r.unwrap().value).collect::<Vec<_>>(), (0..1_000).collect::<Vec<_>>());
        let mut found = Vec::new();
        run.range(170 << 40, 170 << 40, false, 9, &mut found).unwrap();
        assert_eq!(found.iter().map(|r| r.value).collect::<Vec<_>>(), [340, 341], "a pair across two blocks");
        found.clear();
        run.range(0, u128::MAX, true, 3, &mut found).unwrap();
        assert_eq!(found[0].value, 999);
        assert!((0..500_u128).all(|n| run.may_contain(n << 40)));
    }

    /// Says whether a file with these bytes is refused as that run, either when it is opened or when a block is read.
    fn refused(dir: &Path, bytes: &[u8], id: RunId, sum: u32) -> bool {
        let path = dir.join("bad");
        // Writing over an existing file makes some file systems wait for the disk.
        let _may_be_new = (std::fs::remove_file(&path), Failure::remove_mark(dir));
        std::fs::write(&path, bytes).unwrap();
        let failure = failure(dir);
        match Run::open(&path, id, sum, &failure) {
            Err(_) => true,
            Ok(run) => run.iter().any(|record| record.is_err()) && failure.is_damage(),
        }
    }

    /// Catches: a block, a filter or a directory that is believed without its checksum.
    #[test]
    fn every_changed_byte_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let sum = written(dir.path(), 400, ID).sum();
        let good = std::fs::read(dir.path().join("run")).unwrap();
        assert!(!refused(dir.path(), &good, ID, sum));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert!(refused(dir.path(), &bad, ID, sum), "byte {at} was changed and nobody noticed");
        }
    }

    /// Catches: a run that is believed under the number, the tree or the index of another.
    #[test]
    fn a_whole_run_is_not_another() {
        let dir = tempfile::tempdir().unwrap();
        let sum = written(dir.path(), 400, ID).sum();
        let good = std::fs::read(dir.path().join("run")).unwrap();
        for other in [RunId { index: 8, ..ID }, RunId { number: 5, ..ID }, RunId { tree: 2, ..ID }] {
            assert!(refused(dir.path(), &good, other, sum), "{other:?}");
        }
        assert!(refused(dir.path(), &good, ID, sum ^ 1));
    }

    /// Catches: records that no look-up would find, because they do not ascend.
    #[test]
    fn records_out_of_order_are_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let records = [2, 1].map(|key| Ok(Record { key, value: 0 }));
        let run = Run::write(&dir.path().join("run"), ID, records.into_iter(), None, &failure(dir.path()));
        assert!(run.is_err() && !dir.path().join("run").exists());
    }

    /// Guards against: a page of an ID that was named very often which lacks some, or which reads all of them.
    #[test]
    fn the_records_of_one_key_are_read_from_any_of_them_on() {
        let dir = tempfile::tempdir().unwrap();
        let of = |key: u128, values: std::ops::Range<u64>| {
            values.map(move |value| Record { key, value: value * 4 })
        };
        let all: Vec<_> = of(6, 0..500).chain(of(7, 0..5_000)).chain(of(8, 0..500)).collect();
        let run =
            Run::write(&dir.path().join("run"), ID, all.into_iter().map(Ok), None, &failure(dir.path()))
                .unwrap();
        for from in (0..20_100).step_by(67) {
            let mut found = Vec::new();
            run.of_key_from(Record { key: 7, value: from }, 100, &mut found).unwrap();
            let right: Vec<_> = of(7, 0..5_000).filter(|record| record.value >= from).collect();
            assert!(found.len() >= right.len().min(100) && found.len() <= 100 + 340, "{} found", found.len());
            assert_eq!(found, right[..found.len()], "from {from} on");
        }
    }
}
