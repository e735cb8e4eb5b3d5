//! A run: an immutable file of sorted records, in blocks that carry checksums, with its filter behind them.
//!
//! ```text
//! block*            340 records of 24 bytes (the last block fewer), CRC-32
//! first keys        16 bytes a block
//! filter            64 bytes each, none for a tree that is only scanned
//! footer            magic, records, blocks, filter bytes, seed, CRC-32 over the blocks' CRCs,
//!                   CRC-32 over first keys, filter and footer: it tells this run from every other
//! ```
//! A byte that changed is found before anything in its block is believed.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::filter::{Filter, mix};
use crate::index::record::{Record, SIZE};

/// Records in a block: as many as fit 8 KiB.
const BLOCK_RECORDS: usize = 340;
const BLOCK_BYTES: usize = BLOCK_RECORDS * SIZE + 4;
const MAGIC: &[u8; 8] = b"bkrun\0\0\x01";
const FOOTER: usize = 8 + 8 + 8 + 8 + 8 + 8 + 4;
/// Bytes written between two syncs, so that a long merge does not hold the disk when commits want it.
const SYNC_EVERY: usize = 4 << 20;

/// An open run.
#[derive(Debug)]
pub struct Run {
    path: PathBuf,
    file: File,
    records: u64,
    first_keys: Vec<u128>,
    filter: Option<Filter>,
    seed: u64,
    sum: u32,
}

/// What is wrong with a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The file can't be read or written.
    #[error("the index file {0} can't be used")]
    Io(PathBuf, #[source] io::Error),
    /// Its bytes are not what was written.
    #[error("the index file {0} is damaged")]
    Damaged(PathBuf),
}

impl Run {
    /// Writes the sorted records to a new file, durably, and opens it.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(
        path: &Path,
        records: impl Iterator<Item = Result<Record, RunError>>,
        filter_for: Option<u64>,
        seed: u64,
    ) -> Result<Self, RunError> {
        Self::write_file(path, records, filter_for, seed).inspect_err(|_| {
            // Half a run is no use to anybody; the catalog does not name it.
            let _removed_or_not = std::fs::remove_file(path);
        })
    }

    fn write_file(
        path: &Path,
        records: impl Iterator<Item = Result<Record, RunError>>,
        filter_for: Option<u64>,
        seed: u64,
    ) -> Result<Self, RunError> {
        let failed = |error| RunError::Io(path.to_owned(), error);
        let file = File::create_new(path).map_err(failed)?;
        let mut out = Writer::new(file, filter_for, seed);
        for record in records {
            out.push(record?).map_err(failed)?;
        }
        let (file, records, first_keys, filter, sum) = out.finish().map_err(failed)?;
        drop(file);
        let file = File::open(path).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file, records, first_keys, filter, seed, sum })
    }

    /// Opens a run and checks its footer, its first keys and its filter.
    ///
    /// # Errors
    /// When it can't be read, or is not what was written.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let failed = |error| RunError::Io(path.to_owned(), error);
        let damaged = || RunError::Damaged(path.to_owned());
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut footer = [0; FOOTER];
        let start = length.checked_sub(FOOTER as u64).ok_or_else(damaged)?;
        file.read_exact_at(&mut footer, start).map_err(failed)?;
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&footer[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        let (records, blocks, filter_bytes, seed) = (number(8), number(16), number(24), number(32));
        let sized = blocks.checked_mul(16).and_then(|keys| keys.checked_add(filter_bytes));
        let trailer_start = sized.and_then(|bytes| start.checked_sub(bytes)).ok_or_else(damaged)?;
        if &footer[..8] != MAGIC
            || blocks != records.div_ceil(BLOCK_RECORDS as u64)
            || trailer_start != records * SIZE as u64 + blocks * 4
        {
            return Err(damaged());
        }
        let mut trailer = vec![0; usize::try_from(start - trailer_start).map_err(|_| damaged())?];
        file.read_exact_at(&mut trailer, trailer_start).map_err(failed)?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&trailer);
        crc.update(&footer[..FOOTER - 4]);
        let sum = crc.finalize();
        if sum.to_le_bytes() != footer[FOOTER - 4..] {
            return Err(damaged());
        }
        let (keys, filter) = trailer.split_at(usize::try_from(blocks * 16).map_err(|_| damaged())?);
        let first_keys = keys.as_chunks::<16>().0.iter().map(|key| u128::from_be_bytes(*key)).collect();
        let filter = (!filter.is_empty()).then(|| Filter::read(filter).ok_or_else(damaged)).transpose()?;
        Ok(Self { path: path.to_owned(), file, records, first_keys, filter, seed, sum })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The checksum in its footer, by which the catalog knows this file from any other whole run.
    #[must_use]
    pub fn sum(&self) -> u32 {
        self.sum
    }

    /// That this is not the run which should be here.
    #[must_use]
    pub fn damaged(&self) -> RunError {
        RunError::Damaged(self.path.clone())
    }

    /// How many records it has.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How much memory it takes while it is open.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.first_keys.len() * 16 + self.filter.as_ref().map_or(0, Filter::bytes)
    }

    /// May a record with this key be here? `false` is certain, and costs no I/O.
    #[must_use]
    pub fn may_contain(&self, key: u128) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.may_contain(mix(key, self.seed)))
    }

    /// Appends the records with `low <= key <= high`, in order from the low end, or from the high end if `backwards`;
    /// at most about `limit` of them (a block's worth more may come).
    ///
    /// # Errors
    /// When a block can't be read, or is not what was written.
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

    /// All records, in order, a block at a time.
    pub fn iter(&self) -> impl Iterator<Item = Result<Record, RunError>> + '_ {
        (0..self.first_keys.len()).flat_map(|block| match self.block(block) {
            Ok(records) => records.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        })
    }

    fn block(&self, block: usize) -> Result<Vec<Record>, RunError> {
        let damaged = || RunError::Damaged(self.path.clone());
        let before = (block * BLOCK_RECORDS) as u64;
        let left = self.records.checked_sub(before).ok_or_else(damaged)?;
        let count = usize::try_from(left).map_err(|_| damaged())?.min(BLOCK_RECORDS);
        let mut bytes = vec![0; count * SIZE + 4];
        self.file
            .read_exact_at(&mut bytes, (block * BLOCK_BYTES) as u64)
            .map_err(|error| RunError::Io(self.path.clone(), error))?;
        let (body, crc) = bytes.split_at(count * SIZE);
        if crc32fast::hash(body).to_le_bytes() != crc {
            return Err(damaged());
        }
        Ok(body.as_chunks::<SIZE>().0.iter().map(Record::from_bytes).collect())
    }
}

