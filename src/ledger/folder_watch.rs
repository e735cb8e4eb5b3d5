//! The folder watch looks once a second whether the data folder still stands at its path. A ledger whose folder was moved away,
//! or exchanged for another one, takes no command and answers no read any more.
//!
//! Nothing is lost by it: whatever is written meanwhile goes into the folder that is held. But whoever moved it means another
//! one by its path, and would read answers of this one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use tokio::sync::watch;

use crate::store::embedded::held::Held;

/// This is how often it looks.
const BEAT: Duration = Duration::from_secs(1);

/// A `FolderWatch` is the watch over one folder. It ends when it is dropped.
pub(super) struct FolderWatch {
    /// Each command asks for this.
    is_replaced: Arc<AtomicBool>,
    why: watch::Receiver<Option<String>>,
    _end: Option<Sender<()>>,
}

impl FolderWatch {
    /// Makes a watch that looks at nothing, for a ledger without a folder.
    pub(super) fn none() -> Self {
        let (_nobody_tells, why) = watch::channel(None);
        Self { is_replaced: Arc::default(), why, _end: None }
    }

    /// Starts to look.
    ///
    /// # Errors
    /// Fails when a thread can't be started.
    pub(super) fn start(held: Arc<Held>) -> std::io::Result<Self> {
        let (end, ended) = bounded::<()>(0);
        let (tell, told) = watch::channel(None);
        let is_replaced = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_replaced);
        std::thread::Builder::new().name("folder".into()).spawn(move || {
            while ended.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                if let Some(why) = held.replaced() {
                    tracing::error!(
                        why,
                        "the data folder was moved or exchanged: no command is taken any more"
                    );
                    tell.send_replace(Some(why));
                    flag.store(true, Ordering::Release);
                    return;
                }
            }
        })?;
        Ok(Self { is_replaced, why: told, _end: Some(end) })
    }

    /// Says whether something else stands at the folder's path.
    pub(super) fn is_replaced(&self) -> bool {
        self.is_replaced.load(Ordering::Acquire)
    }

    /// Says what stands there, in words for an operator.
    pub(super) fn why(&self) -> Option<String> {
        self.why.borrow().clone()
    }

    /// Resolves when something else stands there.
    pub(super) fn changes(&self) -> watch::Receiver<Option<String>> {
        self.why.clone()
    }
}
