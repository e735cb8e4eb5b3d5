//! A [`Held`] keeps the appends that have come until a test lets them go, and says which they are: so a test sees what is under
//! way at once, whatever the machine's pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

/// The appends that wait, and whether they must.
#[derive(Default)]
pub struct Held {
    shut: watch::Sender<bool>,
    next: AtomicU64,
    streams: Arc<Mutex<Vec<(u64, String)>>>,
}

/// One append that waits. It is counted until it goes on, or its caller has gone.
struct Waiting {
    number: u64,
    streams: Arc<Mutex<Vec<(u64, String)>>>,
}

impl Held {
    pub fn shut(&self, shut: bool) {
        self.shut.send_replace(shut);
    }

    /// Returns the streams of the appends that wait now.
    pub fn streams(&self) -> Vec<String> {
        self.streams.lock().iter().map(|(_, stream)| stream.clone()).collect()
    }

    /// Returns when an append to this stream may go on.
    pub async fn pass(&self, stream: &str) {
        let mut shut = self.shut.subscribe();
        if !*shut.borrow_and_update() {
            return;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.streams.lock().push((number, stream.to_owned()));
        let _waiting = Waiting { number, streams: Arc::clone(&self.streams) };
        drop(shut.wait_for(|shut| !*shut).await);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.streams.lock().retain(|(number, _)| *number != self.number);
    }
}
