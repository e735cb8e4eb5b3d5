//! The steps of a transfer are what its driver has learnt of each of them. Nothing here is recorded: a driver that starts
//! anew asks the steps again, under the same IDs, and learns the same.

use crate::domain::account::decline::Decline;
use crate::domain::event::Event;
use crate::domain::ids::{Id, Step};

use super::call::Calls;

/// A `Learnt` says what a driver has learnt of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Learnt {
    /// It was not asked for yet.
    #[default]
    Unasked,
    /// It is booked.
    Done,
    /// Its account declined it, for ever.
    Declined(Decline),
    /// It was ruled out before it came, so that it never will be booked.
    RuledOut,
    /// It was asked for, and nobody could say what became of it.
    Unknown,
    /// Its account has been damaged for so long that waiting does not help.
    Stuck,
}

impl Learnt {
    /// Says whether the step must be asked for, for the first time or again.
    fn is_open(self) -> bool {
        match self {
            Self::Unasked | Self::Unknown | Self::Stuck => true,
            Self::Done | Self::Declined(_) | Self::RuledOut => false,
        }
    }

    /// Says whether this can become known of a step of which that is known. What is booked, declined or ruled out is so for
    /// ever.
    fn replaces(self, known: Self) -> bool {
        known.is_open() && self != known
    }
}

/// An `Ask` is a step that a driver asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// The money is to be set aside on `from`.
    Hold,
    /// The money is to come in on `to`.
    Credit,
    /// The credit is to be ruled out on `to`.
    RuleOut,
    /// The money that was set aside is to go out; this is the number of the attempt, from 1.
    Capture(u32),
    /// The money that was set aside is to be free again, or the hold is to be ruled out; this is the number of the attempt.
    Release(u32),
}

impl Ask {
    /// Returns the step and the attempt that its ID has.
    #[must_use]
    pub fn step(self) -> (Step, u32) {
        match self {
            Self::Hold => (Step::Hold, 1),
            Self::Credit => (Step::Credit, 1),
            Self::RuleOut => (Step::RuleOut, 1),
            Self::Capture(attempt) => (Step::Capture, attempt),
            Self::Release(attempt) => (Step::Release, attempt),
        }
    }
}

/// A `Reply` is what the account of a step says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is booked, now or before.
    Done,
    /// It is declined, now or before.
    Declined(Decline),
    /// What it undoes was booked or declined before, so that nothing was recorded: `None` where it was booked.
    Decided(Option<Decline>),
    /// Nobody can say at the moment.
    Unknown,
    /// Nobody has been able to say for so long that waiting does not help.
    Stuck,
}

/// `Steps` say what a driver has learnt of all steps of one transfer, and of its provider where it has one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// This is what it knows of the hold.
    pub hold: Learnt,
    /// This is what it knows of the credit.
    pub credit: Learnt,
    /// This is what it knows of the ruling out of the credit. It says which of the two was first.
    pub rule_out: Undone,
    /// This is what it knows of the capture.
    pub capture: Tried,
    /// This is what it knows of the release.
    pub release: Tried,
    /// This is why the hold was declined, where the release found it so.
    pub hold_was_declined: Option<Decline>,
    /// This is what it knows of the payout.
    pub calls: Calls,
}

/// An `Undone` says what a driver has learnt of a step that undoes another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Undone {
    /// Nothing is known of it for ever, but what was learnt last.
    #[default]
    Unasked,
    /// The other step was ruled out before it came.
    First,
    /// The other step was booked before.
    WasBooked,
    /// The other step was declined before.
    WasDeclined(Decline),
    /// It was asked for, and nobody could say what became of it.
    Unknown,
    /// Its account has been damaged for so long that waiting does not help.
    Stuck,
}

impl Undone {
    fn is_open(self) -> bool {
        match self {
            Self::Unasked | Self::Unknown | Self::Stuck => true,
            Self::First | Self::WasBooked | Self::WasDeclined(_) => false,
        }
    }
}

/// A `Tried` says what a driver has learnt of a step that the service may try again after a recorded decline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// This is how many attempts were declined.
    pub declined: u32,
    /// This is what is known of the attempt after those.
    pub now: Learnt,
}

impl Tried {
    fn learn(&mut self, attempt: u32, learnt: Learnt) {
        if attempt != self.declined.saturating_add(1) || !self.now.is_open() {
            return;
        }
        match learnt {
            Learnt::Declined(_) => *self = Self { declined: attempt, now: Learnt::Unasked },
            Learnt::Unasked | Learnt::Done | Learnt::RuledOut | Learnt::Unknown | Learnt::Stuck => {
                self.now = learnt;
            }
        }
    }
}

impl Steps {
    /// Takes in what the account of a step says of it. What is known for ever does not change any more.
    pub fn learn(&mut self, ask: Ask, reply: Reply) {
        let learnt = match reply {
            Reply::Done => Learnt::Done,
            // A step that comes after what undoes it is declined by that.
            Reply::Declined(Decline::Prevented(Id::Step { .. })) => Learnt::RuledOut,
            Reply::Declined(decline) => Learnt::Declined(decline),
            Reply::Unknown => Learnt::Unknown,
            Reply::Stuck => Learnt::Stuck,
            Reply::Decided(decided) => return self.decided(ask, decided),
        };
        match ask {
            Ask::Hold => set(&mut self.hold, learnt),
            Ask::Credit => set(&mut self.credit, learnt),
            Ask::RuleOut if self.rule_out.is_open() => {
                self.rule_out = match learnt {
                    Learnt::Done => Undone::First,
                    Learnt::Stuck => Undone::Stuck,
                    // It is never declined.
                    Learnt::Unasked | Learnt::Unknown | Learnt::Declined(_) | Learnt::RuledOut => {
                        Undone::Unknown
                    }
                };
            }
            Ask::RuleOut => {}
            Ask::Capture(attempt) => self.capture.learn(attempt, learnt),
            Ask::Release(attempt) => self.release.learn(attempt, learnt),
        }
    }

    /// Takes in the event of a step, as its account has it. An event that is no step's changes nothing.
    pub fn take_in(&mut self, event: &Event) {
        let Id::Step { step, attempt, .. } = event.id else { return };
        let ask = match step {
            Step::Hold => Ask::Hold,
            Step::Credit => Ask::Credit,
            Step::RuleOut => Ask::RuleOut,
            Step::Capture => Ask::Capture(attempt),
            Step::Release => Ask::Release(attempt),
            Step::Expiry
            | Step::Timeout
            | Step::Payout
            | Step::Settle
            | Step::Contradiction
            | Step::Stall
            | Step::End => return,
        };
        self.learn(ask, event.decline().map_or(Reply::Done, Reply::Declined));
    }

    /// Takes in that the step which was to be undone was decided before.
    fn decided(&mut self, ask: Ask, decided: Option<Decline>) {
        match ask {
            Ask::RuleOut => self.rule_out = decided.map_or(Undone::WasBooked, Undone::WasDeclined),
            Ask::Release(_) => self.hold_was_declined = decided,
            Ask::Hold | Ask::Credit | Ask::Capture(_) => {}
        }
    }
}

fn set(known: &mut Learnt, learnt: Learnt) {
    if learnt.replaces(*known) {
        *known = learnt;
    }
}
