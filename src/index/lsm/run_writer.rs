//! The writer of a run's file writes each block when it is full, then the directory, the filter and the footer.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use super::block::{self, BYTES, RECORDS, RunId};
use super::filter::{Filter, mix};
use crate::index::record::{Record, SIZE};

pub(super) const MAGIC: &[u8; 8] = b"bkrun\0\0\x02";
/// This is the number of bytes that are written between two syncs, so that a long merge does not block the disk when
/// commits need it.
const SYNC_EVERY: usize = 4 << 20;

/// A `Writer` is a run's file that is being written.
pub(super) struct Writer {
    out: BufWriter<File>,
    id: RunId,
    /// These are the records of the block that is being filled.
    block: Vec<u8>,
    unsynced: usize,
    last: Option<Record>,
    written: Written,
}

/// A `Written` is the part of a run's file that an open run keeps in memory.
pub(super) struct Written {
    pub(super) records: u64,
    pub(super) first_keys: Vec<u128>,
    pub(super) block_sums: Vec<u32>,
    pub(super) filter: Option<Filter>,
    pub(super) sum: u32,
}

impl Writer {
    /// Makes a writer into an empty file. If `filter_for` is given, the run has a filter with room for that many keys.
    pub(super) fn new(file: File, id: RunId, filter_for: Option<u64>) -> Self {
        let written = Written {
            records: 0,
            first_keys: Vec::new(),
            block_sums: Vec::new(),
            filter: filter_for.map(Filter::with_capacity),
            sum: 0,
        };
        Self {
            out: BufWriter::with_capacity(1 << 18, file),
            id,
            block: Vec::with_capacity(BYTES),
            unsynced: 0,
            last: None,
            written,
        }
    }

    /// Adds a record, which must not be less than the last one: a look-up would never find it.
    pub(super) fn push(&mut self, record: Record) -> io::Result<()> {
        if self.last.is_some_and(|last| record < last) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "records are not in order"));
        }
        self.last = Some(record);
        if self.block.is_empty() {
            self.written.first_keys.push(record.key);
        }
        self.block.extend_from_slice(&record.to_bytes());
        self.written.records += 1;
        if let Some(filter) = &mut self.written.filter {
            filter.insert(mix(record.key, self.id.index));
        }
        if self.block.len() == RECORDS * SIZE { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let (header, sum) = block::seal(self.id, self.written.block_sums.len(), &self.block);
        self.out.write_all(&header)?;
        self.out.write_all(&self.block)?;
        self.written.block_sums.push(sum);
        self.unsynced += self.block.len();
        self.block.clear();
        if self.unsynced >= SYNC_EVERY {
            self.unsynced = 0;
            self.out.flush()?;
            self.out.get_ref().sync_data()?;
        }
        Ok(())
    }

    /// Writes everything that follows the blocks, and makes the file durable.
    pub(super) fn finish(mut self) -> io::Result<Written> {
        self.end_block()?;
        let mut written = self.written;
        let mut trailer = Vec::new();
        for (key, sum) in written.first_keys.iter().zip(&written.block_sums) {
            trailer.extend_from_slice(&key.to_be_bytes());
            trailer.extend_from_slice(&sum.to_le_bytes());
        }
        let directory = trailer.len();
        if let Some(filter) = &written.filter {
            filter.write(&mut trailer);
        }
        let filter_bytes = (trailer.len() - directory) as u64;
        trailer.extend_from_slice(MAGIC);
        let blocks = written.first_keys.len() as u64;
        for number in [written.records, blocks, filter_bytes, self.id.index, self.id.number] {
            trailer.extend_from_slice(&number.to_le_bytes());
        }
        trailer.extend_from_slice(&self.id.tree.to_le_bytes());
        written.sum = crc32fast::hash(&trailer);
        self.out.write_all(&trailer)?;
        self.out.write_all(&written.sum.to_le_bytes())?;
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(written)
    }
}