/// Writes a run's file, block by block.
struct Writer {
    out: BufWriter<File>,
    block: Vec<u8>,
    unsynced: usize,
    /// Over all blocks' checksums.
    blocks: crc32fast::Hasher,
    records: u64,
    first_keys: Vec<u128>,
    filter: Option<Filter>,
    seed: u64,
}

type Finished = (File, u64, Vec<u128>, Option<Filter>, u32);

impl Writer {
    fn new(file: File, filter_for: Option<u64>, seed: u64) -> Self {
        Self {
            out: BufWriter::with_capacity(1 << 18, file),
            block: Vec::with_capacity(BLOCK_BYTES),
            unsynced: 0,
            blocks: crc32fast::Hasher::new(),
            records: 0,
            first_keys: Vec::new(),
            filter: filter_for.map(Filter::with_capacity),
            seed,
        }
    }

    fn push(&mut self, record: Record) -> io::Result<()> {
        if self.block.is_empty() {
            self.first_keys.push(record.key);
        }
        self.block.extend_from_slice(&record.to_bytes());
        self.records += 1;
        if let Some(filter) = &mut self.filter {
            filter.insert(mix(record.key, self.seed));
        }
        if self.block.len() == BLOCK_RECORDS * SIZE { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        self.out.write_all(&self.block)?;
        let crc = crc32fast::hash(&self.block).to_le_bytes();
        self.out.write_all(&crc)?;
        self.blocks.update(&crc);
        self.unsynced += self.block.len();
        self.block.clear();
        if self.unsynced >= SYNC_EVERY {
            self.unsynced = 0;
            self.out.flush()?;
            self.out.get_ref().sync_data()?;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<Finished> {
        self.end_block()?;
        let mut trailer = Vec::new();
        for key in &self.first_keys {
            trailer.extend_from_slice(&key.to_be_bytes());
        }
        let keys = trailer.len();
        if let Some(filter) = &self.filter {
            filter.write(&mut trailer);
        }
        let filter_bytes = (trailer.len() - keys) as u64;
        trailer.extend_from_slice(MAGIC);
        let blocks = u64::from(self.blocks.clone().finalize());
        for number in [self.records, self.first_keys.len() as u64, filter_bytes, self.seed, blocks] {
            trailer.extend_from_slice(&number.to_le_bytes());
        }
        let crc = crc32fast::hash(&trailer);
        self.out.write_all(&trailer)?;
        self.out.write_all(&crc.to_le_bytes())?;
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok((file, self.records, self.first_keys, self.filter, crc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(dir: &Path, count: u64) -> Run {
        let records = (0..count).map(|n| Ok(Record { key: u128::from(n / 2) << 40, value: n }));
        Run::write(&dir.join("run"), records, Some(count), 9).unwrap()
    }

    #[test]
    fn what_was_written_is_found_from_both_ends() {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path(), 1_000);
        let run = Run::open(&dir.path().join("run")).unwrap();
        assert_eq!(run.iter().map(|r| r.unwrap().value).collect::<Vec<_>>(), (0..1_000).collect::<Vec<_>>());
        let mut found = Vec::new();
        run.range(170 << 40, 170 << 40, false, 9, &mut found).unwrap();
        assert_eq!(found.iter().map(|r| r.value).collect::<Vec<_>>(), [340, 341], "a pair across two blocks");
        found.clear();
        run.range(0, u128::MAX, true, 3, &mut found).unwrap();
        assert_eq!(found[0].value, 999);
        assert!((0..500_u128).all(|n| run.may_contain(n << 40)));
    }

    /// Catches: a block, a filter or a key list that is believed without its checksum.
    #[test]
    fn every_changed_byte_is_found() {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path(), 400);
        let good = std::fs::read(dir.path().join("run")).unwrap();
        let path = dir.path().join("bad");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            std::fs::write(&path, &bad).unwrap();
            let found = match Run::open(&path) {
                Err(_) => true,
                Ok(run) => run.iter().any(|record| record.is_err()),
            };
            assert!(found, "byte {at} was changed and nobody noticed");
        }
    }
}
