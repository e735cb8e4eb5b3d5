//! The sender lets the desk say what is next, writes each step into the file before the next, and makes the attempts.
//!
//! It is a thin shell of time, sockets and the file. It waits by a clock that only goes on; a time from the file counts for
//! no more than its step. What other processes change in the file it sees a moment later.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::desk::{Desk, Entry, Next};
use super::error::Error;
use super::file::Outbox;
use super::heard::Heard;
use super::lock::SenderLock;
use super::pace::{Moment, Pace, left};
use super::progress::Outcome;
use super::row::Message;
use super::state::State;
use crate::client::policy::Policy;
use crate::client::random::Draws;
use crate::client::request::Request;
use crate::client::sender::{Client, Failure};
use crate::domain::time::Timestamp;
use crate::with_causes::with_causes;

/// What other processes change is seen after this time at the latest.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// An `End` says when the sender has done what it should.
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    /// It ends when nothing can go further without a person.
    NothingGoesFurther,
    /// It ends when these messages are final or need attention, by their numbers, or nothing can go further.
    Settled(&'a [i64]),
    /// It goes on with what others add until it is told to stop.
    Told,
}

/// A `Sending` says how to send.
#[derive(Clone, Debug, Default)]
pub struct Sending {
    /// This is how soon and how often.
    pub pace: Pace,
    /// A message that needs attention does not hold up its account.
    pub go_on: bool,
    /// This is the API key, where the service asks for one. It is kept in memory alone.
    pub key: Option<String>,
}

/// A `Sender` sends what is in an outbox. There is one for each outbox.
pub struct Sender {
    outbox: Outbox,
    client: Client,
    key: Option<String>,
    desk: Desk,
    began: Instant,
    /// Everything up to this change of the file is on the desk.
    seen: i64,
    times: HashMap<i64, Times>,
    draws: Draws,
    attempts: JoinSet<(i64, Outcome)>,
    /// The answer with which the service refused the key.
    refused: Option<u16>,
    _lock: SenderLock,
}

/// The `Times` of a message are its two times by the wall clock, as they were read, and what they were taken for then.
#[derive(Clone, Copy)]
struct Times {
    next_at: Timestamp,
    due: Moment,
    deadline_at: Timestamp,
    deadline: Moment,
    /// This is the state that was read with them. The desk may be ahead of it.
    state: State,
}

impl Sender {
    /// Makes the sender of an outbox whose lock is held.
    ///
    /// # Errors
    /// Fails when the key can't be sent in a header, or there is no HTTP client.
    pub fn new(outbox: Outbox, lock: SenderLock, sending: Sending) -> Result<Self, Error> {
        let Sending { pace, go_on, key } = sending;
        let policy = Policy { timeout: pace.attempt_timeout, ..Policy::default() };
        let client = Client::new(outbox.service(), key.as_deref(), policy)?;
        Ok(Self {
            outbox,
            client,
            key,
            desk: Desk::new(pace, go_on),
            began: Instant::now(),
            seen: 0,
            times: HashMap::new(),
            draws: Draws::fresh(),
            attempts: JoinSet::new(),
            refused: None,
            _lock: lock,
        })
    }

