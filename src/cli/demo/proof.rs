//! The proof compares what the clients were told with what the ledger has.

use std::collections::HashMap;

use crate::cli::outcome::Error;
use crate::client::policy::Policy;
use crate::client::sender::Client;

use super::cents;
use super::storm::{BEGINNING, StormResult};
use super::teller::{Operation, PAYOUT};
use super::till::Tills;

/// About this many first answers are asked for once more.
const ASKED_AGAIN: usize = 1_000;

/// The proof is everything that was found.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    /// This is, for each account, what its clients believe it has, and what the ledger says, in cents.
    pub(crate) balances: Vec<(String, i64, i64)>,
    /// This is what all accounts have together by the other sides of their entries, in cents.
    pub(crate) other_side: i64,
    /// This is true when the ledger's trial balance sums to zero.
    pub(crate) balanced: bool,
    /// This is the number of operations that never got an answer.
    pub(crate) unanswered: usize,
    /// This is what was booked, compared with what was asked for.
    pub(crate) bookings: Bookings,
    /// This is what the providers paid, compared with what was asked for.
    pub(crate) payouts: Payouts,
    /// This is how many first answers were asked for once more, and how many of these came back different.
    pub(crate) asked_again: (usize, usize),
}

/// `Bookings` are the bookings in the journal, compared with the operations.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Bookings {
    /// This is the number of operations that were booked more than once.
    pub(crate) doubled: usize,
    /// This is the number of operations that were booked although their client was told no, or had called them off.
    pub(crate) against_the_answer: usize,
    /// This is the number of operations that were not booked although their client was told so.
    pub(crate) lost: usize,
    /// This is the sum of all bookings that should not be there, in cents, in either direction.
    pub(crate) wrong_cents: i64,
}

/// `Payouts` are the payments of the providers, compared with the operations.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Payouts {
    /// This is the number of payouts that ended as paid, and of those that ended as not paid.
    pub(crate) ended: [usize; 2],
    /// This is the number of payouts that were paid more than once.
    pub(crate) doubled: usize,
    /// This is the number of payouts that were paid though their client was told no, or not as it was told.
    pub(crate) against_the_end: usize,
    /// This is all that the providers paid, in cents.
    pub(crate) paid: i64,
    /// This is all that the ledger paid out to them, in cents.
    pub(crate) booked: i64,
}

impl Proof {
    /// Gathers everything from the service, without the faulty network between.
    ///
    /// # Errors
    /// Fails when the service can't be read.
    pub(crate) async fn gather(storm: &StormResult) -> Result<Self, Error> {
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
        let mut proof = Self {
            balanced: trial["balanced"] == true,
            other_side: -own_accounts(&trial, "@")?,
            payouts: Payouts {
                booked: own_accounts(&trial, "@external:")?,
                ..Payouts::compare(&storm.operations, &storm.tills)
            },
            unanswered: storm.operations.iter().filter(|operation| operation.told.is_none()).count(),
            bookings: Bookings::compare(&storm.operations, &journal(client).await?),
            ..Self::default()
        };
        for (number, account) in storm.accounts.iter().enumerate() {
            let believed = storm.operations.iter().map(|operation| operation.believed_of(number));
            let found = client.read(&format!("/v1/accounts/{account}")).await?;
            let line = (account.clone(), BEGINNING + believed.sum::<i64>(), amount(&found["balance"])?);
            proof.balances.push(line);
        }
        let step = (storm.operations.len() / ASKED_AGAIN).max(1);
        for (request, first) in
            storm.operations.iter().step_by(step).filter_map(|operation| operation.told.as_ref())
        {
            let again = client.send(request).await?;
            let same = again.status == first.status && again.body == first.body;
            // What was never recorded (a 404, say) is decided anew, and may come out otherwise.
            let recorded = first.accepted() || first.declined();
            proof.asked_again.0 += usize::from(recorded);
            proof.asked_again.1 += usize::from(recorded && !(same && again.replayed));
        }
        Ok(proof)
    }

    /// Gives what the clients believe all accounts have together, and what the ledger says.
    #[must_use]
    pub(crate) fn totals(&self) -> (i64, i64) {
        self.balances.iter().fold((0, 0), |(believed, found), line| (believed + line.1, found + line.2))
    }

    /// Says whether every balance is what the clients were told it must be, and nothing else is wrong.
    #[must_use]
    pub(crate) fn holds(&self) -> bool {
        let (believed, found) = self.totals();
        self.balances.iter().all(|(_, believed, found)| believed == found)
            && believed == found
            && found == self.other_side
            && self.balanced
            && self.unanswered == 0
            && self.bookings == Bookings::default()
            && self.payouts.hold()
            && self.asked_again.1 == 0
    }
}

impl Bookings {
    /// Compares the operations with the journal, which has the cents that each transaction ID moved.
    fn compare(operations: &[Operation], journal: &HashMap<String, i64>) -> Self {
        let mut found = Self::default();
        for operation in operations {
            let mut ids: Vec<String> = operation.ids.iter().map(ToString::to_string).collect();
            ids.sort_unstable();
            ids.dedup();
            let moved: Vec<i64> = ids.iter().filter_map(|id| journal.get(id).copied()).collect();
            let should = usize::from(operation.believed != 0);
            found.doubled += usize::from(moved.len() > 1);
            found.against_the_answer += usize::from(moved.len() == 1 && should == 0);
            found.lost += usize::from(moved.len() < should);
            found.wrong_cents += moved.iter().skip(should).sum::<i64>();
        }
        found
    }
}

