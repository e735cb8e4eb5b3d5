//! This test measures how long one append takes. The crate leaves Nagle's algorithm on, which costs 44 ms each: when
//! this test passes with `crate_traps/nodelay.rs` switched off, that file may be deleted.

use std::time::{Duration, Instant};

use crate::{deposits, fresh, standin};

#[tokio::test(flavor = "multi_thread")]
async fn one_append_at_a_time_does_not_wait_for_delayed_acknowledgements() {
    let running = standin("");
    let store = crate::hurried(&running).await;
    for what in ["at first", "after a new connection"] {
        let stream = fresh("alice");
        let (mut last, mut times) = (None, Vec::new());
        for n in 0..50 {
            let proposed = deposits(&stream, last, n..n + 1);
            let begun = Instant::now();
            let told = store.append(&stream, &proposed).await;
            times.push(begun.elapsed());
            assert!(matches!(told, bookonce::store::eventstoredb::Appended::Stored { .. }), "{told:?}");
            last = Some((n, proposed.hash()));
        }
        times.sort();
        println!("{what}: median {:?}, worst {:?}", times[25], times[49]);
        assert!(times[25] < Duration::from_millis(20), "{what}: median {:?}", times[25]);
        // The crate connects again by itself, with the algorithm on.
        running.cut_connections();
        let _lost = store.append(&stream, &deposits(&stream, last, 50..51)).await;
    }
}
