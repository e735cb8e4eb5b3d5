//! A teller is one client of the storm: it asks for operations, and keeps what it believes was done.

use std::time::{Duration, Instant};

use crate::client::ids::derive;
use crate::client::policy::{self, Policy};
use crate::client::random::Draws;
use crate::client::request::{CorrectionBody, MoveBody, Request, TransferBody};
use crate::client::sender::{Answer, Client};
use crate::domain::ids::TransactionId;
use crate::domain::money::Direction;

use super::cents;
use super::till;

/// A payout may take so many seconds, so that in a short storm deadlines pass, too.
const PAYOUT_SECONDS: u32 = 4;

/// This is the name of operations that pay money out.
pub(crate) const PAYOUT: &str = "payout";

/// A habit says how a client repeats a request that it got no answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// The client repeats the request under the ID of the first attempt.
    SameId,
    /// The client repeats the request under a fresh ID, as if IDs were not known.
    FreshId,
}

/// An operation is something that should be done once, with what its client believes of it.
#[derive(Debug)]
pub(crate) struct Operation {
    /// This is the name of its kind, for a person.
    pub(crate) what: &'static str,
    /// This is the account.
    pub(crate) account: usize,
    /// This is the account to which a transfer moves money: its balance changes by as much the other way.
    pub(crate) other: Option<usize>,
    /// These are the IDs of its attempts.
    pub(crate) ids: Vec<TransactionId>,
    /// This is what the client believes the account's balance changed by, in cents; 0 when it was told no.
    pub(crate) believed: i64,
    /// This is the request and its first answer; `None` when no answer ever came.
    pub(crate) told: Option<(Request, Answer)>,
}

impl Operation {
    /// Gives what the client believes the balance of this account changed by, in cents.
    pub(crate) fn believed_of(&self, account: usize) -> i64 {
        let [own, other] = [Some(self.account), self.other].map(|one| i64::from(one == Some(account)));
        self.believed * (own - other)
    }
}

/// A booked movement is an earlier deposit or withdrawal that can be reversed.
struct Booked {
    id: TransactionId,
    account: usize,
    sign: i64,
    left: i64,
}

/// A teller is a client with a memory.
pub(crate) struct Teller {
    /// This is how it repeats a request.
    pub(crate) habit: Habit,
    /// This is its number, from 0.
    pub(crate) number: usize,
    /// This is how it reaches the service.
    pub(crate) client: Client,
    /// This is how patient it is.
    pub(crate) policy: Policy,
    /// These are the numbers that it draws its operations from.
    pub(crate) draws: Draws,
    /// The accounts' names.
    pub(crate) accounts: std::sync::Arc<Vec<String>>,
    /// This is what it has asked for so far.
    pub(crate) operations: Vec<Operation>,
    booked: Vec<Booked>,
}

impl Teller {
    /// Makes a client that has done nothing yet.
    #[must_use]
    pub(crate) fn new(
        habit: Habit,
        number: usize,
        client: Client,
        policy: Policy,
        seed: u64,
        accounts: std::sync::Arc<Vec<String>>,
    ) -> Self {
        let draws = Draws::new(seed.wrapping_add(number as u64));
        Self { habit, number, client, policy, draws, accounts, operations: Vec::new(), booked: Vec::new() }
    }

    /// Asks for one thing after the other until the time has come.
    pub(crate) async fn work(mut self, until: Instant) -> Vec<Operation> {
        while Instant::now() < until {
            let account = usize::try_from(self.draws.below(self.accounts.len() as u64)).unwrap_or(0);
            match self.draws.below(100) {
                0..7 => self.transfer(account).await,
                7..10 => self.payout(account).await,
                10..45 => self.move_money(account, Direction::Debit).await,
                45..78 => self.move_money(account, Direction::Credit).await,
                78..86 => self.take_back(false).await,
                86..92 => self.take_back(true).await,
                92..95 => self.correct(account).await,
                95..97 => self.hold_and_capture(account).await,
                _ => self.prevent(account).await,
            }
            tokio::time::sleep(Duration::from_millis(2 + self.draws.below(20))).await;
        }
        self.operations
    }

