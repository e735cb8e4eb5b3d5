//! The table is what was found: for each guarantee what was to be sent by the journal, and what came of it at the receiver.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::cli::outcome::Error;
use crate::client::sender::Client;

use super::receiver::{Receiver, Receivers};

/// This is how many events are read together.
const PAGE: u64 = 1_000;

/// A `Journal` is what the journal says, as far as it was read.
#[derive(Default)]
pub(super) struct Journal {
    after: u64,
    /// These are the ids of the events that each destination gets.
    events: BTreeSet<String>,
    /// These are the ids of the messages that became dead letters.
    letters: BTreeSet<String>,
}

impl Journal {
    /// Reads what was recorded since.
    ///
    /// # Errors
    /// Fails when the service can't be read.
    pub(super) async fn read(&mut self, client: &Client) -> Result<(), Error> {
        loop {
            let page = client.read(&format!("/v1/journal?after={}&limit={PAGE}", self.after)).await?;
            let items = page["items"].as_array().ok_or("the journal has no items")?;
            let Some(last) = items.last() else { return Ok(()) };
            self.after = last["position"].as_u64().ok_or("an event has no position")?;
            for item in items {
                let (stream, event) = (item["stream"].as_str(), item["event_id"].as_str());
                let (stream, event) = (stream.unwrap_or_default(), event.unwrap_or_default());
                if stream.starts_with("account-") || stream.starts_with("transfer-") {
                    self.events.insert(event.to_owned());
                }
                if let Some(id) =
                    item["data"]["message_id"].as_str().filter(|_| item["type"] == "DeadLettered")
                {
                    self.letters.insert(id.to_owned());
                }
            }
        }
    }

    /// Returns how many events there are to send.
    pub(super) fn events(&self) -> usize {
        self.events.len()
    }

    /// Gives the ids of the messages to a receiver.
    fn messages(&self, to: &'static str) -> impl Iterator<Item = String> + '_ {
        self.events.iter().map(move |event| format!("{event}.{to}"))
    }

    /// Gives the messages that have neither arrived nor become a letter.
    pub(super) fn pending(&self, receiver: &Receiver) -> impl Iterator<Item = String> {
        self.messages(receiver.name).filter(|id| !receiver.has(id) && !self.letters.contains(id))
    }
}

/// A `Row` is what was found of one guarantee.
#[derive(Debug, Default, PartialEq, Eq)]
struct Row {
    guarantee: &'static str,
    /// This is the number of messages that the journal has for it.
    messages: usize,
    /// This is the number of arrivals, each time that a message came.
    arrivals: u64,
    /// This is the number of messages that arrived.
    arrived: usize,
    /// This is the number of messages that have become dead letters.
    letters: usize,
    /// This is the number of messages that have no effect.
    lost: usize,
    /// This is the number of messages that have no effect and are no dead letter either.
    unknown: usize,
    /// This is the number of messages that have more than one effect.
    doubled: usize,
    /// This is the number of effects.
    effects: u64,
    /// This is the number of effects of what no event is the cause of.
    foreign: usize,
}

/// A `Table` has a row for each guarantee.
pub(super) struct Table(Vec<Row>);

impl Table {
    /// Counts what arrived.
    ///
    /// # Errors
    /// Fails when the effects can't be read.
    pub(super) fn of(journal: &Journal, receivers: &Receivers) -> Result<Self, Error> {
        let rows = receivers.each().iter().map(|receiver| {
            let messages: BTreeSet<String> = journal.messages(receiver.name).collect();
            let counted = Counted { arrivals: receiver.arrivals(), effects: receiver.effects()? };
            Ok(Row { guarantee: receiver.guarantee, ..Row::of(&messages, &journal.letters, &counted) })
        });
        Ok(Self(rows.collect::<Result<_, Error>>()?))
    }

