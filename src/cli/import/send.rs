//! This file sends the lines: those of many accounts at once, and the lines of each account in their order.
//!
//! The lines are given to workers by their account, so that one worker has all lines of an account, and sends each after the
//! answer to the one before it. The memory is bounded by the queues of the workers, however long the file is.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::client::sender::{self, Client};
use crate::domain::money::Money;

use super::bank_file::BankLines;
use super::bank_line::{BankLine, Reading, open_account};
use super::input::{self, Input};
use super::standing;
use super::tally::{LineFinding, Sent, Wrong, judge};

/// At most this many lines wait for a worker.
const QUEUE: usize = 256;

/// A plan says what to send, and how.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// These are the lines.
    pub(crate) input: Arc<Input>,
    /// This is how they are read.
    pub(crate) reading: Reading,
    /// This is how far below zero its accounts may go.
    pub(crate) overdraft_limit: Money,
    /// This is how many requests are under way at once.
    pub(crate) concurrency: usize,
    /// This says whether a line that does not fit is sent all the same.
    pub(crate) keep_going: bool,
}

/// A worker report is what a worker says about one line, one account or the whole work.
#[derive(Debug)]
pub(crate) enum WorkerReport {
    /// A line was answered.
    Line(Sent),
    /// An account could not be opened. Its lines are sent all the same, and have answers of their own.
    Account(LineFinding),
    /// The service could not be reached any more: the import can't go on.
    Lost(sender::Error),
    /// A line is not booked and does not fit the ledger.
    Misfit(LineFinding),
    /// The input could not be read any more.
    Unreadable(input::Error),
}

/// A `Sending` is a running import. It stops when it is dropped: what was sent stays booked, and is answered again in
/// the next run.
#[derive(Debug)]
pub(crate) struct Sending {
    told: mpsc::Receiver<WorkerReport>,
    _workers: JoinSet<()>,
}

impl Sending {
    /// Begins to send.
    #[must_use]
    pub(crate) fn begin(client: &Client, plan: Plan) -> Self {
        let (tell, told) = mpsc::channel(QUEUE);
        let mut workers = JoinSet::new();
        let mut queues = Vec::new();
        for _ in 0..plan.concurrency.max(1) {
            let (queue, lines) = mpsc::channel(QUEUE);
            queues.push(queue);
            let worker = Worker { client: client.clone(), plan: plan.clone(), tell: tell.clone() };
            workers.spawn(worker.work(lines));
        }
        workers.spawn_blocking(move || deal(&plan, &queues, &tell));
        Self { told, _workers: workers }
    }

    /// Waits for the next report; `None` when all lines are sent.
    pub(crate) async fn next(&mut self) -> Option<WorkerReport> {
        self.told.recv().await
    }
}

/// Reads the good lines and gives each to its account's worker. It ends early when nobody listens any more.
fn deal(plan: &Plan, queues: &[mpsc::Sender<BankLine>], tell: &mpsc::Sender<WorkerReport>) {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let lines = match BankLines::of(&plan.input, &plan.reading) {
        Ok(lines) => lines,
        Err(error) => return drop(tell.blocking_send(WorkerReport::Unreadable(error))),
    };
    for line in lines {
        let line = match line {
            Ok((_, Ok(line))) => line,
            Ok((_, Err(_))) => continue,
            Err(error) => return drop(tell.blocking_send(WorkerReport::Unreadable(error))),
        };
        let place = hasher.hash_one(&line.account) % (queues.len().max(1) as u64);
        let queue = usize::try_from(place).ok().and_then(|place| queues.get(place));
        if queue.is_none_or(|queue| queue.blocking_send(line).is_err()) {
            return;
        }
    }
}

struct Worker {
    client: Client,
    plan: Plan,
    tell: mpsc::Sender<WorkerReport>,
}

impl Worker {
    async fn work(self, mut lines: mpsc::Receiver<BankLine>) {
        let mut balances = HashMap::new();
        while let Some(line) = lines.recv().await {
            let told = match self.line(&line, &mut balances).await {
                Ok(told) => told,
                Err(error) => WorkerReport::Lost(error),
            };
            let over = matches!(told, WorkerReport::Lost(_));
            if self.tell.send(told).await.is_err() || over {
                return;
            }
        }
    }

    /// Sends a line, once it is sure that it fits. `balances` has what each account has in the ledger.
    async fn line(
        &self,
        line: &BankLine,
        balances: &mut HashMap<String, Option<Money>>,
    ) -> Result<WorkerReport, sender::Error> {
        let currency = self.plan.reading.currency;
        if !balances.contains_key(&line.account) {
            self.open(line).await?;
            let found = standing::balance(&self.client, &line.account, currency).await?;
            balances.insert(line.account.clone(), found);
        }
        let found = balances.get(&line.account).copied().flatten();
        if let Some(finding) = standing::misfit(&self.client, line, found).await?
            && !self.plan.keep_going
        {
            return Ok(WorkerReport::Misfit(finding));
        }
        let answer = self.client.send(&line.request()).await?;
        if answer.accepted() && !answer.replayed {
            let now = answer.json()["balance"].as_str().and_then(|balance| Money::read(balance, currency));
            balances.insert(line.account.clone(), now);
        }
        Ok(WorkerReport::Line(judge(line, &answer, currency)))
    }

    /// Opens the line's account. An account that somebody else has opened is used: the balances tell whether it is the right
    /// one. One that could not be opened is reported, and its lines have answers of their own.
    async fn open(&self, line: &BankLine) -> Result<(), sender::Error> {
        let request = open_account(&line.account, self.plan.reading.currency, self.plan.overdraft_limit);
        let answer = self.client.send(&request).await?;
        if answer.accepted() || answer.status == 409 {
            return Ok(());
        }
        let what = Wrong::NotOpened(answer.problem());
        // When nobody listens any more, the worker learns it with its next report.
        let _told_or_not =
            self.tell.send(WorkerReport::Account(LineFinding { line: line.number, what })).await;
        Ok(())
    }
}
