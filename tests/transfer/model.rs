//! The model is a small account on each side of a transfer: it knows only what a transfer's steps need.

use bookonce::domain::account::decline::Decline;
use bookonce::domain::ids::{Id, Step, TransactionId};
use bookonce::domain::transfer::steps::{Ask, Reply};

/// A `Settled` is what became of a step that an account decides once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settled {
    /// It has not come.
    No,
    /// It was booked.
    Booked,
    /// It was declined.
    Declined,
    /// It was ruled out before it came.
    RuledOut,
}

/// The `Accounts` are both accounts of a transfer of 1 unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Accounts {
    pub from: i64,
    pub to: i64,
    pub hold: Settled,
    pub captured: bool,
    pub released: bool,
    pub credit: Settled,
    /// `to` takes nothing.
    pub closed: bool,
    /// These say that a client's reversal of the transfer's ID came to an account before its step.
    pub prevented: [bool; 2],
}

impl Accounts {
    pub fn new(from: i64, closed: bool, prevented: [bool; 2]) -> Self {
        let no = Settled::No;
        Self { from, to: 0, hold: no, captured: false, released: false, credit: no, closed, prevented }
    }

    pub fn is_open(&self) -> bool {
        self.hold == Settled::Booked && !self.captured && !self.released
    }

    fn why_not_hold(&self) -> Decline {
        if self.prevented[0] { Decline::Prevented(client()) } else { Decline::InsufficientFunds }
    }

    fn why_not_credit(&self) -> Decline {
        if self.prevented[1] { Decline::Prevented(client()) } else { Decline::AccountClosed }
    }

    /// Does what an account does with a step of transfer `of`, whoever sent it and whenever. The same step again gets the
    /// same answer.
    pub fn ask(&mut self, of: TransactionId, ask: Ask) -> Reply {
        let own = |step| Decline::Prevented(Id::Step { of, step, attempt: 1 });
        match ask {
            Ask::Hold => {
                if self.hold == Settled::No {
                    let is_free = self.from >= 1 && !self.prevented[0];
                    self.hold = if is_free { Settled::Booked } else { Settled::Declined };
                }
                match self.hold {
                    Settled::RuledOut => Reply::Declined(own(Step::Release)),
                    Settled::Declined => Reply::Declined(self.why_not_hold()),
                    Settled::Booked | Settled::No => Reply::Done,
                }
            }
            Ask::Credit => {
                if self.credit == Settled::No {
                    let takes = !self.closed && !self.prevented[1];
                    self.credit = if takes { Settled::Booked } else { Settled::Declined };
                    self.to += i64::from(takes);
                }
                match self.credit {
                    // The order of the declines is closed before prevented, also for what is ruled out.
                    Settled::RuledOut if self.closed => Reply::Declined(Decline::AccountClosed),
                    Settled::RuledOut => Reply::Declined(own(Step::RuleOut)),
                    Settled::Declined => Reply::Declined(self.why_not_credit()),
                    Settled::Booked | Settled::No => Reply::Done,
                }
            }
            Ask::RuleOut => match self.credit {
                Settled::No | Settled::RuledOut => {
                    self.credit = Settled::RuledOut;
                    Reply::Done
                }
                Settled::Booked => Reply::Decided(None),
                Settled::Declined => Reply::Decided(Some(self.why_not_credit())),
            },
            Ask::Capture(_) if self.captured => Reply::Done,
            Ask::Capture(_) => {
                assert!(self.is_open(), "a capture of no open hold: {self:?}");
                assert_eq!(self.credit, Settled::Booked, "a capture before the credit");
                (self.captured, self.from) = (true, self.from - 1);
                Reply::Done
            }
            Ask::Release(_) => {
                assert!(
                    matches!(self.credit, Settled::RuledOut | Settled::Declined),
                    "a release while the credit may come: {self:?}"
                );
                match self.hold {
                    Settled::No => self.hold = Settled::RuledOut,
                    Settled::Booked => self.released = true,
                    Settled::RuledOut => {}
                    Settled::Declined => return Reply::Decided(Some(self.why_not_hold())),
                }
                Reply::Done
            }
        }
    }
}

fn client() -> Id {
    Id::Client(crate::support::id(77))
}
