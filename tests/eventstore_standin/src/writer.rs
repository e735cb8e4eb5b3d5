//! [`Writer`] does all writing: it takes every write that waits, decides each, makes them durable together, shows them
//! to readers, and only then acknowledges. A conflict is answered at once, before the event it conflicts with can be
//! read.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, Sender};
use parking_lot::RwLock;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::decide::{Verdict, decide};
use super::faults::Handle;
use super::file::LogFile;
use super::log::{Log, NewEvent};
use super::metadata::{Limits, TOMBSTONE};
use super::proto::append::Expected;

/// How often a lag is looked at again while it lasts.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Writes that one flush takes at most.
const MOST_TOGETHER: usize = 4096;

/// The log, and how much of it readers may see: they are told when that grows.
pub struct Store {
    pub log: RwLock<Log>,
    pub mark: watch::Sender<usize>,
}

impl Store {
    pub fn new(log: Log) -> Self {
        let mark = watch::Sender::new(log.entries.len());
        Self { log: RwLock::new(log), mark }
    }

    pub fn visible(&self) -> usize {
        *self.mark.borrow()
    }
}

pub enum Work {
    Append(Vec<NewEvent>),
    /// A soft delete: the metadata says that the stream is not to be shown.
    Delete,
    Tombstone,
}

pub struct Write {
    pub stream: String,
    pub expected: Expected,
    pub work: Work,
    /// Dropped unanswered when a real node would not answer.
    pub reply: oneshot::Sender<Outcome>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The stream's last revision as the client is told it, and the place of the last event written.
    Done {
        revision: Option<u64>,
        position: Option<u64>,
    },
    Wrong {
        current: Option<u64>,
    },
    Deleted,
}

type Ack = (oneshot::Sender<Outcome>, Outcome);

/// What became visible, or will when the lag is over.
struct Shown {
    since: Instant,
    mark: usize,
    acks: Vec<Ack>,
}

pub fn ticks() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos() / 100).unwrap()
}

pub struct Writer {
    pub store: Arc<Store>,
    pub file: Option<LogFile>,
    pub faults: Arc<Handle>,
    /// Flushes are at least this far apart, as on a real node under load.
    pub flush_delay: Duration,
}

impl Writer {
    /// Runs until every sender of `writes` is gone; what was not shown by then was never there.
    pub fn run(mut self, writes: &Receiver<Write>) -> io::Result<()> {
        let (show, showing) = crossbeam_channel::unbounded::<Shown>();
        let (stop, stopped) = crossbeam_channel::bounded::<()>(0);
        let store = Arc::clone(&self.store);
        let faults = Arc::clone(&self.faults);
        let shower = std::thread::spawn(move || show_when_due(&store, &faults, &showing, &stopped));
        let mut flushed = Instant::now();
        while let Ok(first) = writes.recv() {
            std::thread::sleep(self.flush_delay.saturating_sub(flushed.elapsed()));
            let together = std::iter::once(first).chain(writes.try_iter().take(MOST_TOGETHER));
            let (frames, acks) = self.take(together);
            if let Some(file) = self.file.as_mut().filter(|_| !frames.is_empty()) {
                file.append(&frames)?;
            }
            flushed = Instant::now();
            self.show(&show, acks);
        }
        drop(stop);
        drop(show);
        shower.join().expect("showing what is due does not panic");
        self.forget_the_unseen()
    }

    fn take(&self, writes: impl Iterator<Item = Write>) -> (Vec<u8>, Vec<Ack>) {
        let (mut frames, mut acks) = (Vec::new(), Vec::new());
        let mark = self.store.visible();
        let mut log = self.store.log.write();
        for write in writes {
            let ids = match &write.work {
                Work::Append(events) => events.iter().map(|event| event.id).collect(),
                Work::Delete | Work::Tombstone => vec![Uuid::new_v4()],
            };
            match decide(&log, mark, &write.stream, write.expected, &ids) {
                Verdict::Write { revives } => {
                    let outcome = apply(&mut log, &write.stream, write.work, revives, &mut frames);
                    acks.push((write.reply, outcome));
                }
                Verdict::Repeated { last, position } => {
                    acks.push((write.reply, Outcome::Done { revision: Some(last), position }));
                }
                Verdict::RepeatedTooEarly => drop(write.reply),
                // Nobody listens any more: no matter.
                Verdict::Wrong { current } => {
                    let _gone = write.reply.send(Outcome::Wrong { current });
                }
                Verdict::Deleted => {
                    let _gone = write.reply.send(Outcome::Deleted);
                }
            }
        }
        (frames, acks)
    }

