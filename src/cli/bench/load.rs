//! The load generator sends requests of a cent over many connections from one thread: withdrawals, transfers, payouts, or holds
//! with their captures. Each connection waits for its answer.
//!
//! It shares the machine with what it measures, so it is kept cheap: there is no runtime and no task, one system call to write,
//! one to read, and one poll for as many answers as are there. With one connection there is nothing to poll, and it blocks.
//! Some of the withdrawals are recent ones sent again; their answers must say so, and no other answer may.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::client::random::Draws;

use super::form::Form;
use super::stats::Latencies;
use super::wire::{self, Accounts, AnswerHead, Connection};

/// This many withdrawals in a thousand are recent ones sent again.
const AGAIN: u64 = 50;
/// This many recent requests are remembered.
const RECENT: usize = 4096;

/// An `Asks` says what the requests of a load ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Each is a withdrawal.
    Withdrawals,
    /// Each is a transfer between two of the accounts.
    Transfers,
    /// Each is a payout to the provider `quick`.
    Payouts,
    /// Each is a hold, and after its answer its capture. The two count as one answer.
    HoldsAndCaptures,
}

impl Asks {
    /// Says whether it is taken now, and ends later.
    fn ends_later(self) -> bool {
        matches!(self, Self::Transfers | Self::Payouts)
    }

    /// Makes the form of its requests.
    pub(super) fn form(self, accounts: Accounts) -> Option<Form> {
        match self {
            Self::Withdrawals => Form::withdrawal(accounts),
            Self::Transfers => Form::transfer(accounts),
            Self::Payouts => Form::payout(accounts, "quick"),
            Self::HoldsAndCaptures => Form::hold(accounts),
        }
    }
}

/// A load says what is sent, where to, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    /// This is the number of connections.
    pub(crate) connections: usize,
    pub(crate) length: Duration,
    pub(crate) accounts: Accounts,
    /// This is true when the service keeps IDs. Then what is sent again must be answered as such.
    pub(crate) keeps_ids: bool,
    pub(crate) asks: Asks,
}

/// An `Answered` says what the answers to a load were.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answered {
    /// This is the time that the load really took.
    pub(crate) took: Duration,
    /// This is the time that each answer took.
    pub(crate) latencies: Latencies,
    /// The number of first answers that were given again.
    pub(crate) replayed: u64,
    /// The number of wrong answers: the status was another one, there was a replay where none should be, or there was none
    /// where one should be.
    pub(crate) wrong: u64,
    /// The number of transfers that were refused with 503, because too many were under way.
    pub(crate) refused: u64,
}

/// A source says what to send next, and whether the answer to it is right.
struct Source {
    draws: Draws,
    accounts: Accounts,
    recent: Vec<([u8; 16], u32)>,
    oldest: usize,
    keeps_ids: bool,
    asks: Asks,
    answered: Answered,
}

#[derive(Clone, Copy)]
struct Pending {
    id: [u8; 16],
    account: u32,
    again: bool,
    since: Instant,
}

impl Source {
    fn new(load: &Load) -> Self {
        let answered = Answered { latencies: Latencies::with_capacity(1 << 20), ..Answered::default() };
        let (accounts, keeps_ids, asks) = (load.accounts, load.keeps_ids, load.asks);
        Self {
            draws: Draws::fresh(),
            accounts,
            recent: Vec::with_capacity(RECENT),
            oldest: 0,
            keeps_ids,
            asks,
            answered,
        }
    }

    fn next(&mut self, form: &mut Form, now: Instant) -> Pending {
        let drawn = self.draws.next();
        let recent = usize::try_from(drawn >> 32).ok().and_then(|place| place.checked_rem(self.recent.len()));
        let is_again = self.asks == Asks::Withdrawals && drawn % 1000 < AGAIN;
        let recent = recent.and_then(|place| self.recent.get(place)).filter(|_| is_again);
        let (id, account, again) = match recent {
            Some((id, account)) => (*id, *account, true),
            None => (wire::id(&self.draws), self.accounts.draw(&self.draws), false),
        };
        form.fill(&id, account);
        if self.asks == Asks::Transfers {
            form.fill_other(self.accounts.draw_other(&self.draws, account));
        }
        Pending { id, account, again, since: now }
    }

    fn take(&mut self, pending: &Pending, head: &AnswerHead, now: Instant) {
        self.answered.latencies.add(now - pending.since);
        self.answered.replayed += u64::from(head.replayed);
        let is_refused = self.asks.ends_later() && head.status == 503;
        let expected = if self.asks.ends_later() { 202 } else { 201 };
        let right = head.status == expected && head.replayed == (pending.again && self.keeps_ids);
        self.answered.refused += u64::from(is_refused);
        self.answered.wrong += u64::from(!right && !is_refused);
        if pending.again {
            return;
        }
        let entry = (pending.id, pending.account);
        if self.recent.len() < RECENT {
            self.recent.push(entry);
        } else if let Some(old) = self.recent.get_mut(self.oldest % RECENT) {
            *old = entry;
            self.oldest += 1;
        }
    }
}

