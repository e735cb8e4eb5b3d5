//! [`Trace`] is what has happened in a run: one hash over all of it, and the last steps in words.

use std::collections::VecDeque;
use std::time::Duration;

/// This is how many steps are kept to be shown.
const KEPT: usize = 60;

/// A `Trace` takes in the steps of a run.
#[derive(Debug)]
pub struct Trace {
    hash: u64,
    steps: u64,
    last: VecDeque<(Duration, &'static str, String)>,
    prints: bool,
}

impl Trace {
    /// Makes a trace. It prints every step when it is told to.
    #[must_use]
    pub fn new(prints: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, steps: 0, last: VecDeque::new(), prints }
    }

    /// Takes in a number that must be the same in every run of the seed.
    pub fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// Takes in bytes that must be the same in every run of the seed (FNV-1a).
    pub fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Takes in a step that is worth being shown.
    pub fn step(&mut self, at: Duration, what: &'static str, more: String) {
        self.steps += 1;
        self.bytes(what.as_bytes());
        self.bytes(more.as_bytes());
        if self.prints {
            println!("{:>12.6} {what} {more}", at.as_secs_f64());
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back((at, what, more));
    }

    /// Returns the hash of all that was taken in.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Returns the number of steps.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Returns the last steps, one a line.
    #[must_use]
    pub fn last(&self) -> String {
        let line = |(at, what, more): &(Duration, &str, String)| {
            format!("{:>12.6} {what} {more}\n", at.as_secs_f64())
        };
        self.last.iter().map(line).collect()
    }
}
