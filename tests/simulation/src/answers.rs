//! [`Answers`] are the first answers that clients got, and the commands that they asked for with them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use bookonce::answers::render;
use bookonce::domain::command::{Command, Operation};
use bookonce::domain::event::Event;
use bookonce::domain::refusal::Refusal;
use parking_lot::Mutex;

use crate::world::World;

/// A `First` is the first answer to an ID on an account.
#[derive(Clone)]
pub struct First {
    /// This is the answer's body.
    pub body: Vec<u8>,
    /// This is the command.
    pub command: Command,
    /// This is the instance that gave it, and in which of its lives.
    pub by: (usize, u64),
    /// This is when it was heard.
    pub at: Duration,
}

/// `Answers` are the first answers that clients got.
#[derive(Default)]
pub struct Answers(Mutex<BTreeMap<(String, String), First>>);

impl Answers {
    /// Takes in an answer. One that is not the first again, byte for byte, is wrong.
    pub fn hear(&self, world: &World, command: &Command, event: &Event, by: (usize, u64)) {
        let body = render(event).body;
        world.step("answer", format!("{} by {}: {}", command.id, by.0, String::from_utf8_lossy(&body)));
        let key = (command.stream.to_string(), command.id.to_string());
        match self.0.lock().entry(key) {
            Entry::Vacant(new) => {
                new.insert(First { body, command: command.clone(), by, at: world.time() });
            }
            Entry::Occupied(first) => {
                let first = first.get();
                if first.body != body {
                    world.wrong(format!(
                        "{} on {} was answered in two ways:\n{}\n{}",
                        command.id,
                        command.stream,
                        String::from_utf8_lossy(&first.body),
                        String::from_utf8_lossy(&body)
                    ));
                }
                if first.by.0 != by.0 {
                    world.mark("first answer from another instance");
                } else if first.by.1 != by.1 {
                    world.mark("first answer after a crash");
                }
            }
        }
    }

    /// Forgets the answers to what a restored journal does not have.
    pub fn forget(&self, is_known: impl Fn(&str, &str) -> bool) {
        self.0.lock().retain(|(stream, id), _| is_known(stream, id));
    }

    /// Says whether what a refusal denies was told to somebody before a moment: that the account is there, that the ID to be
    /// reversed was booked on it, that the hold to be captured was placed.
    pub fn belies(&self, command: &Command, refusal: &Refusal, before: Duration) -> bool {
        let stream = command.stream.to_string();
        let heard = self.0.lock();
        let on_it = |id: &str| heard.get(&(stream.clone(), id.to_owned())).filter(|first| first.at < before);
        match (refusal, &command.operation) {
            (Refusal::TransferNotFound, _) => {
                let id = command.stream.transfer().map(|id| id.to_string());
                id.is_some_and(|id| on_it(&id).is_some())
            }
            (Refusal::AccountNotFound, Operation::Transfer(_)) => {
                let sides = command.parties().into_iter().flat_map(|(from, to)| [Some(from), to]).flatten();
                let mut open = sides.map(|name| format!("account-{name}"));
                open.all(|side| heard.iter().any(|((of, _), first)| *of == side && first.at < before))
            }
            (Refusal::AccountNotFound, _) => {
                let from = (stream.clone(), String::new());
                heard
                    .range(from..)
                    .take_while(|((of, _), _)| *of == stream)
                    .any(|(_, first)| first.at < before)
            }
            (Refusal::TransactionNotFound, Operation::Reverse(asked)) => {
                on_it(&asked.reverses.to_string()).is_some()
            }
            (Refusal::HoldNotFound, Operation::Capture(asked)) => {
                let accepted = "\"kind\":\"hold\",\"outcome\":\"accepted\"";
                on_it(&asked.hold.to_string())
                    .is_some_and(|first| String::from_utf8_lossy(&first.body).contains(accepted))
            }
            _ => false,
        }
    }

    /// Returns all first answers, by stream and ID.
    pub fn all(&self) -> Vec<((String, String), First)> {
        self.0.lock().iter().map(|(key, first)| (key.clone(), first.clone())).collect()
    }
}
