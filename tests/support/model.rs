//! The model is a ledger of its own, as small as can be: cents in hash maps. It says of each line of the journal
//! whether it is right, by the rules of the contract and by none of the ledger's code.

#![allow(dead_code, reason = "each test binary uses its own part")]

#[path = "model_seen.rs"]
mod seen;
#[path = "model_transfers.rs"]
pub mod transfers;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

use seen::{bytes, saw};
use transfers::Transfers;

/// An `Account` says what an account is like, in cents.
#[derive(Clone, Debug)]
pub struct Account {
    pub balance: i128,
    pub limit: i128,
    pub status: &'static str,
    /// These are its open holds, in cents, in the order in which they expire: by the time, then by the ID.
    pub holds: BTreeMap<(String, String), i128>,
    revision: u64,
    seen: [u8; 32],
}

impl Account {
    /// Returns how many events it has.
    pub fn events(&self) -> u64 {
        self.revision
    }

    /// Returns what is set aside.
    fn held(&self) -> i128 {
        self.holds.values().sum()
    }

    /// Returns what may go out.
    fn available(&self) -> i128 {
        self.balance + self.limit - self.held()
    }

    fn hold(&self, id: &str) -> Option<i128> {
        self.holds.iter().find(|((_, hold), _)| hold == id).map(|(_, amount)| *amount)
    }
}

/// Returns what a correction of an account with this balance is to move, in cents.
fn wanted(balance: i128, data: &Value) -> i128 {
    if let Some(target) = data["balance"].as_str() {
        return cents(target) - balance;
    }
    // A decline has a direction, and what was booked has entries.
    match data["direction"].as_str() {
        Some("credit") => cents(text(data, "amount")),
        Some(_) => -cents(text(data, "amount")),
        None => cents(text(&data["entries"][0], "amount")),
    }
}

/// A `Moved` is a movement that can be taken back.
#[derive(Clone, Debug)]
struct Moved {
    cents: i128,
    out: bool,
    left: i128,
}

/// A `Model` has everything that the lines said so far.
#[derive(Clone, Default)]
pub struct Model {
    pub accounts: HashMap<String, Account>,
    moved: HashMap<(String, String), Moved>,
    /// This leads from account and ID to the reversal that ruled the ID out.
    ruled_out: HashMap<(String, String), String>,
    /// This leads from an ID to the account and the line that it was recorded with.
    pub first: HashMap<String, (String, String)>,
    /// These are the accounts and IDs of what was booked on a second account, in a race.
    pub twice: HashSet<(String, String)>,
    pub cash: i128,
    /// This is what the ledger's own account of corrections has.
    pub corrections: i128,
    /// This is what has gone to payout providers.
    pub external: i128,
    /// This is minus what transfers have credited and not captured.
    pub transit: i128,
    pub transfers: Transfers,
    /// This leads from account and hold to the code of whoever comes after it was settled.
    settled: HashMap<(String, String), &'static str>,
    /// This is the last event's position, and whether there may be gaps between one and the next.
    pub position: u64,
    gaps: bool,
}

pub fn cents(text: &str) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or_else(|| panic!("{text} is not in euros"));
    assert_eq!(fraction.len(), 2);
    let units: i128 = format!("{whole}{fraction}").parse().unwrap();
    units
}

pub fn euros(cents: i128) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

const LARGEST: i128 = 10_i128.pow(17);

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

impl Model {
    /// Makes the model of an empty journal.
    pub fn new(gaps: bool) -> Self {
        Self { gaps, ..Self::default() }
    }

