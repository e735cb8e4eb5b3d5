//! A batch has 8,000 lines. Batches over a few connections show how fast a ledger can be filled.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memchr::memmem;
use serde::Serialize;

use crate::client::random::Draws;

use super::form::Form;
use super::stats::rate;
use super::wire::{self, Accounts, Connection};

/// A batch has this many lines.
pub(crate) const LINES: u64 = 8_000;

/// The first rate is taken when this many commands are booked.
const FIRST: u64 = 1_000_000;

/// A `Filled` has the figures of a ledger that was filled with batches.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Filled {
    /// This is how many commands were booked.
    pub(crate) commands: u64,
    /// This is the number of commands in a second, up to the first million (or all, where there are fewer).
    pub(crate) first_million_per_s: f64,
    /// This is the number of commands in a second, over all.
    pub(crate) all_per_s: f64,
    /// This is the number of commands in a second over the last tenth.
    pub(crate) last_tenth_per_s: f64,
    /// This is the number of connections.
    pub(crate) connections: usize,
}

/// Opens the load's accounts and deposits a thousand million into each.
///
/// # Errors
/// Fails when the service does not book every line.
pub(crate) fn prepare(address: SocketAddr, accounts: Accounts) -> Result<(), Error> {
    let draws = Draws::fresh();
    let id = || uuid::Uuid::from_bytes(wire::id(&draws));
    let numbers: Vec<u32> = accounts.numbers().collect();
    let mut connection = Connection::open(address)?;
    for some in numbers.chunks(4_000) {
        let lines = some.iter().map(|number| {
            let account = accounts.name(*number);
            format!(
                "{{\"op\":\"open_account\",\"transaction_id\":\"{}\",\"account\":\"{account}\",\"currency\":\"EUR\"}}\n\
                 {{\"op\":\"deposit\",\"transaction_id\":\"{}\",\"account\":\"{account}\",\"amount\":\"1000000000.00\"}}\n",
                id(),
                id()
            )
        });
        send(&mut connection, lines.collect::<String>().as_bytes(), 2 * some.len())?;
    }
    Ok(())
}

/// Books this many commands, half of them deposits and half withdrawals of a cent, on random accounts.
///
/// # Errors
/// Fails when the service does not book every line.
pub(crate) fn fill(
    address: SocketAddr,
    accounts: Accounts,
    commands: u64,
    connections: usize,
) -> Result<Filled, Error> {
    let batches = commands.div_ceil(LINES);
    let (taken, begun) = (AtomicU64::new(0), Instant::now());
    let mut ends = std::thread::scope(|threads| {
        let work = || -> Result<Vec<Duration>, Error> {
            let (draws, mut connection) = (Draws::fresh(), Connection::open(address)?);
            let mut forms = forms(&draws, accounts)?;
            let (mut body, mut ends) = (Vec::new(), Vec::new());
            while taken.fetch_add(1, Ordering::Relaxed) < batches {
                body.clear();
                for (form, account) in &mut forms {
                    form.fill(&wire::id(&draws), *account);
                    body.extend_from_slice(&form.bytes);
                }
                send(&mut connection, &body, forms.len())?;
                ends.push(begun.elapsed());
            }
            Ok(ends)
        };
        let threads: Vec<_> = (0..connections).map(|_| threads.spawn(work)).collect();
        let mut ends = Vec::new();
        for thread in threads {
            ends.extend(thread.join().map_err(|_| Error::other("a sender of batches broke down"))??);
        }
        Ok::<_, Error>(ends)
    })?;
    ends.sort_unstable();
    Ok(figures(&ends, connections))
}

fn forms(draws: &Draws, accounts: Accounts) -> Result<Vec<(Form, u32)>, Error> {
    let form = |op: &str| {
        let line = format!(
            "{{\"op\":\"{op}\",\"transaction_id\":\"{{id}}\",\"account\":\"{{account}}\",\"amount\":\"0.01\"}}\n"
        );
        Form::new(&line, accounts)
    };
    let (deposit, withdraw) = form("deposit").zip(form("withdraw")).ok_or(ErrorKind::InvalidInput)?;
    let line = |number: u64| {
        let form = if number.is_multiple_of(2) { deposit.clone() } else { withdraw.clone() };
        (form, accounts.draw(draws))
    };
    Ok((0..LINES).map(line).collect())
}

/// Makes the figures. `ends` says when each batch was answered, in order.
fn figures(ends: &[Duration], connections: usize) -> Filled {
    let at =
        |batches: usize| batches.checked_sub(1).and_then(|last| ends.get(last)).copied().unwrap_or_default();
    let all = ends.len();
    let lines = |batches: usize| batches as u64 * LINES;
    let first = usize::try_from(FIRST / LINES).unwrap_or(all).min(all);
    let tenth = (all / 10).max(1).min(all);
    Filled {
        commands: lines(all),
        first_million_per_s: rate(lines(first), at(first)),
        all_per_s: rate(lines(all), at(all)),
        last_tenth_per_s: rate(lines(tenth), at(all).saturating_sub(at(all - tenth))),
        connections,
    }
}

/// Sends a batch and checks that every line was booked.
pub(super) fn send(connection: &mut Connection, body: &[u8], lines: usize) -> Result<(), Error> {
    let head = format!(
        "POST /v1/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let (head, answer) = connection.ask(&[head.as_bytes(), body])?;
    let booked = memmem::find_iter(answer, b"\"status\":201,").count();
    if head.status == 200 && booked == lines {
        return Ok(());
    }
    let begins =
        String::from_utf8_lossy(answer.get(..answer.len().min(300)).unwrap_or_default()).into_owned();
    Err(Error::other(format!("of {lines} lines {booked} were booked (status {}): {begins}", head.status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_over_what_was_answered() {
        let ends: Vec<_> = (1..=250).map(|batch| Duration::from_millis(10 * batch)).collect();
        let filled = figures(&ends, 4);
        assert_eq!(filled.commands, 2_000_000);
        for found in [filled.first_million_per_s, filled.all_per_s, filled.last_tenth_per_s] {
            assert!((found - 800_000.0).abs() < 1.0, "{found}");
        }
        assert_eq!(figures(&[], 4).commands, 0);
    }
}
