//! Sending: many accounts are sent for at once, and the lines of each account in their order.
//!
//! The lines are given to workers by their account, so that one worker has all lines of an account, and sends each after the
//! answer to the one before it. The memory is bounded by the queues of the workers, however long the file is.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::path::PathBuf;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::client::sender::{self, Client};
use crate::domain::currency::Currency;
use crate::domain::money::Money;

use super::bank_file::{self, BankLines};
use super::bank_line::{BankLine, open_account};
use super::tally::{LineFinding, Sent, Wrong, judge};

/// At most this many lines wait for a worker.
const QUEUE: usize = 256;

/// A plan says what to send, and how.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The file.
    pub(crate) file: PathBuf,
    /// The currency of all its accounts.
    pub(crate) currency: Currency,
    /// How far below zero its accounts may go.
    pub(crate) overdraft_limit: Money,
    /// How many requests are under way at once.
    pub(crate) concurrency: usize,
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
    /// The file could not be read any more.
    Unreadable(bank_file::Error),
}

/// A running import. It stops when it is dropped: what was sent stays booked, and is answered again in the next run.
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
    let lines = match BankLines::open(&plan.file, plan.currency) {
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
        let mut opened = HashSet::new();
        while let Some(line) = lines.recv().await {
            if opened.insert(line.account.clone()) && !self.open(&line).await {
                return;
            }
            let told = match self.client.send(&line.request()).await {
                Ok(answer) => WorkerReport::Line(judge(&line, &answer, self.plan.currency)),
                Err(error) => WorkerReport::Lost(error),
            };
            if self.tell.send(told).await.is_err() {
                return;
            }
        }
    }

    /// Opens the line's account. An account that somebody else has opened is used: the balances tell whether it is the right
    /// one. Gives `false` when the work is over.
    async fn open(&self, line: &BankLine) -> bool {
        let request = open_account(&line.account, self.plan.currency, self.plan.overdraft_limit);
        let told = match self.client.send(&request).await {
            Ok(answer) if answer.accepted() || answer.status == 409 => return true,
            Ok(answer) => WorkerReport::Account(LineFinding {
                line: line.number,
                what: Wrong::NotOpened(answer.problem()),
            }),
            Err(error) => WorkerReport::Lost(error),
        };
        self.tell.send(told).await.is_ok()
    }
}
