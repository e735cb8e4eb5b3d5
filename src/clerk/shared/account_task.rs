//! A lane: the one writer of one account in this instance. Load, decide, append, answer; one append under way at a time,
//! and what comes meanwhile is decided together after it.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::time::timeout;

use crate::clerk::{Unavailable, Verdict};
use crate::domain::ids::AccountName;
use crate::store::Position;
use crate::store::eventstoredb::{Error, Settled, Settling};

use super::Hub;
use super::account_view::{Booked, Known, Trouble};
use super::lookups::Lookups;
use super::round::{Decided, Round, Ruling};
use super::inbox::{Errand, Work};

/// Commands that are looked up and decided together at most.
const MOST_TOGETHER: usize = 4_096;

/// What a lane is told.
pub(super) enum Message {
    /// Commands to rule on.
    Errand(Errand),
    /// What is known of the account may be wrong: read it anew.
    LookAgain,
}

impl Message {
    /// Answers what it asks, if it asks anything.
    pub(super) fn refuse(self, why: Unavailable) {
        let Self::Errand(errand) = self else { return };
        let mut work = Work::default();
        work.add(errand);
        while !work.is_done() {
            work.answer(Verdict::Unavailable(why));
        }
    }
}

pub(super) struct Lane {
    pub(super) hub: Arc<Hub>,
    pub(super) name: AccountName,
    pub(super) mailbox: UnboundedReceiver<Message>,
    pub(super) known: Option<Known>,
    /// Is the stream to be looked at, though nothing asks for it?
    pub(super) look: bool,
}

