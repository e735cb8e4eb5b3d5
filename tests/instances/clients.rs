//! These clients use several instances: each sends its commands to an instance that is drawn at random, some to two at
//! once; it asks another one when an answer is refused or lost, and remembers every first answer.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::support::process::{send, send_with};
use crate::support::teller::{Dice, id};

pub const CLIENTS: u64 = 6;
const ACCOUNTS: u64 = 48;
/// How many accounts each client opens.
const EACH: u64 = ACCOUNTS / CLIENTS;
const LINES: usize = 250;

/// Where the instances are; `None` while one is down.
pub type Instances = [Mutex<Option<SocketAddr>>; 3];

/// A request, as a line of a batch.
#[derive(Clone, Debug)]
pub struct Request {
    pub id: String,
    pub account: String,
    pub line: String,
    /// Another request with an ID that was used before.
    pub reused: bool,
}

/// The first answer that anybody got for an ID: status and body.
pub type Answers = HashMap<String, (u16, String)>;

/// An answer to a line of a batch, as it came.
#[derive(Debug)]
pub struct Again {
    pub status: u16,
    pub replayed: bool,
    pub body: String,
}

/// What all clients share.
#[derive(Default)]
pub struct Shared {
    pub answers: Mutex<Answers>,
    /// The requests that were answered, as lines of a batch, by their ID.
    pub lines: Mutex<HashMap<String, String>>,
    pub sent: AtomicUsize,
    pub failed: AtomicBool,
    pub retried: AtomicUsize,
    pub reused: AtomicUsize,
    /// How often each refusal was told, and of which IDs: those may be booked all the same when they are sent again.
    pub refused: Mutex<(HashMap<String, usize>, HashSet<String>)>,
}

#[derive(Deserialize)]
struct Line<'a> {
    status: u16,
    replayed: bool,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// Ends the others when one fails.
struct Together<'a>(&'a AtomicBool);

impl Drop for Together<'_> {
    fn drop(&mut self) {
        self.0.fetch_or(std::thread::panicking(), Ordering::Relaxed);
    }
}

/// Works until so many commands were sent by all together.
pub fn work(client: u64, instances: &Instances, shared: &Shared, enough: usize) {
    let _together = Together(&shared.failed);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(client + 1));
    let mut old: Vec<Request> = Vec::new();
    let (mut n, mut singles) = (0, 0);
    let mut waiting: VecDeque<Request> = VecDeque::new();
    while shared.sent.load(Ordering::Relaxed) < enough || !waiting.is_empty() {
        assert!(!shared.failed.load(Ordering::Relaxed), "another client has failed");
        let mut lines: Vec<Request> = waiting.drain(..).take(LINES).collect();
        let over = shared.sent.load(Ordering::Relaxed) >= enough;
        while !over && lines.len() < LINES {
            let again = !old.is_empty() && dice.below(3) == 0;
            lines.push(if again {
                let first = &old[usize::try_from(dice.below(old.len() as u64)).unwrap()];
                let answered = shared.answers.lock().unwrap().contains_key(&first.id);
                if answered && dice.below(20) == 0 { other(first) } else { first.clone() }
            } else {
                n += 1;
                let request = request(client, n, &mut dice);
                old.push(request.clone());
                request
            });
        }
        if old.len() > 2_000 {
            old.drain(..1_000);
        }
        let at = usize::try_from(dice.below(3)).unwrap();
        let twice = dice.below(4) == 0;
        std::thread::scope(|scope| {
            let second = twice.then(|| scope.spawn(|| batch(&instances[(at + 1) % 3], &lines, shared)));
            waiting.extend(batch(&instances[at], &lines, shared));
            // What the second one could not answer was asked of the first, too.
            second.map(|second| second.join().unwrap());
        });
        if dice.below(2) == 0 {
            singles += 1;
            single(client, singles, instances, shared, &mut dice);
        }
    }
}

