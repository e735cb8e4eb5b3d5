//! The proof: what the clients were told, held against what the ledger has.

use std::collections::HashMap;

use crate::cli::outcome::Error;
use crate::client::policy::Policy;
use crate::client::sender::Client;

use super::cents;
use super::storm::{Aftermath, BEGINNING};
use super::teller::Wish;

/// How many first answers are asked for once more.
const ASKED_AGAIN: usize = 1_000;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    /// By account: what its clients believe it has, and what the ledger says, in cents.
    pub(crate) balances: Vec<(String, i64, i64)>,
    /// What all accounts have together, by the ledger's own other side of each entry, in cents.
    pub(crate) other_side: i64,
    /// Does the ledger's trial balance sum to zero?
    pub(crate) balanced: bool,
    /// Wishes that never got an answer.
    pub(crate) unanswered: usize,
    /// What was booked and what was wished for.
    pub(crate) bookings: Bookings,
    /// First answers asked for once more, and how many came back otherwise.
    pub(crate) asked_again: (usize, usize),
}

/// The journal, held against the wishes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Bookings {
    /// Wishes that were booked more than once.
    pub(crate) doubled: usize,
    /// Wishes that were booked though their client was told no in the end, or had called them off.
    pub(crate) against_the_answer: usize,
    /// Wishes that were not booked though their client was told so.
    pub(crate) lost: usize,
    /// The money moved by bookings that should not be there, in cents, whichever way it went.
    pub(crate) wrong_cents: i64,
}

impl Proof {
    /// Gathers everything from the service, past the faulty network.
    ///
    /// # Errors
    /// When the service can't be read.
    pub(crate) async fn gather(storm: &Aftermath) -> Result<Self, Error> {
        let mut clients = Vec::new();
        for service in &storm.services {
            clients.push(Client::new(&format!("http://{}", service.address), None, Policy::default())?);
        }
        let [client, others @ ..] = clients.as_slice() else {
            return Err("there is no service to ask".into());
        };
        // What one instance answered another one may see a moment later.
        for other in others {
            let head = &other.read("/v1/journal/head").await?["position"];
            client.read(&format!("/v1/journal/head?min_position={head}")).await?;
        }
        let trial = client.read("/v1/trial-balance").await?;
        let cash = client.read("/v1/accounts/@cash").await?;
        let mut proof = Self {
            balanced: trial["balanced"] == true,
            other_side: -amount(&cash["balances"]["EUR"])?,
            unanswered: storm.wishes.iter().filter(|wish| wish.told.is_none()).count(),
            bookings: Bookings::compare(&storm.wishes, &journal(client).await?),
            ..Self::default()
        };
        for (number, account) in storm.accounts.iter().enumerate() {
            let believed =
                storm.wishes.iter().filter(|wish| wish.account == number).map(|wish| wish.believed);
            let found = client.read(&format!("/v1/accounts/{account}")).await?;
            let line = (account.clone(), BEGINNING + believed.sum::<i64>(), amount(&found["balance"])?);
            proof.balances.push(line);
        }
        let step = (storm.wishes.len() / ASKED_AGAIN).max(1);
        for (request, first) in storm.wishes.iter().step_by(step).filter_map(|wish| wish.told.as_ref()) {
            let again = client.send(request).await?;
            let same = again.status == first.status && again.body == first.body;
            // What was never recorded (a 404, say) is decided anew, and may come out otherwise.
            let recorded = first.accepted() || first.declined();
            proof.asked_again.0 += usize::from(recorded);
            proof.asked_again.1 += usize::from(recorded && !(same && again.replayed));
        }
        Ok(proof)
    }

    /// What the clients believe all accounts have together, and what the ledger says.
    #[must_use]
    pub(crate) fn totals(&self) -> (i64, i64) {
        self.balances.iter().fold((0, 0), |(believed, found), line| (believed + line.1, found + line.2))
    }

    /// Is every balance what the clients were told it must be, and nothing else wrong?
    #[must_use]
    pub(crate) fn holds(&self) -> bool {
        let (believed, found) = self.totals();
        self.balances.iter().all(|(_, believed, found)| believed == found)
            && believed == found
            && found == self.other_side
            && self.balanced
            && self.unanswered == 0
            && self.bookings == Bookings::default()
            && self.asked_again.1 == 0
    }
}

impl Bookings {
    /// `journal`: by transaction ID, the cents that it moved.
    fn compare(wishes: &[Wish], journal: &HashMap<String, i64>) -> Self {
        let mut found = Self::default();
        for wish in wishes {
            let mut ids: Vec<String> = wish.ids.iter().map(ToString::to_string).collect();
            ids.sort_unstable();
            ids.dedup();
            let moved: Vec<i64> = ids.iter().filter_map(|id| journal.get(id).copied()).collect();
            let should = usize::from(wish.believed != 0);
            found.doubled += usize::from(moved.len() > 1);
            found.against_the_answer += usize::from(moved.len() == 1 && should == 0);
            found.lost += usize::from(moved.len() < should);
            found.wrong_cents += moved.iter().skip(should).sum::<i64>();
        }
        found
    }
}

/// The journal: each transaction that moved money, and how much.
async fn journal(client: &Client) -> Result<HashMap<String, i64>, Error> {
    let mut moved = HashMap::new();
    let mut after = 0;
    loop {
        let page = client.read(&format!("/v1/journal?after={after}&limit=1000")).await?;
        let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let Some(last) = items.last() else { return Ok(moved) };
        after = last["position"].as_u64().ok_or("an event in the journal has no position")?;
        for event in items {
            if matches!(event["type"].as_str(), Some("Deposited" | "Withdrawn" | "Reversed")) {
                let id = event["transaction_id"].as_str().unwrap_or_default().to_owned();
                moved.insert(id, amount(&event["data"]["amount"])?);
            }
        }
    }
}

fn amount(text: &serde_json::Value) -> Result<i64, Error> {
    let cents = text.as_str().and_then(cents::read);
    cents.ok_or_else(|| format!("the ledger says {text} where a sum should be").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(ids: &[&str], believed: i64) -> Wish {
        let ids = ids.iter().map(|id| crate::client::ids::derive("t", id)).collect();
        Wish { what: "deposit", account: 0, ids, believed, told: None }
    }

    fn compare(wish: Wish, booked: &[(&str, i64)]) -> Bookings {
        let id = |name: &str| crate::client::ids::derive("t", name).to_string();
        Bookings::compare(&[wish], &booked.iter().map(|(name, cents)| (id(name), *cents)).collect())
    }

    #[test]
    fn one_booking_of_what_was_wished_is_right_however_often_it_was_asked_for() {
        assert_eq!(compare(wish(&["a", "a", "a"], 500), &[("a", 500)]), Bookings::default());
        assert_eq!(compare(wish(&["a"], 0), &[]), Bookings::default());
    }

    #[test]
    fn doubled_lost_and_unwanted_bookings_are_told_apart() {
        let doubled = Bookings { doubled: 1, wrong_cents: 1000, ..Bookings::default() };
        assert_eq!(compare(wish(&["a", "b", "c"], 500), &[("a", 500), ("b", 500), ("c", 500)]), doubled);
        let unwanted = Bookings { against_the_answer: 1, wrong_cents: 500, ..Bookings::default() };
        assert_eq!(compare(wish(&["a", "b"], 0), &[("a", 500)]), unwanted);
        assert_eq!(compare(wish(&["a"], 500), &[]), Bookings { lost: 1, ..Bookings::default() });
    }
}
