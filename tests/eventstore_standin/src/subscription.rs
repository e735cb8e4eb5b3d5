//! [`Subscription`] shows history first and then what comes. A live one is dropped when too many events wait for it, as
//! release 23.10 does; told otherwise, it says that it fell behind and catches up, as from 24.2 on.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;
use tonic::Status;

use super::answer_read::Reply;
use super::faults::Checkpoint;
use super::log::{BEGINNING, FRAME_HEAD};
use super::metadata::{Found, found};
use super::node::Node;
use super::proto::read::{Confirmation, Content};
use super::proto::{Empty, Position};
use super::statuses;
use super::walk::{Scope, Walk};
use super::writer::ticks;

const PAGE: usize = 256;

/// How far a filter has looked, said now and then although nothing passed it.
pub struct Checkpoints {
    interval: usize,
    considered: usize,
}

impl Checkpoints {
    pub fn every(interval: usize) -> Self {
        Self { interval: interval.max(1), considered: 0 }
    }

    fn due(&mut self, considered: usize) -> bool {
        self.considered += considered;
        let due = self.considered >= self.interval;
        self.considered %= self.interval;
        due
    }
}

pub struct Subscription {
    node: Arc<Node>,
    walk: Walk,
    checkpoints: Option<Checkpoints>,
    mark: watch::Receiver<usize>,
    live: bool,
    over: bool,
    /// Has it said anything yet?
    begun: bool,
    waiting: VecDeque<Result<Reply, Status>>,
}

impl Subscription {
    pub fn new(node: &Arc<Node>, walk: Walk, checkpoints: Option<Checkpoints>) -> Result<Self, Status> {
        if let Scope::Stream(name) = &walk.scope {
            let log = node.store.log.read();
            if found(log.stream(name), node.store.visible()) == Found::Tombstoned {
                return Err(statuses::stream_deleted(name));
            }
        }
        let confirmation = Confirmation { subscription_id: uuid::Uuid::new_v4().to_string() };
        Ok(Self {
            node: Arc::clone(node),
            walk,
            checkpoints,
            mark: node.store.mark.subscribe(),
            live: false,
            over: false,
            begun: false,
            waiting: VecDeque::from([Ok(Reply::Made(Content::Confirmation(confirmation)))]),
        })
    }

    pub async fn next(&mut self) -> Option<Result<Reply, Status>> {
        loop {
            if let Some(next) = self.waiting.pop_front() {
                return Some(next);
            }
            if self.over {
                return None;
            }
            if self.node.faults.mute() {
                // It hears of what is new, and says nothing.
                if self.mark.changed().await.is_err() {
                    return None;
                }
                continue;
            }
            if self.look() && self.mark.changed().await.is_err() {
                return None;
            }
        }
    }

    fn say(&mut self, content: Content) {
        self.waiting.push_back(Ok(Reply::Made(content)));
    }

    /// Takes in what is new; says whether it has to wait for more.
    fn look(&mut self) -> bool {
        let most_waiting = self.node.faults.most_waiting();
        let strict = self.live && most_waiting > 0;
        let most = if strict { most_waiting + 1 } else { PAGE };
        let node = Arc::clone(&self.node);
        let mark = *self.mark.borrow_and_update();
        let mark = match self.walk.scope {
            Scope::All(_) => node.faults.shown(mark),
            Scope::Stream(_) => mark,
        };
        let mut page = self.walk.page(&node.store.log.read(), mark, ticks(), most);
        let too_slow = strict && page.events.len() > most_waiting;
        if too_slow {
            page.events.pop();
        }
        if self.live && !strict && !page.finished {
            self.live = false;
            self.say(Content::FellBehind(Empty {}));
        }
        self.waiting.extend(page.events.into_iter().map(|event| Ok(Reply::Kept(event))));
        if too_slow {
            self.waiting.push_back(Err(statuses::consumer_too_slow()));
            self.over = true;
            return false;
        }
        self.checkpoint(page.considered, page.last_position);
        if page.finished && !self.live {
            self.live = true;
            self.say(Content::CaughtUp(Empty {}));
        }
        page.finished && self.waiting.is_empty()
    }

    /// Says how far it has looked, or what is not so.
    fn checkpoint(&mut self, considered: usize, last: Option<u64>) {
        let due = self.checkpoints.as_mut().is_some_and(|checkpoints| checkpoints.due(considered));
        let first = !std::mem::replace(&mut self.begun, true);
        let filtered = self.checkpoints.is_some() && (first || considered > 0);
        let said = match self.node.faults.checkpoint() {
            Checkpoint::Right => last.filter(|_| due),
            Checkpoint::Never => None,
            Checkpoint::Far => (first && filtered && considered == 0).then_some(u64::MAX),
            Checkpoint::Back => filtered.then_some(BEGINNING + FRAME_HEAD),
            Checkpoint::Next => filtered.then(|| self.node.store.log.read().end + FRAME_HEAD),
        };
        if let Some(said) = said {
            self.say(Content::Checkpoint(Position::at(said)));
        }
    }
}
