//! [`Serving`] is one destination while it is served: it asks the flow what to do, does it, and tells the flow what came of it.
//!
//! What takes time runs as a job beside the loop, so that a slow receiver keeps nothing from being recorded, and a slow append
//! keeps nothing from being sent. How many run at once is bounded by the flow: `in_flight` attempts, one claim, one record, and
//! a letter for each message that is given up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;

use crate::delivery::port::Unreadable;
use crate::domain::delivery::beat::Beat;
use crate::domain::delivery::contest::Turn;
use crate::domain::delivery::decide::DeliveryOperation;
use crate::domain::delivery::event::PauseCode;
use crate::domain::delivery::failure::Attempted;
use crate::domain::delivery::flow::{Flow, Next};
use crate::domain::delivery::{Destination, Stage};
use crate::tasks;

use super::alarm::{Alarm, Alert};
use super::beats::Beats;
use super::chosen::for_flow;
use super::contender::Contender;
use super::feed::Feed;
use super::figures::Figures;
use super::hand::Hand;
use super::jobs::{Done, Tools};
use super::told::Told;

/// This is how long a destination that stops being served waits for what is under way. What has not come back by then is as
/// after a kill.
const LAST_WAIT: Duration = Duration::from_secs(16);

/// This is how soon an instance looks again after it has answered that it lives.
const ANSWERED_MS: u64 = 50;

/// A `Serving` is one destination while it is served.
pub(super) struct Serving {
    pub(super) tools: Arc<Tools>,
    pub(super) term: u64,
    /// These are the revisions of the settings that it goes by.
    pub(super) sets: Arc<Vec<u64>>,
    pub(super) flow: Flow,
    pub(super) feed: Feed,
    pub(super) hand: Hand,
    pub(super) beats: Beats,
    pub(super) alarm: Alarm,
    pub(super) figures: Arc<Figures>,
    pub(super) jobs: FuturesUnordered<BoxFuture<'static, Done>>,
    /// This is until when it waits for what is under way, once it stops.
    pub(super) stops_at: Option<Instant>,
    /// This is true where a line of the journal is none that this program knows: nothing is read any more.
    pub(super) is_blind: bool,
    /// This is when an instance among others looks next how the destination stands, and whether it is looking.
    pub(super) look_at: u64,
    pub(super) is_looking: bool,
}

/// A `Happened` is what a destination waited for.
enum Happened {
    Done(Done),
    Read(Result<(), Unreadable>),
    Time,
    Told,
    TooLong,
}

impl Serving {
    /// Serves the destination until something is told, or another has changed it.
    pub(super) async fn run(
        mut self,
        told: &mut watch::Receiver<Told>,
        mut contender: Option<&mut Contender>,
    ) {
        loop {
            // Nothing more is begun once somebody was told that the destination is paused.
            if self.stops_at.is_none() && told.has_changed().unwrap_or(true) {
                told.mark_unchanged();
                self.stop();
            }
            self.take_in();
            let beat = self.beat();
            let look_at = self.look(contender.is_some(), &beat);
            // Without the lease nothing is begun, and nothing could be recorded.
            let next = if self.tools.lease.holds() { self.flow.next(&beat) } else { Next::Wait(None) };
            let Next::Wait(until) = next else {
                self.begin(next);
                continue;
            };
            let alarm_at = self.stands(&beat);
            if self.stops_at.is_some() && self.jobs.is_empty() {
                break;
            }
            let until = [until, look_at, alarm_at].into_iter().flatten().min();
            match self.happens(until, told).await {
                Happened::Done(Done::Looked(seen)) => self.looked(seen, contender.as_deref_mut()),
                Happened::Done(done) => self.done(done),
                Happened::Read(Ok(())) | Happened::Time => {}
                Happened::Read(Err(error)) => self.tools.books.log.could_not(&error),
                Happened::Told => self.stop(),
                Happened::TooLong => break,
            }
        }
        self.record_last().await;
        self.figures.rests();
    }

    /// Tells how the destination stands now. Returns when an outage is to be told of, if it lasts until then.
    fn stands(&mut self, beat: &Beat) -> Option<u64> {
        let log = &self.tools.books.log;
        if let Some(is_down) = self.figures.stands(&self.flow, beat) {
            log.turned(is_down);
        }
        match self.alarm.look(self.flow.down_since(), beat.tick_ms) {
            Alert::Never => None,
            Alert::At(at) => Some(at),
            Alert::Now => {
                log.is_still_down();
                None
            }
        }
    }

    fn beat(&self) -> Beat {
        self.beats.beat(self.tools.books.port.now())
    }

    /// Begins to look how the destination stands, where an instance among others is to do so now. Returns when it is next.
    fn look(&mut self, is_among_others: bool, beat: &Beat) -> Option<u64> {
        if !is_among_others || self.stops_at.is_some() || self.is_looking {
            return None;
        }
        if self.look_at > beat.tick_ms {
            return Some(self.look_at);
        }
        self.is_looking = true;
        self.jobs.push(Box::pin(Arc::clone(&self.tools).look()));
        None
    }