impl Payouts {
    /// Compares the operations with what the providers paid.
    fn compare(operations: &[Operation], tills: &Tills) -> Self {
        let mut found = Self { paid: tills.each().map(|till| till.paid()).sum(), ..Self::default() };
        let accepted =
            |operation: &&Operation| operation.told.as_ref().is_some_and(|(_, answer)| answer.accepted());
        let payouts = operations.iter().filter(|operation| operation.what == PAYOUT);
        for operation in payouts.filter(accepted) {
            let mut ids = operation.ids.clone();
            ids.sort_unstable();
            ids.dedup();
            let paid_for = |id| tills.each().flat_map(move |till| till.paid_for(id));
            found.take(operation.believed, &ids.into_iter().flat_map(paid_for).collect::<Vec<_>>());
        }
        found
    }

    /// Takes in one payout: what its client believes the balance changed by, and what was paid.
    fn take(&mut self, believed: i64, paid: &[i64]) {
        let [as_paid, as_not_paid] = &mut self.ended;
        *(if believed == 0 { as_not_paid } else { as_paid }) += 1;
        self.doubled += usize::from(paid.len() > 1);
        self.against_the_end += usize::from(paid.len() <= 1 && paid.iter().sum::<i64>() != -believed);
    }

    /// Says whether each was paid once or not at all, as its client was told, and the money adds up.
    fn hold(&self) -> bool {
        self.doubled == 0 && self.against_the_end == 0 && self.paid == self.booked
    }
}

/// Reads the journal: each transaction that moved money, and how much.
async fn journal(client: &Client) -> Result<HashMap<String, i64>, Error> {
    let mut moved = HashMap::new();
    let mut after = 0;
    loop {
        let page = client.read(&format!("/v1/journal?after={after}&limit=1000")).await?;
        let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let Some(last) = items.last() else { return Ok(moved) };
        after = last["position"].as_u64().ok_or("an event in the journal has no position")?;
        for event in items {
            let id = match event["type"].as_str() {
                Some("Deposited" | "Withdrawn" | "Reversed" | "Corrected" | "HoldCaptured") => {
                    event["transaction_id"].as_str()
                }
                // Its stream has the ID that it was asked for with.
                Some("TransferCompleted") => {
                    event["stream"].as_str().and_then(|stream| stream.strip_prefix("transfer-"))
                }
                Some(_) | None => None,
            };
            if let Some(id) = id {
                moved.insert(id.to_owned(), amount(&event["data"]["amount"])?);
            }
        }
    }
}

/// Returns what the ledger's own accounts whose names begin so have together, by its trial balance.
fn own_accounts(trial: &serde_json::Value, begin: &str) -> Result<i64, Error> {
    let totals = trial["totals"].as_array().map(Vec::as_slice).unwrap_or_default();
    let own =
        totals.iter().filter(|total| total["kind"].as_str().is_some_and(|kind| kind.starts_with(begin)));
    own.map(|total| amount(&total["total"])).sum()
}

fn amount(text: &serde_json::Value) -> Result<i64, Error> {
    let cents = text.as_str().and_then(cents::read);
    cents.ok_or_else(|| format!("the ledger says {text} where a sum should be").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(ids: &[&str], believed: i64) -> Operation {
        let ids = ids.iter().map(|id| crate::client::ids::derive("t", id)).collect();
        Operation { what: "deposit", account: 0, other: None, ids, believed, told: None }
    }

    fn compare(operation: Operation, booked: &[(&str, i64)]) -> Bookings {
        let id = |name: &str| crate::client::ids::derive("t", name).to_string();
        Bookings::compare(&[operation], &booked.iter().map(|(name, cents)| (id(name), *cents)).collect())
    }

    #[test]
    fn one_booking_of_what_was_wished_is_right_however_often_it_was_asked_for() {
        assert_eq!(compare(operation(&["a", "a", "a"], 500), &[("a", 500)]), Bookings::default());
        assert_eq!(compare(operation(&["a"], 0), &[]), Bookings::default());
    }

    #[test]
    fn a_payout_that_was_paid_twice_or_against_its_end_is_told() {
        let compare = |believed: i64, paid: &[i64]| {
            let mut found = Payouts { paid: paid.iter().sum(), booked: -believed, ..Payouts::default() };
            found.take(believed, paid);
            (found.doubled, found.against_the_end, found.hold())
        };
        assert_eq!(compare(-500, &[500]), (0, 0, true));
        assert_eq!(compare(0, &[]), (0, 0, true));
        assert_eq!(compare(-500, &[500, 500]), (1, 0, false));
        assert_eq!(compare(-500, &[]), (0, 1, false));
        assert_eq!(compare(-500, &[400]), (0, 1, false));
        assert_eq!(compare(0, &[500]), (0, 1, false));
        let missing = Payouts { paid: 500, ..Payouts::default() };
        assert!(!missing.hold(), "something was paid that nobody asked for");
    }

    #[test]
    fn doubled_lost_and_unwanted_bookings_are_told_apart() {
        let doubled = Bookings { doubled: 1, wrong_cents: 1000, ..Bookings::default() };
        assert_eq!(compare(operation(&["a", "b", "c"], 500), &[("a", 500), ("b", 500), ("c", 500)]), doubled);
        let unwanted = Bookings { against_the_answer: 1, wrong_cents: 500, ..Bookings::default() };
        assert_eq!(compare(operation(&["a", "b"], 0), &[("a", 500)]), unwanted);
        assert_eq!(compare(operation(&["a"], 500), &[]), Bookings { lost: 1, ..Bookings::default() });
    }
}
