//! A call is what a driver asks of a payout provider. Here is what it knows of the provider and of its calls; none of it is
//! recorded, and a driver that starts anew learns it again.

use super::payout::{Label, LearntBy, Repeat, Settlement};

/// A `Call` is what a provider is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// It is to pay, under the payout's key.
    Pay,
    /// It is to say what became of the payout.
    Ask,
    /// It is to see to it that the payout is never paid, where that has not happened yet.
    Cancel,
}

impl Call {
    /// Returns how the outcome becomes known where the provider answers this with one.
    #[must_use]
    pub fn teaches(self) -> LearntBy {
        match self {
            Self::Pay => LearntBy::Reply,
            Self::Ask => LearntBy::Status,
            Self::Cancel => LearntBy::Cancel,
        }
    }
}

/// A `Said` is the answer of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It says plainly what became of the payout.
    Settled(Settlement),
    /// It is at work on it.
    Working,
    /// It said nothing, or nothing that can be relied on.
    Unknown,
}

/// The `Means` of a provider say what can be asked of it, as the settings have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Means {
    /// This says whether the same payout may be sent again.
    pub repeat: Repeat,
    /// This is true where it can be asked what became of a payout.
    pub can_ask: bool,
    /// This is true where it can cancel a payout.
    pub can_cancel: bool,
    /// This is for how many seconds after the deadline it is asked before an operator is needed.
    pub ask_for_seconds: u32,
}

impl Means {
    /// This is for how many seconds a provider is asked where the settings do not say.
    pub const ASK_FOR_SECONDS: u32 = 86_400;
}

/// `Calls` are what a driver knows of the provider of a transfer and of its own calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// These are the means of the provider; `None` where this service is not set up with it.
    pub means: Option<Means>,
    /// This is the driver's own claim, by which it knows its `PayoutSent` from that of another driver.
    pub claim: Option<Label>,
    /// This is true once the stored `PayoutSent` is known to bear its claim.
    pub is_mine: bool,
    /// This is true where another copy of the ledger may have sent the payout, though nothing of it is recorded here.
    pub is_sent_elsewhere: bool,
    /// This is how often it has sent the payout.
    pub pays: u32,
    /// This is how often it has asked what became of it.
    pub asks: u32,
    /// This is how often it has tried to cancel it.
    pub cancels: u32,
    /// This is true where the provider said last that it is at work.
    pub is_working: bool,
    /// This is what it was told and has not seen recorded yet.
    pub told: Option<Settlement>,
}

impl Calls {
    /// Takes in the answer to a call.
    pub fn learn(&mut self, call: Call, said: Said) {
        let made = match call {
            Call::Pay => &mut self.pays,
            Call::Ask => &mut self.asks,
            Call::Cancel => &mut self.cancels,
        };
        *made = made.saturating_add(1);
        self.is_working = said == Said::Working;
        if let Said::Settled(settlement) = said {
            self.told = Some(settlement);
        }
    }
}
