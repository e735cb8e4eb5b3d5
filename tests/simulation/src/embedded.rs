//! An embedded ledger starts here: its index is brought up to its disk, and its clerk works when the run lets it.

use std::sync::Arc;

use bookonce::clerk::Limits;
use bookonce::clerk::single::{Alone, Clerk, Hands, Office};
use bookonce::domain::time::{Clock, Timestamp};
use bookonce::index::Index;
use bookonce::index::feed::{Feed, Taken};
use bookonce::store::Head;
use bookonce::store::codec;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::disk::{Disk, genesis};
use crate::executor::give_way;
use crate::instance::Life;
use crate::service::{self, Opened, Service};
use crate::world::World;

/// Starts a ledger over a disk.
///
/// # Errors
/// Fails when the index and the disk do not belong together, or a line does not follow on the one before it.
pub fn start(
    world: &World,
    disk: &Disk,
    index: Index,
    clock: Clock,
    service: Service,
) -> Result<Life, String> {
    let owner = service.owner;
    let (head, last_recorded) = catch_up(disk, &index)?;
    let (head_sender, head) = watch::channel(head);
    let office = Office {
        store: disk.writer(owner),
        reader: Arc::new(disk.clone()),
        index: index.clone(),
        clock: Arc::clone(&clock),
        last_recorded,
        head: head_sender,
        callers: None,
        alone: if world.plan().alone { Alone::Appends } else { Alone::HandsOver },
    };
    let (clerk, hands) = Clerk::by_hand(office, Limits::default());
    let (called, appends) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let hands = Arc::new(Mutex::new(hands));
    let (hands_too, called_too, appends_too) =
        (Arc::clone(&hands), Arc::clone(&called), Arc::clone(&appends));
    world.tasks().spawn(owner, decides(hands_too, called_too, appends_too));
    world.tasks().spawn(owner, writes(world.clone(), hands, Arc::clone(&called), appends));
    let (clerk, reader) = (Box::new(clerk), Arc::new(disk.clone()));
    service::start(world, service, Opened { clerk, called, reader, index, head, clock, store: None })
}

/// Brings an index up to the end of a disk.
fn catch_up(disk: &Disk, index: &Index) -> Result<(Head, Timestamp), String> {
    let checkpoint = index.checkpoint().map_err(|error| error.to_string())?;
    let (mut position, mut hash) = (checkpoint.position, checkpoint.hash);
    let mut recorded_at = Timestamp::from_micros(0);
    if position == 0 {
        hash = genesis(disk);
    } else {
        let at = disk.after(position - 1).into_iter().next().ok_or("the index is ahead of the disk")?;
        recorded_at = decoded(&at)?.event.recorded_at;
    }
    let mut feed = Feed::new(index.clone());
    let mut taken = Taken::default();
    for line in disk.after(position) {
        let (canonical, _) =
            codec::cut(line.strip_suffix(b"\n").unwrap_or(&line)).ok_or("a line has no form")?;
        let line = decoded(&line)?;
        (position, hash) = (position + 1, hash.then(&canonical));
        if line.position != position || line.hash != hash {
            return Err(format!("the line at {position} does not follow on the one before it"));
        }
        recorded_at = line.event.recorded_at;
        let lacked =
            feed.lacks(&line.event.stream, line.event.revision).map_err(|error| error.to_string())?;
        if let Some(past) = lacked {
            let events = past.positions().iter().map(|position| {
                let line = disk.after(position - 1).into_iter().next();
                Ok::<_, String>(decoded(&line.ok_or("the index names a position that is not there")?)?.event)
            });
            let events = events.collect::<Result<Vec<_>, _>>()?;
            feed.learn(past.fold(&events, None).map_err(|error| error.to_string())?);
        }
        feed.take(line.event, position, None, &mut taken).map_err(|error| error.to_string())?;
    }
    if !taken.is_empty() {
        feed.apply(taken, (position, hash).into());
    }
    Ok((Head { journal_id: disk.journal_id(), position, hash }, recorded_at))
}

fn decoded(line: &[u8]) -> Result<codec::Line, String> {
    codec::decode(line.strip_suffix(b"\n").unwrap_or(line)).map_err(|error| error.to_string())
}

/// Does what the clerk's thread does.
async fn decides(hands: Arc<Mutex<Hands>>, called: Arc<Notify>, appends: Arc<Notify>) {
    loop {
        called.notified().await;
        let has_append = {
            let mut hands = hands.lock();
            if hands.is_called() {
                hands.decide();
            }
            hands.has_append()
        };
        if has_append {
            appends.notify_one();
        }
    }
}

/// Does what the writer's thread does.
async fn writes(world: World, hands: Arc<Mutex<Hands>>, called: Arc<Notify>, appends: Arc<Notify>) {
    loop {
        appends.notified().await;
        world.wait(50, 3_000).await;
        let owed = hands.lock().append();
        called.notify_one();
        let Some(owed) = owed else { continue };
        // The clerk may learn of it before the callers or after them.
        if world.draw(|random| random.below(2)) == 0 {
            give_way().await;
        }
        owed.pay();
    }
}
