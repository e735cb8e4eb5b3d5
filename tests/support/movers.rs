//! Movers are clients that move money between accounts of all of them by transfers, never give up on an ID, and remember what
//! they asked for.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::process::send;
use crate::support::teller::{Answered, Dice, Whereabouts, id, insist};

/// The accounts have these names, and this many cents each at first. From one nothing can be taken; into one nothing comes.
pub const ACCOUNTS: u64 = 12;
const AT_FIRST: i64 = 10_000;

/// A `Moved` is a transfer that was asked for, and what was answered.
pub struct Moved {
    pub id: String,
    pub from: u64,
    pub to: u64,
    pub cents: i64,
    pub first: Answered,
}

fn account(number: u64) -> String {
    format!("m{number}")
}

fn euros(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn post(whereabouts: &Whereabouts, path: &str, body: &Value) -> Answered {
    let body = body.to_string();
    let (reply, _) = insist(whereabouts, path, &body);
    Answered { path: path.to_owned(), body, reply }
}

/// Opens the accounts. The last one is closed.
pub fn prepare(whereabouts: &Whereabouts) {
    for number in 0..ACCOUNTS {
        let account = account(number);
        let open = json!({"transaction_id": id(900, 2 * number), "account": account, "currency": "EUR"});
        assert_eq!(post(whereabouts, "/v1/accounts", &open).reply.status, 201);
        let (path, money) = if number + 1 < ACCOUNTS {
            ("deposits", json!({"transaction_id": id(900, 2 * number + 1), "amount": euros(AT_FIRST)}))
        } else {
            ("close", json!({"transaction_id": id(900, 2 * number + 1), "reason": "nobody's"}))
        };
        assert_eq!(post(whereabouts, &format!("/v1/accounts/{account}/{path}"), &money).reply.status, 201);
    }
}

/// Asks for so many transfers, one after the other; of some it then asks that they do not move.
pub fn work(mover: u64, transfers: u64, whereabouts: &Whereabouts) -> Vec<Moved> {
    let mut dice = Dice(0x51ed_270b_9f4a_7c15 ^ (mover + 1));
    let mut moved = Vec::new();
    for n in 0..transfers {
        let (from, step) = (dice.below(ACCOUNTS - 1), 1 + dice.below(ACCOUNTS - 1));
        let (to, cents) = ((from + step) % ACCOUNTS, i64::try_from(dice.below(6_000)).unwrap() + 1);
        let transfer = id(1_000 + mover, 2 * n);
        let mut asked = json!({"transaction_id": transfer, "from": account(from), "to": account(to)});
        (asked["amount"], asked["timeout_seconds"]) = (euros(cents).into(), 600.into());
        let first = post(whereabouts, "/v1/transfers", &asked);
        assert_eq!(first.reply.status, 202, "{:?}", first.reply);
        if dice.below(8) == 0 {
            let cancel = json!({"transaction_id": id(1_000 + mover, 2 * n + 1), "reason": "changed my mind"});
            let reply = post(whereabouts, &format!("/v1/transfers/{transfer}/cancel"), &cancel).reply;
            assert!(matches!(reply.status, 202 | 402), "{reply:?}");
        }
        moved.push(Moved { id: transfer, from, to, cents, first });
    }
    moved
}

/// Waits for the end of each transfer, and holds the accounts against what they say. Returns how many ended in each state.
pub fn prove(moved: &[Moved], address: SocketAddr) -> BTreeMap<String, usize> {
    let mut cents: Vec<i64> =
        (0..ACCOUNTS).map(|number| if number + 1 < ACCOUNTS { AT_FIRST } else { 0 }).collect();
    let mut ends = BTreeMap::new();
    let read = |path: &str| -> Value {
        let reply = send(address, "GET", path, "").unwrap();
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        serde_json::from_str(&reply.body).unwrap()
    };
    for it in moved {
        let end = (0..4).map(|_| read(&format!("/v1/transfers/{}?wait=30", it.id)));
        let end = end.into_iter().find(|end| end["waits_for"].is_null()).expect("it does not end");
        let state = end["state"].as_str().unwrap().to_owned();
        let has_moved = state == "completed";
        assert!(has_moved || matches!(state.as_str(), "declined" | "compensated" | "cancelled"), "{end}");
        if has_moved {
            cents[usize::try_from(it.from).unwrap()] -= it.cents;
            cents[usize::try_from(it.to).unwrap()] += it.cents;
        }
        *ends.entry(state).or_default() += 1;
    }
    for (number, cents) in (0..).zip(cents) {
        let stands = read(&format!("/v1/accounts/{}", account(number)));
        let expected = euros(cents);
        assert_eq!(stands["balance"], expected, "{stands}");
        assert_eq!(stands["available"], expected, "a hold is left open: {stands}");
    }
    let transit = send(address, "GET", "/v1/accounts/@transit", "").unwrap();
    assert!(transit.body.contains(r#""EUR":"0.00""#), "{transit:?}");
    ends
}
