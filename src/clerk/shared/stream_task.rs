//! A stream's task is the one writer of one stream in this instance. It loads, decides, appends and answers. One append
//! is under way at a time, and what comes meanwhile is decided together after it.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::mpsc::error::TryRecvError;

use crate::clerk::rule::{First, Ruling};
use crate::clerk::verdict::Unavailable;
use crate::domain::event::EvolveError;
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::store::eventstoredb::{Error, Settled, Settling};
use crate::tasks::{now, timeout};

use super::common::Common;
use super::inbox::{Message, Work};
use super::lookups::Lookups;
use super::round::{Proposal, Round, RoundError};
use super::stream_view::StreamView;
use super::trouble::Trouble;
use super::turns::Part;

/// This is the most commands of short jobs that are looked up and decided together.
const MOST_TOGETHER: usize = 4_096;
/// This is the most commands of long jobs that are decided beside those of short ones.
const FEW: usize = 8;

pub(super) struct StreamTask {
    pub(super) common: Arc<Common>,
    pub(super) name: StreamName,
    mailbox: UnboundedReceiver<Message>,
    /// This is what is known of the stream; `None` when it must be read.
    pub(super) view: Option<StreamView>,
    /// This is true when the stream is to be read though no command asks for it.
    look: bool,
    /// This is its part of the turn of long jobs, while it has one.
    part: Option<Part>,
}

impl StreamTask {
    pub(super) fn new(common: Arc<Common>, name: StreamName, mailbox: UnboundedReceiver<Message>) -> Self {
        Self { common, name, mailbox, view: None, look: false, part: None }
    }

    pub(super) async fn run(mut self) {
        loop {
            let mut work = Work::default();
            match timeout(self.common.waits.idle, self.mailbox.recv()).await {
                Ok(Some(message)) => self.message(message, &mut work),
                Ok(None) => return,
                Err(_idle) if self.common.retire(&self.name, &self.mailbox) => return,
                Err(_idle) => {}
            }
            self.gather(&mut work);
            while !work.is_done() {
                self.take_part(&mut work).await;
                let mut fresh = false;
                loop {
                    fresh = self.round(&mut work, fresh).await;
                    if !fresh {
                        break;
                    }
                }
                self.part = None;
                self.gather(&mut work);
            }
            if std::mem::take(&mut self.look) && self.view.is_none() {
                self.look().await;
            }
            if self.has_ended() && self.common.retire(&self.name, &self.mailbox) {
                return;
            }
        }
    }

    fn message(&mut self, message: Message, work: &mut Work) {
        match message {
            Message::Errand(errand) => work.add(errand),
            Message::LookAgain => self.forget(),
        }
    }

    fn forget(&mut self) {
        (self.view, self.look) = (None, true);
    }

    /// Reads the stream only to see whether it is right.
    async fn look(&mut self) {
        match self.load().await {
            Ok(known) => self.view = Some(known),
            Err(trouble) => self.give_up(&mut Work::default(), 0, trouble),
        }
    }

    /// Waits until commands of long jobs may be decided, where there are no others. Beside those of short jobs a few are
    /// decided without waiting, so that a long job goes on also on a stream where short ones never end.
    async fn take_part(&mut self, work: &mut Work) {
        work.allow_long(FEW);
        if work.left_long() == 0 || work.left_short() > 0 {
            return;
        }
        let turns = Arc::clone(&self.common.turns);
        let part = turns.part(work.left_long());
        tokio::pin!(part);
        let part = loop {
            let message = tokio::select! {
                biased;
                part = &mut part => break part,
                message = self.mailbox.recv() => message,
            };
            match message {
                Some(message) => self.message(message, work),
                // The service stops, and what was taken is decided before.
                None => break part.await,
            }
            if work.left_short() > 0 {
                return;
            }
        };
        work.allow_long(part.commands);
        self.part = Some(part);
    }

