//! [`Writer`] writes the commands of one client. They are drawn so that they meet each other: few accounts, small sums, and
//! reversals of what may not be there yet.

use std::sync::Arc;

use bookonce::domain::command::{
    BalanceChange, Capturing, Command, Correction, HoldSeconds, LimitChange, Move, Opening, Operation,
    Placing, Reason, Releasing, Reversal,
};
use bookonce::domain::currency::Currency;
use bookonce::domain::ids::{AccountName, CounterAccount, Id, TransactionId};
use bookonce::domain::metadata::{Metadata, Origin};
use bookonce::domain::money::{Direction, Written, WrittenAmount};
use bookonce::domain::stream::StreamName;
use bookonce::domain::transfer::command::TransferOperation;
use bookonce::domain::written_balance::WrittenBalance;
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
    /// These are the IDs of its holds.
    holds: Vec<TransactionId>,
}

impl Writer {
    /// Makes the writer of a client.
    #[must_use]
    pub fn new(client: u64) -> Self {
        Self { client, written: 0, own: Vec::new(), holds: Vec::new() }
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

    /// Makes a new ID of this client, for something on an account.
    pub fn new_id(&mut self, account: u64) -> TransactionId {
        self.written += 1;
        let id = id(self.client, self.written);
        self.own.push((id, account));
        id
    }

    /// Returns the number of an account that nobody else opens.
    pub fn new_account(&mut self) -> u64 {
        self.written += 1;
        1_000 * (1 + self.client) + self.written
    }

    /// Writes a command on an account with a new ID.
    pub fn new_on(&mut self, account: u64, operation: Operation) -> Command {
        let id = self.new_id(account);
        self.on(id, account, operation)
    }

    /// Writes a command on an account.
    pub fn on(&self, id: TransactionId, account: u64, operation: Operation) -> Command {
        command(id, account, operation, self.client)
    }

    /// Writes what is asked of a transfer, with a new ID.
    pub fn new_of(&mut self, transfer: TransactionId, operation: TransferOperation) -> Command {
        self.written += 1;
        self.of(id(self.client, self.written), transfer, operation)
    }

    /// Writes what is asked of a transfer.
    pub fn of(&self, id: TransactionId, transfer: TransactionId, operation: TransferOperation) -> Command {
        let origin = origin(self.client);
        let (stream, operation) = (StreamName::Transfer(transfer), Operation::Transfer(operation));
        Command { id: id.into(), stream, operation, origin }
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
        // Now and then an account is to be closed while something of it is set aside.
        let held = self
            .own
            .iter()
            .rev()
            .nth(1)
            .filter(|(last, _)| self.holds.last() == Some(last))
            .map(|(_, of)| *of);
        let closes = held.is_some() && world.draw(|random| random.below(5)) == 0;
        let account = if closes { held.unwrap_or(account) } else { account };
        let operation = match closes {
            true => Operation::Close(reason()),
            false => world.draw(|random| self.operation(random)),
        };
        let mut account = account;
        match &operation {
            Operation::Hold(_) => self.holds.push(id),
            // Mostly on the account of the hold.
            Operation::Capture(Capturing { hold, .. }) | Operation::Release(Releasing { hold, .. }) => {
                let of = |(own, _): &&(TransactionId, u64)| Id::Client(*own) == *hold;
                account = self.own.iter().find(of).map_or(account, |(_, of)| *of);
            }
            Operation::Reverse(Reversal { reverses, .. }) if world.draw(|random| random.below(5)) > 0 => {
                let of = |(own, _): &&(TransactionId, u64)| own == reverses;
                account = self.own.iter().find(of).map_or(account, |(_, of)| *of);
            }
            _ => {}
        }
        if let Some(last) = self.own.last_mut() {
            last.1 = account;
        }
        command(id, account, operation, client)
    }

    fn operation(&self, random: &mut Random) -> Operation {
        match random.below(56) {
            0 => opening(random),
            1..14 => Operation::Deposit(moved(random)),
            14..26 => Operation::Withdraw(moved(random)),
            26..32 => Operation::Reverse(Reversal {
                reverses: self.reversed(random),
                amount: (random.below(2) == 0).then(|| part(random)),
                reason: reason(),
                force: random.below(8) == 0,
            }),
            40..46 => Operation::Hold(Placing {
                amount: amount(random),
                expires_in_seconds: hold_seconds(random),
                metadata: Metadata::default(),
            }),
            46..50 => Operation::Capture(Capturing {
                hold: self.settled(random).into(),
                amount: (random.below(2) == 0).then(|| amount(random)),
                counter_account: CounterAccount::default(),
                metadata: Metadata::default(),
                to: None,
            }),
            50..53 => Operation::Release(Releasing {
                hold: self.settled(random).into(),
                reason: (random.below(2) == 0).then(reason),
            }),
            53..55 => Operation::Correct(Box::new(self.correction(random))),
            32 | 33 => Operation::Freeze(reason()),
            34..37 => Operation::Unfreeze(reason()),
            37 => Operation::Close(reason()),
            _ => Operation::SetOverdraftLimit(LimitChange {
                overdraft_limit: written_euros(random.below(50)),
                reason: reason(),
            }),
        }
    }

    /// Draws the hold that is settled: mostly one of its own, or what comes next.
    fn settled(&self, random: &mut Random) -> TransactionId {
        match self.holds.len() {
            0 => self.reversed(random),
            _ if random.below(5) == 0 => self.reversed(random),
            count => self.holds[count - 1 - random.place(count.min(2))],
        }
    }

    fn correction(&self, random: &mut Random) -> Correction {
        let change = if random.below(2) == 0 {
            let balance = WrittenBalance::parse(&random.below(90).to_string()).unwrap();
            BalanceChange::To { balance, expected_revision: random.below(9) }
        } else {
            let direction = if random.below(2) == 0 { Direction::Credit } else { Direction::Debit };
            let amount = amount(random);
            BalanceChange::By { amount, direction, expected_revision: None, effective_at: None }
        };
        let corrects = if random.below(2) == 0 { vec![self.reversed(random)] } else { Vec::new() };
        Correction { change, reason: reason(), corrects, force: random.below(3) == 0 }
    }

    /// Draws what is reversed: mostly something of its own, or what comes next.
    fn reversed(&self, random: &mut Random) -> TransactionId {
        match random.below(4) {
            0 => id(self.client, self.written + 1),
            1 => id(random.below(5), random.between(1, 14)),
            // Mostly what it reversed before, or something near it, so that parts add up.
            _ => self.own[self.own.len() - 1 - random.place(self.own.len().min(5))].0,
        }
    }
}

fn id(client: u64, written: u64) -> TransactionId {
    let bits = 0x1000_0000_0000_4000_8000_0000_0000_0000 + (u128::from(client) << 32) + u128::from(written);
    TransactionId::from_uuid(Uuid::from_u128(bits)).unwrap()
}

fn command(id: TransactionId, account: u64, operation: Operation, client: u64) -> Command {
    let name = AccountName::parse(&format!("a{account}")).unwrap();
    Command { id: id.into(), stream: name.into(), operation, origin: origin(client) }
}

fn origin(client: u64) -> Origin {
    Origin { correlation: None, causation: None, actor: Arc::from(format!("client-{client}")) }
}

fn opening(random: &mut Random) -> Operation {
    Operation::Open(Opening {
        currency: Currency::parse("EUR").unwrap(),
        overdraft_limit: written_euros(if random.below(3) == 0 { random.below(30) } else { 0 }),
        metadata: Metadata::default(),
    })
}

/// Draws a movement.
pub fn moved(random: &mut Random) -> Move {
    Move {
        amount: amount(random),
        counter_account: CounterAccount::default(),
        effective_at: None,
        metadata: Metadata::default(),
    }
}

/// Draws how long a hold lasts: mostly so long that its end comes within the run.
fn hold_seconds(random: &mut Random) -> HoldSeconds {
    let seconds = match random.below(4) {
        0 => random.between(1, 2_592_000),
        _ => random.between(1, 25),
    };
    HoldSeconds::new(seconds).unwrap()
}

/// Draws a part of an amount.
pub fn part(random: &mut Random) -> WrittenAmount {
    WrittenAmount::parse(&format!("0.{:02}", random.between(1, 99))).unwrap()
}

/// Draws an amount.
pub fn amount(random: &mut Random) -> WrittenAmount {
    let cents = random.between(1, 4_000);
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    WrittenAmount::parse(&text).unwrap()
}

fn written_euros(euros: u64) -> Written {
    Written::parse(&euros.to_string()).unwrap()
}

/// Returns a reason.
pub fn reason() -> Reason {
    Reason::parse("because").unwrap()
}