impl Lane {
    pub(super) async fn run(mut self) {
        loop {
            let mut work = Work::default();
            match timeout(self.hub.waits.idle, self.mailbox.recv()).await {
                Ok(Some(message)) => self.message(message, &mut work),
                Ok(None) => return,
                Err(_idle) if self.hub.retire(&self.name, &self.mailbox) => return,
                Err(_idle) => {}
            }
            self.gather(&mut work);
            let mut fresh = false;
            while !work.is_done() {
                fresh = self.round(&mut work, fresh).await;
                if !fresh {
                    self.gather(&mut work);
                }
            }
            if std::mem::take(&mut self.look) && self.known.is_none() {
                self.look().await;
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
        (self.known, self.look) = (None, true);
    }

    /// Reads the stream only to see whether it is right.
    async fn look(&mut self) {
        match self.load().await {
            Ok(known) => self.known = Some(known),
            Err(trouble) => self.give_up(&mut Work::default(), 0, trouble),
        }
    }

    /// Takes what is waiting.
    fn gather(&mut self, work: &mut Work) {
        while work.left() < MOST_TOGETHER {
            match self.mailbox.try_recv() {
                Ok(message) => self.message(message, work),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    /// Decides what there is to decide, and makes it durable. `fresh`: the stream was read to its end after everything on
    /// the desk had come. Returns whether that is so now.
    async fn round(&mut self, work: &mut Work, fresh: bool) -> bool {
        let decided = match self.look_up(work).await {
            Ok((known, lookups)) => {
                let decided = self.decide(&known, &lookups, work);
                self.known = Some(known);
                decided.map_err(|why| Trouble::Damaged(why.to_string()))
            }
            Err(trouble) => Err(trouble),
        };
        match decided {
            Err(trouble) => self.give_up(work, work.left(), trouble),
            Ok((rulings, decided)) if decided.events.is_empty() => {
                return self.nothing_to_append(work, rulings, fresh).await;
            }
            Ok((rulings, decided)) => self.append(work, rulings, decided).await,
        }
        false
    }

    async fn look_up(&mut self, work: &Work) -> Result<(Known, Lookups), Trouble> {
        let hub = &self.hub;
        let fetched = Lookups::fetch(&hub.store, &hub.index, &hub.hand, work.next(MOST_TOGETHER));
        let known = match self.known.take() {
            Some(mut known) => {
                known.trim(self.hub.index.reached());
                known
            }
            None => self.load().await?,
        };
        Ok((known, fetched.await?))
    }

    async fn load(&self) -> Result<Known, Trouble> {
        if self.hub.damage.is_lasting(&self.name) {
            return Err(Trouble::Damaged("it was found damaged".into()));
        }
        let _turn = self.hub.loads.acquire().await;
        let known = Known::load(&self.hub.store, &self.hub.index, &self.name).await?;
        self.hub.damage.mended(&self.name);
        Ok(known)
    }

    fn decide(
        &self,
        known: &Known,
        lookups: &Lookups,
        work: &Work,
    ) -> Result<(Vec<Ruling>, Decided), crate::domain::account::EvolveError> {
        let mut round = Round::new(&self.name, known, lookups, (self.hub.clock)());
        let mut rulings = Vec::new();
        for command in work.next(MOST_TOGETHER) {
            match round.rule(command)? {
                Some(ruling) => rulings.push(ruling),
                None => break,
            }
        }
        Ok((rulings, round.decided()))
    }

    /// What was refused was refused on what is known: is that the stream's end?
    async fn nothing_to_append(&mut self, work: &mut Work, rulings: Vec<Ruling>, fresh: bool) -> bool {
        if !fresh && rulings.iter().any(|ruling| self.rests_on_the_end(ruling)) {
            let Some(known) = &mut self.known else { return false };
            match known.read_on(&self.hub.store).await {
                Ok(0) => {}
                // Decided again, on what is there now; what comes meanwhile waits, or on an account that others write all
                // the time nothing could ever be refused.
                Ok(_) => return true,
                Err(trouble) => {
                    self.give_up(work, rulings.len(), trouble);
                    return false;
                }
            }
        }
        self.answer(work, rulings, self.hub.index.reached());
        false
    }

    /// Would another event in the stream change it?
    fn rests_on_the_end(&self, ruling: &Ruling) -> bool {
        match ruling {
            Ruling::Booked(_) | Ruling::SeenHere(_) | Ruling::Refused(_) => true,
            // Another account's event with the ID is the answer only if this account has none of its own.
            Ruling::Seen(booked) => booked.event.account != self.name,
        }
    }

    async fn append(&mut self, work: &mut Work, rulings: Vec<Ruling>, decided: Decided) {
        let hub = Arc::clone(&self.hub);
        let name = self.name.clone();
        let mut settling = Settling::new(&hub.store, &name, &decided.proposed);
        let waited = {
            let _turn = hub.appends.acquire().await;
            timeout(hub.waits.patience, settling.settle()).await
        };
        let settled = match waited {
            Ok(settled) => settled,
            Err(_waited) if !settling.is_doubtful() => Settled::NotStored(timed_out()),
            Err(_waited) => {
                // To the end of this block: an ID is never free before it is known where it was booked.
                let _unresolved = hub.unresolved(&decided.events);
                self.answer_unknown(work, rulings);
                let settled = self.resolve(&mut settling).await;
                return self.settled(work, Vec::new(), decided, settled).await;
            }
        };
        self.settled(work, rulings, decided, settled).await;
    }

    /// Takes in what became of an append. Without rulings, their callers have been answered already.
    async fn settled(&mut self, work: &mut Work, rulings: Vec<Ruling>, decided: Decided, settled: Settled) {
        match settled {
            Settled::Stored(position) => {
                let index = &self.hub.index;
                self.hub.hand.booked(&decided.events, position, || index.reached());
                self.hub.count(decided.events.len());
                if let (Some(known), Some(account)) = (&mut self.known, decided.account.clone()) {
                    known.adopt(account, decided.hash(), &decided.events, position);
                }
                self.answer(work, rulings, position);
            }
            // The commands are still on the desk: decided again, from the start.
            Settled::Overtaken => {
                let Some(known) = &mut self.known else { return };
                if let Err(trouble) = known.read_on(&self.hub.store).await {
                    self.give_up(work, rulings.len(), trouble);
                }
            }
            Settled::NotStored(error) => self.give_up(work, rulings.len(), error.into()),
        }
    }

    /// Goes on with an append until it is settled. Who comes meanwhile is told so.
    async fn resolve(&mut self, settling: &mut Settling<'_>) -> Settled {
        tracing::warn!(account = %self.name, "nobody knows whether an append was stored; asking on");
        let settle = settling.settle();
        tokio::pin!(settle);
        loop {
            tokio::select! {
                settled = &mut settle => {
                    tracing::info!(account = %self.name, ?settled, "it is known what became of an append");
                    return settled;
                }
                message = self.mailbox.recv() => match message {
                    Some(Message::Errand(errand)) => {
                        let mut work = Work::default();
                        work.add(errand);
                        self.answer_doubtful(&mut work);
                    }
                    Some(Message::LookAgain) => self.forget(),
                    // The service stops: the next one finds out.
                    None => return Settled::NotStored(timed_out()),
                },
            }
        }
    }

    /// Answers the commands of a round that are first on the desk.
    fn answer(&self, work: &mut Work, rulings: Vec<Ruling>, position: Position) {
        for ruling in rulings {
            let verdict = match ruling {
                Ruling::Booked(event) => Verdict::Booked(event, position),
                Ruling::SeenHere(event) => Verdict::Seen(event, position),
                Ruling::Seen(booked) => self.seen(booked),
                Ruling::Refused(refusal) => Verdict::Refused(refusal),
            };
            if let Verdict::Booked(_, position) = &verdict {
                self.hub.answered(*position);
            }
            work.answer(verdict);
        }
    }

    /// The answer from a durable event. From now on this instance knows of it, though its index may not yet.
    fn seen(&self, booked: Booked) -> Verdict {
        let (hub, Booked { event, position }) = (&self.hub, booked);
        if position > hub.index.reached() {
            hub.hand.booked(std::slice::from_ref(&event), position, || hub.index.reached());
        }
        hub.answered(position);
        Verdict::Seen(event, position)
    }

    /// Answers the commands of a round whose append nobody knows the outcome of, and all others on the desk.
    fn answer_unknown(&self, work: &mut Work, rulings: Vec<Ruling>) {
        for ruling in rulings {
            let verdict = match ruling {
                Ruling::Booked(_) | Ruling::SeenHere(_) => Verdict::Unavailable(Unavailable::OutcomeUnknown),
                ruling if self.rests_on_the_end(&ruling) => {
                    Verdict::Unavailable(Unavailable::StoreUnavailable)
                }
                Ruling::Seen(booked) => self.seen(booked),
                Ruling::Refused(_) => Verdict::Unavailable(Unavailable::StoreUnavailable),
            };
            work.answer(verdict);
        }
        self.answer_doubtful(work);
    }

    /// Answers commands that come while an append is unresolved: nothing new is decided.
    fn answer_doubtful(&self, work: &mut Work) {
        while let Some(id) = work.next_id() {
            let verdict = match self.known.as_ref().and_then(|known| known.seen(id)) {
                _ if self.hub.hand.is_unresolved(id) => Verdict::Unavailable(Unavailable::OutcomeUnknown),
                Some(booked) => self.seen(booked.clone()),
                None => Verdict::Unavailable(Unavailable::StoreUnavailable),
            };
            work.answer(verdict);
        }
    }

    /// The first commands on the desk can't be ruled on.
    fn give_up(&mut self, work: &mut Work, count: usize, trouble: Trouble) {
        self.known = None;
        let why = match trouble {
            Trouble::Unreachable => Unavailable::StoreUnavailable,
            Trouble::Damaged(why) => {
                self.hub.damage.account(&self.name, &why, false);
                Unavailable::StoreDamaged
            }
            Trouble::Unreadable(why) => {
                tracing::error!(account = %self.name, why, "what a command names can't be read");
                Unavailable::StoreDamaged
            }
        };
        for _ in 0..count.min(work.left()) {
            work.answer(Verdict::Unavailable(why));
        }
    }
}

fn timed_out() -> Error {
    Error::Unreachable("it took too long".into())
}
