//! The scenario is single commands and batches on three accounts, from two instances in turn, so that one decides on
//! what the other has made out of date. The judge beside it looks at all that comes of it.

use std::collections::HashMap;
use std::sync::Arc;

use bookonce::domain::command::Command;
use bookonce::ledger::{Ledger, Verdict};

use crate::instances::{Hurry, body, insist, instance, stop, until};
use crate::model::Model;
use crate::support::*;
use eventstore_standin::{Options, Running, Standin};

/// Who sends, and what.
pub type Step = (usize, Vec<Command>);

pub fn steps() -> Vec<Step> {
    vec![
        (0, vec![open(1, "a")]),
        (1, vec![open(2, "b")]),
        (0, vec![deposit(3, "a", "100.00"), deposit(4, "b", "50.00")]),
        (1, vec![withdraw(5, "a", "30.00")]),
        (0, vec![withdraw(6, "a", "500.00")]),
        (
            1,
            vec![
                deposit(7, "b", "2.00"),
                withdraw(8, "b", "10.00"),
                open(9, "c"),
                deposit(10, "c", "5.00"),
                reverse(11, "a", 5, Some("10.00"), false),
            ],
        ),
        (0, vec![reverse(12, "a", 3, None, false)]),
        (1, vec![freeze(13, "a")]),
        (0, vec![withdraw(14, "a", "1.00")]),
        (0, vec![deposit(3, "a", "100.00"), deposit(15, "c", "1.00"), deposit(16, "c", "2.00")]),
        (1, vec![reverse(17, "c", 18, None, false), withdraw(6, "a", "500.00")]),
        (0, vec![deposit(18, "c", "7.00"), unfreeze(19, "a")]),
    ]
}

/// Two instances over a node of their own.
pub struct Pair {
    pub node: Running,
    pub ledgers: [Ledger; 2],
    /// The first answer that anybody got for an ID.
    answers: HashMap<String, String>,
    _folders: [tempfile::TempDir; 2],
}

impl Pair {
    pub async fn start(hurry: Hurry) -> Self {
        let node = Standin::start(Options::default()).unwrap();
        node.faults().record();
        let connection = node.connection_string();
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let one = instance(&connection, folders[0].path(), hurry).await;
        let two = instance(&connection, folders[1].path(), hurry).await;
        Self { node, ledgers: [one, two], answers: HashMap::new(), _folders: folders }
    }

    /// Sends a step's commands together; whose they are stands in their events.
    pub async fn send(&mut self, step: &Step) -> Vec<Verdict> {
        let (at, commands) = sent(step);
        let verdicts = self.ledgers[at].execute(commands.clone()).await.unwrap();
        for (command, verdict) in commands.iter().zip(&verdicts) {
            self.note(command, verdict);
        }
        verdicts
    }

    /// An answer must be the first one again.
    pub fn note(&mut self, command: &Command, verdict: &Verdict) {
        let id = command.id.to_string();
        if let Some(body) = body(verdict) {
            let first = self.answers.entry(id).or_insert_with(|| body.clone());
            assert_eq!(*first, body, "another answer than the first");
        } else {
            assert!(matches!(verdict, Verdict::Unavailable(_)), "{command:?}: {verdict:?}");
        }
    }

    pub async fn insist(&mut self, step: &Step) {
        let (at, commands) = sent(step);
        for command in &commands {
            let verdict = insist(&self.ledgers[at], command).await;
            self.note(command, &verdict);
        }
    }

    /// Is the ID in the journal, though nobody was ever told so?
    pub async fn has_untold(&self, command: &Command) -> bool {
        if self.answers.contains_key(&command.id.to_string()) {
            return false;
        }
        let lines = self.ledgers[1].lines(0, 1_000).await.unwrap();
        let id = format!(r#""transaction_id":"{}""#, command.id);
        String::from_utf8(lines).unwrap().contains(&id)
    }

    /// Every ID's retry gets its first answer from both; the journal is what a model says it must be, and both agree with it.
    pub async fn judge(mut self, restarted: bool) {
        for (_, commands) in steps() {
            for command in commands {
                for ledger in self.ledgers.clone() {
                    let verdict = insist(&ledger, &command).await;
                    assert!(matches!(verdict, Verdict::Replayed(..)), "{command:?}: {verdict:?}");
                    self.note(&command, &verdict);
                }
            }
        }
        let mut model = Model::new(true);
        let lines = self.ledgers[0].lines(0, 10_000).await.unwrap();
        String::from_utf8(lines).unwrap().lines().for_each(|line| model.line(line));
        assert_eq!(model.first.len(), 19, "one event an ID");
        for (id, (_, line)) in &model.first {
            let event = bookonce::store::codec::decode(line.as_bytes()).unwrap().event;
            let answer = String::from_utf8(bookonce::answers::render(&event).body).unwrap();
            assert_eq!(self.answers[id], answer, "another answer than the journal's");
        }
        for ledger in self.ledgers.clone() {
            until("the index has it all", || ledger.head().position == model.position).await;
            assert_eq!(ledger.digest(None).await.unwrap(), (model.position, model.digest()));
            assert!(ledger.trial_balance(None).await.unwrap().balanced());
            assert_eq!((ledger.status().unresolved_appends, ledger.status().damaged_accounts), (0, 0));
            stop(ledger).await;
        }
        if !restarted {
            self.the_same_bytes_are_sent_until_the_revision_is_occupied();
        }
    }

    /// Whatever an instance has proposed for a revision is what it proposes there again, until something is there: then it
    /// goes on behind it.
    pub fn the_same_bytes_are_sent_until_the_revision_is_occupied(&self) {
        let mut proposed: HashMap<(String, String, bool), Vec<uuid::Uuid>> = HashMap::new();
        for attempt in self.node.faults().attempts() {
            let by_one = attempt.metadata_says(r#""instance-1""#);
            let key = (attempt.stream.clone(), attempt.expected.clone(), by_one);
            let first = proposed.entry(key).or_insert_with(|| attempt.ids.clone());
            assert_eq!(*first, attempt.ids, "something else at {} of {}", attempt.expected, attempt.stream);
        }
    }
}

/// A step's commands, with the name of the instance that they are sent to.
pub fn sent((at, commands): &Step) -> Step {
    let mut commands = commands.clone();
    commands.iter_mut().for_each(|command| command.origin.actor = Arc::from(format!("instance-{at}")));
    (*at, commands)
}
