//! A [`Destination`] is a destination as the journal alone gives it: who serves it, how far it has come, and which messages
//! its filter has chosen that are not settled.
//!
//! It costs 48 bytes for each such message. What was chosen before the destination was set up, where it begins earlier, is not
//! known here: of these messages only what their rows say of each other is checked.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use crate::audit::rules::served::Served;
use crate::audit::values::delivery::{Filter, ParkedRow, Progressed, Setting, TakenWhy};
use crate::audit::values::finding::Flaw;

/// A message is an event that a filter has chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message {
    pub(super) position: u64,
    pub(super) event_id: u128,
    /// This is a hash of the name of its stream.
    pub(super) stream: u64,
    pub(super) revision: u64,
}

/// A parked message waits beside what is settled.
#[derive(Debug, Clone, Copy)]
struct Parked {
    stream: u64,
    revision: u64,
    attempts: u64,
    /// This is its event, where that is known.
    message: Option<Message>,
}

/// A `Destination` is a destination after its events so far.
#[derive(Debug)]
pub(super) struct Destination {
    /// This is the revision of its last event.
    pub(super) revision: u64,
    pub(super) filter: Filter,
    at_most_once: bool,
    /// This says that it was `at_most_once` in this whole life of its name.
    always_at_most_once: bool,
    in_order: bool,
    stage: Stage,
    /// This is the position at which this life of its name begins: what its filter chose up to there is not known.
    begun: u64,
    through: Option<u64>,
    served: Option<Served>,
    /// These are the messages behind `through`, in order.
    ahead: VecDeque<Message>,
    /// These are messages up to `through` that wait behind a parked one.
    behind: BTreeMap<u64, Message>,
    parked: BTreeMap<u64, Parked>,
    claimed: BTreeSet<u64>,
    claimed_to: u64,
    claims: u64,
    delivered: u64,
    /// These are the positions of the messages of which there is a letter.
    letters: BTreeSet<u64>,
    /// This says that one of its events was found wrong, so that the others can't be held against it.
    pub(super) in_doubt: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Paused,
    Missing,
    Removed,
}

impl Destination {
    /// Begins it with the event at this position that sets it up.
    pub(super) fn begin(setting: &Setting, revision: u64, position: u64) -> Self {
        Self {
            revision,
            filter: setting.filter.clone(),
            at_most_once: setting.at_most_once,
            always_at_most_once: setting.at_most_once,
            in_order: setting.in_order,
            stage: Stage::Open,
            begun: position,
            through: setting.from,
            served: None,
            ahead: VecDeque::new(),
            behind: BTreeMap::new(),
            parked: BTreeMap::new(),
            claimed: BTreeSet::new(),
            claimed_to: 0,
            claims: 0,
            delivered: 0,
            letters: BTreeSet::new(),
            in_doubt: false,
        }
    }

    pub(super) fn is_removed(&self) -> bool {
        self.stage == Stage::Removed
    }

    /// Adds a message that its filter has chosen.
    pub(super) fn choose(&mut self, message: Message) {
        if self.through.is_none_or(|through| message.position > through) {
            self.ahead.push_back(message);
        }
    }

    pub(super) fn set(&mut self, setting: &Setting, revision: u64, position: u64) -> Result<(), Flaw> {
        if self.stage == Stage::Removed {
            let served = self.served.take().map(Served::renamed);
            *self = Self { served, ..Self::begin(setting, revision, position) };
            return Ok(());
        }
        if setting.from.is_some() {
            return Err(Flaw::NotNow("it has begun already"));
        }
        self.filter = setting.filter.clone();
        (self.at_most_once, self.in_order) = (setting.at_most_once, setting.in_order);
        self.always_at_most_once &= setting.at_most_once;
        if self.stage == Stage::Missing {
            self.stage = Stage::Open;
        }
        Ok(())
    }

    pub(super) fn pause(&mut self, missing: bool) -> Result<(), Flaw> {
        if self.stage != Stage::Open {
            return Err(Flaw::NotNow("it is paused already"));
        }
        self.stage = if missing { Stage::Missing } else { Stage::Paused };
        Ok(())
    }

    /// It goes on. What it passes over is never sent, but for what is parked: it waits behind nothing. How much that was is
    /// compared where all of it was chosen here.
    pub(super) fn resume(&mut self, after: Option<u64>, passed_over: Option<u64>) -> Result<(), Flaw> {
        self.stage = Stage::Open;
        let Some(after) = after else { return Ok(()) };
        let is_known = !self.in_doubt && self.through.is_none_or(|through| through >= self.begun);
        let mut is = 0_u64;
        while let Some(message) = self.ahead.pop_front_if(|message| message.position <= after) {
            is = is.saturating_add(u64::from(!self.parked.contains_key(&message.position)));
        }
        if let Some(says) = passed_over.filter(|says| is_known && *says != is) {
            return Err(Flaw::Number { what: "messages that are passed over", says, is });
        }
        self.go_to(after)
    }

    pub(super) fn remove(&mut self, through: u64, parked: u64) -> Result<(), Flaw> {
        let is = self.through.unwrap_or_default();
        if through != is {
            return Err(Flaw::Number { what: "the last settled position", says: through, is });
        }
        let is = self.parked.len() as u64;
        if parked != is {
            return Err(Flaw::Number { what: "parked messages", says: parked, is });
        }
        self.stage = Stage::Removed;
        self.ahead.clear();
        Ok(())
    }

