//! A block is the unit in which a run is written, read and checked.
//!
//! ```text
//! 0..8      the index's seed
//! 8..16     the run's number
//! 16..20    the tree
//! 20..24    which block of the run it is
//! 24..28    how many records it holds
//! 28..32    CRC-32 over everything else in it
//! 32..      records of 24 bytes, at most 340: 8 KiB together
//! ```
//! A checksum over the records alone shows that they were written once, but not that they belong here: when a write
//! went to the wrong place, or never happened, the block that stands there is whole. So a block names its index, its
//! run and its place, and the run's directory names the block's first key and its checksum.

use crate::index::record::{Record, SIZE};

/// This is the most records in a block.
pub(super) const RECORDS: usize = 340;
/// These are the bytes before the records.
pub(super) const HEADER: usize = 32;
/// These are the bytes of a full block: 8 KiB, so that each lies on two pages of a file and not on three.
pub(super) const BYTES: usize = HEADER + RECORDS * SIZE;
/// This is the place of the checksum in the header.
const SUM: std::ops::Range<usize> = 28..32;

/// A `RunId` is the id of a run: it names the index, the run and the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunId {
    /// This is the index's seed: a random number, made with the index.
    pub(crate) index: u64,
    /// This is the run's own number. It is made of a random number of each start, so that no two runs share it, not
    /// even two that were written under one name before and after a crash.
    pub(crate) number: u64,
    /// This is the number of the tree.
    pub(crate) tree: u32,
}

/// An `Expected` says what the run's directory says of a block, with which the block is compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// This is the number of the block in the run, from 0.
    pub(super) nth: usize,
    /// This is the number of records in the block.
    pub(super) records: usize,
    /// This is the key of its first record.
    pub(super) first_key: u128,
    /// This is the first key of the block behind it; `None` for the last one.
    pub(super) next_key: Option<u128>,
    /// This is its checksum.
    pub(super) sum: u32,
}

fn header(id: RunId, nth: usize, records: usize) -> [u8; SUM.start] {
    let mut header = [0; SUM.start];
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    header[..8].copy_from_slice(&id.index.to_le_bytes());
    header[8..16].copy_from_slice(&id.number.to_le_bytes());
    header[16..20].copy_from_slice(&id.tree.to_le_bytes());
    header[20..24].copy_from_slice(&small(nth));
    header[24..28].copy_from_slice(&small(records));
    header
}

fn sum(header: &[u8], records: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(header);
    crc.update(records);
    crc.finalize()
}

/// Makes the header of a block with these records. Returns it with the checksum that is in it.
pub(super) fn seal(id: RunId, nth: usize, records: &[u8]) -> ([u8; HEADER], u32) {
    let mut sealed = [0; HEADER];
    let header = header(id, nth, records.len() / SIZE);
    let sum = sum(&header, records);
    sealed[..SUM.start].copy_from_slice(&header);
    sealed[SUM].copy_from_slice(&sum.to_le_bytes());
    (sealed, sum)
}

/// Reads the records of a block; `None` when the bytes are not the expected block, whole and in its place.
pub(super) fn open(bytes: &[u8], id: RunId, expected: Expected) -> Option<Vec<Record>> {
    let (head, records) = bytes.split_at_checked(HEADER)?;
    let stored = u32::from_le_bytes(head.get(SUM)?.try_into().ok()?);
    let right = header(id, expected.nth, expected.records);
    let is_right = head.get(..SUM.start)? == right
        && records.len() == expected.records * SIZE
        && stored == expected.sum
        && stored == sum(&right, records);
    if !is_right {
        return None;
    }
    let records: Vec<Record> = records.as_chunks::<SIZE>().0.iter().map(Record::from_bytes).collect();
    let begins = records.first()?.key == expected.first_key;
    let ends = expected.next_key.is_none_or(|next| records.last().is_some_and(|last| last.key <= next));
    (begins && ends).then_some(records)
}
