//! This file opens a ledger whose store is a cluster. The index is this instance's own, and the store may be down
//! meanwhile.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::watch;
use uuid::Uuid;

use crate::clerk::shared::{Clerk, Office};
use crate::index::Index;
use crate::store::embedded::folder::{Folder, JOURNAL};
use crate::store::eventstoredb::{Reader, Store};

use super::clock_watch::ClockWatch;
use super::expiry_beat;
use super::handle::Ledger;
use super::open::{ACCEPT_MISSING, INDEX, Options, Workings};
use super::open_error::OpenError;
use super::pause::Pause;
use super::types::Head;

impl Ledger {
    /// Opens a ledger over this store, with its index in a data folder. It returns at once: commands are taken when the
    /// store has been reached and the index has caught up with it. It must be called inside a tokio runtime.
    ///
    /// # Errors
    /// Fails when another process has the folder, when it holds an embedded ledger, or when the index can't be used.
    pub fn open_store(options: Options, store: Store) -> Result<Self, OpenError> {
        Self::open_store_with(options, store, Workings::default())
    }

    /// Does what [`open_store`](Self::open_store) does, with other workings than the usual ones.
    ///
    /// # Errors
    /// Fails as `open_store` does.
    pub fn open_store_with(options: Options, store: Store, workings: Workings) -> Result<Self, OpenError> {
        let folder = Folder::take(&options.data)?;
        if folder.path().join(JOURNAL).exists() {
            return Err(OpenError::Mismatch(format!(
                "{} holds a ledger of its own; give the index of another store another folder",
                folder.path().display()
            )));
        }
        let pause = Pause::open(folder.held().path(), options.drive).map_err(OpenError::Pause)?;
        pause.warn();
        let accept_missing = options.data.join(ACCEPT_MISSING).exists();
        let runtime = Handle::current();
        let seed = options.fresh.as_u64_pair().1;
        let index = Index::prepare(&folder.held().path().join(INDEX), Uuid::nil(), seed, workings.index)?;
        let checkpoint = index.checkpoint()?;
        index.start()?;
        let (journal_id, position, hash) = (checkpoint.journal_id, checkpoint.position, checkpoint.hash);
        let (sender, head) = watch::channel(Head { journal_id, position, hash });
        let Options { clock, steady, accept_clock, limits, reads, .. } = options;
        let watch = ClockWatch::new(clock, steady, accept_clock);
        let told = Arc::clone(&watch);
        let office = Office {
            store: store.clone(),
            index: index.clone(),
            clock: watch.clock(),
            begins_after: Box::new(move |last| told.begin_after(last)),
            head: sender,
            limits,
            waits: workings.waits,
            accept_missing,
        };
        let clerk = Clerk::start(office)?;
        let reader = (workings.journal)(Arc::new(Reader::new(store, runtime)));
        folder.held().remember(INDEX);
        let clock = watch.clock();
        let kept = (Some(folder), pause);
        let ledger = Self::over(Box::new(clerk), reader, index, head, watch, kept, reads)?;
        expiry_beat::start(&ledger, clock)?;
        Ok(ledger)
    }
}