    /// Takes in the next line, and panics when it is not what must come of its request.
    pub fn line(&mut self, line: &str) {
        let event: Value = serde_json::from_str(line).unwrap();
        let position = event["position"].as_u64().unwrap();
        assert!(
            position == self.position + 1 || (self.gaps && position > self.position),
            "positions without gaps"
        );
        self.position = position;
        self.corrected(&event["data"], position);
        let id = text(&event, "transaction_id").to_owned();
        let stream = text(&event, "stream");
        let Some(name) = stream.strip_prefix("account-").map(str::to_owned) else {
            // No account can have such a name.
            self.books(&id, format!("@{stream}"), line);
            return self.transfers.line(stream.strip_prefix("transfer-").unwrap(), &event);
        };
        self.due_first(&event);
        self.books(&id, name.clone(), line);
        let (kind, data) = (text(&event, "type"), &event["data"]);
        let said = data["code"].as_str().filter(|_| kind == "Declined");
        let operation = data["operation"].as_str().unwrap_or(kind);
        if !matches!(operation, "AccountOpened" | "HoldExpired" | "CreditPrevented") {
            let right = self.decline(&name, &id, operation, data);
            assert_eq!(said, right, "another outcome is right for {line}");
        }
        self.transfers.step(&name, &id, data, said);
        self.apply(&name, &id, kind, data);
        let account = self.accounts.get_mut(&name).unwrap();
        assert_eq!(event["revision"].as_u64(), Some(account.revision), "revisions without gaps: {line}");
        account.revision += 1;
        account.seen = saw(account.seen, &id, said, kind, data);
        assert_eq!(text(&event["answer"], "balance"), euros(account.balance), "{line}");
        assert_eq!(text(&event["answer"], "available"), euros(account.available()), "{line}");
        let guarded: i128 = self.accounts.values().map(|a| a.balance).sum();
        let own = self.cash + self.corrections + self.external + self.transit;
        assert_eq!(guarded + own, 0, "the trial balance");
        assert_eq!(self.transit, -self.transfers.in_transit(), "what is in transit");
    }

    /// Takes note that an ID is booked on a stream.
    fn books(&mut self, id: &str, name: String, line: &str) {
        match self.first.get(id) {
            None => drop(self.first.insert(id.to_owned(), (name, line.to_owned()))),
            // Where several write the store, two of them may book an ID at once, each on another stream.
            Some((other, earlier)) => {
                let is_race = self.gaps && *other != name && self.twice.insert((name, id.to_owned()));
                assert!(is_race, "{id} is booked twice:\n{earlier}\n{line}");
            }
        }
    }

    /// Checks that what an event corrects was booked before it.
    fn corrected(&self, data: &Value, position: u64) {
        for id in data["corrects"].as_array().into_iter().flatten() {
            let id = id.as_str().unwrap();
            assert!(self.first.contains_key(id), "{id} is corrected at {position} and was not booked");
        }
    }