impl Load {
    /// Sends the load, and waits for every answer.
    ///
    /// # Errors
    /// Fails when a connection can't be opened or breaks.
    pub(crate) fn send(&self) -> Result<Answered, Error> {
        if self.connections <= 1 && self.asks == Asks::Withdrawals {
            return self.send_and(|_| Ok(()));
        }
        let then = match self.asks {
            Asks::Withdrawals | Asks::Transfers | Asks::Payouts => None,
            Asks::HoldsAndCaptures => Form::capture(self.accounts),
        };
        let form = self.asks.form(self.accounts).ok_or(ErrorKind::InvalidInput)?;
        self.send_side_by_side(&form, then.as_ref())
    }

    /// Sends withdrawals over one connection, and does something else after each answer, which is measured with it.
    ///
    /// # Errors
    /// Fails as [`send`](Self::send), or what the other thing meets.
    pub(crate) fn send_and(&self, then: impl FnMut(u64) -> Result<(), Error>) -> Result<Answered, Error> {
        self.send_one_by_one(Form::withdrawal(self.accounts).ok_or(ErrorKind::InvalidInput)?, then)
    }

    fn send_one_by_one(
        &self,
        mut form: Form,
        mut then: impl FnMut(u64) -> Result<(), Error>,
    ) -> Result<Answered, Error> {
        let mut source = Source::new(self);
        let mut connection = Connection::open(self.address)?;
        let begun = Instant::now();
        let mut now = begun;
        while now - begun < self.length {
            let pending = source.next(&mut form, now);
            let (head, _) = connection.ask(&[&form.bytes])?;
            then(source.answered.latencies.count() as u64)?;
            now = Instant::now();
            source.take(&pending, &head, now);
        }
        source.answered.took = now - begun;
        Ok(source.answered)
    }

    fn send_side_by_side(&self, form: &Form, then: Option<&Form>) -> Result<Answered, Error> {
        let mut source = Source::new(self);
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(self.connections);
        let mut connections = Vec::with_capacity(self.connections);
        for place in 0..self.connections {
            let stream = std::net::TcpStream::connect(self.address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut connection =
                LoadConnection::new(TcpStream::from_std(stream), form.clone(), then.cloned());
            poll.registry().register(&mut connection.stream, Token(place), Interest::READABLE)?;
            connections.push(connection);
        }
        let begun = Instant::now();
        for connection in &mut connections {
            connection.send(&mut source, begun)?;
        }
        let (mut outstanding, mut last) = (connections.len(), begun);
        while outstanding > 0 {
            poll.poll(&mut events, Some(Duration::from_secs(30)))?;
            if events.is_empty() {
                return Err(ErrorKind::TimedOut.into());
            }
            for event in &events {
                let Some(connection) = connections.get_mut(event.token().0) else { continue };
                let Some(head) = connection.receive()? else { continue };
                if connection.goes_on(&head, &source.draws)? {
                    continue;
                }
                let Some(pending) = connection.pending.take() else { continue };
                last = Instant::now();
                source.take(&pending, &head, last);
                if last - begun < self.length {
                    connection.send(&mut source, last)?;
                } else {
                    outstanding -= 1;
                }
            }
        }
        source.answered.took = last - begun;
        Ok(source.answered)
    }
}

/// A load connection is one of many, with the request that it waits for.
struct LoadConnection {
    stream: TcpStream,
    form: Form,
    /// This is the request that follows each answered one, and says whether it is the one that is waited for.
    then: Option<(Form, bool)>,
    pending: Option<Pending>,
    buffer: [u8; 4096],
    filled: usize,
}

impl LoadConnection {
    fn new(stream: TcpStream, form: Form, then: Option<Form>) -> Self {
        let then = then.map(|form| (form, false));
        Self { stream, form, then, pending: None, buffer: [0; 4096], filled: 0 }
    }

    fn send(&mut self, source: &mut Source, now: Instant) -> Result<(), Error> {
        self.pending = Some(source.next(&mut self.form, now));
        self.filled = 0;
        write(&mut self.stream, &self.form)
    }

    /// Sends the request that follows the one which was answered. Returns `false` where none does.
    fn goes_on(&mut self, head: &AnswerHead, draws: &Draws) -> Result<bool, Error> {
        let (Some((form, is_sent)), Some(pending)) = (&mut self.then, &self.pending) else {
            return Ok(false);
        };
        *is_sent = !*is_sent && head.status == 201;
        if *is_sent {
            form.fill(&wire::id(draws), pending.account);
            form.fill_hold(&pending.id);
            self.filled = 0;
            write(&mut self.stream, form)?;
        }
        Ok(*is_sent)
    }

    /// Reads what has come. Gives the head when the answer is whole.
    fn receive(&mut self) -> Result<Option<AnswerHead>, Error> {
        loop {
            match self.stream.read(self.buffer.get_mut(self.filled..).unwrap_or_default()) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
            let bytes = self.buffer.get(..self.filled).unwrap_or_default();
            if let Some(head) = wire::head(bytes)?
                && head.body.is_some_and(|body| self.filled >= head.length + body)
            {
                return Ok(Some(head));
            }
        }
    }
}

/// Writes a whole request. Nothing else is on its way, so the socket's buffer has room for all of it.
fn write(stream: &mut TcpStream, form: &Form) -> Result<(), Error> {
    match stream.write(&form.bytes)? {
        all if all == form.bytes.len() => Ok(()),
        _ => Err(ErrorKind::WriteZero.into()),
    }
}
