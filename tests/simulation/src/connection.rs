//! [`Connection`] is an instance's way to the simulated node: what it asks may fail, be late, or be lost.

use std::time::Duration;

use bookonce::domain::stream::StreamName;
use bookonce::store::eventstoredb::node::{Answer, From, Node as Answers, Range};
use bookonce::store::eventstoredb::{Appended, Error, Followed, Recorded};
use tokio::sync::mpsc;

use crate::executor::{Owner, WORLD};
use crate::node::{Node, Took, give_up};

/// A `Connection` is one instance's way to the node.
pub struct Connection {
    /// This is the node.
    pub node: Node,
    /// This is the life of the instance.
    pub owner: Owner,
}

/// These are types of events that are seldom sent.
const RARE: &[&str] = &[
    "Corrected",
    "Unfrozen",
    "Closed",
    "OverdraftLimitChanged",
    "HoldReleased",
    "HoldExpired",
    "HoldPrevented",
    "CreditPrevented",
    "TransferCancelRequested",
    "TransferTimedOut",
    "TransferCompensated",
    "TransferCancelled",
    "PayoutSent",
    "PayoutSettled",
    "PayoutContradicted",
    "TransferStalled",
    "TransferResumed",
    "TransferAbandoned",
];

/// This is how many messages of a subscription may wait.
const WAITING: usize = 4_096;

/// An `UnderWay` notes a crash while an append is under way.
struct UnderWay<'a>(&'a Node);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.world().mark("crash while an append is under way");
    }
}

impl Connection {
    /// Waits as long as a call takes on its way.
    async fn reach(&self) -> Result<(), Error> {
        let world = self.node.world();
        world.wait(100, 1_500).await;
        if !self.node.is_there() || world.goes_wrong(world.plan().store / 3) {
            world.mark("store unreachable for a while");
            world.wait(1_000, 200_000).await;
            return Err(Error::Unreachable("no node answers".to_owned()));
        }
        Ok(())
    }

    async fn send(&self, stream: String, expected: Option<u64>, events: Vec<Recorded>) -> Appended {
        let (node, world) = (&self.node, self.node.world());
        world.wait(100, 1_500).await;
        let not_sent = || Appended::NotSent(Error::Unreachable("no node answers".to_owned()));
        if !node.is_there() {
            let is_sent = world.draw(|random| random.below(2)) == 0;
            return if is_sent { give_up().await } else { not_sent() };
        }
        // What is seldom sent is late more often, so that each type of event is late somewhere.
        let is_rare = events.iter().any(|event| RARE.contains(&event.kind.as_str()));
        let rate = world.plan().store;
        if world.goes_wrong(if is_rare { rate * 5 } else { rate }) {
            match world.draw(|random| if is_rare { random.between(3, 8) } else { random.below(6) }) {
                0 => return not_sent(),
                1 => {
                    world.mark("append lost");
                    return give_up().await;
                }
                2 | 3 => {
                    world.mark("append's answer lost");
                    let _taken = node.take(self.owner, &stream, expected, &events);
                    return give_up().await;
                }
                _ => {
                    node.take_late(self.owner, stream, expected, events);
                    return give_up().await;
                }
            }
        }
        match node.take(self.owner, &stream, expected, &events) {
            Took::Conflict => {
                world.mark("append taken over by another's");
                Appended::Conflict
            }
            // A repeat that meets an original that other nodes do not have yet is dropped without an answer.
            Took::Logged { end, again: true, .. } if node.terms().1 < end => give_up().await,
            Took::Logged { end, term, position, revision, .. } => {
                if !node.shown(end, term).await {
                    return give_up().await;
                }
                world.wait(50, 500).await;
                let named = !world.goes_wrong(world.plan().store / 4);
                Appended::Stored { last_revision: revision, position: named.then_some(position) }
            }
        }
    }
}

