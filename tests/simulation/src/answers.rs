//! [`Answers`] are the first answers that clients got, and the commands that they asked for with them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bookonce::answers::render;
use bookonce::domain::command::Command;
use bookonce::domain::event::Event;
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
                new.insert(First { body, command: command.clone(), by });
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

    /// Returns all first answers, by stream and ID.
    pub fn all(&self) -> Vec<((String, String), First)> {
        self.0.lock().iter().map(|(key, first)| (key.clone(), first.clone())).collect()
    }
}