    /// Takes the messages that are waiting, up to [`MOST_TOGETHER`] commands of short jobs.
    fn gather(&mut self, work: &mut Work) {
        while work.left_short() < MOST_TOGETHER {
            match self.mailbox.try_recv() {
                Ok(message) => self.message(message, work),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    /// Decides what there is to decide, and makes it durable. `fresh` says that the stream was read to its end after
    /// all the commands that wait had come. It returns whether that is so now.
    async fn round(&mut self, work: &mut Work, fresh: bool) -> bool {
        // Another node may have taken the store's place. Nothing is decided on what such a node says.
        let Some(epoch) = self.common.store.proven(self.common.waits.patience).await else {
            self.answer_doubtful(work);
            return false;
        };
        let decided = match self.look_up(work).await {
            Ok((known, lookups)) => {
                let decided = self.decide(&known, &lookups, work);
                self.view = Some(known);
                decided.map_err(|why| Trouble::Damaged(why.to_string()))
            }
            Err(trouble) => Err(trouble),
        };
        if self.common.store.proven_epoch() != Some(epoch) {
            self.view = None;
            return false;
        }
        match decided {
            Err(trouble) => self.give_up(work, work.left(), trouble),
            Ok((rulings, _)) if !self.common.seen.may_book() => self.blind(work, rulings).await,
            Ok((rulings, decided)) if decided.events.is_empty() => {
                return self.nothing_to_append(work, rulings, fresh).await;
            }
            Ok((rulings, decided)) => self.append(work, rulings, decided).await,
        }
        false
    }

    async fn look_up(&mut self, work: &Work) -> Result<(StreamView, Lookups), Trouble> {
        let common = &self.common;
        let fetched = Lookups::fetch(common, &self.name, work.next(MOST_TOGETHER));
        let known = match self.view.take() {
            Some(mut known) => {
                known.trim(self.common.index.reached());
                known
            }
            None if self.begins(work)? => StreamView::empty(&self.name),
            None => self.load().await?,
        };
        Ok((known, fetched.await?))
    }

    /// Says whether what comes first is the request of a transfer of which nothing is known. Its stream is not read: the append
    /// is at the revision of an empty stream, and a refusal reads the stream to its end.
    fn begins(&self, work: &Work) -> Result<bool, Trouble> {
        let requests = work.next(1).next().is_some_and(|command| command.parties().is_some());
        if !requests || self.common.damage.has(&self.name) {
            return Ok(false);
        }
        let next = self.common.index.next_revision(&self.name).map_err(|error| {
            tracing::error!(%error, "the index can't be read");
            Trouble::Unreachable
        })?;
        Ok(next == 0)
    }

    /// Says whether the stream is that of a transfer which has ended: hardly anything is asked of it any more.
    fn has_ended(&self) -> bool {
        let state = self.view.as_ref().and_then(|view| view.state.as_ref());
        state.and_then(State::transfer).is_some_and(|transfer| transfer.stage.is_end())
    }

    async fn load(&self) -> Result<StreamView, Trouble> {
        if self.common.damage.is_lasting(&self.name) {
            return Err(Trouble::Damaged("it was found damaged".into()));
        }
        let _turn = self.common.loads.acquire().await;
        let known = StreamView::load(&self.common.store, &self.common.index, &self.name).await?;
        self.common.damage.mended(&self.name);
        Ok(known)
    }

    fn decide(
        &self,
        known: &StreamView,
        lookups: &Lookups,
        work: &Work,
    ) -> Result<(Vec<Ruling>, Proposal), EvolveError> {
        let mut round = Round::new(&self.name, known, lookups, (self.common.clock)());
        let mut rulings = Vec::new();
        for command in work.next(MOST_TOGETHER) {
            match round.rule(command) {
                Ok(Some(ruling)) => rulings.push(ruling),
                Ok(None) => break,
                // Only this command fails. The others are decided.
                Err(RoundError::Unreadable(why)) => {
                    self.common.unreadable.add(command.id, &why);
                    rulings.push(Ruling::Unavailable(Unavailable::StoreDamaged));
                }
                Err(RoundError::Evolve(error)) => return Err(error),
            }
        }
        Ok((rulings, round.proposal()))
    }

    /// Answers a round that has no events. A refusal rests on the stream as it is known, so the stream's end is read
    /// first.
    async fn nothing_to_append(&mut self, work: &mut Work, rulings: Vec<Ruling>, fresh: bool) -> bool {
        if !fresh && rulings.iter().any(|ruling| self.rests_on_the_end(ruling)) {
            let Some(known) = &mut self.view else { return false };
            match known.read_on(&self.common.store).await {
                Ok(0) => {}
                // The commands are decided again, on what is there now. What comes meanwhile waits: on an account that
                // others write all the time nothing could be refused otherwise.
                Ok(_) => return true,
                Err(trouble) => {
                    self.give_up(work, rulings.len(), trouble);
                    return false;
                }
            }
        }
        self.answer(work, rulings, self.common.index.reached());
        false
    }

    /// Says whether another event in the stream would change the ruling.
    fn rests_on_the_end(&self, ruling: &Ruling) -> bool {
        match ruling {
            Ruling::Booked(_) | Ruling::Seen(First::AtHand(_) | First::Stored(_)) | Ruling::Refused(_) => {
                true
            }
            // Another stream's event with the ID is the answer only if this stream has none of its own.
            Ruling::Seen(First::Durable(event, _)) => event.stream != self.name,
            Ruling::Unavailable(_) => false,
        }
    }

    async fn append(&mut self, work: &mut Work, rulings: Vec<Ruling>, decided: Proposal) {
        let common = Arc::clone(&self.common);
        let name = self.name.clone();
        let mut settling = Settling::new(&common.store, &name, &decided.proposed);
        let begun = now();
        let waited = {
            let is_own = decided.events.iter().all(|event| event.id.client().is_none());
            let _own_turn = if is_own { Some(common.own_appends.acquire().await) } else { None };
            let _turn = common.appends.acquire().await;
            timeout(common.waits.patience, settling.settle()).await
        };
        let settled = match waited {
            Ok(settled) => settled,
            Err(_waited) if !settling.is_doubtful() => Settled::NotStored(timed_out()),
            Err(_waited) => {
                // This lives to the end of the block: an ID is never free before it is known where it was booked.
                let _unresolved = common.unresolved(&decided.events);
                self.part = None;
                self.answer_unknown(work, rulings);
                let settled = self.resolve(&mut settling).await;
                return self.settled(work, Vec::new(), decided, (settled, begun)).await;
            }
        };
        self.settled(work, rulings, decided, (settled, begun)).await;
    }

    /// Takes in what became of an append, and when it began. When there are no rulings, their callers have been answered
    /// already.
    async fn settled(
        &mut self,
        work: &mut Work,
        rulings: Vec<Ruling>,
        decided: Proposal,
        (settled, begun): (Settled, Instant),
    ) {
        match settled {
            Settled::Stored(position) => {
                let index = &self.common.index;
                self.common.reserved.booked(&decided.events, position, || index.reached());
                self.common.count(decided.events.len(), now().saturating_duration_since(begun));
                if let (Some(known), Some(state)) = (&mut self.view, decided.state.clone()) {
                    known.adopt(state, decided.hash(), &decided.events, position);
                }
                self.answer(work, rulings, position);
            }
            // The commands still wait, and are decided again from the start.
            Settled::Overtaken => {
                let Some(known) = &mut self.view else { return };
                if let Err(trouble) = known.read_on(&self.common.store).await {
                    self.give_up(work, rulings.len(), trouble);
                }
            }
            Settled::NotStored(error) => self.give_up(work, rulings.len(), error.into()),
        }
    }

    /// Goes on with an append until it is settled. Callers that come meanwhile are told that nothing is decided.
    async fn resolve(&mut self, settling: &mut Settling<'_>) -> Settled {
        tracing::warn!(stream = %self.name, "nobody knows whether an append was stored; asking on");
        let settle = settling.settle();
        tokio::pin!(settle);
        loop {
            tokio::select! {
                biased;
                settled = &mut settle => {
                    tracing::info!(stream = %self.name, ?settled, "it is known what became of an append");
                    return settled;
                }
                message = self.mailbox.recv() => match message {
                    Some(Message::Errand(errand)) => {
                        let mut work = Work::default();
                        work.add(errand);
                        self.answer_doubtful(&mut work);
                    }
                    Some(Message::LookAgain) => self.forget(),
                    // The service stops. The next one that starts finds out what became of the append.
                    None => return Settled::NotStored(timed_out()),
                },
            }
        }
    }
}

fn timed_out() -> Error {
    Error::Unreachable("it took too long".into())
}
