//! The report of a measurement is a table for people, and JSON for machines.

use serde::Serialize;

use super::backlog::Backlog;
use super::batch::Filled;
use super::bounds::Bounds;
use super::holds::Holds;
use super::large::{Lag, Replay, Start};
use super::neighbour::Neighbour;
use super::payouts::Payouts;
use super::rows::{heading, row, side};
use super::singles::Singles;
use super::standing::Standing;
use super::store::measured::Measured;
use super::transfers::Transfers;

/// The figures are all that was measured.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Figures {
    /// This is the number of cores that the machine lends.
    pub(crate) cores: usize,
    /// These are the single withdrawals.
    pub(crate) http: Vec<Singles>,
    /// These are the batches.
    pub(crate) batch: Option<Filled>,
    /// This is a ledger with many transactions.
    pub(crate) start: Option<Start>,
    /// These are the bounds of the reads of that ledger.
    pub(crate) bounds: Option<Bounds>,
    /// This is the replay of that ledger.
    pub(crate) replay: Option<Replay>,
    /// This is the ledger over an event store.
    pub(crate) store: Option<Measured>,
    /// These are the single withdrawals beside a client that sends the worst commands it may.
    pub(crate) neighbours: Vec<Neighbour>,
    /// These are transfers, from the request to the end.
    pub(crate) transfers: Vec<Transfers>,
    /// These are payouts, from the request to the end.
    pub(crate) payouts: Vec<Payouts>,
    /// These are holds and captures, and withdrawals from accounts with open holds.
    pub(crate) holds: Option<Holds>,
    /// This is what a service finds to do at its start.
    pub(crate) backlogs: Vec<Backlog>,
    /// This is the start of a ledger with much that has not ended.
    pub(crate) standing: Option<Standing>,
    /// This is the lag of the index after each load.
    pub(crate) index_lag: Vec<Lag>,
}

impl Figures {
    /// Writes the figures as JSON, which people can read, too.
    ///
    /// # Errors
    /// There is none for these types.
    pub(crate) fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// Counts all answers that were not what they must be.
    #[must_use]
    pub(crate) fn wrong(&self) -> u64 {
        let singles = self.http.iter().flat_map(|found| [&found.idle, &found.ledger]);
        let start = self.start.iter().flat_map(|start| [&start.empty, &start.loaded]);
        let store = self.store.iter().flat_map(Measured::sides);
        let bounds = self.bounds.iter().flat_map(|bounds| [&bounds.alone, &bounds.with_readers]);
        let neighbours = self.neighbours.iter().flat_map(|found| [&found.alone, &found.beside]);
        let transfers = self.transfers.iter().flat_map(Transfers::sides);
        let payouts = self.payouts.iter().flat_map(Payouts::sides);
        let holds = self.holds.iter().flat_map(Holds::sides);
        let backlogs = self.backlogs.iter().flat_map(|found| [&found.beside, &found.alone]);
        let steps = transfers.chain(payouts).chain(holds).chain(backlogs);
        singles
            .chain(start)
            .chain(bounds)
            .chain(store)
            .chain(neighbours)
            .chain(steps)
            .map(|side| side.wrong)
            .sum()
    }

    /// Writes the figures as a table.
    #[must_use]
    pub(crate) fn table(&self) -> String {
        let mut text = format!("on {} cores, shared by service and load\n", self.cores);
        self.singles(&mut text);
        if let Some(batch) = &self.batch {
            heading(&mut text, "batches of 8,000 lines");
            row(&mut text, "commands", format!("{}, over {} connections", batch.commands, batch.connections));
            row(&mut text, "the first million", format!("{:.0}/s", batch.first_million_per_s));
            row(
                &mut text,
                "all",
                format!("{:.0}/s, the last tenth {:.0}/s", batch.all_per_s, batch.last_tenth_per_s),
            );
        }
        if let Some(start) = &self.start {
            heading(&mut text, &format!("with {} events", start.events));
            row(&mut text, "stop", format!("{:.2} s", start.stop_s));
            row(&mut text, "start to first answer", format!("{:.2} s", start.first_answer_s));
            row(
                &mut text,
                "resident memory",
                format!("{:.0} MB, {:.0} MB after the load", start.resident_mb, start.resident_after_load_mb),
            );
            side(&mut text, "256 connections, empty", &start.empty);
            side(&mut text, "256 connections, full", &start.loaded);
            row(&mut text, "full to empty", format!("{:.2}", start.to_empty));
        }
        if let Some(bounds) = &self.bounds {
            bounds.table(&mut text);
        }
        if let Some(store) = &self.store {
            store.table(&mut text);
        }
        self.neighbours.iter().for_each(|neighbour| neighbour.table(&mut text));
        self.transfers.iter().for_each(|transfers| transfers.table(&mut text));
        self.payouts.iter().for_each(|payouts| payouts.table(&mut text));
        if let Some(holds) = &self.holds {
            holds.table(&mut text);
        }
        self.backlogs.iter().for_each(|backlog| backlog.table(&mut text));
        self.standing.iter().for_each(|standing| standing.table(&mut text));
        for lag in &self.index_lag {
            let value = format!("{} events behind, caught up in {:.2} s", lag.events, lag.caught_up_s);
            row(&mut text, &format!("index after {}", lag.after), value);
        }
        if let Some(replay) = &self.replay {
            heading(&mut text, "replay, with every check");
            row(
                &mut text,
                "events",
                format!("{} in {:.2} s, {:.0}/s", replay.events, replay.took_s, replay.events_per_s),
            );
        }
        text
    }

    fn singles(&self, text: &mut String) {
        if !self.http.is_empty() {
            heading(text, "single withdrawals over HTTP, 5 % sent again");
        }
        for found in &self.http {
            let many = if found.connections == 1 { "connection" } else { "connections" };
            side(text, &format!("{} {many}, idle handler", found.connections), &found.idle);
            side(text, &format!("{} {many}, ledger", found.connections), &found.ledger);
            row(text, "  ledger to idle", format!("{:.2}", found.to_idle));
            let appended = found.idle_and_sync_per_s.zip(found.to_idle_and_sync);
            let in_place = found.idle_and_sync_in_place_per_s.zip(found.to_idle_and_sync_in_place);
            for (name, limit) in [("a growing file", appended), ("a file in place", in_place)] {
                if let Some((limit, ratio)) = limit {
                    let name = format!("  to idle and fdatasync, {name}");
                    row(text, &name, format!("{ratio:.2} (of {limit:.0}/s)"));
                }
            }
        }
    }
}