impl Answers for Connection {
    fn append(&self, stream: String, expected: Option<u64>, events: Vec<Recorded>) -> Answer<'_, Appended> {
        Box::pin(async move {
            let under_way = UnderWay(&self.node);
            let appended = self.send(stream, expected, events).await;
            std::mem::forget(under_way);
            appended
        })
    }

    fn stream(&self, stream: String, range: Range) -> Answer<'_, Result<Vec<Recorded>, Error>> {
        Box::pin(async move {
            self.reach().await?;
            let found = self.node.read(|log| {
                let own = log.iter().filter(|record| record.stream == stream);
                within(own, range, |record| record.revision, true)
            });
            Ok(found)
        })
    }

    fn all(&self, range: Range) -> Answer<'_, Result<Vec<Recorded>, Error>> {
        Box::pin(async move {
            self.reach().await?;
            self.node.read(|log| {
                if let (From::At(at), false) = (range.from, range.backwards)
                    && log.last().is_some_and(|last| last.position >= at)
                    && !log.iter().any(|record| record.position == at)
                {
                    return Err(Error::NoSuchPosition(at));
                }
                Ok(within(log.iter(), range, |record| record.position, false))
            })
        })
    }

    fn follow(
        &self,
        after: Option<u64>,
    ) -> Answer<'_, Result<mpsc::Receiver<Result<Followed, Error>>, Error>> {
        Box::pin(async move {
            self.reach().await?;
            let (arrives, arrived) = mpsc::channel(WAITING);
            let node = self.node.clone();
            self.node.world().tasks().spawn(WORLD, async move { feed(node, after, arrives).await });
            Ok(arrived)
        })
    }
}

/// Takes the records of a range. Read backwards, a range begins at its place or, of positions, before it.
fn within<'a>(
    records: impl DoubleEndedIterator<Item = &'a Recorded>,
    range: Range,
    place: impl Fn(&Recorded) -> u64,
    includes: bool,
) -> Vec<Recorded> {
    let (from, limit) = (range.from, range.limit);
    if range.backwards {
        let in_range = |record: &&Recorded| match from {
            From::Start => false,
            From::At(at) => place(record) < at || (includes && place(record) == at),
            From::End => true,
        };
        records.rev().filter(in_range).take(limit).cloned().collect()
    } else {
        let in_range = |record: &&Recorded| match from {
            From::Start => true,
            From::At(at) => place(record) >= at,
            From::End => false,
        };
        records.filter(in_range).take(limit).cloned().collect()
    }
}

/// Feeds a subscription until it ends.
async fn feed(node: Node, after: Option<u64>, arrives: mpsc::Sender<Result<Followed, Error>>) {
    let world = node.world().clone();
    let (mut changes, term) = node.changes();
    let mut seen = after.unwrap_or_default();
    let mut caught_up = false;
    loop {
        world.wait(50, 1_500).await;
        let is_new = |record: &&Recorded| record.position > seen && StreamName::is_claimed(&record.stream);
        let new: Vec<Recorded> = node.read(|log| log.iter().filter(is_new).cloned().collect());
        for record in new {
            seen = record.position;
            if arrives.send(Ok(Followed::Event(record))).await.is_err() {
                return;
            }
        }
        if !std::mem::replace(&mut caught_up, true) && arrives.send(Ok(Followed::CaughtUp)).await.is_err() {
            return;
        }
        if node.terms().0 != term || world.goes_wrong(world.plan().store / 4) {
            world.mark("subscription dropped");
            let _gone = arrives.send(Err(Error::Dropped("the consumer is too slow".to_owned()))).await;
            return;
        }
        if world.goes_wrong(world.plan().store / 8) {
            world.mark("subscription deaf");
            return arrives.closed().await;
        }
        tokio::select! {
            biased;
            () = arrives.closed() => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

/// This is how long an instance keeps a stream in memory for which nothing comes.
pub const IDLE: Duration = Duration::from_secs(2);