    /// Returns the table for a person.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{:<22}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>14}\n",
            "guarantee", "sent", "arrived", "arrivals", "lost", "doubled", "effects", "dead letters"
        );
        for row in &self.0 {
            let Row { guarantee, messages, arrivals, arrived, letters, lost, doubled, effects, .. } = row;
            // Writing to a String can't fail.
            let _ = writeln!(
                text,
                "{guarantee:<22}{messages:>10}{arrived:>10}{arrivals:>10}{lost:>10}{doubled:>10}{effects:>10}{letters:>14}"
            );
        }
        text + "Lost: without an effect. Doubled: with more than one.\n"
    }

    /// Says what the storm has shown, where no promise is broken. One that lost or doubled nothing shows little.
    pub(super) fn verdict(&self) -> String {
        let shows = self.0.iter().all(|row| match row.guarantee {
            "at_most_once" => row.lost > 0,
            _ => row.arrivals > u64::try_from(row.arrived).unwrap_or(u64::MAX),
        });
        let kept = "Each guarantee was kept";
        if shows {
            format!(
                "{kept}: at most once lost some and doubled none, at least once doubled some and lost none,\n\
                 and with an inbox each effect was there once, though messages arrived again."
            )
        } else {
            format!("{kept}; but the storm was too short to show what each does not promise.")
        }
    }

    /// Says which promises are broken.
    pub(super) fn broken(&self) -> Vec<String> {
        self.0.iter().flat_map(Row::broken).collect()
    }
}

/// `Counted` is what was counted at a receiver, by the ids of messages.
struct Counted {
    arrivals: BTreeMap<String, u64>,
    effects: BTreeMap<String, u64>,
}

impl Row {
    fn of(messages: &BTreeSet<String>, letters: &BTreeSet<String>, counted: &Counted) -> Self {
        let Counted { arrivals, effects } = counted;
        let lost = || messages.iter().filter(|id| !effects.contains_key(*id));
        Self {
            guarantee: "",
            messages: messages.len(),
            arrivals: arrivals.values().sum(),
            arrived: messages.iter().filter(|id| arrivals.contains_key(*id)).count(),
            letters: messages.intersection(letters).count(),
            lost: lost().count(),
            unknown: lost().filter(|id| !letters.contains(*id)).count(),
            doubled: effects.values().filter(|times| **times > 1).count(),
            effects: effects.values().sum(),
            foreign: effects.keys().filter(|id| !messages.contains(*id)).count(),
        }
    }

    fn broken(&self) -> Vec<String> {
        let Self { guarantee, lost, unknown, doubled, foreign, .. } = self;
        let (may_lose, may_double) = (*guarantee == "at_most_once", *guarantee == "at_least_once");
        let mut broken = Vec::new();
        if !may_lose && *lost > 0 {
            broken.push(format!("{guarantee}: {lost} messages were lost"));
        }
        if *unknown > 0 {
            broken.push(format!("{guarantee}: {unknown} messages have neither an effect nor a dead letter"));
        }
        if !may_double && *doubled > 0 {
            broken.push(format!("{guarantee}: {doubled} messages had their effect more than once"));
        }
        if *foreign > 0 {
            broken.push(format!("{guarantee}: {foreign} effects are of no event"));
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(guarantee: &'static str, effects: &[(&str, u64)], letters: &[&str]) -> Row {
        let set = |ids: &[&str]| ids.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let effects: BTreeMap<String, u64> =
            effects.iter().map(|(id, times)| ((*id).to_owned(), *times)).collect();
        let counted = Counted { arrivals: effects.clone(), effects };
        Row { guarantee, ..Row::of(&set(&["a", "b"]), &set(letters), &counted) }
    }

    /// Guards against: a demonstration that finds every promise kept.
    #[test]
    fn each_promise_that_is_broken_is_told() {
        let kept = |guarantee, effects: &[(&str, u64)], letters: &[&str]| {
            row(guarantee, effects, letters).broken().is_empty()
        };
        assert!(kept("at_most_once", &[("a", 1)], &["b"]) && kept("at_most_once", &[], &["a", "b"]));
        assert!(!kept("at_most_once", &[("a", 1)], &[]) && !kept("at_most_once", &[("a", 2), ("b", 1)], &[]));
        assert!(kept("at_least_once", &[("a", 3), ("b", 1)], &[]));
        assert!(!kept("at_least_once", &[("a", 3)], &["b"]));
        assert!(kept("exactly_once_effect", &[("a", 1), ("b", 1)], &["b"]));
        assert!(!kept("exactly_once_effect", &[("a", 2), ("b", 1)], &[]));
        assert!(!kept("exactly_once_effect", &[("a", 1)], &["b"]));
        assert!(!kept("at_least_once", &[("a", 1), ("b", 1), ("c", 1)], &[]));
    }
}
