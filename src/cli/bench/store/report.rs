//! The report of a run over an event store has rows for people.

use super::super::rows::{heading, row, side};
use super::measured::Measured;

impl Measured {
    /// Adds the rows to a table.
    pub(crate) fn table(&self, text: &mut String) {
        let shape = &self.shape;
        row(text, "the store", shape.store.clone());
        let phases = format!("{} of {} s, store and ledger in turns", shape.rounds, shape.phase_s);
        row(text, "rounds of each phase", phases);
        if !self.singles.is_empty() {
            heading(text, "one event an append, and single withdrawals over HTTP, 5 % sent again");
        }
        for found in &self.singles {
            let (many, accounts) = (found.connections, found.accounts);
            side(text, &format!("{many} at once, bare"), &found.bare);
            side(text, &format!("{many} connections, {accounts} accounts, ledger"), &found.ledger);
            row(text, "  ledger to bare", format!("{:.2}", found.to_bare));
        }
        if let Some(hot) = &self.hot {
            heading(text, "one account for all");
            side(text, "bare appends of 1 event", &hot.bare_one);
            side(text, "bare appends of 100 events", &hot.bare_many);
            row(text, "  events of them", format!("{:>8.0}/s", hot.bare_many_events_per_s));
            side(text, "256 connections, ledger", &hot.ledger);
            row(text, "  events it appended together", format!("{:.0}", hot.events_per_append));
        }
        for moved in &self.transfers {
            moved.transfers.table(text);
            side(text, "bare appends of 1 event", &moved.bare);
            row(text, "  ended transfers to bare appends", format!("{:.3}", moved.to_bare));
        }
        for found in &self.large_beside {
            heading(text, "bare appends of 1 event beside a client that appends 1,500 at a time");
            side(text, &format!("{} at once, alone", found.connections), &found.alone);
            side(text, &format!("{} at once, beside it", found.connections), &found.beside);
            row(text, "  p99 beside to alone", format!("{:.2}", found.p99_ratio));
        }
        if let Some(long) = &self.long {
            heading(text, &format!("an account with {} events", long.events));
            row(text, "booked in batches", format!("{:.0}/s", long.booked_per_s));
            row(text, "start until commands are taken", format!("{:.2} s", long.ready_s));
            let first = format!("{:.1} ms, {:.1} ms", long.first_ms, long.second_ms);
            row(text, "its first and second command then", first);
            side(text, "1 connection, accounts not yet in use", &long.first_touches);
        }
        if let Some(followed_per_s) = self.followed_per_s {
            heading(text, "behind the store");
            row(text, "others' events are read at", format!("{followed_per_s:.0}/s"));
        }
    }
}