    /// Returns the code with which it must be declined, if it must.
    fn decline(&self, name: &str, id: &str, operation: &str, data: &Value) -> Option<&'static str> {
        let account = self.accounts.get(name).expect("an account that was opened");
        let amount = || cents(text(data, "amount"));
        let ruled_out = self.ruled_out.contains_key(&(name.to_owned(), id.to_owned()));
        let force = data["force"] == true;
        let reversal = matches!(operation, "reversal" | "Reversed" | "Prevented");
        let original = data["reverses"].as_str().map(|original| (name.to_owned(), original.to_owned()));
        let seen =
            original.as_ref().is_some_and(|(_, named)| self.knows(name, named) || self.has_step(name, named));
        let hold = data["hold"].as_str().map(|hold| (name.to_owned(), hold.to_owned()));
        let unseen = |(name, id): &(String, String)| {
            !self.knows(name, id)
                && !self.has_step(name, id)
                && !self.ruled_out.contains_key(&(name.clone(), id.clone()))
        };
        let releases = matches!(operation, "release" | "HoldReleased" | "HoldPrevented");
        let prevents = (reversal && !seen && !self.ruled_out.contains_key(original.as_ref().unwrap()))
            || (releases && hold.as_ref().is_some_and(unseen));
        if account.status == "closed" && !prevents {
            return Some("account_closed");
        }
        if account.status == "frozen"
            && matches!(operation, "withdrawal" | "Withdrawn" | "hold" | "HoldPlaced" | "transfer_hold")
        {
            return Some("account_frozen");
        }
        let of = data["transfer"].as_str().filter(|_| hold.is_none()).map(str::to_owned);
        let of_ruled_out = of.is_some_and(|of| self.ruled_out.contains_key(&(name.to_owned(), of)));
        if ruled_out || of_ruled_out {
            return Some("prevented");
        }
        let too_much = |more: i128| (account.balance + more > LARGEST).then_some("balance_too_large");
        let too_little = |less: i128| (account.available() < less).then_some("insufficient_funds");
        match operation {
            "correction" | "Corrected" => {
                let wanted = wanted(account.balance, data);
                assert!(wanted != 0 && wanted.abs() <= LARGEST, "it moves nothing, or too much: {data}");
                if let Some(expected) = data["expected_revision"].as_u64() {
                    assert_eq!(expected + 1, account.revision, "another revision was expected: {data}");
                }
                if wanted > 0 { too_much(wanted) } else { too_little(-wanted).filter(|_| !force) }
            }
            "deposit" | "Deposited" | "transfer_credit" | "TransferCredited" => too_much(amount()),
            "withdrawal" | "Withdrawn" | "hold" | "HoldPlaced" | "transfer_hold" => too_little(amount()),
            _ if prevents => None,
            "capture" | "HoldCaptured" | "release" | "HoldReleased" | "HoldPrevented" => {
                let hold = hold.expect("a hold that is named");
                match account.hold(&hold.1) {
                    Some(held) if !releases && data["amount"].is_string() => {
                        (amount() > held).then_some("capture_exceeds_hold")
                    }
                    Some(_) => None,
                    None => Some(self.settled.get(&hold).copied().unwrap_or("hold_already_settled")),
                }
            }
            _ if reversal => {
                let Some(moved) = original.and_then(|original| self.moved.get(&original)) else {
                    return Some(if seen { "not_reversible" } else { "reversal_exceeds_original" });
                };
                let partial =
                    data["partial"] == true || (operation == "reversal" && data["amount"].is_string());
                let taken = if partial { amount() } else { moved.left };
                if moved.left == 0 || taken > moved.left {
                    Some("reversal_exceeds_original")
                } else if moved.out {
                    too_much(taken)
                } else if force {
                    None
                } else {
                    too_little(taken)
                }
            }
            "freeze" | "Frozen" => (account.status == "frozen").then_some("wrong_state"),
            "unfreeze" | "Unfrozen" => (account.status != "frozen").then_some("wrong_state"),
            "close" | "Closed" if account.balance != 0 => Some("account_not_empty"),
            "close" | "Closed" => (!account.holds.is_empty()).then_some("holds_open"),
            "overdraft_limit" | "OverdraftLimitChanged" => None,
            other => panic!("{other}"),
        }
    }

    fn apply(&mut self, name: &str, id: &str, kind: &str, data: &Value) {
        if kind == "AccountOpened" {
            let limit = cents(text(data, "overdraft_limit"));
            let (holds, seen) = (BTreeMap::new(), [0; 32]);
            let account = Account { balance: 0, limit, status: "open", holds, revision: 0, seen };
            assert!(self.accounts.insert(name.to_owned(), account).is_none(), "{name} is opened twice");
            return;
        }
        let mut moves = 0;
        match kind {
            "Deposited" | "Withdrawn" => {
                let (amount, out) = (cents(text(data, "amount")), kind == "Withdrawn");
                moves = if out { -amount } else { amount };
                let moved = Moved { cents: amount, out, left: amount };
                self.moved.insert((name.to_owned(), id.to_owned()), moved);
            }
            "Reversed" => {
                let key = (name.to_owned(), text(data, "reverses").to_owned());
                let moved = self.moved.get_mut(&key).unwrap();
                let amount = cents(text(data, "amount"));
                if data["partial"] != true {
                    assert_eq!(amount, moved.left, "all that is left");
                }
                moved.left -= amount;
                assert!((0..moved.cents).contains(&moved.left));
                moves = if moved.out { amount } else { -amount };
            }
            "Corrected" => {
                moves = cents(text(&data["entries"][0], "amount"));
                assert_eq!(moves, wanted(self.accounts[name].balance, data), "what was asked for: {data}");
                assert_eq!(text(&data["entries"][1], "account"), "@corrections");
            }
            "TransferCredited" => moves = cents(text(data, "amount")),
            "HoldPlaced" => {
                // The hold of a transfer has no time, and is the last.
                let key = (data["expires_at"].as_str().unwrap_or("~").to_owned(), id.to_owned());
                let held = cents(text(data, "amount"));
                self.accounts.get_mut(name).unwrap().holds.insert(key, held);
            }
            "HoldCaptured" | "HoldReleased" | "HoldExpired" => {
                moves = -self.settle(name, id, kind, data);
            }
            "Prevented" | "HoldPrevented" | "CreditPrevented" => {
                let named = match kind {
                    "Prevented" => text(data, "reverses").to_owned(),
                    "HoldPrevented" => text(data, "hold").to_owned(),
                    _ => format!("{}:credit:1", text(data, "transfer")),
                };
                let key = (name.to_owned(), named);
                assert!(self.ruled_out.insert(key, id.to_owned()).is_none(), "ruled out twice");
            }
            "Declined" => {
                let of =
                    id.split_once(':').map(|(of, _)| self.ruled_out.get(&(name.to_owned(), of.to_owned())));
                let by = self.ruled_out.get(&(name.to_owned(), id.to_owned())).or(of.flatten());
                let by = by.map(String::as_str);
                let named = data["prevented_by"].as_str();
                assert_eq!(named, by.filter(|_| data["code"] == "prevented"), "who ruled it out");
            }
            _ => {}
        }
        let account = self.accounts.get_mut(name).unwrap();
        match kind {
            "Frozen" => account.status = "frozen",
            "Unfrozen" => account.status = "open",
            "Closed" => account.status = "closed",
            "OverdraftLimitChanged" => account.limit = cents(text(data, "overdraft_limit")),
            _ => {}
        }
        account.balance += moves;
        let own = match data["entries"][1]["account"].as_str() {
            Some("@corrections") => &mut self.corrections,
            Some("@transit") => &mut self.transit,
            Some(name) if name.starts_with("@external:") => &mut self.external,
            _ => &mut self.cash,
        };
        *own -= moves;
    }

    /// Settles a hold, and returns what is booked out.
    fn settle(&mut self, name: &str, id: &str, kind: &str, data: &Value) -> i128 {
        let hold = text(data, "hold");
        let holds = &mut self.accounts.get_mut(name).unwrap().holds;
        let key = holds.keys().find(|(_, open)| open == hold).cloned().expect("a hold that is open");
        let held = holds.remove(&key).unwrap();
        let code = if kind == "HoldExpired" { "hold_expired" } else { "hold_already_settled" };
        self.settled.insert((name.to_owned(), hold.to_owned()), code);
        let amount = cents(text(data, "amount"));
        if kind != "HoldCaptured" {
            assert_eq!(amount, held, "all that was set aside: {data}");
            return 0;
        }
        let released = data["released"].as_str().map_or(0, cents);
        assert_eq!(amount + released, held, "what is left of the hold: {data}");
        self.moved.insert((name.to_owned(), id.to_owned()), Moved { cents: amount, out: true, left: amount });
        amount
    }

    /// Checks that nothing but an expiry is recorded at or past the time of an open hold, that no expiry comes before it, and
    /// that the oldest is the first.
    fn due_first(&self, event: &Value) {
        let name = text(event, "stream").strip_prefix("account-").unwrap();
        let Some(account) = self.accounts.get(name) else { return };
        let at = text(event, "recorded_at");
        let first = account.holds.keys().next();
        if text(event, "type") == "HoldExpired" {
            let (expires_at, hold) = first.expect("a hold that is open");
            assert_eq!(text(&event["data"], "hold"), hold, "the oldest is the first");
            assert!(expires_at.as_str() <= at, "{hold} expires at {expires_at}, and not at {at}");
        } else if let Some((expires_at, hold)) = first {
            assert!(at < expires_at.as_str(), "{hold} was due at {expires_at}: {event}");
        }
    }

    /// Says whether a step of a transfer with this ID was seen on this account.
    fn has_step(&self, name: &str, id: &str) -> bool {
        ["hold", "credit", "release", "rule-out"]
            .iter()
            .any(|step| self.knows(name, &format!("{id}:{step}:1")))
    }

    /// Says whether this ID was ever seen on this account, or ruled out there.
    pub fn knows(&self, name: &str, id: &str) -> bool {
        self.first.get(id).is_some_and(|(account, _)| account == name)
            || self.twice.contains(&(name.to_owned(), id.to_owned()))
    }

    /// Returns the digest as the contract has it.
    pub fn digest(&self) -> String {
        let mut names: Vec<_> = self.accounts.keys().collect();
        names.sort();
        let mut hash = Sha256::new();
        for name in names {
            let account = &self.accounts[name];
            hash.update(format!(
                "{name}|EUR|{}|{}|{}|{}|{}\n",
                euros(account.balance),
                euros(account.limit),
                account.status,
                euros(account.held()),
                hex::encode(account.seen)
            ));
        }
        self.transfers.digest(&mut hash);
        hex::encode(hash.finalize())
    }
}