fn request(client: u64, n: u64, dice: &mut Dice) -> Request {
    let account = account(client, n);
    let own = id(client, n);
    let head = format!(r#"{{"transaction_id":"{own}","account":"{account}""#);
    let cents = dice.below(20_000) + 1;
    let amount = format!("{}.{:02}", cents / 100, cents % 100);
    let line = match dice.below(20) {
        _ if n <= EACH => {
            format!(r#"{head},"op":"open_account","currency":"EUR","overdraft_limit":"20.00"}}"#)
        }
        0..9 => format!(r#"{head},"op":"deposit","amount":"{amount}"}}"#),
        9..17 => format!(r#"{head},"op":"withdraw","amount":"{amount}"}}"#),
        // Of one that came, or one that comes later and is ruled out by it.
        kind => {
            let named = (n + 20).saturating_sub(dice.below(400)).max(EACH + 1);
            let named = if named == n { n + 1 } else { named };
            let reverses = id(client, named);
            let account = self::account(client, named);
            let head = format!(r#"{{"transaction_id":"{own}","account":"{account}""#);
            let part = if kind == 19 { format!(r#","amount":"{amount}""#) } else { String::new() };
            let line = format!(r#"{head},"op":"reverse","reverses":"{reverses}","reason":"because"{part}}}"#);
            return Request { id: own, account, line, reused: false };
        }
    };
    Request { id: own, account, line, reused: false }
}

/// The account of a client's n-th request: one of those that it opens itself first, then any; one of them is busy.
fn account(client: u64, n: u64) -> String {
    let number = match n {
        ..=EACH => client * EACH + n,
        _ if n.is_multiple_of(5) => 1,
        _ => (n * 31 + client * 17 + n / 8) % ACCOUNTS + 1,
    };
    format!("a{number}")
}

/// Another request with the same ID.
fn other(first: &Request) -> Request {
    let (id, account) = (first.id.clone(), first.account.clone());
    let line = format!(
        r#"{{"transaction_id":"{id}","account":"{account}","op":"deposit","amount":"999999.99","metadata":{{"not":"it"}}}}"#
    );
    Request { id, account, line, reused: true }
}

/// Freezes an account, corrects it and lets it go again: no batch can.
fn single(client: u64, n: u64, instances: &Instances, shared: &Shared, dice: &mut Dice) {
    let account = dice.below(ACCOUNTS) + 1;
    for (turn, what) in ["freeze", "unfreeze", "corrections"].into_iter().enumerate() {
        let id = id(client + 100 * (turn as u64 + 1), n);
        let path = format!("/v1/accounts/a{account}/{what}");
        let asked = match what {
            "corrections" => correction(client, n, dice),
            _ => String::new(),
        };
        let body = format!(r#"{{"transaction_id":"{id}","reason":"because"{asked}}}"#);
        for _ in 0..20_000 {
            let at = usize::try_from(dice.below(3)).unwrap();
            let address = *instances[at].lock().unwrap();
            let reply = address.map(|address| send(address, "POST", &path, &body));
            match reply {
                Some(Ok(reply)) if !again(reply.status, &reply.body) => {
                    shared.sent.fetch_add(1, Ordering::Relaxed);
                    told(&id, false, reply.status, &reply.body, shared);
                    break;
                }
                _ => {
                    shared.retried.fetch_add(1, Ordering::Relaxed);
                    std::thread::yield_now();
                }
            }
        }
    }
}

/// Returns the fields of a correction: by an amount, or to a balance at some revision, which mostly is not the last one.
fn correction(client: u64, n: u64, dice: &mut Dice) -> String {
    let corrects = self::id(client, EACH + 1 + n / 2);
    let change = match dice.below(3) {
        0 => format!(r#""balance":"{}.00","expected_revision":{}"#, dice.below(500), dice.below(400)),
        1 => format!(r#""amount":"{}.50","direction":"credit""#, dice.below(90)),
        _ => format!(r#""amount":"{}.50","direction":"debit""#, dice.below(90)),
    };
    format!(r#",{change},"corrects":["{corrects}"]"#)
}

/// Is it an answer that says to ask again?
fn again(status: u16, body: &str) -> bool {
    assert!(!body.contains("store_damaged"), "nothing is damaged here: {body}");
    status == 503 || (status == 409 && body.contains("in_progress"))
}

/// Sends a batch; what was not answered comes back.
pub fn batch(to: &Mutex<Option<SocketAddr>>, lines: &[Request], shared: &Shared) -> Vec<Request> {
    let body: String = lines.iter().map(|request| format!("{}\n", request.line)).collect();
    let known: Vec<bool> = {
        let answers = shared.answers.lock().unwrap();
        lines.iter().map(|request| answers.contains_key(&request.id)).collect()
    };
    let address = *to.lock().unwrap();
    let reply = address.and_then(|to| {
        send_with(to, "POST", "/v1/batch", "content-type: application/x-ndjson\r\n", &body).ok()
    });
    let Some(reply) = reply.filter(|reply| reply.status == 200) else {
        shared.retried.fetch_add(lines.len(), Ordering::Relaxed);
        std::thread::yield_now();
        return lines.to_vec();
    };
    let answers: Vec<Line> = reply.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), lines.len());
    shared.sent.fetch_add(lines.len(), Ordering::Relaxed);
    let mut left = Vec::new();
    for ((request, known), answer) in lines.iter().zip(known).zip(answers) {
        let body = answer.body.get();
        if again(answer.status, body) {
            shared.retried.fetch_add(1, Ordering::Relaxed);
            left.push(request.clone());
        } else if request.reused {
            assert!(answer.status == 422 && body.contains("transaction_id_reused"), "{body}");
            shared.reused.fetch_add(1, Ordering::Relaxed);
        } else {
            told(&request.id, known, answer.status, body, shared);
            if !known {
                shared.lines.lock().unwrap().insert(request.id.clone(), request.line.clone());
            }
        }
    }
    left
}

/// Sends lines once more, and returns their answers.
pub fn once_more(to: SocketAddr, lines: &[&str]) -> Vec<Again> {
    let body = lines.join("\n");
    let reply = send_with(to, "POST", "/v1/batch", "content-type: application/x-ndjson\r\n", &body).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    let answers = reply.body.lines().map(|line| serde_json::from_str::<Line>(line).unwrap());
    answers
        .map(|line| Again { status: line.status, replayed: line.replayed, body: line.body.get().to_owned() })
        .collect()
}

/// An answer must be the first one again. `known`: there was one before this was asked.
fn told(id: &str, known: bool, status: u16, body: &str, shared: &Shared) {
    if !matches!(status, 201 | 402) {
        let code = body.split(r#""code":""#).nth(1).and_then(|rest| rest.split('"').next());
        let refusals = ["account_not_found", "account_exists", "transaction_not_found", "account_changed"];
        let is_there = body.contains("is the account's balance already");
        assert!(is_there || code.is_some_and(|code| refusals.contains(&code)), "{id}: {status} {body}");
        assert!(!known, "{id} was answered before, and now {body}");
        let (codes, ids) = &mut *shared.refused.lock().unwrap();
        *codes.entry(code.unwrap().to_owned()).or_default() += 1;
        ids.insert(id.to_owned());
        return;
    }
    let mut answers = shared.answers.lock().unwrap();
    let first = answers.entry(id.to_owned()).or_insert_with(|| (status, body.to_owned()));
    assert_eq!((first.0, first.1.as_str()), (status, body), "another answer than the first");
}