    pub(super) fn take(&mut self, instance: &[u8], why: TakenWhy) -> Result<(), Flaw> {
        let why = if self.in_doubt { TakenWhy::Resumed } else { why };
        self.served = Some(Served::take(self.served.as_ref(), why, instance, self.revision)?);
        Ok(())
    }

    pub(super) fn challenge(&mut self, instance: &[u8]) -> Result<(), Flaw> {
        if self.stage != Stage::Open {
            return Err(Flaw::NotNow("it is paused, and who serves it was asked"));
        }
        let nobody = Flaw::NotNow("nobody serves it, and was asked");
        self.served.as_mut().ok_or(nobody)?.challenge(instance)
    }

    /// Gives who serves it, where that is in this term.
    pub(super) fn served_in(&mut self, says: u64) -> Result<&mut Served, Flaw> {
        let is = match &self.served {
            Some(served) if served.is_gone() => format!("nobody since {}", served.term),
            Some(served) => served.term.to_string(),
            None => "nobody".to_owned(),
        };
        let served = self.served.as_mut().filter(|served| served.term == says && !served.is_gone());
        served.ok_or(Flaw::Term { says, is })
    }

    pub(super) fn claim(&mut self, term: u64, positions: &[u64]) -> Result<(), Flaw> {
        self.served_in(term)?.answer();
        if !self.at_most_once || self.stage != Stage::Open {
            return Err(Flaw::NotNow("it claims nothing, or is paused"));
        }
        for position in positions {
            if *position <= self.claimed_to.max(self.through.unwrap_or_default()) {
                return Err(Flaw::ClaimedTwice(*position));
            }
            self.find(*position)?;
            self.claimed_to = *position;
            self.claimed.insert(*position);
        }
        self.claims = self.claims.saturating_add(positions.len() as u64);
        Ok(())
    }

    /// Takes a progress. `stream` gives the hash of a stream's name.
    pub(super) fn progress(
        &mut self,
        said: &Progressed,
        stream: impl Fn(&ParkedRow) -> u64,
    ) -> Result<(), Flaw> {
        self.served_in(said.term)?.answer();
        for position in &said.unconfirmed {
            self.has_letter(*position)?;
            if !self.claimed.remove(position) {
                return Err(Flaw::NotSo { position: *position, says: "claimed" });
            }
        }
        for (position, is_dead) in &said.settled {
            if *is_dead {
                self.has_letter(*position)?;
            }
            let parked = self.parked.remove(position);
            parked.ok_or(Flaw::NotSo { position: *position, says: "parked" })?;
        }
        for row in &said.attempted {
            let before = self.parked.get_mut(&row.position);
            let before = before.ok_or(Flaw::NotSo { position: row.position, says: "parked" })?;
            if (before.stream, before.revision) != (stream(row), row.revision) {
                return Err(Flaw::OtherMessage(row.position));
            }
            if row.attempts <= before.attempts {
                return Err(Flaw::NotSo { position: row.position, says: "tried again" });
            }
            before.attempts = row.attempts;
        }
        for row in &said.parked {
            let message = self.find(row.position)?;
            let (stream, revision) = (stream(row), row.revision);
            if message.is_some_and(|message| (message.stream, message.revision) != (stream, revision)) {
                return Err(Flaw::OtherMessage(row.position));
            }
            let parked = Parked { stream, revision, attempts: row.attempts, message };
            if self.parked.insert(row.position, parked).is_some() {
                return Err(Flaw::NotSo { position: row.position, says: "not parked before" });
            }
        }
        self.delivered = self.delivered.saturating_add(said.delivered);
        if self.always_at_most_once && self.delivered > self.claims {
            return Err(Flaw::Number { what: "delivered messages", says: self.delivered, is: self.claims });
        }
        self.go_to(said.through)
    }

    /// Notes that there is a letter of the message at this position. Gives its event, where that is known.
    pub(super) fn bury(&mut self, position: u64) -> Result<Option<Message>, Flaw> {
        let message = match self.parked.get(&position) {
            Some(parked) => parked.message,
            None => self.find(position)?,
        };
        self.letters.insert(position);
        Ok(message)
    }

    fn has_letter(&self, position: u64) -> Result<(), Flaw> {
        if self.in_doubt || self.letters.contains(&position) { Ok(()) } else { Err(Flaw::NoLetter(position)) }
    }

    /// Finds a message that its filter has chosen and that is not settled; `None` where that is not known.
    fn find(&self, position: u64) -> Result<Option<Message>, Flaw> {
        if self.in_doubt || position <= self.begun {
            return Ok(None);
        }
        let found = match self.ahead.binary_search_by_key(&position, |message| message.position) {
            Ok(place) => self.ahead.get(place),
            Err(_) => self.behind.get(&position),
        };
        found.map(|message| Some(*message)).ok_or(Flaw::NotSelected(position))
    }

    /// Goes forward to a position. What waits behind a parked message is kept.
    fn go_to(&mut self, through: u64) -> Result<(), Flaw> {
        if let Some(before) = self.through.filter(|before| through < *before) {
            return Err(Flaw::ThroughBack { says: through, through: before });
        }
        self.through = Some(through);
        self.claimed = self.claimed.split_off(&through.saturating_add(1));
        let held: HashSet<u64> = self.parked.values().map(|parked| parked.stream).collect();
        let holds_all = self.in_order && !held.is_empty();
        while let Some(message) = self.ahead.pop_front_if(|message| message.position <= through) {
            if holds_all || held.contains(&message.stream) {
                self.behind.insert(message.position, message);
            }
        }
        if !holds_all {
            self.behind.retain(|_, message| held.contains(&message.stream));
        }
        Ok(())
    }
}