    /// Sends until the end, or until `stop`. Each message that becomes final, or needs attention, is told.
    ///
    /// # Errors
    /// Fails when the file can't be read or written. What was sent then is sent again by the next sender, under the same IDs.
    pub async fn run(
        &mut self,
        end: End<'_>,
        stop: impl Future<Output = ()>,
        mut tell: impl FnMut(&Message),
    ) -> Result<(), Error> {
        let mut stop = std::pin::pin!(stop);
        loop {
            self.look_at_changes(&mut tell)?;
            if self.is_over(end) {
                break;
            }
            let now = self.began.elapsed();
            let until = match self.desk.next(now) {
                Next::Send(_) => {
                    self.begin()?;
                    continue;
                }
                Next::Expire(number) => {
                    self.outbox.expire(number)?;
                    continue;
                }
                Next::Nothing => match end {
                    End::NothingGoesFurther | End::Settled(_) => break,
                    End::Told if self.desk.is_stopped() => break,
                    End::Told => LOOK_AGAIN,
                },
                Next::Answer => LOOK_AGAIN,
                Next::Wait(at) => at.saturating_sub(now).min(LOOK_AGAIN),
            };
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(Ok(ended)) = self.attempts.join_next() => {
                    let mut all = vec![ended];
                    while let Some(Ok(ended)) = self.attempts.try_join_next() {
                        all.push(ended);
                    }
                    self.finish(all)?;
                }
                () = tokio::time::sleep(until) => {}
            }
        }
        self.leave()?;
        self.look_at_changes(&mut tell)
    }

    /// Returns the status with which the service refused the key, if it did. Nothing is sent then any more.
    #[must_use]
    pub const fn key_was_refused(&self) -> Option<u16> {
        self.refused
    }

    /// Returns the outbox.
    #[must_use]
    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    fn is_over(&self, end: End<'_>) -> bool {
        let is_settled = |number: &i64| {
            self.desk.entry(*number).is_none_or(|entry| matches!(entry.state, State::NeedsAttention(_)))
        };
        match end {
            End::Settled(numbers) => numbers.iter().all(is_settled),
            End::NothingGoesFurther | End::Told => false,
        }
    }

    fn look_at_changes(&mut self, tell: &mut impl FnMut(&Message)) -> Result<(), Error> {
        let is_first = self.seen == 0;
        let changes = self.outbox.changes_after(self.seen)?;
        self.seen = changes.up_to;
        for number in changes.dropped {
            self.desk.forget(number);
            self.times.remove(&number);
        }
        for message in changes.messages {
            let before = self.times.get(&message.number).map(|known| known.state);
            let is_settled = message.state.is_final() || matches!(message.state, State::NeedsAttention(_));
            if !is_first && is_settled && before != Some(message.state) {
                tell(&message);
            }
            self.put(&message);
        }
        Ok(())
    }

    fn put(&mut self, message: &Message) {
        let (now, wall) = (self.began.elapsed(), self.outbox.now());
        let known = self.times.get(&message.number).copied();
        let due = match known.filter(|known| known.next_at == message.next_at) {
            Some(known) => known.due,
            None => now + left(message.next_at, message.step, wall),
        };
        let deadline = match known.filter(|known| known.deadline_at == message.deadline_at) {
            Some(known) => known.deadline,
            None => now + left(message.deadline_at, message.deadline_step, wall),
        };
        let Message { number, next_at, deadline_at, state, .. } = *message;
        if state.is_final() {
            self.times.remove(&number);
        } else {
            self.times.insert(number, Times { next_at, due, deadline_at, deadline, state });
        }
        let order = (message.place, message.rank, number);
        let lines = message.accounts.clone();
        self.desk.put(Entry { number, order, lines, state, attempts: message.attempts, due, deadline });
    }

    /// Begins all attempts that may begin now.
    fn begin(&mut self) -> Result<(), Error> {
        let mut numbers = Vec::new();
        while let Next::Send(number) = self.desk.next(self.began.elapsed()) {
            self.desk.begun(number);
            numbers.push(number);
        }
        let messages = self.outbox.begin_attempts(&numbers)?;
        // Somebody may have changed one since it was looked at; that is seen in the next round.
        let is_begun = |number: &i64| messages.iter().any(|message| message.number == *number);
        numbers.iter().filter(|number| !is_begun(number)).for_each(|number| self.desk.not_begun(*number));
        for message in messages {
            let (client, key) = (self.client.clone(), self.key.clone());
            self.attempts.spawn(async move {
                (message.number, attempt(&client, &message.request, key.as_deref()).await)
            });
        }
        Ok(())
    }

    fn finish(&mut self, ended: Vec<(i64, Outcome)>) -> Result<(), Error> {
        if ended.is_empty() {
            return Ok(());
        }
        let now = self.began.elapsed();
        let mut outcomes = Vec::with_capacity(ended.len());
        for (number, outcome) in ended {
            if outcome.heard == Heard::KeyRefused {
                self.refused = outcome.answer.as_ref().map(|(status, _)| *status);
            }
            let heard = self.desk.heard(number, outcome.heard, now, self.draws.next());
            outcomes.push((number, outcome, heard.map_or(Duration::ZERO, |(_, wait)| wait)));
        }
        self.outbox.write_outcomes(&outcomes)
    }

    /// Takes the answers that have come, and breaks off the attempts that are under way. What became of those is open.
    fn leave(&mut self) -> Result<(), Error> {
        let came = std::iter::from_fn(|| self.attempts.try_join_next()).filter_map(Result::ok).collect();
        self.finish(came)?;
        self.attempts.abort_all();
        let open = |number| {
            let trouble = Some("the sender stopped before the answer came".to_owned());
            (number, Outcome { heard: Heard::NOTHING, answer: None, trouble })
        };
        let left: Vec<_> = self.desk.under_way().map(open).collect();
        self.finish(left)
    }
}

/// Makes one attempt. What is kept of an answer has no key in it.
async fn attempt(client: &Client, request: &Request, key: Option<&str>) -> Outcome {
    match client.attempt(request).await {
        Ok((answer, asked)) => {
            let heard = Heard::of(request.id, answer.status, &answer.body, asked);
            let text = String::from_utf8_lossy(&answer.body);
            let has_key = key.is_some_and(|key| text.contains(key));
            let trouble = match heard {
                Heard::Open { .. } => Some(Failure::Status(answer.problem()).to_string()),
                Heard::Confirmed
                | Heard::Declined
                | Heard::Refused
                | Heard::RefusedInDoubt
                | Heard::KeyRefused => None,
            };
            if has_key {
                let trouble = Some("the answer had the key in it, and is not kept".to_owned());
                return Outcome { heard, answer: Some((answer.status, Vec::new())), trouble };
            }
            Outcome { heard, answer: Some((answer.status, answer.body)), trouble }
        }
        Err(failure) => Outcome { heard: Heard::NOTHING, answer: None, trouble: Some(with_causes(&failure)) },
    }
}