    /// It was looked how the destination stands. What this instance does not serve any more it stops to serve.
    fn looked(&mut self, seen: Option<(Box<Destination>, Instant)>, contender: Option<&mut Contender>) {
        let (now, rest) = (self.beat().tick_ms, contender.as_ref().map_or(Duration::ZERO, |one| one.rest()));
        self.is_looking = false;
        self.look_at = now.saturating_add(u64::try_from(rest.as_millis()).unwrap_or(u64::MAX));
        let (Some((state, seen_at)), Some(contender)) = (seen, contender) else { return };
        let turn = contender.looked(&state, seen_at);
        // Another instance may have been told that it goes on further ahead.
        let is_behind = state.through > Some(self.flow.through());
        let is_same = state.stage == Stage::Open && state.sets == self.sets && !is_behind;
        if contender.own_term() != Some(self.term) || contender.is_outdated() || !is_same {
            self.stop();
        } else if let Turn::Ask(asked) = turn {
            self.is_looking = true;
            self.jobs.push(Box::pin(Arc::clone(&self.tools).answer(asked)));
        }
    }

    fn wants_more(&self) -> bool {
        self.flow.wants_more() && self.hand.has_room() && !self.is_blind
    }

    /// Gives the flow the lines that were read, as many as it wants.
    fn take_in(&mut self) {
        while self.wants_more() {
            let Some(line) = self.feed.chunk.line() else { return };
            match self.tools.books.chooser.look(&line) {
                Ok((position, None)) => self.flow.read_to(position),
                Ok((position, Some(message))) => {
                    self.flow.offer(for_flow(&message));
                    if self.flow.has_in_window(position) {
                        self.hand.put(message);
                    }
                }
                Err(error) => {
                    self.is_blind = true;
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(
                        destination = %self.tools.books.chooser.name,
                        error,
                        "the journal has a line that can't be sent: nothing after it is sent to this destination until the \
                         service is started again"
                    );
                }
            }
        }
    }

    async fn happens(&mut self, until: Option<u64>, told: &mut watch::Receiver<Told>) -> Happened {
        let wants_more = self.wants_more() && self.feed.chunk.is_empty();
        let is_stopping = self.stops_at.is_some();
        let last = self.stops_at.map(|at| at.saturating_duration_since(tasks::now())).unwrap_or_default();
        tokio::select! {
            Some(done) = self.jobs.next() => Happened::Done(done),
            read = self.feed.fill(), if wants_more => Happened::Read(read),
            () = self.beats.until(until) => Happened::Time,
            _ = told.changed(), if !is_stopping => Happened::Told,
            () = tasks::sleep(last), if is_stopping => Happened::TooLong,
        }
    }

    /// Nothing more is sent. What is under way is waited for, and what came of it is recorded.
    fn stop(&mut self) {
        self.flow.stop();
        if self.stops_at.is_none() {
            self.stops_at = tasks::now().checked_add(LAST_WAIT);
        }
    }

    fn begin(&mut self, next: Next) {
        let tools = Arc::clone(&self.tools);
        let job: BoxFuture<'static, Done> = match next {
            Next::Send { position, attempt, is_late } => {
                Box::pin(tools.attempt(position, self.hand.get(position), (attempt, self.term, is_late)))
            }
            Next::Claim(positions) => Box::pin(tools.claim(self.term, positions)),
            Next::Bury(dead) => Box::pin(tools.bury(dead)),
            Next::Read { stream, after, to } => Box::pin(tools.find(stream, after, to)),
            Next::Record(progress) => {
                Box::pin(tools.put(DeliveryOperation::Progress(progress), Done::Recorded))
            }
            Next::Gone => {
                let asked = DeliveryOperation::Pause { code: PauseCode::Gone, reason: None };
                Box::pin(tools.put(asked, Done::Changed))
            }
            Next::Wait(_) => return,
        };
        self.jobs.push(job);
    }

    fn done(&mut self, done: Done) {
        let beat = self.beat();
        match done {
            Done::Attempted(position, came) => {
                self.figures.attempted(&came, beat.wall);
                if let Attempted::Failed { failure, .. } = &came {
                    self.tools.books.log.failed(position, failure);
                }
                let settled = (came == Attempted::Delivered).then_some(position);
                self.flow.answered(position, came, &beat);
                self.hand.let_go(settled, &self.flow);
            }
            Done::Claimed(positions) => self.flow.claimed(&positions, true),
            Done::Buried(position, why) => {
                self.figures.gave_up(why);
                self.flow.buried(position, true, &beat);
                self.hand.let_go(Some(position), &self.flow);
            }
            Done::Found(stream, found, to) => self.flow.found(&stream, found, to, &beat),
            Done::Recorded => self.flow.recorded(true),
            Done::Changed => self.stop(),
            Done::Answered { is_durable } => {
                self.is_looking = false;
                let soon = beat.tick_ms.saturating_add(ANSWERED_MS);
                self.look_at = if is_durable { soon } else { self.look_at };
            }
            // This was taken before.
            Done::Looked(_) => self.is_looking = false,
        }
    }

    /// Records what is not recorded yet. Where that is refused or takes too long, it is as after a kill.
    async fn record_last(&mut self) {
        let tools = Arc::clone(&self.tools);
        let (flow, beats) = (&mut self.flow, &self.beats);
        let all = async {
            while let Some(progress) = flow.last_progress(&beats.beat(tools.books.port.now())) {
                let asked = DeliveryOperation::Progress(progress);
                if !tools.books.record(&asked).await {
                    return;
                }
                flow.recorded(true);
            }
        };
        if tasks::timeout(LAST_WAIT, all).await.is_err() {
            let destination = &tools.books.chooser.name;
            tracing::warn!(%destination, "what was delivered last could not be recorded: it is sent again");
        }
    }
}
