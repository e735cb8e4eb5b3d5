//! Every order of a few happenings, and long random ones: from each place that is reached the receiver gets well, and nothing
//! is lost, nothing is out of order, and nothing that may go once went twice.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use bookonce::domain::delivery::flow::Next;
use bookonce::domain::delivery::terms::{Guarantee, Order};

use crate::world::{ANSWERS, Answer, Fate, World};

/// This is how many things happen before the receiver gets well.
const DEPTH: usize = 8;

const GUARANTEES: [Guarantee; 2] = [Guarantee::AtMostOnce, Guarantee::AtLeastOnce];
const ORDERS: [Order; 3] = [Order::Account, Order::Journal, Order::None];

#[derive(Clone, Copy, Debug)]
enum Happening {
    Acts(Fate),
    Records(Fate),
    Finds,
    Answers(u64, Answer),
    TimePasses,
    Killed,
    Books(&'static str),
}

fn possible(world: &World) -> Vec<Happening> {
    let mut all = vec![Happening::Killed];
    all.extend([Fate::Told, Fate::Killed, Fate::NotDurable].map(Happening::Acts));
    if world.recording.is_some() {
        all.extend([Fate::Told, Fate::Killed, Fate::NotDurable].map(Happening::Records));
    }
    if !world.reading.is_empty() {
        all.push(Happening::Finds);
    }
    for position in &world.under_way {
        all.extend(ANSWERS.map(|answer| Happening::Answers(*position, answer)));
    }
    if world.journal.len() < 5 {
        all.push(Happening::Books("alice"));
    }
    all
}

fn happens(world: &mut World, happening: Happening) {
    match happening {
        Happening::Acts(fate) => {
            if let Next::Wait(Some(until)) = world.step(fate) {
                world.tick = world.tick.max(until);
            }
        }
        Happening::Records(fate) => world.records(fate),
        Happening::Finds => world.finds(),
        Happening::Answers(position, answer) => world.answers(position, answer),
        Happening::TimePasses => world.tick += 6_000,
        Happening::Killed => world.restart(),
        Happening::Books(account) => {
            world.books(account);
        }
    }
}

fn place(world: &World) -> u64 {
    let mut hash = DefaultHasher::new();
    let shown = format!("{:?} {:?} {:?} {:?}", world.state, world.flow, world.under_way, world.arrived);
    let shown = format!("{shown} {:?} {:?}", world.reading, world.recording);
    (shown, world.tick, world.letters.len(), world.left.values().sum::<u32>()).hash(&mut hash);
    hash.finish()
}

fn try_all(guarantee: Guarantee, order: Order) -> usize {
    let mut begin = World::new(guarantee, order);
    for account in ["alice", "alice", "bob"] {
        begin.books(account);
    }
    let mut seen = HashSet::from([place(&begin)]);
    let mut reached = vec![begin];
    let mut tried = 0;
    for _ in 0..DEPTH {
        for world in std::mem::take(&mut reached) {
            for happening in possible(&world) {
                let mut after = world.clone();
                happens(&mut after, happening);
                if !seen.insert(place(&after)) {
                    continue;
                }
                let mut rests = after.clone();
                rests.comes_to_rest();
                rests.is_whole();
                tried += 1;
                reached.push(after);
            }
        }
    }
    tried
}

/// Guards against: a message that is lost by a kill between two appends, that goes before an earlier one of its account, or
/// that goes twice where it may go once.
#[test]
fn after_every_order_of_a_few_happenings_nothing_is_lost() {
    for guarantee in GUARANTEES {
        for order in ORDERS {
            let tried = try_all(guarantee, order);
            assert!(tried > 300, "{guarantee:?} {order:?}: {tried}");
        }
    }
}

/// A small generator, so that a failure names the seed that shows it again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

fn storm(guarantee: Guarantee, order: Order, seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut world = World::new(guarantee, order);
    for _ in 0..400 {
        world.dice = u32::try_from(dice.roll(1 << 31)).unwrap() * 2;
        let under_way: Vec<u64> = world.under_way.iter().copied().collect();
        let happening = match dice.roll(20) {
            0 => Happening::Killed,
            1 => Happening::TimePasses,
            2 => Happening::Acts(Fate::Killed),
            3 => Happening::Acts(Fate::NotDurable),
            4 => Happening::Records([Fate::Told, Fate::Told, Fate::Killed, Fate::NotDurable][dice.roll(4)]),
            5 => Happening::Finds,
            6..9 if world.journal.len() < 90 => Happening::Books(["alice", "bob", "carol"][dice.roll(3)]),
            9..13 if !under_way.is_empty() => {
                Happening::Answers(under_way[dice.roll(under_way.len())], ANSWERS[dice.roll(6)])
            }
            _ => Happening::Acts(Fate::Told),
        };
        happens(&mut world, happening);
    }
    world.comes_to_rest();
    world.is_whole();
}

/// Guards against: what only a long history shows, such as an account that waits behind a parked message, is read again, and
/// is killed amid that.
#[test]
fn after_long_random_histories_nothing_is_lost() {
    for guarantee in GUARANTEES {
        for order in ORDERS {
            for seed in 0..300 {
                let told = std::panic::catch_unwind(|| storm(guarantee, order, seed));
                assert!(told.is_ok(), "{guarantee:?} {order:?} fails with the seed {seed}");
            }
        }
    }
}
