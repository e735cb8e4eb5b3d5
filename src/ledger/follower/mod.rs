//! The follower: keeps the index of this instance up with a store that several instances write.
//!
//! It reads the journal to its end, then subscribes after the last position it has; when the subscription is dropped, which
//! a busy node does all the time, it does the same again. So it never trusts a subscription to begin or to go on where it
//! should: what comes twice is left out, and a gap in an account's revisions is read again from the journal before it is
//! believed. No answer depends on it: the clerk reads the streams themselves.
//!
//! Before each reading the index's last event is compared with the store: one that was put back from yesterday is found.

mod fold;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::clerk::shared::Lanes;
use crate::domain::ids::AccountName;
use crate::index::{Checkpoint, Index, IndexError, Note, Reached};
use crate::store::eventstoredb::{Error, Followed, Recorded, Store};

use super::Head;
use fold::{Fold, Taken};

/// Events that are taken in together.
const TOGETHER: usize = 1_000;
/// So long it waits before it tries a store again that can't be reached.
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// So often the index's last event is looked for before it is said to be gone: a node that has just begun, or has just
/// become the leader, may not show it yet.
const LOOKS: u32 = 8;
/// When so many events came at once, more come: they are taken in handfuls, since to be woken for each costs more than to
/// fold it. What is read waits for it, a millisecond more.
const BUSY: usize = 4;
const HANDFUL: Duration = Duration::from_millis(1);
/// After so long a silence it looks for itself.
const SILENCE: Duration = Duration::from_millis(800);
/// So long the lanes may take to finish at the stop.
const FAREWELL: Duration = Duration::from_secs(10);

/// The running follower.
pub(super) struct Follower {
    task: Mutex<Option<JoinHandle<()>>>,
    state: Arc<State>,
    runtime: Handle,
}

#[derive(Debug, Default)]
struct State {
    connected: AtomicBool,
    twice: AtomicUsize,
}

impl Follower {
    pub(super) fn start(
        store: Store,
        index: Index,
        lanes: Lanes,
        checkpoint: Checkpoint,
        head: watch::Sender<Head>,
        twice: usize,
    ) -> Self {
        let state = Arc::new(State { connected: AtomicBool::new(false), twice: AtomicUsize::new(twice) });
        let reached =
            Reached { position: checkpoint.position, hash: checkpoint.hash, event: checkpoint.event };
        let fold = Fold::new(index.clone());
        let following = Following {
            store,
            index,
            lanes,
            head,
            state: Arc::clone(&state),
            reached,
            looked_at: checkpoint.position,
            fold,
            doubted: None,
            missing: 0,
        };
        let runtime = Handle::current();
        let task = runtime.spawn(following.run());
        Self { task: Mutex::new(Some(task)), state, runtime }
    }

    /// Was the store reached when it was last tried?
    pub(super) fn is_connected(&self) -> bool {
        self.state.connected.load(Ordering::Acquire)
    }

    /// How many IDs were recorded on two accounts.
    pub(super) fn twice(&self) -> usize {
        self.state.twice.load(Ordering::Relaxed)
    }

    pub(super) fn stop(&self) {
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
    }

    /// Waits until the lanes have ended, which have been told to stop, and stops following. Blocks.
    pub(super) fn ended(&self, lanes: &Lanes) {
        let waited = self.runtime.block_on(async { tokio::time::timeout(FAREWELL, lanes.ended()).await });
        if waited.is_err() {
            tracing::warn!("an append is still unresolved; whoever comes next finds out what became of it");
        }
        let Some(task) = self.task.lock().take() else { return };
        task.abort();
        let _aborted = self.runtime.block_on(task);
    }
}

