//! What is known to be wrong with the store: one stream, or the whole of it.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::domain::stream::StreamName;

/// Damage, as it is known at the moment.
#[derive(Debug, Default)]
pub struct Damage {
    streams: Mutex<BTreeMap<StreamName, Wrong>>,
    whole: Mutex<Option<String>>,
}

#[derive(Debug)]
struct Wrong {
    why: String,
    /// The index has left events of it out: nothing but a rebuild mends that.
    lasting: bool,
}

impl Damage {
    /// Says that a stream is not what the ledger wrote. `lasting`: it stays so for this index.
    pub fn stream(&self, stream: &StreamName, why: &str, lasting: bool) {
        let mut streams = self.streams.lock();
        let known = streams.get(stream);
        // What was found first says more than that it was found.
        if !lasting && known.is_some_and(|known| known.lasting) {
            return;
        }
        if known.is_none_or(|known| known.why != why) {
            tracing::error!(%stream, why, "the stream is damaged: nothing is booked on it");
        }
        streams.insert(stream.clone(), Wrong { why: why.to_owned(), lasting });
    }

    /// Says that a stream was read and found right.
    pub(super) fn mended(&self, stream: &StreamName) {
        let mut streams = self.streams.lock();
        if streams.get(stream).is_some_and(|wrong| !wrong.lasting) {
            streams.remove(stream);
            tracing::info!(%stream, "the stream is right again");
        }
    }

    /// Is the stream damaged?
    #[must_use]
    pub fn has(&self, stream: &StreamName) -> bool {
        self.streams.lock().contains_key(stream)
    }

    /// Is it damaged in a way that no new look at its stream can mend?
    #[must_use]
    pub fn is_lasting(&self, stream: &StreamName) -> bool {
        self.streams.lock().get(stream).is_some_and(|wrong| wrong.lasting)
    }

    /// How many streams are damaged.
    #[must_use]
    pub fn count(&self) -> usize {
        self.streams.lock().len()
    }

    /// Which streams are damaged, at most `limit` of them.
    #[must_use]
    pub fn streams(&self, limit: usize) -> Vec<StreamName> {
        self.streams.lock().keys().take(limit).cloned().collect()
    }

    /// Says that the store is not the one that the index was made of.
    pub fn set_whole(&self, why: String) {
        tracing::error!(why, "the store is damaged: nothing is answered until a rebuild");
        *self.whole.lock() = Some(why);
    }

    /// Why nothing of the store is believed, if that is so.
    pub(super) fn why_whole(&self) -> Option<String> {
        self.whole.lock().clone()
    }

    /// Is the whole store damaged?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole.lock().is_some()
    }
}
