//! The state of a message is where it stands between its person and the ledger. What may follow on what is said here, once,
//! and without a file or a clock.

use super::heard::Heard;

/// A `State` is where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for its turn, or for its next attempt.
    Pending,
    /// An attempt has begun, and nothing was heard of it yet. After a kill that may stay so; it is sent again then.
    Sending,
    /// The ledger has booked it.
    Confirmed,
    /// The ledger has recorded a decline. That is the answer, for ever.
    Declined,
    /// A person has to look at it.
    NeedsAttention(Why),
    /// A reversal that names its ID was booked: it is taken back, or it never comes.
    RuledOut,
    /// Another message was made of it, under another ID.
    Replaced,
}

/// A `Why` says why a person has to look at a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The ledger refused it, and recorded nothing.
    Refused,
    /// It was refused with an answer that does not prove that nothing was recorded.
    RefusedInDoubt,
    /// Its deadline has passed, or its ruling out was declined: it may be booked, or not.
    Unknown,
}

/// A `Change` is what happens to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// An attempt begins.
    Begun,
    /// This was heard of an attempt.
    Heard(Heard),
    /// Its deadline has passed while no attempt was under way.
    DeadlinePassed,
    /// A person wants it asked again, under the same ID.
    AskedAgain,
    /// A person has ordered a reversal that names it. From then on it is not sent by itself.
    RuleOutOrdered,
    /// That reversal was booked.
    RuledOut,
    /// A person makes another message of it.
    Replaced,
}

