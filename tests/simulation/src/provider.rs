//! A [`Provider`] is a payout provider of a run with its own books: what came to it, what it has paid, and what it says of it.
//!
//! It knows nothing of the ledger. What a ledger has booked is held against these books at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use bookonce::domain::transfer::call::{Call, Means};
use bookonce::domain::transfer::payout::Repeat;
use bookonce::payouts::Reply;

use crate::executor::Owner;
use crate::random::Random;

/// `Traits` are what a provider is like. Rates are in a thousand.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// These are what the ledger may ask of it.
    pub means: Means,
    /// This is how many seconds a call may take.
    pub timeout: u64,
    /// This is how many calls may be under way from one instance.
    pub at_once: usize,
    /// This is how often a payout is declined.
    pub declines: u64,
    /// This is how often it is paid in part.
    pub part: u64,
    /// This is how often it works on a payout for a while.
    pub slow: u64,
    /// This is how often a request does not arrive.
    pub lost: u64,
    /// This is how often a request arrives long after nobody waits for it any more.
    pub late: u64,
    /// This is how often its answer takes seconds.
    pub thinks: u64,
    /// This is how often its answer is lost.
    pub mute: u64,
    /// This is how often its answer is none that can be relied on.
    pub vague: u64,
    /// This is how often it says the contrary of what its books say.
    pub lies: u64,
}

impl Traits {
    /// Draws a provider.
    pub fn draw(random: &mut Random, calm: bool) -> Self {
        let mut rate = |rates: [u64; 4]| rates[random.place(4)];
        let (declines, part, slow) =
            (rate([0, 100, 200, 400]), rate([0, 0, 200, 400]), rate([0, 0, 100, 500]));
        let mut fault = |rates| if calm { 0 } else { rate(rates) };
        let (lost, late) = (fault([0, 30, 150, 400]), fault([0, 30, 100, 300]));
        let (mut thinks, mute) = (fault([0, 100, 300, 600]), fault([0, 50, 200, 400]));
        let (mut vague, lies) = (fault([0, 0, 50, 200]), fault([0, 0, 500, 500]));
        if lies > 0 {
            // That it contradicts itself is heard only when two drivers wait for its answers at once.
            (thinks, vague) = (800, 300);
        }
        let repeat = if random.below(2) == 0 { Repeat::SameKey } else { Repeat::Never };
        let (can_ask, can_cancel) = (random.below(3) > 0, random.below(2) == 0);
        let most = if lies > 0 { 60 } else { 15 };
        let ask_for_seconds = u32::try_from(random.between(1, most)).unwrap();
        Self {
            means: Means { repeat, can_ask, can_cancel, ask_for_seconds },
            timeout: if lies > 0 { 30 } else { random.between(1, 8) },
            at_once: 1 + random.place(4),
            declines,
            part,
            slow,
            lost,
            late,
            thinks,
            mute,
            vague,
            lies,
        }
    }
}

/// A `Told` is what a provider says of a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It was paid: so many cents.
    Paid(i128),
    /// It is not paid, and never will be.
    Refused,
    /// It is at work on it.
    Working,
    /// It has not seen this key.
    Unseen,
}

/// An `Entry` is what the books of a provider have of one key.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// These are the lives of instances that sent it.
    pub sent: Vec<Owner>,
    /// This is what it is asked to pay, in cents.
    asked: i128,
    /// This is how often it came.
    pub came: u64,
    /// This is how often it was paid.
    pub times: u64,
    /// This is what was decided of it.
    decided: Option<Told>,
    /// Until then the provider says that it is at work.
    works_until: Duration,
    /// It is never paid any more, where it was not paid before.
    pub is_prevented: bool,
    /// The provider has said the contrary of what its books say.
    pub has_lied: bool,
    /// An operator has said the contrary of what the books say.
    pub is_misled: bool,
    /// A copy of the ledger knows nothing of it, because the backup is older than its request.
    pub is_forgotten: bool,
}

impl Entry {
    /// Returns what was paid, in cents.
    #[must_use]
    pub fn paid(&self) -> i128 {
        match self.decided {
            Some(Told::Paid(cents)) => cents * i128::from(self.times),
            _ => 0,
        }
    }

    /// Returns what was paid, in cents, where it is less than was asked.
    #[must_use]
    pub fn part(&self) -> Option<i128> {
        Some(self.paid()).filter(|paid| *paid < self.asked)
    }

