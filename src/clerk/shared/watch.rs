//! The watch says whether this instance is ready, and looks again and again.
//!
//! The follower may believe that it follows and receive nothing. So the watch asks the store itself where it ends, and
//! then whether the index has come there. What this instance appended counts, too. An instance whose index does not
//! have the store's end a second after it was asked for is not ready. It follows anew from its last event, and books no
//! ID meanwhile, since another instance may have booked it. Beside that the store is compared with the last event that
//! is known.
//!
//! It costs a read of the last record four times a second, over a connection of its own, and one read of an event each
//! second.

use std::sync::Arc;
use std::time::Duration;

use crate::store::eventstoredb::Error;
use crate::tasks::{now, sleep, timeout};

use super::common::Common;
use super::last_event::Compared;

/// This is how long the index may take to have what is in the store.
const MOST: Duration = Duration::from_secs(1);
/// This is the pause after one look before the next; [`AGAIN`] is the pause after one that failed.
const BEAT: Duration = Duration::from_millis(250);
const AGAIN: Duration = Duration::from_millis(50);
/// This is the time after one comparison before the next.
const COMPARED_EVERY: Duration = Duration::from_secs(1);

/// Looks again and again whether the index has all that is in the store, until the task is ended.
pub(super) async fn watch(common: Arc<Common>) {
    let seen = &common.seen;
    // This is the position up to which the store was searched for its end before.
    let mut searched = None;
    let mut seen_at = now();
    loop {
        let asked = now();
        let looked = timeout(MOST, look(&common, &mut searched)).await;
        let pause = match looked {
            Ok(Ok(())) => {
                seen_at = asked;
                seen.saw(asked);
                if common.is_ready() && seen.set_sees(true) {
                    tracing::info!("the index has all that is in the store");
                }
                BEAT
            }
            Ok(Err(_)) | Err(_) => {
                if now().saturating_duration_since(seen_at) >= MOST && seen.set_sees(false) {
                    tracing::warn!(
                        "the index does not show what is in the store; nothing new is booked meanwhile"
                    );
                }
                AGAIN
            }
        };
        seen.remind();
        sleep(pause).await;
    }
}

/// Compares the store with the last event that is known, when a connection was lost and now and then, until the task is ended.
pub(super) async fn prove(common: Arc<Common>) {
    let (store, seen) = (&common.store, &common.seen);
    loop {
        // The crate connects anew by itself, too.
        let _now_and_then = timeout(COMPARED_EVERY, store.doubted()).await;
        let epoch = store.epoch();
        match seen.last().compare(store).await {
            Ok(Compared::Same) => store.prove(epoch),
            Ok(Compared::Missing(_) | Compared::Other(_)) => {
                // The follower decides what follows from it.
                store.doubt();
                seen.again.notify_one();
                sleep(BEAT).await;
            }
            Err(_unreachable) => sleep(AGAIN).await,
        }
    }
}

/// Checks that the index has all that is in the store, and fails when it does not have it in time.
async fn look(common: &Common, searched: &mut Option<u64>) -> Result<(), Error> {
    let (store, seen) = (&common.store, &common.seen);
    let asked = now();
    let before = *searched.get_or_insert_with(|| seen.looked_at());
    let newest = store.newest(before).await?;
    let end = newest.ours.unwrap_or_default().max(common.answered());
    seen.await_end(end, asked);
    if timeout(MOST - AGAIN, seen.has_looked_at(end)).await.is_err() {
        seen.again.notify_one();
        return Err(Error::Dropped("what is in the store is not heard of".to_owned()));
    }
    *searched = Some(newest.last);
    Ok(())
}