/// Why it stops reading for a while, or for good.
enum Stopped {
    /// The store can't be reached, or ended the subscription.
    Store(Error),
    /// The index can't go on.
    Index(IndexError),
    /// An event did not follow on what was read: read again from there.
    Doubt,
    /// The store is not the one that the index was made of.
    Whole(String),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<IndexError> for Stopped {
    fn from(error: IndexError) -> Self {
        Self::Index(error)
    }
}

struct Following {
    store: Store,
    index: Index,
    lanes: Lanes,
    head: watch::Sender<Head>,
    state: Arc<State>,
    /// The last event that the index has.
    reached: Reached,
    /// Everything up to this position was looked at.
    looked_at: u64,
    fold: Fold,
    /// Where something did not follow: believed when it is read there a second time.
    doubted: Option<u64>,
    /// How often in a row the index's last event was looked for and not found.
    missing: u32,
}

impl Following {
    async fn run(mut self) {
        loop {
            match self.follow().await {
                Stopped::Store(Error::Dropped(why)) => tracing::debug!(why, "following again"),
                Stopped::Store(error) => {
                    if self.state.connected.swap(false, Ordering::AcqRel) {
                        tracing::warn!(%error, "the store can't be followed; trying again");
                    }
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                Stopped::Doubt => {
                    tracing::warn!(position = self.doubted, "an event does not follow; reading again")
                }
                Stopped::Index(error) => {
                    tracing::error!(%error, "the index can't go on; the service must be restarted");
                    self.lanes.damage().set_whole(error.to_string());
                    return;
                }
                Stopped::Whole(why) => return self.lanes.damage().set_whole(why),
            }
        }
    }

    /// Reads to the end of the journal, then as it grows, until it is stopped.
    async fn follow(&mut self) -> Stopped {
        match self.compare().await {
            Ok(()) => {}
            Err(stopped) => return stopped,
        }
        match self.catch_up().await {
            Ok(()) => {}
            Err(stopped) => return stopped,
        }
        if !self.state.connected.swap(true, Ordering::AcqRel) || !self.lanes.is_ready() {
            tracing::info!(store = %self.store.shown(), position = self.reached.position, "following the store");
        }
        self.lanes.set_ready().await;
        // Also a subscription that a busy node dropped: nobody can tell it from a node that came back as another.
        self.listen().await
    }

    /// Is the last event of the index still where it was?
    async fn compare(&mut self) -> Result<(), Stopped> {
        let position = self.reached.position;
        if position == 0 {
            return Ok(());
        }
        let Some(found) = self.store.at(position).await? else {
            self.missing += 1;
            let why = format!("the event that was seen at position {position} is not there any more");
            let stopped =
                if self.missing < LOOKS { Error::Unreachable(why).into() } else { Stopped::Whole(why) };
            return Err(stopped);
        };
        self.missing = 0;
        match found.read() {
            Ok(read) if read.line.hash == self.reached.event => Ok(()),
            _ => Err(Stopped::Whole(format!("another event than was seen stands at position {position}"))),
        }
    }

    async fn catch_up(&mut self) -> Result<(), Stopped> {
        loop {
            let page = self.store.followable(self.looked_at, TOGETHER).await?;
            let last = page.last().map(|recorded| recorded.position);
            self.take_in(&page).await?;
            match last {
                Some(last) => self.looked_at = self.looked_at.max(last),
                None => return Ok(()),
            }
        }
    }

    async fn listen(&mut self) -> Stopped {
        let after = (self.looked_at > 0).then_some(self.looked_at);
        let mut subscription = match self.store.follow(after).await {
            Ok(subscription) => subscription,
            Err(error) => return error.into(),
        };
        loop {
            let followed = match timeout(SILENCE, subscription.next_many(TOGETHER)).await {
                Ok(Ok(followed)) => followed,
                Ok(Err(error)) => return error.into(),
                Err(_silent) => match self.is_deaf().await {
                    Ok(false) => continue,
                    Ok(true) => return Error::Dropped("it missed events that are there".into()).into(),
                    Err(stopped) => return stopped,
                },
            };
            let mut events = Vec::with_capacity(followed.len());
            let mut looked_at = self.looked_at;
            for followed in followed {
                match followed {
                    Followed::Event(recorded) => {
                        looked_at = looked_at.max(recorded.position);
                        events.push(recorded);
                    }
                    Followed::Checkpoint(position) => looked_at = looked_at.max(position),
                    Followed::CaughtUp => {}
                }
            }
            if let Err(stopped) = self.take_in(&events).await {
                return stopped;
            }
            self.looked_at = looked_at;
            if events.len() >= BUSY {
                tokio::time::sleep(HANDFUL).await;
            }
        }
    }

    /// Nothing came for a while: is there nothing?
    async fn is_deaf(&self) -> Result<bool, Stopped> {
        Ok(!self.store.journal(self.looked_at, 1).await?.is_empty())
    }

    /// Takes in events that follow on what was read before.
    async fn take_in(&mut self, recorded: &[Recorded]) -> Result<(), Stopped> {
        let mut taken = Taken::after(self.reached, self.looked_at);
        let mut doubt = None;
        let looked_at = self.looked_at;
        for recorded in recorded.iter().filter(|recorded| recorded.position > looked_at) {
            let Some(account) = recorded.account() else { continue };
            if recorded.is_metadata() {
                tracing::warn!(%account, "somebody changed the metadata of the account's stream");
                self.lanes.look_again(&account);
                continue;
            }
            if self.lanes.damage().is_lasting(&account) {
                continue;
            }
            match self.fold.take(recorded, &account, &mut taken)? {
                Ok(()) => {}
                Err(why) if self.doubted == Some(recorded.position) => {
                    match self.nothing_was_missed(&account, recorded.position).await {
                        Ok(()) => self.doubted = None,
                        // What was folded before it must reach the index all the same.
                        Err(stopped) => {
                            let looked_at = taken.looked_at;
                            self.apply(taken).await?;
                            self.looked_at = self.looked_at.max(looked_at);
                            return Err(stopped);
                        }
                    }
                    taken.notes.push(Note::Damaged(account.clone(), why.clone()));
                    self.lanes.damage().account(&account, &why, true);
                    self.lanes.look_again(&account);
                }
                Err(_why) => {
                    doubt = Some(recorded.position);
                    break;
                }
            }
            taken.looked_at = recorded.position;
        }
        let looked_at = taken.looked_at;
        self.apply(taken).await?;
        match doubt {
            Some(position) => {
                self.doubted = Some(position);
                self.looked_at = self.looked_at.max(looked_at);
                Err(Stopped::Doubt)
            }
            None => Ok(()),
        }
    }

    /// A gap is the stream's own, if the stream has it; else events were missed on the way here, and the index lacks them.
    async fn nothing_was_missed(&self, account: &AccountName, position: u64) -> Result<(), Stopped> {
        let next = self.fold.next_revision(account);
        let found = match self.store.stream(account, next, 1).await {
            // It is gone for good: that is no gap.
            Err(Error::Deleted) => Vec::new(),
            found => found?,
        };
        match found.first() {
            Some(missed) if missed.revision == next && missed.position < position => Err(Stopped::Whole(
                format!("the index has missed the event at position {}; it must be rebuilt", missed.position),
            )),
            _ => Ok(()),
        }
    }

    async fn apply(&mut self, taken: Taken) -> Result<(), Stopped> {
        if taken.events.is_empty() && taken.notes.is_empty() {
            return Ok(());
        }
        while self.index.lacks_room(taken.events.len()) {
            if let Some(why) = self.index.failure() {
                return Err(IndexError::Damaged(why).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if let Some(journal_id) = taken.journal {
            self.index.adopt(journal_id);
        }
        let twice = taken.notes.iter().filter(|note| matches!(note, Note::Twice(_))).count();
        self.state.twice.fetch_add(twice, Ordering::Relaxed);
        let events = taken.events.iter().map(|(stream, position, event)| (*stream, *position, event));
        self.index.apply_noting(events, taken.accounts.into_values(), taken.notes, taken.reached);
        self.reached = taken.reached;
        self.lanes.indexed(taken.reached.position);
        self.head.send_modify(|head| {
            head.journal_id = taken.journal.unwrap_or(head.journal_id);
            head.position = taken.reached.position;
            head.hash = taken.reached.hash;
        });
        self.fold.bound();
        Ok(())
    }
}
