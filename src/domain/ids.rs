//! Ids are types here. A text is checked once, when the type is made of it, and need not be checked again. The names of
//! accounts, in `names`, are offered here as well.

use std::fmt;

use uuid::Uuid;

pub use super::names::{AccountName, CounterAccount};

/// A `TransactionId` is the client's own id of a transaction: a UUID of any version but nil, unique in the ledger, for
/// ever.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(Uuid);

impl TransactionId {
    /// Reads a UUID in one of its usual spellings; `None` for nil or anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().and_then(Self::from_uuid)
    }

    /// Makes an id of a UUID; `None` for nil.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Option<Self> {
        (!uuid.is_nil()).then_some(Self(uuid))
    }

    /// This is the most IDs that one correction may name.
    pub const MOST_CORRECTED: usize = 16;

    /// Says whether a correction may name these IDs: at least one, not too many, each once.
    #[must_use]
    pub fn may_be_corrected(ids: &[Self]) -> bool {
        let repeats =
            |(place, id): (usize, &Self)| ids.iter().skip(place.saturating_add(1)).any(|it| it == id);
        (1..=Self::MOST_CORRECTED).contains(&ids.len()) && !ids.iter().enumerate().any(repeats)
    }

    /// Returns its sixteen bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Calls `work` with its hyphenated lower-case form.
    pub fn with_text<T>(&self, work: impl FnOnce(&str) -> T) -> T {
        work(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }

    /// Appends its hyphenated lower-case form.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.with_text(|text| out.extend_from_slice(text.as_bytes()));
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A step of a hold or of a transfer, which the ledger books without a client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Money is set aside.
    Hold,
    /// Money comes in.
    Credit,
    /// The money that was set aside goes out.
    Capture,
    /// The money that was set aside is free again.
    Release,
    /// The money that was set aside is free again, because its time is over.
    Expiry,
    /// A credit that has not come is ruled out.
    RuleOut,
    /// The deadline of a transfer is over.
    Timeout,
    /// A payout is sent.
    Payout,
    /// It is known what became of a payout.
    Settle,
    /// A provider says otherwise than what is recorded.
    Contradiction,
    /// The service can't go on with a transfer.
    Stall,
    /// A transfer ends.
    End,
}

impl Step {
    const ALL: [Self; 12] = [
        Self::Hold,
        Self::Credit,
        Self::Capture,
        Self::Release,
        Self::Expiry,
        Self::RuleOut,
        Self::Timeout,
        Self::Payout,
        Self::Settle,
        Self::Contradiction,
        Self::Stall,
        Self::End,
    ];

    /// Returns the step with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Returns its name in an ID.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Credit => "credit",
            Self::Capture => "capture",
            Self::Release => "release",
            Self::Expiry => "expiry",
            Self::RuleOut => "rule-out",
            Self::Timeout => "timeout",
            Self::Payout => "payout",
            Self::Settle => "settle",
            Self::Contradiction => "contradiction",
            Self::Stall => "stall",
            Self::End => "end",
        }
    }
}

/// An `Id` is the ID that an event is booked with, unique in the ledger, for ever.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Id {
    /// It is the client's own transaction ID.
    Client(TransactionId),
    /// It is the ID of a step that the ledger books without a client's request, written `UUID:step:n`. It is not a UUID, so
    /// that no client can use it first.
    Step {
        /// This is the ID of the hold or the transfer that the step belongs to.
        of: TransactionId,
        /// This is the step.
        step: Step,
        /// This is the number of the attempt at this step, from 1.
        attempt: u32,
    },
    /// There is none: the event is one that nobody can ask for again, as what the service records of its deliveries. It has no
    /// text, no index has it, and no look-up finds it.
    Absent,
}

impl Id {
    /// Reads a transaction ID or a step's ID; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some((of, rest)) = text.split_once(':') else {
            return TransactionId::parse(text).map(Self::Client);
        };
        let (step, attempt) = rest.split_once(':')?;
        let id = Self::Step {
            of: TransactionId::parse(of)?,
            step: Step::parse(step)?,
            attempt: attempt.parse().ok().filter(|attempt| *attempt > 0)?,
        };
        // One ID has one text: no other spelling of the UUID and no padded number is taken.
        (id.to_string() == text).then_some(id)
    }

    /// Returns the ID of the first attempt at a step of the hold or the transfer with this ID.
    #[must_use]
    pub fn first_of(of: TransactionId, step: Step) -> Self {
        Self::Step { of, step, attempt: 1 }
    }

    /// Returns the transfer whose step it is; `None` for a client's ID and for the expiry of a hold.
    #[must_use]
    pub fn transfer(&self) -> Option<TransactionId> {
        match self {
            Self::Client(_) | Self::Step { step: Step::Expiry, .. } | Self::Absent => None,
            Self::Step { of, .. } => Some(*of),
        }
    }

    /// Returns the client's transaction ID, if it is one.
    #[must_use]
    pub fn client(&self) -> Option<TransactionId> {
        match self {
            Self::Client(id) => Some(*id),
            Self::Step { .. } | Self::Absent => None,
        }
    }

    /// Says whether there is none.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Appends its text.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Absent => {}
            Self::Client(id) => id.write(out),
            Self::Step { of, step, attempt } => {
                of.write(out);
                out.push(b':');
                out.extend_from_slice(step.name().as_bytes());
                out.push(b':');
                out.extend_from_slice(itoa::Buffer::new().format(*attempt).as_bytes());
            }
        }
    }
}

impl From<TransactionId> for Id {
    fn from(id: TransactionId) -> Self {
        Self::Client(id)
    }
}

impl PartialEq<TransactionId> for Id {
    fn eq(&self, other: &TransactionId) -> bool {
        *self == Self::Client(*other)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => Ok(()),
            Self::Client(id) => id.fmt(f),
            Self::Step { of, step, attempt } => write!(f, "{of}:{}:{attempt}", step.name()),
        }
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_clients_or_a_steps_and_has_one_text() {
        const T: &str = "018f4e6e-9d52-7a30-8f7e-3f6b2a1c0d4e";
        let of = TransactionId::parse(T).unwrap();
        assert_eq!(Id::parse(T), Some(Id::Client(of)));
        for step in Step::ALL {
            let id = Id::Step { of, step, attempt: 12 };
            assert_eq!(Id::parse(&id.to_string()), Some(id));
            let mut written = Vec::new();
            id.write(&mut written);
            assert_eq!(written, id.to_string().into_bytes());
        }
        assert_eq!(Id::Step { of, step: Step::RuleOut, attempt: 1 }.to_string(), format!("{T}:rule-out:1"));
        for rest in [":hold", ":hold:", ":hold:0", ":hold:01", ":hold:+1", ":Hold:1", ":hold:1:1", "::1", ":"]
        {
            assert_eq!(Id::parse(&format!("{T}{rest}")), None, "{rest}");
        }
        assert_eq!(Id::parse(&format!("{}:hold:1", T.to_uppercase())), None);
    }

    #[test]
    fn the_nil_id_is_no_id() {
        assert_eq!(TransactionId::parse("00000000-0000-0000-0000-000000000000"), None);
        assert_eq!(TransactionId::parse("not-a-uuid"), None);
        assert!(TransactionId::parse("018f4e6e-9d52-7a30-8f7e-3f6b2a1c0d4e").is_some());
    }
}