    fn name(&self, account: usize) -> String {
        self.accounts.get(account).cloned().unwrap_or_default()
    }

    /// Derives the ID of an attempt at an operation: it is the same in every run with this seed.
    fn id(&self, operation: usize, attempt: usize) -> TransactionId {
        let (number, seed) = (self.number, self.draws.seed());
        derive("demo", &format!("{seed} {number} {operation} {attempt}"))
    }

    async fn move_money(&mut self, account: usize, direction: Direction) {
        let (what, sign) = match direction {
            Direction::Credit => ("deposit", 1),
            Direction::Debit => ("withdrawal", -1),
        };
        let amount = i64::try_from(100 + self.draws.below(9_900)).unwrap_or(100);
        let text = cents::write(amount);
        let asked = MoveBody { amount: &text, ..MoveBody::default() };
        let request =
            Request::moved(self.id(self.operations.len(), 0), &self.name(account), direction, &asked);
        let booked = self.ask(what, account, request, sign * amount).await;
        if let Some(id) = booked {
            self.booked.push(Booked { id, account, sign, left: amount });
        }
    }

    /// Reverses one of its own earlier movements, whole or in part.
    async fn take_back(&mut self, part: bool) {
        let place = usize::try_from(self.draws.below(self.booked.len() as u64)).unwrap_or(0);
        let Some(&Booked { id, account, sign, left }) = self.booked.get(place) else { return };
        let amount = if part { (left / 3).max(1) } else { left };
        if left == 0 || (part && left < 2) {
            return;
        }
        let text = cents::write(amount);
        let what = if part { "partial reversal" } else { "reversal" };
        let named = part.then_some(text.as_str());
        let own = self.id(self.operations.len(), 0);
        let request = Request::reverse(own, &self.name(account), id, named, "taken back");
        if self.ask(what, account, request, -sign * amount).await.is_some()
            && let Some(booked) = self.booked.get_mut(place)
        {
            booked.left -= amount;
        }
    }

    /// Looks at an account, and corrects its balance as it saw it. Where another client has booked something since, that is
    /// refused, and nothing is corrected away.
    async fn correct(&mut self, account: usize) {
        let more = i64::try_from(1 + self.draws.below(2_000)).unwrap_or(1);
        let Ok(seen) = self.client.look(&format!("/v1/accounts/{}", self.name(account))).await else {
            return;
        };
        let seen = seen.json();
        let balance = seen["balance"].as_str().and_then(cents::read);
        let (Some(balance), Some(expected_revision)) = (balance, seen["revision"].as_u64()) else { return };
        let balance = cents::write(balance + more);
        let asked = CorrectionBody { balance: &balance, expected_revision, reason: "counted again" };
        let own = self.id(self.operations.len(), 0);
        let request = Request::correct(own, &self.name(account), &asked);
        self.ask("correction", account, request, more).await;
    }

    /// Moves money to another account, and waits for the end.
    async fn transfer(&mut self, account: usize) {
        let others = self.accounts.len().saturating_sub(1) as u64;
        let step = usize::try_from(self.draws.below(others)).unwrap_or(0) + 1;
        let other = (account + step) % self.accounts.len().max(1);
        let amount = i64::try_from(100 + self.draws.below(9_900)).unwrap_or(100);
        let text = cents::write(amount);
        let (from, to) = (self.name(account), self.name(other));
        let asked = TransferBody { from: &from, to: &to, amount: &text, timeout_seconds: None };
        let request = Request::transfer(self.id(self.operations.len(), 0), &asked);
        if let Some(id) = self.ask("transfer", account, request, -amount).await {
            self.follow(id, Some(other)).await;
        }
    }

    /// Pays money out through one of the providers, and waits for the end.
    async fn payout(&mut self, account: usize) {
        let amount = i64::try_from(100 + self.draws.below(9_900)).unwrap_or(100);
        let text = cents::write(amount);
        let [atm, bank] = till::NAMES;
        let to = if self.draws.below(2) == 0 { atm } else { bank };
        let (from, timeout_seconds) = (self.name(account), Some(PAYOUT_SECONDS));
        let asked = TransferBody { from: &from, to, amount: &text, timeout_seconds };
        let request = Request::transfer(self.id(self.operations.len(), 0), &asked);
        if let Some(id) = self.ask(PAYOUT, account, request, -amount).await {
            self.follow(id, None).await;
        }
    }

