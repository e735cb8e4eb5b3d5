//! These tests send any commands, retried and reused, in batches, at once, over restarts and failed commits. The
//! journal is checked line by line against a ledger that shares no code with this one.
//!
//! Catches: an ID check after the append (an ID booked twice), an index ahead of the state or behind it, state that a
//! failed commit leaves behind, an answer that is not in the journal, a replay that is not what happened.

#[path = "support/bodies.rs"]
mod bodies;
#[path = "support/faulty.rs"]
mod faulty;
#[path = "support/holds.rs"]
mod holds;
#[path = "support/model.rs"]
mod model;
mod support;
#[path = "support/transfers.rs"]
mod transfers;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use bodies::{IDS, bodies};
use bookonce::answers::render;
use bookonce::domain::command::{Command, Operation};
use bookonce::domain::decide::Refusal;
use bookonce::domain::ids::TransactionId;
use bookonce::domain::same::differences;
use bookonce::domain::time::system_clock;
use bookonce::domain::transfer::command::TransferOperation;
use bookonce::index::Tuning;
use bookonce::ledger::{Ledger, Unavailable, Verdict, Workings};
use bookonce::sagas::{self, Sagas};
use bookonce::store::codec;
use bookonce::store::eventstoredb::Patience;
use eventstore_standin::faults::Fault;
use faulty::{Fate, Faults};
use futures_util::future::join_all;
use model::Model;
use proptest::prelude::*;
use proptest::sample::select;
use support::*;

const SMALL: Tuning = Tuning {
    flush_at: 8,
    flush_after: Duration::from_millis(50),
    most_behind: 64,
    lowest: 8,
    fan_in: 2,
    rows_together: 8,
    parts_at_start: 64,
};

/// What a client asks; which one of two bodies its ID comes with.
type Asked = (usize, bool);

#[derive(Clone, Debug)]
enum Step {
    /// These batches, all at once, while the appends fare so.
    Round(Vec<Vec<Asked>>, Vec<Fate>),
    /// Stop and start; without the index, if so.
    Restart(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let asked = (0..IDS as usize, proptest::bool::weighted(0.1));
    let batches = proptest::collection::vec(proptest::collection::vec(asked, 1..6), 1..10);
    let fates = [Fate::Full, Fate::NotWritten, Fate::LostUnwritten, Fate::LostWritten];
    let fate = prop_oneof![6 => Just(Fate::Lands), 1 => select(fates.to_vec()), 2 => Just(Fate::Full)];
    prop_oneof![
        8 => (batches, proptest::collection::vec(fate, 0..4)).prop_map(|(batches, fates)| Step::Round(batches, fates)),
        1 => any::<bool>().prop_map(Step::Restart),
    ]
}

struct Storm<'a> {
    data: &'a Path,
    bodies: &'a [[Command; 2]],
    faults: Faults,
    ledger: Option<Ledger>,
    model: Model,
    /// The first answer that anybody got for an ID.
    answers: HashMap<String, Vec<u8>>,
}

