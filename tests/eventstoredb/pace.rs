//! This test measures how long one append takes. The crate leaves Nagle's algorithm on, which costs 44 ms each: when
//! this test passes with `crate_traps/nodelay.rs` switched off, that file may be deleted.

use std::time::{Duration, Instant};

use bookonce::domain::stream::StreamName;
use bookonce::store::chain::Hash;
use bookonce::store::eventstoredb::{Appended, Store};

use crate::{deposits, fresh, standin};

/// This is how many appends are timed together.
const TOGETHER: u64 = 50;
/// A machine that is busy with something else is given so many turns. With the algorithm on, each of them is too slow.
const TURNS: u64 = 10;
const SOON: Duration = Duration::from_millis(20);

/// Appends one event after the other, and returns the median of the times.
async fn median(store: &Store, stream: &StreamName, last: &mut Option<(u64, Hash)>) -> Duration {
    let mut times = Vec::new();
    for _ in 0..TOGETHER {
        let n = last.map_or(0, |(revision, _)| revision + 1);
        let proposed = deposits(stream, *last, n..n + 1);
        let begun = Instant::now();
        let told = store.append(stream, &proposed).await;
        times.push(begun.elapsed());
        assert!(matches!(told, Appended::Stored { .. }), "{told:?}");
        *last = Some((n, proposed.hash()));
    }
    times.sort();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn one_append_at_a_time_does_not_wait_for_delayed_acknowledgements() {
    let running = standin("");
    let store = Store::new(&running.connection_string()).await.unwrap();
    for what in ["at first", "after a new connection"] {
        let (stream, mut last, mut medians) = (fresh("alice"), None, Vec::new());
        while medians.last().is_none_or(|median| *median >= SOON) {
            assert!((medians.len() as u64) < TURNS, "{what}: medians {medians:?}");
            medians.push(median(&store, &stream, &mut last).await);
        }
        println!("{what}: medians {medians:?}");
        // The crate connects again by itself, with the algorithm on.
        running.cut_connections();
        let from = last.map_or(0, |(revision, _)| revision + 1);
        let _lost = store.append(&stream, &deposits(&stream, last, from..from + 1)).await;
    }
}
