//! Tellers are clients that never give up on an ID, remember every first answer, and know what the ledger must hold.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::process::{Reply, send};

/// `Whereabouts` says where the service is, as it moves from restart to restart.
pub type Whereabouts = Arc<Mutex<Option<SocketAddr>>>;

/// An `Answered` is a request that was answered, and how.
#[derive(Clone, Debug)]
pub struct Answered {
    pub path: String,
    pub body: String,
    pub reply: Reply,
}

/// A `Memory` has everything that one teller was told.
#[derive(Debug, Default)]
pub struct Memory {
    pub answered: Vec<Answered>,
    /// This is the balance by account, in cents.
    pub balances: HashMap<String, i64>,
    /// This is the number of events by account.
    pub events: HashMap<String, u64>,
    pub retries: usize,
}

/// A `Shift` is the time in which tellers work.
#[derive(Debug, Default)]
pub struct Shift {
    /// It is over: the tellers stop.
    pub over: AtomicBool,
    /// This many requests were answered in it.
    pub answered: AtomicUsize,
}

impl Shift {
    /// Waits until so many requests were answered, however long that takes.
    pub fn until_answered(&self, count: usize) {
        super::store::until("enough is answered", || self.answered.load(Ordering::Relaxed) >= count);
    }
}

/// A `Dice` is a small generator of numbers that look random, the same for the same seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Returns the transaction ID of a teller's n-th request.
pub fn id(teller: u64, n: u64) -> String {
    format!("{teller:08x}-0000-4000-8000-{n:012x}")
}

/// Works on two accounts of its own until the shift is over: each request is sent again until it is answered, and now and then
/// an old one is sent once more and must get its first answer.
pub fn work(teller: u64, whereabouts: &Whereabouts, shift: &Shift) -> Memory {
    let mut memory = Memory::default();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (teller + 1));
    let accounts = [format!("t{teller}-a"), format!("t{teller}-b")];
    let mut n = 0;
    for account in &accounts {
        n += 1;
        let body =
            format!(r#"{{"transaction_id":"{}","account":"{account}","currency":"EUR"}}"#, id(teller, n));
        book(&mut memory, whereabouts, "/v1/accounts".into(), body, account, 0);
    }
    while !shift.over.load(Ordering::Relaxed) {
        shift.answered.fetch_add(1, Ordering::Relaxed);
        n += 1;
        let account = &accounts[usize::try_from(dice.below(2)).unwrap()];
        if dice.below(8) == 0 {
            let (body, moved) = correction(&memory, account, &id(teller, n), &mut dice);
            let path = format!("/v1/accounts/{account}/corrections");
            book(&mut memory, whereabouts, path, body, account, moved);
            continue;
        }
        let cents = i64::try_from(dice.below(5_000)).unwrap() + 1;
        let deposit = dice.below(2) == 0;
        let (kind, moved) = if deposit { ("deposits", cents) } else { ("withdrawals", -cents) };
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        let body = format!(r#"{{"transaction_id":"{}","amount":"{amount}"}}"#, id(teller, n));
        book(&mut memory, whereabouts, format!("/v1/accounts/{account}/{kind}"), body, account, moved);
        if dice.below(4) == 0 {
            let old = usize::try_from(dice.below(memory.answered.len() as u64)).unwrap();
            ask_again(&memory.answered[old].clone(), whereabouts);
        }
    }
    memory
}

/// Returns a correction of an account to some balance, as it is after its last event, and what it moves. Where the balance
/// would be below zero it is declined.
fn correction(memory: &Memory, account: &str, id: &str, dice: &mut Dice) -> (String, i64) {
    let (balance, events) = (memory.balances[account], memory.events[account]);
    let wanted = i64::try_from(dice.below(10_000)).unwrap() - 500;
    let wanted = if wanted == balance { wanted + 1 } else { wanted };
    let sign = if wanted < 0 { "-" } else { "" };
    let shown = format!("{sign}{}.{:02}", wanted.abs() / 100, wanted.abs() % 100);
    let body = format!(
        r#"{{"transaction_id":"{id}","balance":"{shown}","expected_revision":{},"reason":"counted"}}"#,
        events - 1
    );
    (body, wanted - balance)
}

fn book(
    memory: &mut Memory,
    whereabouts: &Whereabouts,
    path: String,
    body: String,
    account: &str,
    moved: i64,
) {
    let (reply, retries) = insist(whereabouts, &path, &body);
    memory.retries += retries;
    assert!(matches!(reply.status, 201 | 402), "{path} {body}: {reply:?}");
    *memory.events.entry(account.to_owned()).or_default() += 1;
    let balance = memory.balances.entry(account.to_owned()).or_default();
    if reply.status == 201 {
        *balance += moved;
    }
    assert!(
        reply.body.contains(&format!(r#""balance":"{}.{:02}""#, *balance / 100, *balance % 100)),
        "{account} has {balance} cents, but was told {}",
        reply.body
    );
    memory.answered.push(Answered { path, body, reply });
}

/// Sends an answered request again: the same bytes must come back, marked as replayed.
pub fn ask_again(first: &Answered, whereabouts: &Whereabouts) {
    let (again, _) = insist(whereabouts, &first.path, &first.body);
    assert_eq!(
        (again.status, &again.body),
        (first.reply.status, &first.reply.body),
        "the first answer changed"
    );
    assert!(again.replayed, "booked a second time: {}", first.body);
}

/// Sends the same request until it gets an answer that is one. How often it had to be repeated.
pub fn insist(whereabouts: &Whereabouts, path: &str, body: &str) -> (Reply, usize) {
    for attempt in 0..20_000 {
        let address = *whereabouts.lock().unwrap();
        match address.map(|address| send(address, "POST", path, body)) {
            // An answer that comes when the service is known to be gone is one that was lost on the way.
            Some(Ok(reply))
                if reply.status < 500 && reply.status != 409 && *whereabouts.lock().unwrap() == address =>
            {
                return (reply, attempt);
            }
            _ => std::thread::sleep(Duration::from_millis(2)),
        }
    }
    panic!("nobody answers {path} {body}");
}