    /// Says whether the ledger was told otherwise than it is, or could not know what it should, so that its books may differ.
    #[must_use]
    pub fn is_excused(&self) -> bool {
        self.has_lied || self.is_misled || self.is_forgotten
    }

    /// Returns what is true of it at a time.
    fn at(&self, now: Duration) -> Told {
        match self.decided {
            None => Told::Unseen,
            Some(_) if now < self.works_until => Told::Working,
            Some(decided) => decided,
        }
    }

    /// Sees to it that it is never paid, where it was not paid before. Returns what is true of it.
    pub fn prevent(&mut self, now: Duration) -> Told {
        match self.at(now) {
            Told::Unseen | Told::Working => {
                (self.decided, self.is_prevented) = (Some(Told::Refused), true);
                (self.times, self.works_until) = (0, now);
                Told::Refused
            }
            told => told,
        }
    }

    /// Takes in that the payout came.
    fn pay(&mut self, traits: &Traits, asked: i128, now: Duration, random: &mut Random) -> Told {
        self.came += 1;
        self.asked = asked;
        if let Some(decided) = self.decided {
            // One that does not look at keys pays again.
            let pays_again = traits.means.repeat == Repeat::Never && matches!(decided, Told::Paid(_));
            self.times += u64::from(pays_again);
            return self.at(now);
        }
        let decided = if random.in_a_thousand(traits.declines) {
            Told::Refused
        } else if asked > 1 && random.in_a_thousand(traits.part) {
            Told::Paid(1 + i128::from(random.below(u64::try_from(asked - 1).unwrap())))
        } else {
            Told::Paid(asked)
        };
        self.times = u64::from(decided != Told::Refused);
        self.decided = Some(decided);
        let works = if random.in_a_thousand(traits.slow) { random.between(1, 20_000) } else { 0 };
        self.works_until = now + Duration::from_millis(works);
        self.at(now)
    }
}

/// A `Provider` is a payout provider with its books.
#[derive(Debug)]
pub struct Provider {
    /// These are what it is like.
    pub traits: Traits,
    /// These are its books, by the keys.
    pub books: BTreeMap<String, Entry>,
}

impl Provider {
    /// Takes a call of which the request has arrived. Returns what it says.
    pub fn take(&mut self, call: Call, key: &str, asked: i128, now: Duration, random: &mut Random) -> Told {
        let traits = self.traits;
        let entry = self.books.entry(key.to_owned()).or_default();
        match call {
            Call::Pay => entry.pay(&traits, asked, now, random),
            Call::Ask => entry.at(now),
            Call::Cancel => entry.prevent(now),
        }
    }

    /// Writes its answer, which may be the contrary of what is true, or nothing that can be relied on.
    pub fn answer(&mut self, key: &str, told: Told, honest: bool, random: &mut Random) -> Reply {
        if !honest && random.in_a_thousand(self.traits.vague) {
            return vague(random);
        }
        let entry = self.books.entry(key.to_owned()).or_default();
        let lies = !honest && random.in_a_thousand(self.traits.lies);
        let said = match told {
            Told::Paid(_) if lies => Told::Refused,
            Told::Refused if lies => Told::Paid(1),
            _ => told,
        };
        entry.has_lied |= said != told;
        let body = match said {
            Told::Paid(cents) => {
                format!(
                    r#"{{"outcome":"done","amount":"{}.{:02}","reference":"r"}}"#,
                    cents / 100,
                    cents % 100
                )
            }
            Told::Refused => r#"{"outcome":"declined","code":"no_cash"}"#.to_owned(),
            Told::Working => r#"{"outcome":"working"}"#.to_owned(),
            Told::Unseen => r#"{"outcome":"unknown"}"#.to_owned(),
        };
        let status = if said == Told::Refused && random.below(2) == 0 { 402 } else { 200 };
        Reply { status, body: body.into_bytes() }
    }
}

/// Draws an answer that says nothing.
fn vague(random: &mut Random) -> Reply {
    let (status, body) = match random.below(5) {
        0 => (500, ""),
        1 => (200, "<html>done</html>"),
        2 => (200, r#"{"outcome":"unknown"}"#),
        3 => (404, r#"{"outcome":"declined"}"#),
        _ => (200, ""),
    };
    Reply { status, body: body.as_bytes().to_vec() }
}
