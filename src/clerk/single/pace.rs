//! The pace says when long jobs may have a turn.
//!
//! While clients send short jobs, long ones have a twentieth of the time at most, in turns of a few commands. So a short job
//! finds the desk, the disk and the processors free in most moments, whatever the long ones ask for. Where no short job has
//! come for a while, long ones have all of the time.

use std::time::{Duration, Instant};

/// This is the most commands of one job that are decided before others get their turn.
const SLICE: usize = 256;

/// This is the same, where short jobs are to be expected: they wait for the append that it makes.
const SHORT_SLICE: usize = 64;

/// This is how many appends are made, after a short job, as if another one were to come. Long jobs have one turn together for
/// each.
const APPENDS_AFTER_SHORT: u32 = 64;

/// Long jobs rest for so many times as long as their turn took, while clients send short ones. The turn ends when its events
/// are durable.
const REST: u32 = 19;

/// A `Pace` is what is known of the turns that long jobs had, and of the short jobs that came.
#[derive(Debug)]
pub(super) struct Pace {
    /// It says that turns take time. They take none in a simulation, which says itself what comes after what.
    is_timed: bool,
    /// This is the number of appends that are still made as if short jobs were to come.
    expects_short: u32,
    /// This is the same, as if short jobs of clients were to come. The service's own are the others.
    expects_clients: u32,
    /// This is the turn whose commands are decided and wait for the next append.
    decided: Option<Turn>,
    /// This is the turn whose events are being appended.
    under_way: Option<Turn>,
    /// This is the moment until which long jobs rest.
    rests_until: Option<Instant>,
}

/// A `Turn` is one turn of one long job.
#[derive(Clone, Copy, Debug)]
struct Turn {
    began: Instant,
    commands: usize,
}

impl Pace {
    /// Makes the pace of a desk at which no job had a turn.
    pub(super) fn timed() -> Self {
        Self {
            is_timed: true,
            expects_short: 0,
            expects_clients: 0,
            decided: None,
            under_way: None,
            rests_until: None,
        }
    }

    /// Makes the pace of a desk at which nothing takes time.
    pub(super) fn untimed() -> Self {
        Self { is_timed: false, ..Self::timed() }
    }

    /// Notes that a short job has come, of a client or of the service itself.
    pub(super) fn short_came(&mut self, is_own: bool) {
        self.expects_short = APPENDS_AFTER_SHORT;
        if !is_own {
            self.expects_clients = APPENDS_AFTER_SHORT;
        }
    }

    /// Says whether a long job may have a turn now.
    pub(super) fn allows_long(&self, now: Instant) -> bool {
        let had_turn = self.decided.is_some() || (self.expects_clients > 0 && self.under_way.is_some());
        self.expects_short == 0 || !(had_turn || self.rests_for(now).is_some())
    }

    /// Returns for how long all long jobs still rest, if they do.
    pub(super) fn rests_for(&self, now: Instant) -> Option<Duration> {
        let until = self.rests_until.filter(|_| self.expects_clients > 0)?;
        until.checked_duration_since(now).filter(|rest| !rest.is_zero())
    }

    /// Returns the most commands of a job that are decided in one turn.
    pub(super) fn slice(&self) -> usize {
        if self.expects_short > 0 { SHORT_SLICE } else { SLICE }
    }

    /// Notes that a long job had a turn, which began then.
    pub(super) fn long_had_turn(&mut self, began: Instant, commands: usize) {
        self.decided = Some(Turn { began, commands });
    }

    /// Notes that an append of so many events begins, or that there are none to append. Where there are none, and no long job
    /// had a turn, nothing has gone by.
    pub(super) fn append_begins(&mut self, events: usize) {
        if events == 0 && self.decided.is_none() {
            return;
        }
        self.expects_short = self.expects_short.saturating_sub(1);
        self.expects_clients = self.expects_clients.saturating_sub(1);
        self.under_way = self.decided.take();
    }

    /// Notes that an append of so many events has ended. A turn took its share of the time since it began.
    pub(super) fn append_ended(&mut self, events: usize, now: Instant) {
        let Some(turn) = self.under_way.take().filter(|_| self.is_timed) else { return };
        let shares = events.checked_div(turn.commands).map_or(1, |shares| shares.max(1));
        let shares = u32::try_from(shares).unwrap_or(u32::MAX);
        let took = now.saturating_duration_since(turn.began) / shares;
        self.rests_until = Some(now + took * REST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Gives a long job one turn of 64 commands that takes a millisecond, in an append of so many events.
    fn turn(pace: &mut Pace, now: &mut Instant, events: usize) {
        assert!(pace.allows_long(*now));
        pace.long_had_turn(*now, 64);
        assert!(pace.expects_short == 0 || !pace.allows_long(*now), "one turn for each append");
        pace.append_begins(events);
        *now += MS;
        pace.append_ended(events, *now);
    }

    /// Guards against: a client whose withdrawals wait behind the batches of another one.
    #[test]
    fn long_jobs_have_a_twentieth_of_the_time_while_clients_send_short_ones() {
        let (mut pace, start) = (Pace::timed(), Instant::now());
        let (mut now, mut turns) = (start, 0);
        while now - start < 1_000 * MS {
            pace.short_came(false);
            match pace.rests_for(now) {
                Some(rest) => {
                    assert!(!pace.allows_long(now));
                    now += rest;
                }
                None => {
                    turn(&mut pace, &mut now, 65);
                    turns += 1;
                }
            }
        }
        assert_eq!(turns, 50);
    }

    /// Guards against: batches that have to rest for the time that others took.
    #[test]
    fn a_turn_counts_for_its_share_of_the_append() {
        let (mut pace, mut now) = (Pace::timed(), Instant::now());
        pace.short_came(false);
        turn(&mut pace, &mut now, 640);
        assert_eq!(pace.rests_for(now), Some(MS * REST / 10));
    }

    /// Guards against: batches that stay slow when nobody is hurt by them.
    #[test]
    fn long_jobs_have_all_of_the_time_when_no_short_one_has_come_for_a_while() {
        let (mut pace, mut now) = (Pace::timed(), Instant::now());
        turn(&mut pace, &mut now, 256);
        assert!(pace.allows_long(now), "nobody has sent a short one");
        pace.short_came(false);
        for _ in 0..APPENDS_AFTER_SHORT {
            now += pace.rests_for(now).unwrap_or_default();
            // The desk is looked at when the rest is over.
            pace.append_begins(0);
            assert_eq!(pace.slice(), SHORT_SLICE);
            turn(&mut pace, &mut now, 64);
        }
        assert_eq!((pace.rests_for(now), pace.slice()), (None, SLICE));
        assert!(pace.allows_long(now));
    }

    /// Guards against: transfers asked for in a batch whose own steps slow it down.
    #[test]
    fn the_services_own_jobs_let_no_long_job_rest() {
        let (mut pace, mut now) = (Pace::timed(), Instant::now());
        pace.short_came(true);
        turn(&mut pace, &mut now, 64);
        assert_eq!(pace.rests_for(now), None);
        turn(&mut pace, &mut now, 64);
    }

    /// Guards against: a simulation whose outcome depends on the machine's speed.
    #[test]
    fn where_nothing_takes_time_nobody_rests() {
        let (mut pace, mut now) = (Pace::untimed(), Instant::now());
        pace.short_came(false);
        turn(&mut pace, &mut now, 64);
        assert_eq!(pace.rests_for(now), None);
    }
}
