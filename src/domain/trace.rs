//! A trace is what one stream says of an ID. A decision needs the trace of each ID that its command names.

use std::sync::Arc;

use super::account::event::Effect;
use super::event::Event;
use super::ids::Id;
use super::money::Money;

/// A `Trace` says what one stream says of an ID: the fold of the stream's events that were booked with the ID or name
/// it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// This is the event that was booked with it.
    pub first: Option<Arc<Event>>,
    /// This is the sum that was taken back of it; `None` for nothing.
    pub taken_back: Option<Money>,
    /// This is the ID of the event that ruled it out before it came.
    pub ruled_out_by: Option<Id>,
}

impl Trace {
    /// Takes in one more event of the stream; an event that does not name the ID changes nothing.
    pub fn take_in(&mut self, id: Id, event: &Arc<Event>) {
        if event.id == id {
            self.first.get_or_insert_with(|| Arc::clone(event));
        }
        match event.names() {
            Some((named, Effect::TakenBack(amount))) if named == id => {
                let amount = amount.money();
                // A sum that can't be counted passes 10^13 times the largest balance. What was counted before it stays.
                let sum = self.taken_back.map_or(amount, |sum| sum.plus(amount).unwrap_or(sum));
                self.taken_back = Some(sum);
            }
            Some((named, Effect::RuledOut)) if named == id => {
                self.ruled_out_by.get_or_insert(event.id);
            }
            // Whether a hold is open is in the state of its account.
            Some(_) | None => {}
        }
    }
}