    /// Shows all that is decided: at once, or behind what is still to be shown.
    fn show(&self, later: &Sender<Shown>, acks: Vec<Ack>) {
        let mark = self.store.log.read().entries.len();
        drop(later.send(Shown { since: Instant::now(), mark, acks }));
    }

    /// What was decided and never shown was never acknowledged; at a stop it is gone.
    fn forget_the_unseen(&mut self) -> io::Result<()> {
        let mark = self.store.visible();
        let end = {
            let mut log = self.store.log.write();
            let mut seen = Log::default();
            for entry in log.entries.iter().take(mark) {
                seen.restore(entry.encoded.clone()).expect("an event of the log can be read");
            }
            seen.end = match log.entries.get(mark) {
                Some(unseen) => unseen.position - super::log::FRAME_HEAD,
                None => log.end,
            };
            *log = seen;
            log.end
        };
        self.file.as_mut().map_or(Ok(()), |file| file.cut(end))
    }
}

/// Shows each when the lag is over: the lag that there is by then, so that a test ends it when it wants to.
fn show_when_due(store: &Store, faults: &Handle, showing: &Receiver<Shown>, stopped: &Receiver<()>) {
    while let Ok(Shown { since, mark, acks }) = showing.recv() {
        while let left = faults.visibility_lag().saturating_sub(since.elapsed())
            && !left.is_zero()
        {
            let waited = stopped.recv_timeout(left.min(LOOK_EVERY));
            if waited != Err(crossbeam_channel::RecvTimeoutError::Timeout) {
                return;
            }
        }
        store.mark.send_if_modified(|old| std::mem::replace(old, mark) != mark);
        for (reply, outcome) in acks {
            let _gone = reply.send(outcome);
        }
    }
}

/// Writes what was decided, as one frame: the events, and what deletes the stream or brings it back.
fn apply(log: &mut Log, stream: &str, work: Work, revives: bool, frames: &mut Vec<u8>) -> Outcome {
    let described = format!("$${stream}");
    let next = log.stream(stream).map_or(0, |stream| stream.events.len() as u64);
    let limits = |log: &Log, of: &str| log.stream(of).map(|stream| stream.limits.clone()).unwrap_or_default();
    let (groups, revision) = match work {
        Work::Delete => {
            let deletion = limits(log, stream).truncated(super::log::DELETED);
            (vec![(described.as_str(), vec![deletion])], None)
        }
        Work::Tombstone => (vec![(stream, vec![tombstone()])], None),
        Work::Append(events) => {
            let last = (next + events.len() as u64).checked_sub(1);
            // Metadata written for a deleted stream brings the stream back too, with nothing in it.
            let deleted = stream.strip_prefix("$$").filter(|of| limits(log, of).deleted());
            let metadata = deleted.zip(events.last()).map(|(of, event)| {
                let next = log.stream(of).map_or(0, |stream| stream.events.len() as u64);
                Limits::parse(&event.data).truncated(next)
            });
            let mut groups = vec![(stream, events)];
            groups.extend(metadata.map(|event| (stream, vec![event])));
            if revives {
                groups.push((described.as_str(), vec![limits(log, stream).truncated(next)]));
            }
            (groups, last)
        }
    };
    let first = log.entries.len();
    let written = groups.first().map_or(0, |(_, events)| events.len());
    if written > 0 {
        frames.extend(log.write(groups, ticks()));
    }
    let last = written.checked_sub(1).and_then(|last| log.entries.get(first + last));
    Outcome::Done { revision, position: last.map(|entry| entry.position) }
}

fn tombstone() -> NewEvent {
    NewEvent {
        id: Uuid::new_v4(),
        kind: TOMBSTONE.to_owned(),
        json: true,
        data: Vec::new(),
        custom_metadata: Vec::new(),
    }
}