impl Storm<'_> {
    fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().unwrap()
    }

    fn open(&mut self) {
        if store::is_eventstoredb() {
            let connection = store::with_standin(self.data, |node| node.connection_string());
            let options = options(self.data, system_clock());
            let patience = Patience { append: Duration::from_millis(250), ..Patience::default() };
            self.ledger = Some(store::over_with(options, &connection, SMALL, patience).unwrap());
            return;
        }
        let around = self.faults.clone();
        let appends = Box::new(move |inner| around.around(inner));
        let workings = Workings { appends, index: SMALL, ..Workings::default() };
        self.ledger = Some(Ledger::open_with(options(self.data, system_clock()), workings).unwrap());
    }

    /// What becomes of the next appends.
    fn plan(&self, fates: &[Fate]) {
        if !store::is_eventstoredb() {
            return self.faults.plan(fates.iter().copied());
        }
        store::with_standin(self.data, |node| {
            node.faults().forget_planted();
            for (after, fate) in fates.iter().enumerate() {
                let fault = match fate {
                    Fate::Lands => Fault::NoPosition,
                    Fate::Full => Fault::Timeout,
                    Fate::NotWritten => Fault::CutBefore,
                    Fate::LostUnwritten => Fault::LostRequest,
                    Fate::LostWritten => Fault::LostAnswer,
                };
                node.faults().plant(after as u64, fault);
            }
        });
    }

    async fn restart(&mut self, without_index: bool) {
        store::stop(self.ledger());
        self.ledger = None;
        if without_index {
            std::fs::remove_dir_all(self.data.join("index")).unwrap();
        }
        self.open();
        self.read_on().await;
        assert_eq!(self.ledger().digest(None).await.unwrap().1, self.model.digest());
    }

    /// Reads what is new in the journal into the model, which judges it.
    async fn read_on(&mut self) {
        let lines = self.ledger().lines(self.model.position, 100_000).await.unwrap();
        for line in String::from_utf8(lines).unwrap().lines() {
            self.model.line(line);
        }
        // Of an append that has no callers, such as a driver's, the journal and the index know before the head does.
        let reached = || self.ledger().head().position >= self.model.position;
        store::apart(|| store::until("the head is where the journal ends", reached));
        assert_eq!(
            self.model.position,
            self.ledger().head().position,
            "the journal ends where the head says"
        );
    }

    async fn round(&mut self, batches: &[Vec<Asked>], fates: &[Fate]) {
        self.plan(fates);
        let before = self.model.clone();
        let commands: Vec<Vec<Command>> = batches
            .iter()
            .map(|batch| {
                batch.iter().map(|(at, other)| self.bodies[*at][usize::from(*other)].clone()).collect()
            })
            .collect();
        let ledger = self.ledger().clone();
        let sent = commands.iter().map(|batch| {
            let (ledger, batch) = (ledger.clone(), batch.clone());
            tokio::spawn(async move { ledger.execute(batch).await })
        });
        let outcomes: Vec<_> = join_all(sent).await.into_iter().map(Result::unwrap).collect();
        self.plan(&[]);
        let told = |why: Unavailable| outcomes.iter().any(|outcome| was_told(outcome, why));
        let unknown = told(Unavailable::OutcomeUnknown);
        if store::is_eventstoredb() {
            // The ledger finds out by itself what became of an append.
            store::apart(|| store::until("all is settled", || ledger.status().unresolved_appends == 0));
            self.read_on().await;
        } else if unknown || told(Unavailable::StoreUnavailable) {
            drop(ledger);
            self.restart(false).await;
        } else {
            self.read_on().await;
        }
        self.drive().await;
        self.judge(&before, &commands, &outcomes, unknown);
        let (position, digest) = self.ledger().digest(None).await.unwrap();
        assert_eq!((position, digest), (self.model.position, self.model.digest()), "live state and replay");
        assert!(self.ledger().trial_balance(None).await.unwrap().balanced());
    }

    /// Lets drivers take up the transfers that are open, and waits until all have ended. Over EventStoreDB they would wait for
    /// seconds before, so that transfers stay open there.
    async fn drive(&mut self) {
        let ledger = self.ledger().clone();
        if store::is_eventstoredb()
            || ledger.open_transfers_that(|open| Some(open.id)).await.unwrap().is_empty()
        {
            return;
        }
        let sagas = Sagas::new(ledger.clone());
        sagas::start(&sagas);
        while !ledger.open_transfers_that(|open| Some(open.id)).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        drop((sagas, ledger));
        self.read_on().await;
    }

    /// Is every verdict what the journal says, and is nothing in the journal that nobody asked or that failed?
    fn judge(
        &mut self,
        before: &Model,
        commands: &[Vec<Command>],
        outcomes: &[Result<Vec<Verdict>, Unavailable>],
        unknown: bool,
    ) {
        let mut told: HashSet<String> = HashSet::new();
        let mut booked: HashSet<String> = HashSet::new();
        for (batch, outcome) in commands.iter().zip(outcomes) {
            let Ok(verdicts) = outcome else { continue };
            assert_eq!(batch.len(), verdicts.len());
            for (command, verdict) in batch.iter().zip(verdicts) {
                let id = command.id.to_string();
                match verdict {
                    Verdict::Booked(event, at) | Verdict::Replayed(event, at) => {
                        let (_, line) =
                            self.model.first.get(&id).expect("an answer that is not in the journal");
                        let kept = codec::decode(line.as_bytes()).unwrap();
                        assert_eq!(render(event).body, render(&kept.event).body, "not as the journal has it");
                        assert!(kept.position <= *at, "not yet durable at the position that was told");
                        let first = self.answers.entry(id.clone()).or_insert_with(|| render(event).body);
                        assert_eq!(*first, render(event).body, "another answer than the first");
                        if let Verdict::Booked(event, _) = verdict {
                            assert!(booked.insert(id.clone()), "{id} was told twice that it was the first");
                            assert!(!before.first.contains_key(&id), "{id} was booked before");
                            assert_eq!(differences(event, command), [], "booked as another request");
                        }
                        told.insert(id);
                    }
                    Verdict::Reused { differences: found, first } => {
                        let (_, line) = self.model.first.get(&id).expect("the first is not in the journal");
                        let kept = codec::decode(line.as_bytes()).unwrap();
                        assert_eq!(render(first).body, render(&kept.event).body, "not as the journal has it");
                        assert_eq!(*found, differences(first, command), "not in what they differ");
                        told.insert(id);
                    }
                    Verdict::Refused(refusal) => self.refused(before, command, refusal),
                    // On EventStoreDB each account has a clerk of its own, and an ID that another has in hand waits.
                    Verdict::Unavailable(why) => assert!(store::is_eventstoredb(), "{why:?} for one alone"),
                }
            }
        }
        for (id, (_, line)) in &self.model.first {
            // The steps of transfers are the service's own.
            if !before.first.contains_key(id) && !unknown && !id.contains(':') {
                assert!(told.contains(id), "in the journal, but its caller was told that it failed: {line}");
            }
        }
    }

    fn refused(&self, before: &Model, command: &Command, refusal: &Refusal) {
        if let Operation::Transfer(asked) = &command.operation {
            assert!(
                !before.first.contains_key(&command.id.to_string()),
                "an ID that has an answer was refused"
            );
            return refused_transfer(before, command, asked, refusal);
        }
        let (id, account) = (command.id.to_string(), command.stream.account().unwrap().as_str());
        assert!(!before.first.contains_key(&id), "an ID that has an answer was refused");
        match refusal {
            Refusal::AccountNotFound => assert!(!before.accounts.contains_key(account), "{account} is there"),
            Refusal::AccountExists => {
                assert!(self.model.accounts.contains_key(account), "{account} is not there")
            }
            Refusal::HoldNotFound => {
                let hold = command.operation.settles().expect("a hold that is named").to_string();
                let is_open = |account: &model::Account| account.holds.keys().any(|(_, open)| *open == hold);
                let was_open = before.accounts.get(account).is_some_and(is_open);
                assert!(!was_open, "{hold} was open on {account}: {command:?}");
            }
            Refusal::NotDue
            | Refusal::CreditDecided(_)
            | Refusal::HoldDeclined(_)
            | Refusal::TransferNotFound
            | Refusal::Stale
            | Refusal::NothingNew
            | Refusal::Destination(_)
            | Refusal::LetterExists => panic!("{command:?} is not what clients ask here"),
            Refusal::TransactionNotFound => match &command.operation {
                Operation::Reverse(asked) => {
                    assert!(!before.knows(account, &asked.reverses.to_string()));
                }
                Operation::Correct(asked) => {
                    let unbooked = |id: &TransactionId| !before.first.contains_key(&id.to_string());
                    assert!(asked.corrects.iter().any(unbooked), "all was booked: {command:?}");
                }
                _ => panic!("{command:?}"),
            },
            Refusal::AccountChanged { revision } => {
                let Operation::Correct(asked) = &command.operation else { panic!("{command:?}") };
                assert_ne!(asked.change.expected_revision(), Some(*revision));
                assert!(before.accounts.get(account).is_none_or(|account| account.events() <= *revision + 1));
                assert!(self.model.accounts[account].events() > *revision, "there is no such revision");
            }
            Refusal::Invalid { field, .. } => match &command.operation {
                Operation::Reverse(asked) => {
                    assert_eq!((*field, command.id), ("reverses", asked.reverses.into()));
                }
                Operation::Capture(_) | Operation::Release(_) => {
                    assert_eq!((*field, Some(command.id)), ("hold", command.operation.settles()));
                }
                Operation::Correct(asked) => {
                    let own = asked.corrects.iter().any(|id| command.id == *id);
                    let named = if own { "corrects" } else { "balance" };
                    assert_eq!(*field, named, "{command:?}");
                }
                _ => panic!("{command:?}"),
            },
        }
    }
}

