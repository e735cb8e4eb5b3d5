//! [`Writer`] writes the commands of one client. They are drawn so that they meet each other: few accounts, small sums, and
//! reversals of what may not be there yet.

use std::sync::Arc;

use bookonce::domain::command::{Command, LimitChange, Move, Opening, Operation, Reason, Reversal};
use bookonce::domain::currency::Currency;
use bookonce::domain::ids::{AccountName, CounterAccount, TransactionId};
use bookonce::domain::metadata::{Metadata, Origin};
use bookonce::domain::money::{Written, WrittenAmount};
use uuid::Uuid;

use crate::random::Random;
use crate::run::Run;
use crate::world::World;

/// A `Writer` writes the commands of one client.
pub struct Writer {
    client: u64,
    written: u64,
    /// These are the IDs and accounts of what it wrote.
    own: Vec<(TransactionId, u64)>,
}

impl Writer {
    /// Makes the writer of a client.
    #[must_use]
    pub fn new(client: u64) -> Self {
        Self { client, written: 0, own: Vec::new() }
    }

    /// Writes the commands of the next job: mostly one.
    pub fn next(&mut self, run: &Run) -> Vec<Command> {
        let world = &run.world;
        let count = world.draw(|random| if random.below(6) == 0 { random.between(2, 9) } else { 1 });
        let commands: Vec<Command> = (0..count).map(|_| self.one(run)).collect();
        let first = commands.first().map(|command| command.stream.clone());
        if commands.iter().any(|command| Some(&command.stream) != first.as_ref()) {
            world.mark("batch over several accounts");
        }
        commands
    }

    /// Writes the command that opens an account.
    pub fn opening(&mut self, world: &World, account: u64) -> Command {
        self.written += 1;
        let id = id(self.client, self.written);
        self.own.push((id, account));
        command(id, account, world.draw(opening), self.client)
    }

    /// Writes two commands with one ID, for two accounts.
    pub fn twice(&mut self, run: &Run) -> Option<(Command, Command)> {
        let world = &run.world;
        let accounts = world.plan().accounts;
        let (one, other) = world.draw(|random| (random.below(accounts), random.below(accounts)));
        if one == other {
            return None;
        }
        self.written += 1;
        let id = id(self.client, self.written);
        run.is_reused(id);
        self.own.push((id, one));
        let deposit = Operation::Deposit(world.draw(moved));
        let of = |account| command(id, account, deposit.clone(), self.client);
        Some((of(one), of(other)))
    }

    fn one(&mut self, run: &Run) -> Command {
        let world = &run.world;
        let accounts = world.plan().accounts;
        self.written += 1;
        let (client, written) = (self.client, self.written);
        let (account, again) = world.draw(|random| (random.below(accounts), random.in_a_thousand(30)));
        // Now and then a client is wrong, and uses an ID of its own a second time, for another account.
        let id = match self.own.last() {
            Some((id, before)) if again && *before != account => {
                run.is_reused(*id);
                *id
            }
            _ => id(client, written),
        };
        self.own.push((id, account));
        let operation = world.draw(|random| self.operation(random));
        command(id, account, operation, client)
    }

    fn operation(&self, random: &mut Random) -> Operation {
        match random.below(40) {
            0 => opening(random),
            1..14 => Operation::Deposit(moved(random)),
            14..26 => Operation::Withdraw(moved(random)),
            26..32 => Operation::Reverse(Reversal {
                reverses: self.reversed(random),
                amount: (random.below(3) == 0).then(|| amount(random)),
                reason: reason(),
                force: random.below(8) == 0,
            }),
            32 | 33 => Operation::Freeze(reason()),
            34..37 => Operation::Unfreeze(reason()),
            37 => Operation::Close(reason()),
            _ => Operation::SetOverdraftLimit(LimitChange {
                overdraft_limit: written_euros(random.below(50)),
                reason: reason(),
            }),
        }
    }

    /// Draws what is reversed: mostly something of its own, or what comes next.
    fn reversed(&self, random: &mut Random) -> TransactionId {
        match random.below(4) {
            0 => id(self.client, self.written + 1),
            1 => id(random.below(5), random.between(1, 14)),
            _ => self.own[random.place(self.own.len())].0,
        }
    }
}

fn id(client: u64, written: u64) -> TransactionId {
    let bits = 0x1000_0000_0000_4000_8000_0000_0000_0000 + (u128::from(client) << 32) + u128::from(written);
    TransactionId::from_uuid(Uuid::from_u128(bits)).unwrap()
}

fn command(id: TransactionId, account: u64, operation: Operation, client: u64) -> Command {
    let name = AccountName::parse(&format!("a{account}")).unwrap();
    let origin = Origin { correlation: None, causation: None, actor: Arc::from(format!("client-{client}")) };
    Command { id: id.into(), stream: name.into(), operation, origin }
}

fn opening(random: &mut Random) -> Operation {
    Operation::Open(Opening {
        currency: Currency::parse("EUR").unwrap(),
        overdraft_limit: written_euros(if random.below(3) == 0 { random.below(30) } else { 0 }),
        metadata: Metadata::default(),
    })
}

fn moved(random: &mut Random) -> Move {
    Move {
        amount: amount(random),
        counter_account: CounterAccount::default(),
        effective_at: None,
        metadata: Metadata::default(),
    }
}

fn amount(random: &mut Random) -> WrittenAmount {
    let cents = random.between(1, 4_000);
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    WrittenAmount::parse(&text).unwrap()
}

fn written_euros(euros: u64) -> Written {
    Written::parse(&euros.to_string()).unwrap()
}

fn reason() -> Reason {
    Reason::parse("because").unwrap()
}