impl State {
    /// These are all states, in the order in which a person meets them.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Sending,
        Self::Confirmed,
        Self::Declined,
        Self::NeedsAttention(Why::Refused),
        Self::NeedsAttention(Why::RefusedInDoubt),
        Self::NeedsAttention(Why::Unknown),
        Self::RuledOut,
        Self::Replaced,
    ];

    /// Returns its name in the file. It never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::NeedsAttention(Why::Refused) => "refused",
            Self::NeedsAttention(Why::RefusedInDoubt) => "refused_in_doubt",
            Self::NeedsAttention(Why::Unknown) => "unknown",
            Self::RuledOut => "ruled_out",
            Self::Replaced => "replaced",
        }
    }

    /// Reads the name in the file.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Returns the word that a person sees, and why, where it needs attention.
    #[must_use]
    pub const fn shown(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::NeedsAttention(Why::Refused | Why::RefusedInDoubt) => ("needs_attention", Some("refused")),
            Self::NeedsAttention(Why::Unknown) => ("needs_attention", Some("unknown")),
            Self::Pending
            | Self::Sending
            | Self::Confirmed
            | Self::Declined
            | Self::RuledOut
            | Self::Replaced => (self.name(), None),
        }
    }

    /// Says whether nothing more happens to it by itself or by a person, but that it is removed.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Confirmed | Self::Declined | Self::RuledOut | Self::Replaced => true,
            Self::Pending | Self::Sending | Self::NeedsAttention(_) => false,
        }
    }

    /// Says whether it may be edited, which makes another message of it. A message that may be booked must not be: both would
    /// be booked.
    #[must_use]
    pub const fn may_be_edited(self) -> bool {
        matches!(self, Self::RuledOut | Self::NeedsAttention(Why::Refused))
    }

    /// Says whether it may be removed from the outbox: nothing is open about it.
    #[must_use]
    pub const fn may_be_dropped(self) -> bool {
        self.is_final() || self.may_be_edited()
    }

    /// Returns the state after a change; `None` where the change can't happen to a message in this state.
    #[must_use]
    pub const fn after(self, change: Change) -> Option<Self> {
        match change {
            Change::Begun => match self {
                Self::Pending | Self::Sending => Some(Self::Sending),
                Self::Confirmed
                | Self::Declined
                | Self::NeedsAttention(_)
                | Self::RuledOut
                | Self::Replaced => None,
            },
            Change::Heard(heard) => self.after_hearing(heard),
            Change::DeadlinePassed => match self {
                Self::Pending | Self::Sending => Some(Self::NeedsAttention(Why::Unknown)),
                Self::Confirmed
                | Self::Declined
                | Self::NeedsAttention(_)
                | Self::RuledOut
                | Self::Replaced => None,
            },
            Change::AskedAgain => {
                if self.is_final() {
                    None
                } else {
                    Some(Self::Pending)
                }
            }
            Change::RuleOutOrdered => {
                if self.is_final() {
                    None
                } else {
                    Some(Self::NeedsAttention(Why::Unknown))
                }
            }
            // It may have been answered meanwhile: what was booked is taken back now, and what was declined stays nothing.
            Change::RuledOut => match self {
                Self::Replaced => None,
                Self::Pending
                | Self::Sending
                | Self::Confirmed
                | Self::Declined
                | Self::NeedsAttention(_)
                | Self::RuledOut => Some(Self::RuledOut),
            },
            Change::Replaced => {
                if self.may_be_edited() {
                    Some(Self::Replaced)
                } else {
                    None
                }
            }
        }
    }

    /// What is heard of an attempt counts unless the message has ended meanwhile. An answer that leaves it open gives a
    /// message that waits for a person no turn of its own.
    const fn after_hearing(self, heard: Heard) -> Option<Self> {
        match self {
            Self::Pending | Self::Sending | Self::NeedsAttention(_) => Some(match heard {
                Heard::Confirmed => Self::Confirmed,
                Heard::Declined => Self::Declined,
                Heard::Refused => Self::NeedsAttention(Why::Refused),
                Heard::RefusedInDoubt => Self::NeedsAttention(Why::RefusedInDoubt),
                Heard::KeyRefused | Heard::Open { .. } => match self {
                    Self::NeedsAttention(why) => Self::NeedsAttention(why),
                    Self::Pending
                    | Self::Sending
                    | Self::Confirmed
                    | Self::Declined
                    | Self::RuledOut
                    | Self::Replaced => Self::Pending,
                },
            }),
            Self::Confirmed | Self::Declined | Self::RuledOut | Self::Replaced => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Heard = Heard::Open { service_is_down: true, asked: None };
    const REFUSED: State = State::NeedsAttention(Why::Refused);
    const IN_DOUBT: State = State::NeedsAttention(Why::RefusedInDoubt);
    const UNKNOWN: State = State::NeedsAttention(Why::Unknown);

    /// Each change, and what it makes of the states in the order of [`State::ALL`].
    #[test]
    fn every_change_of_every_state() {
        use State::{
            Confirmed as C, Declined as D, Pending as P, Replaced as E, RuledOut as O, Sending as S,
        };
        let (r, i, u) = (Some(REFUSED), Some(IN_DOUBT), Some(UNKNOWN));
        let heard = Change::Heard;
        for (change, after) in [
            (Change::Begun, [Some(S), Some(S), None, None, None, None, None, None, None]),
            (heard(Heard::Confirmed), [Some(C), Some(C), None, None, Some(C), Some(C), Some(C), None, None]),
            (heard(Heard::Declined), [Some(D), Some(D), None, None, Some(D), Some(D), Some(D), None, None]),
            (heard(Heard::Refused), [r, r, None, None, r, r, r, None, None]),
            (heard(Heard::RefusedInDoubt), [i, i, None, None, i, i, i, None, None]),
            (heard(Heard::KeyRefused), [Some(P), Some(P), None, None, r, i, u, None, None]),
            (heard(OPEN), [Some(P), Some(P), None, None, r, i, u, None, None]),
            (Change::DeadlinePassed, [u, u, None, None, None, None, None, None, None]),
            (Change::AskedAgain, [Some(P), Some(P), None, None, Some(P), Some(P), Some(P), None, None]),
            (Change::RuleOutOrdered, [u, u, None, None, u, u, u, None, None]),
            (
                Change::RuledOut,
                [Some(O), Some(O), Some(O), Some(O), Some(O), Some(O), Some(O), Some(O), None],
            ),
            (Change::Replaced, [None, None, None, None, Some(E), None, None, Some(E), None]),
        ] {
            for (state, after) in State::ALL.into_iter().zip(after) {
                assert_eq!(state.after(change), after, "{state:?}, {change:?}");
            }
        }
    }

    /// Guards against: a message that may be booked and is edited, so that both are.
    #[test]
    fn only_what_is_known_not_to_be_booked_is_edited() {
        for state in State::ALL {
            assert_eq!(state.may_be_edited(), matches!(state, State::RuledOut | REFUSED), "{state:?}");
            assert!(state.may_be_dropped() || !state.is_final());
        }
        assert!(!UNKNOWN.may_be_dropped() && !State::Pending.may_be_dropped() && !IN_DOUBT.may_be_dropped());
    }

    #[test]
    fn a_name_is_read_back() {
        for state in State::ALL {
            assert_eq!(State::parse(state.name()), Some(state));
        }
        assert_eq!(State::parse("failed"), None);
    }
}
