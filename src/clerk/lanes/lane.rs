//! A lane: the one writer of one account in this instance. Load, decide, append, answer; one append under way at a time,
//! and what comes meanwhile is decided together after it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::time::timeout;

use crate::domain::ids::AccountName;
use crate::ledger::{Position, Unavailable, Verdict};
use crate::store::eventstoredb::{Error, Settled, Settling};

use super::Hub;
use super::known::{Known, Trouble};
use super::lookups::Lookups;
use super::round::{Decided, Round, Ruling};
use super::work::{Errand, Work};

/// So long callers wait for an append that nobody knows the outcome of, before they are told so.
const PATIENCE: Duration = Duration::from_secs(3);
/// Commands that are looked up and decided together at most.
const MOST_TOGETHER: usize = 4_096;

/// What a lane is told.
pub(super) enum Message {
    /// Commands to rule on.
    Errand(Errand),
    /// What is known of the account may be wrong: read it anew.
    LookAgain,
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
            match timeout(self.hub.idle, self.mailbox.recv()).await {
                Ok(Some(message)) => self.message(message, &mut work),
                Ok(None) => return,
                Err(_idle) if self.hub.retire(&self.name, &self.mailbox) => return,
                Err(_idle) => {}
            }
            self.gather(&mut work);
            while !work.is_done() {
                self.round(&mut work).await;
                self.gather(&mut work);
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

    /// Decides what there is to decide, and makes it durable.
    async fn round(&mut self, work: &mut Work) {
        let (known, lookups) = match self.look_up(work).await {
            Ok(found) => found,
            Err(trouble) => return self.give_up(work, work.left(), trouble),
        };
        let (rulings, decided) = match self.decide(&known, &lookups, work) {
            Ok(decided) => decided,
            Err(why) => return self.give_up(work, work.left(), Trouble::Damaged(why.to_string())),
        };
        self.known = Some(known);
        if decided.events.is_empty() {
            self.nothing_to_append(work, rulings).await;
        } else {
            self.append(work, rulings, decided).await;
        }
    }

    async fn look_up(&mut self, work: &Work) -> Result<(Known, Lookups), Trouble> {
        let fetched = Lookups::fetch(&self.hub.store, &self.hub.index, work.next(MOST_TOGETHER));
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
    async fn nothing_to_append(&mut self, work: &mut Work, rulings: Vec<Ruling>) {
        if rulings.iter().any(|ruling| matches!(ruling, Ruling::Refused(_))) {
            let Some(known) = &mut self.known else { return };
            match known.read_on(&self.hub.store).await {
                Ok(0) => {}
                // Decided again, on what is there now.
                Ok(_) => return,
                Err(trouble) => return self.give_up(work, rulings.len(), trouble),
            }
        }
        self.answer(work, rulings, self.hub.index.reached());
    }

    async fn append(&mut self, work: &mut Work, rulings: Vec<Ruling>, decided: Decided) {
        let hub = Arc::clone(&self.hub);
        let name = self.name.clone();
        let mut settling = Settling::new(&hub.store, &name, &decided.proposed);
        let waited = {
            let _turn = hub.appends.acquire().await;
            timeout(PATIENCE, settling.settle()).await
        };
        let settled = match waited {
            Ok(settled) => settled,
            Err(_waited) if !settling.is_doubtful() => Settled::NotStored(timed_out()),
            Err(_waited) => {
                hub.hand.set_unresolved(&decided.events, true);
                self.answer_unknown(work, &rulings);
                let settled = self.resolve(&mut settling).await;
                hub.hand.set_unresolved(&decided.events, false);
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
        let hub = Arc::clone(&self.hub);
        let _counted = hub.count_unresolved();
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
    fn answer(&mut self, work: &mut Work, rulings: Vec<Ruling>, position: Position) {
        for ruling in rulings {
            let verdict = match ruling {
                Ruling::Booked(event) => Verdict::Booked(event, position),
                Ruling::SeenHere(event) => Verdict::Seen(event, position),
                Ruling::Seen(booked) => Verdict::Seen(booked.event, booked.position),
                Ruling::Refused(refusal) => Verdict::Refused(refusal),
            };
            if let Verdict::Booked(_, position) | Verdict::Seen(_, position) = &verdict {
                self.hub.answered(*position);
            }
            self.finish(work, verdict);
        }
    }

    /// Answers the commands of a round whose append nobody knows the outcome of.
    fn answer_unknown(&mut self, work: &mut Work, rulings: &[Ruling]) {
        for ruling in rulings {
            let verdict = match ruling {
                Ruling::Booked(_) | Ruling::SeenHere(_) => Verdict::Unavailable(Unavailable::OutcomeUnknown),
                Ruling::Seen(booked) => Verdict::Seen(Arc::clone(&booked.event), booked.position),
                Ruling::Refused(_) => Verdict::Unavailable(Unavailable::StoreUnavailable),
            };
            self.finish(work, verdict);
        }
        while !work.is_done() {
            self.finish(work, Verdict::Unavailable(Unavailable::StoreUnavailable));
        }
    }

    /// Answers commands that come while an append is unresolved: nothing new is decided.
    fn answer_doubtful(&mut self, work: &mut Work) {
        while let Some(id) = work.next_id() {
            let verdict = match self.known.as_ref().and_then(|known| known.seen(id)) {
                _ if self.hub.hand.is_unresolved(id) => Verdict::Unavailable(Unavailable::OutcomeUnknown),
                Some(booked) => Verdict::Seen(Arc::clone(&booked.event), booked.position),
                None => Verdict::Unavailable(Unavailable::StoreUnavailable),
            };
            self.finish(work, verdict);
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
        };
        for _ in 0..count.min(work.left()) {
            self.finish(work, Verdict::Unavailable(why));
        }
    }

    fn finish(&mut self, work: &mut Work, verdict: Verdict) {
        let id = work.next_id();
        work.answer(verdict);
        if let Some(id) = id {
            self.hub.hand.release(id);
        }
    }
}

fn timed_out() -> Error {
    Error::Unreachable("it took too long".into())
}
