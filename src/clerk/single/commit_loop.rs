//! The commit loop is what the clerk's thread runs. It takes what is waiting and works at the desk until all of it is answered.
//!
//! While it has nothing to do, it leaves the desk, so that a caller whose job is alone can work there itself.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::clerk::verdict::Unavailable;
use crate::store::Appends;

use super::append::tell;
use super::desk::{AtWork, Desk};
use super::queue::Message;

/// This is the time for which commands gather while an append is under way, before they are taken together.
const HANDFUL: Duration = Duration::from_micros(50);

/// A `Thread` is the clerk's running thread; it gives back the store's writing side when it stops.
pub(super) type Thread = JoinHandle<Option<Box<dyn Appends>>>;

pub(super) struct CommitLoop {
    desk: Arc<Desk>,
    incoming: Receiver<Message>,
    stopping: bool,
}

impl CommitLoop {
    pub(super) fn new(desk: Arc<Desk>, incoming: Receiver<Message>) -> Self {
        Self { desk, incoming, stopping: false }
    }

    pub(super) fn start(self) -> std::io::Result<Thread> {
        std::thread::Builder::new().name("clerk".into()).spawn(move || self.run())
    }

    fn run(mut self) -> Option<Box<dyn Appends>> {
        let desk = Arc::clone(&self.desk);
        while !self.stopping {
            let first = self.incoming.recv().unwrap_or(Message::Stop);
            let mut desk = desk.sit_down();
            self.message(first, &mut desk);
            self.work(&mut desk);
        }
        let store = desk.sit_down().leave();
        while let Ok(message) = self.incoming.try_recv() {
            if let Message::Job(job) = message {
                tell(job.reply, Err(Unavailable::Stopping));
            }
        }
        store
    }

    /// Works until everything is answered that was taken, and that came meanwhile.
    fn work(&mut self, desk: &mut AtWork) {
        while self.turn(desk) {
            match desk.rests_for() {
                Some(rest) => self.rest(rest, desk),
                None => desk.wait(HANDFUL),
            }
        }
    }

    /// Waits for the next message, at most for the given time.
    fn rest(&mut self, at_most: Duration, desk: &mut AtWork) {
        match self.incoming.recv_timeout(at_most) {
            Ok(message) => self.message(message, desk),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.stopping = true,
        }
    }

    /// Takes what waits, decides it, and appends it when no append is under way. Returns whether anything is not answered yet.
    fn turn(&mut self, desk: &mut AtWork) -> bool {
        while !self.stopping
            && let Ok(message) = self.incoming.try_recv()
        {
            self.message(message, desk);
        }
        desk.give_turns();
        desk.hand_over();
        desk.is_busy()
    }

    /// Does what the thread does between two waits, and waits for nothing. What has become of an append is taken in when it
    /// has `ended`. Returns whether anything is not answered yet.
    pub(super) fn step(&mut self, ended: bool) -> bool {
        let desk = Arc::clone(&self.desk);
        let mut desk = desk.sit_down();
        if ended {
            desk.wait(Duration::ZERO);
        }
        self.turn(&mut desk)
    }

    /// Says whether a message waits.
    pub(super) fn has_messages(&self) -> bool {
        !self.incoming.is_empty()
    }

    fn message(&mut self, message: Message, desk: &mut AtWork) {
        match message {
            Message::Stop => self.stopping = true,
            Message::Job(job) => desk.take(job),
        }
    }
}
