//! [`Damage`] is what is known to be wrong with single streams, or with the whole store.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::domain::stream::StreamName;

/// A `Damage` is the damage that is known at the moment.
#[derive(Debug, Default)]
pub struct Damage {
    streams: Mutex<BTreeMap<StreamName, Wrong>>,
    whole: Mutex<Option<String>>,
}

#[derive(Debug)]
struct Wrong {
    why: String,
    /// This is true where the index has left out events of the stream. Only a rebuild of the index mends that.
    lasting: bool,
}

impl Damage {
    /// Marks a stream as damaged: it is not what the ledger wrote. `lasting` damage stays until the index is rebuilt.
    pub fn stream(&self, stream: &StreamName, why: &str, lasting: bool) {
        let mut streams = self.streams.lock();
        let known = streams.get(stream);
        // The first reason of lasting damage says more than the later one, so it is kept.
        if !lasting && known.is_some_and(|known| known.lasting) {
            return;
        }
        if known.is_none_or(|known| known.why != why) {
            tracing::error!(%stream, why, "the stream is damaged: nothing is booked on it");
        }
        streams.insert(stream.clone(), Wrong { why: why.to_owned(), lasting });
    }

    /// Notes that a stream was read and found right. Damage that is not lasting is forgotten.
    pub(super) fn mended(&self, stream: &StreamName) {
        let mut streams = self.streams.lock();
        if streams.get(stream).is_some_and(|wrong| !wrong.lasting) {
            streams.remove(stream);
            tracing::info!(%stream, "the stream is right again");
        }
    }

    /// Says whether the stream is damaged.
    #[must_use]
    pub fn has(&self, stream: &StreamName) -> bool {
        self.streams.lock().contains_key(stream)
    }

    /// Says whether the stream has lasting damage, which reading it again does not mend.
    #[must_use]
    pub fn is_lasting(&self, stream: &StreamName) -> bool {
        self.streams.lock().get(stream).is_some_and(|wrong| wrong.lasting)
    }

    /// Returns the number of streams that are damaged.
    #[must_use]
    pub fn count(&self) -> usize {
        self.streams.lock().len()
    }

    /// Returns the streams that are damaged, at most `limit` of them.
    #[must_use]
    pub fn streams(&self, limit: usize) -> Vec<StreamName> {
        self.streams.lock().keys().take(limit).cloned().collect()
    }

    /// Marks the whole store as damaged: it is not the one that the index was made of.
    pub fn set_whole(&self, why: String) {
        tracing::error!(why, "the store is damaged: nothing is answered until a rebuild");
        *self.whole.lock() = Some(why);
    }

    /// Returns why nothing of the store is believed, if that is so.
    pub(super) fn why_whole(&self) -> Option<String> {
        self.whole.lock().clone()
    }

    /// Says whether the whole store is damaged.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole.lock().is_some()
    }
}