    /// Waits for the end of the transfer that it asked for last, and notes what it makes the client believe.
    async fn follow(&mut self, id: TransactionId, other: Option<usize>) {
        let end = self.end_of(id).await;
        let Some(operation) = self.operations.last_mut() else { return };
        operation.other = other;
        match end.as_deref() {
            Some("completed") => {}
            Some(_) => operation.believed = 0,
            // Nobody told how it ended.
            None => (operation.believed, operation.told) = (0, None),
        }
    }

    /// Asks for the state of a transfer until that is an end; `None` when its patience is over before.
    async fn end_of(&self, id: TransactionId) -> Option<String> {
        let begun = Instant::now();
        let pause = Duration::from_millis(50);
        while self.policy.goes_on(begun.elapsed(), pause) {
            // An instance that did not record it may not know of it yet.
            if let Ok(answer) = self.client.look(&format!("/v1/transfers/{id}")).await {
                let transfer = answer.json();
                if transfer["ended_at"].is_string() {
                    return transfer["state"].as_str().map(str::to_owned);
                }
            }
            tokio::time::sleep(pause).await;
        }
        None
    }

    /// Sets money aside, and takes a part of it.
    async fn hold_and_capture(&mut self, account: usize) {
        let amount = i64::try_from(200 + self.draws.below(9_800)).unwrap_or(200);
        let name = self.name(account);
        let own = self.id(self.operations.len(), 0);
        let request = Request::hold(own, &name, &cents::write(amount), 3_600);
        let Some(hold) = self.ask("hold", account, request, 0).await else { return };
        let part = amount / 2;
        let own = self.id(self.operations.len(), 0);
        let request = Request::capture(own, &name, hold, &cents::write(part));
        self.ask("capture", account, request, -part).await;
    }

    /// Rules a withdrawal out before it comes, and then lets it come.
    async fn prevent(&mut self, account: usize) {
        let (own, coming) = (self.id(self.operations.len(), 0), self.id(self.operations.len() + 1, 0));
        let request = Request::reverse(own, &self.name(account), coming, None, "called off");
        self.ask("calling off", account, request, 0).await;
        let asked = MoveBody { amount: "20.00", ..MoveBody::default() };
        let late = Request::moved(coming, &self.name(account), Direction::Debit, &asked);
        self.ask("withdrawal called off", account, late, -2_000).await;
    }

    /// Asks until there is an answer, and notes what it makes the client believe. Gives the ID that was booked.
    async fn ask(
        &mut self,
        what: &'static str,
        account: usize,
        request: Request,
        effect: i64,
    ) -> Option<TransactionId> {
        let operation = self.operations.len();
        let mut ids = vec![request.id];
        let begun = Instant::now();
        let told = loop {
            let request = request.under(*ids.last().unwrap_or(&request.id));
            let mut asked = None;
            if let Ok((answer, retry_after)) = self.client.attempt(&request).await {
                let code = answer.json()["code"].as_str().map(str::to_owned);
                if policy::is_final(answer.status, code.as_deref()) {
                    break Some((request, answer));
                }
                asked = retry_after;
            }
            let attempt = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            let delay = self.policy.delay(attempt, asked, self.draws.next());
            if !self.policy.goes_on(begun.elapsed(), delay) {
                break None;
            }
            tokio::time::sleep(delay).await;
            ids.push(match self.habit {
                Habit::SameId => request.id,
                Habit::FreshId => self.id(operation, ids.len()),
            });
        };
        let booked = told.as_ref().filter(|(_, answer)| answer.accepted()).map(|(request, _)| request.id);
        let believed = if booked.is_some() { effect } else { 0 };
        self.operations.push(Operation { what, account, other: None, ids, believed, told });
        booked
    }
}