fn refused_transfer(before: &Model, command: &Command, asked: &TransferOperation, refusal: &Refusal) {
    let is_there = |account: &str| before.accounts.contains_key(account);
    match (refusal, asked) {
        (Refusal::AccountNotFound, TransferOperation::Request(asked)) => {
            assert!(
                !is_there(asked.from.as_str()) || !is_there(asked.to.as_str()),
                "both are there: {asked:?}"
            );
        }
        (Refusal::Invalid { .. }, TransferOperation::Request(asked)) => {
            assert_eq!(asked.from.as_str(), asked.to.as_str());
        }
        (Refusal::TransferNotFound, TransferOperation::Cancel(_)) => {
            let of = command.stream.transfer().unwrap().to_string();
            assert!(!before.transfers.0.contains_key(&of), "{of} is there");
        }
        _ => panic!("{command:?}: {refusal:?}"),
    }
}

fn was_told(outcome: &Result<Vec<Verdict>, Unavailable>, why: Unavailable) -> bool {
    match outcome {
        Err(all) => *all == why,
        Ok(verdicts) => verdicts.iter().any(|one| matches!(one, Verdict::Unavailable(one) if *one == why)),
    }
}

fn weather(bodies: &[[Command; 2]], steps: &[Step]) {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut storm = Storm {
            data: dir.path(),
            bodies,
            faults: Faults::default(),
            ledger: None,
            model: Model::new(store::is_eventstoredb()),
            answers: HashMap::new(),
        };
        storm.open();
        for step in steps {
            match step {
                Step::Round(batches, fates) => storm.round(batches, fates).await,
                Step::Restart(without_index) => storm.restart(*without_index).await,
            }
        }
        // Everything again, in calm weather: each ID is answered once more, or booked for the first time.
        let everything: Vec<Vec<Asked>> = (0..IDS as usize).map(|at| vec![(at, false)]).collect();
        storm.round(&everything, &[]).await;
        storm.restart(true).await;
        storm.round(&everything, &[]).await;
        store::stop(storm.ledger());
    });
}

proptest! {
    #![proptest_config(ProptestConfig {
        // Each fault of a store behind a network costs a moment.
        cases: if store::is_eventstoredb() { 16 } else { 60 },
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_each_id_is_booked_once_and_the_books_are_right(
        bodies in bodies(),
        steps in proptest::collection::vec(step(), 1..12),
    ) {
        weather(&bodies, &steps);
    }
}
