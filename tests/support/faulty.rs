//! A store that fails when it is told to, and one that waits to be told that an append may go on.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use bookonce::domain::event::Event;
use bookonce::store::{AppendError, Appends, CloseError, Landed, Report};
use parking_lot::{Condvar, Mutex};

/// What becomes of one append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It becomes durable.
    Lands,
    /// The disk is full.
    Full,
    /// It is not written, and the store says so.
    NotWritten,
    /// It is not written, and the store can't say so.
    LostUnwritten,
    /// It is written, and the store can't say so.
    LostWritten,
}

impl Fate {
    fn error(self) -> Option<AppendError> {
        match self {
            Self::Lands => None,
            Self::Full => Some(AppendError::Full),
            Self::NotWritten => Some(AppendError::NotWritten),
            Self::LostUnwritten | Self::LostWritten => Some(AppendError::Unknown),
        }
    }
}

/// The test's end of a faulty store.
#[derive(Clone, Default)]
pub struct Faults(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    fates: VecDeque<Fate>,
    submitted: usize,
    reported: usize,
    /// Appends wait for [`Faults::let_go`].
    held: bool,
    /// How many more may go on while they are held.
    passes: usize,
}

impl Faults {
    /// What becomes of the next appends; those after them land.
    pub fn plan(&self, fates: impl IntoIterator<Item = Fate>) {
        self.0.state.lock().fates = fates.into_iter().collect();
    }

    /// From now on appends wait.
    pub fn hold(&self) {
        self.0.state.lock().held = true;
    }

    /// One of those that wait goes on.
    pub fn pass(&self) {
        self.0.state.lock().passes += 1;
        self.0.changed.notify_all();
    }

    /// None waits any more.
    pub fn let_go(&self) {
        self.0.state.lock().held = false;
        self.0.changed.notify_all();
    }

    /// Waits until so many appends were submitted.
    pub fn wait_submitted(&self, count: usize) {
        let mut state = self.0.state.lock();
        while state.submitted < count {
            self.0.changed.wait(&mut state);
        }
    }

    /// Waits until so many appends were reported, and the report has returned.
    pub fn wait_reported(&self, count: usize) {
        let mut state = self.0.state.lock();
        while state.reported < count {
            self.0.changed.wait(&mut state);
        }
    }

    /// Puts the faults around a store.
    pub fn around(&self, inner: Box<dyn Appends>) -> Box<dyn Appends> {
        let (jobs, incoming) = channel();
        let faults = self.clone();
        let thread = std::thread::spawn(move || faults.work(inner, &incoming));
        Box::new(Faulty { jobs: Some(jobs), thread: Some(thread) })
    }

    fn work(&self, mut inner: Box<dyn Appends>, jobs: &Receiver<Job>) -> Box<dyn Appends> {
        let mut failing: Option<AppendError> = None;
        for job in jobs {
            match job {
                Job::TakeBack => {
                    failing = None;
                    inner.take_back();
                }
                Job::Append(events, report) => {
                    let fate = self.next_fate();
                    let outcome = match failing {
                        Some(AppendError::Unknown) => Err(AppendError::NotWritten),
                        Some(error) => Err(error),
                        None => self.append(&mut inner, &events, fate),
                    };
                    failing = failing.or(outcome.err());
                    report(outcome);
                    self.0.state.lock().reported += 1;
                    self.0.changed.notify_all();
                }
            }
        }
        inner
    }

    fn next_fate(&self) -> Fate {
        let mut state = self.0.state.lock();
        state.submitted += 1;
        self.0.changed.notify_all();
        while state.held && state.passes == 0 {
            self.0.changed.wait(&mut state);
        }
        state.passes = state.passes.saturating_sub(1);
        state.fates.pop_front().unwrap_or(Fate::Lands)
    }

    fn append(
        &self,
        inner: &mut Box<dyn Appends>,
        events: &[Arc<Event>],
        fate: Fate,
    ) -> Result<Landed, AppendError> {
        let written = || {
            let (sender, landed) = channel();
            let report: Report = Box::new(move |outcome| sender.send(outcome).unwrap());
            (report, landed)
        };
        if matches!(fate, Fate::Lands | Fate::LostWritten) {
            let (report, landed) = written();
            inner.submit(events, report);
            let landed = landed.recv().unwrap()?;
            return fate.error().map_or(Ok(landed), Err);
        }
        Err(fate.error().unwrap())
    }
}

enum Job {
    Append(Vec<Arc<Event>>, Report),
    TakeBack,
}

struct Faulty {
    jobs: Option<Sender<Job>>,
    thread: Option<std::thread::JoinHandle<Box<dyn Appends>>>,
}

impl Appends for Faulty {
    fn submit(&mut self, events: &[Arc<Event>], report: Report) {
        self.jobs.as_ref().unwrap().send(Job::Append(events.to_vec(), report)).unwrap();
    }

    fn take_back(&mut self) {
        self.jobs.as_ref().unwrap().send(Job::TakeBack).unwrap();
    }

    fn close(mut self: Box<Self>) -> Result<(), CloseError> {
        self.jobs = None;
        self.thread.take().unwrap().join().unwrap().close()
    }
}
