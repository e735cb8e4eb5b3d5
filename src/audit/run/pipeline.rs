//! The pipeline has one thread that reads blocks and several that parse them, and the caller gets them in order.
//!
//! A fixed number of blocks goes round, so that the memory is bounded however long the journal is. Every line has its own hash
//! written in it, so that the block after it can be checked first. (In a journal chained along its streams the event that a
//! line follows may be anywhere before it: there the caller checks the chain, in order.)

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::audit::error::Error;
use crate::audit::parse::read_block::{Block, ParsedLines};
use crate::audit::source::interface::Source;
use crate::audit::values::chain::{Chain, Hash, Hasher};

/// A piece of work is a block and what was parsed in it.
#[derive(Debug, Default)]
struct Work {
    number: u64,
    block: Block,
    lines: ParsedLines,
    /// This is the error that ended the reading.
    failed: Option<Error>,
}

/// Reads the whole source, and calls `take` with each block and its lines, in order, until it wants no more.
///
/// # Errors
/// Fails when the source can't be read.
pub(crate) fn run(
    mut source: Box<dyn Source>,
    (chain, first): (Chain, Option<Hash>),
    mut take: impl FnMut(&Block, &ParsedLines) -> ControlFlow<()>,
) -> Result<(), Error> {
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let blocks = workers.saturating_mul(3);
    let (free_in, free) = bounded::<Work>(blocks);
    let (work_in, work) = bounded::<Work>(blocks);
    let (done_in, done) = bounded::<Work>(blocks);
    for _ in 0..blocks {
        // There is room for all of them.
        let _room = free_in.send(Work::default());
    }
    std::thread::scope(|scope| {
        scope.spawn(move || feed(&mut *source, first, &free, &work_in));
        for _ in 0..workers {
            let (work, done_in) = (work.clone(), done_in.clone());
            scope.spawn(move || {
                let mut hasher = Hasher::default();
                for mut item in work {
                    item.block.parse(chain, &mut hasher, &mut item.lines);
                    if done_in.send(item).is_err() {
                        return;
                    }
                }
            });
        }
        drop((work, done_in));
        in_order(done, free_in, &mut take)
    })
}

/// Fills free blocks, until the source ends or nobody wants more.
fn feed(source: &mut dyn Source, first: Option<Hash>, free: &Receiver<Work>, work: &Sender<Work>) {
    let mut previous = first;
    for (number, mut item) in (0..).zip(free) {
        item.number = number;
        item.block.clear();
        let more = source.fill(&mut item.block);
        item.block.previous = previous;
        if !item.block.bytes.is_empty() {
            previous = item.block.last_hash();
        }
        let last = !matches!(more, Ok(true));
        item.failed = more.err();
        if work.send(item).is_err() || last {
            return;
        }
    }
}

/// Calls `take` with the blocks in the order in which they were read.
fn in_order(
    done: Receiver<Work>,
    free: Sender<Work>,
    take: &mut impl FnMut(&Block, &ParsedLines) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for item in done {
        early.insert(item.number, item);
        while let Some(mut item) = early.remove(&next) {
            next = item.number.saturating_add(1);
            if take(&item.block, &item.lines).is_break() {
                return Ok(());
            }
            if let Some(error) = item.failed.take() {
                return Err(error);
            }
            // The reader has gone when it has read everything.
            let _reader_gone = free.send(item);
        }
    }
    Ok(())
}
