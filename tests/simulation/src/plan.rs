//! [`Plan`] is what a seed draws before a run begins: which store, how many take part, and how often what goes wrong.

use crate::provider::Traits;
use crate::random::Random;

/// A `Plan` is what a seed draws before a run begins. Rates are in a thousand.
#[derive(Clone, Debug)]
pub struct Plan {
    /// This is true when several instances may write one store.
    pub shared: bool,
    /// This is the number of instances.
    pub instances: usize,
    /// This is the number of accounts.
    pub accounts: u64,
    /// This is the number of clients.
    pub clients: u64,
    /// This is the number of commands of each client.
    pub commands: u64,
    /// This is true when nothing goes wrong.
    pub calm: bool,
    /// This is how often a request, or its answer, is lost between a client and an instance.
    pub net: u64,
    /// This is how often something is wrong with a call to the store, or with a commit.
    pub store: u64,
    /// This is how often an instance crashes, where it may.
    pub crash: u64,
    /// This is how often a clock is set.
    pub clock: u64,
    /// This is how often an index file is lost or old after a crash.
    pub index: u64,
    /// This is how often a stream of the store is damaged.
    pub poison: u64,
    /// This is true when a stream is damaged for so long that an operator is needed.
    pub long: bool,
    /// This is how often transfers are paused at a start.
    pub pause: u64,
    /// This is true when the thread that asks appends for a job that is alone.
    pub alone: bool,
    /// These are the payout providers.
    pub providers: Vec<Traits>,
    /// This is how often an instance is started without one of them.
    pub gone: u64,
    /// Every wait takes a multiple of so many microseconds: where it is long, much happens at one moment.
    pub grain: u64,
    /// This is true when the ledger is restored from a backup.
    pub restores: bool,
}

impl Plan {
    /// Draws a plan.
    pub fn draw(random: &mut Random) -> Self {
        let calm = random.below(10) == 0;
        let mut rate = |rates: [u64; 4]| {
            let drawn = rates[random.place(4)];
            if calm { 0 } else { drawn }
        };
        let (net, store) = (rate([0, 5, 30, 150]), rate([0, 10, 50, 200]));
        let (crash, clock, index) =
            (rate([0, 50, 200, 400]), rate([0, 0, 50, 200]), rate([0, 100, 300, 600]));
        let poison = rate([0, 0, 0, 15]);
        let pause = rate([0, 0, 50, 300]);
        let long = poison > 0 && random.below(2) == 0;
        let shared = random.below(2) == 0;
        let gone = if calm { 0 } else { [0, 0, 0, 200][random.place(4)] };
        let count = [0, 0, 1, 2, 3][random.place(5)];
        let providers = (0..count).map(|_| Traits::draw(random, calm)).collect();
        let grain = if random.below(4) == 0 { 5_000 } else { 1 };
        let restores = !shared && !calm && random.below(4) == 0;
        Self {
            shared,
            instances: if shared { 1 + random.place(3) } else { 1 },
            accounts: random.between(1, 4),
            clients: random.between(1, 5),
            commands: random.between(2, 14),
            calm,
            net,
            store,
            crash,
            clock,
            index,
            poison,
            long,
            pause,
            alone: random.below(2) == 0,
            providers,
            gone,
            grain,
            restores,
        }
    }
}
