//! These functions find the letters of a destination, in the order of their ids.
//!
//! Costs: as many rows as the page has letters, and the letters in memory, which are those of the events that are not in the
//! files yet.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::delivery::name::DestinationName;
use crate::domain::letter::{Letter, LetterId};
use crate::domain::stream::StreamName;

use super::error::IndexError;
use super::overlay::Overlay;
use super::rows::{self, Kind};

/// This is how many rows are read together where letters are counted.
const TOGETHER: usize = 4_096;

impl Overlay<'_> {
    /// Returns up to `limit` letters of a destination by their ids, from after `after`.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn letters(
        &self,
        of: &DestinationName,
        after: Option<LetterId>,
        limit: usize,
    ) -> Result<Vec<Letter>, IndexError> {
        let prefix = rows::letters_key(of);
        let from = after.map_or_else(|| prefix.clone(), |after| rows::letter_key(of, after));
        let damaged = || IndexError::damaged("a letter can't be read");
        let mut found: BTreeMap<LetterId, Letter> = BTreeMap::new();
        for (key, _) in self.proven.states(self.catalog, Kind::LetterOf, &from, limit)? {
            let Some(id) = key.strip_prefix(prefix.as_slice()) else { break };
            let id = LetterId::from_bytes(id.try_into().ok().ok_or_else(damaged)?);
            let row = self.proven.state(self.catalog, Kind::Letter, id.as_bytes())?.ok_or_else(damaged)?;
            let tracked = rows::read_state(&StreamName::Letter(id), &row)?;
            found.insert(id, tracked.state.letter().cloned().ok_or_else(damaged)?);
        }
        let is_next = |letter: &&Letter| letter.source == *of && after.is_none_or(|after| letter.id > after);
        for layer in &self.layers {
            found.extend(layer.letters().filter(is_next).map(|letter| (letter.id, letter.clone())));
        }
        Ok(found.into_values().take(limit).collect())
    }

    /// Returns how many letters a destination has. It reads one row for each.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn count_letters(&self, of: &DestinationName) -> Result<u64, IndexError> {
        let prefix = rows::letters_key(of);
        let newer = self.layers.iter().flat_map(|layer| layer.letters());
        let mut newer: BTreeSet<LetterId> =
            newer.filter(|letter| letter.source == *of).map(|letter| letter.id).collect();
        let (mut count, mut from) = (0_u64, prefix.clone());
        loop {
            let page = self.proven.states(self.catalog, Kind::LetterOf, &from, TOGETHER)?;
            for (key, _) in &page {
                let Some(id) = key.strip_prefix(prefix.as_slice()) else {
                    return Ok(count.saturating_add(newer.len() as u64));
                };
                if let Ok(id) = id.try_into() {
                    newer.remove(&LetterId::from_bytes(id));
                }
                count = count.saturating_add(1);
            }
            match page.last() {
                Some((key, _)) if page.len() == TOGETHER => from.clone_from(key),
                Some(_) | None => return Ok(count.saturating_add(newer.len() as u64)),
            }
        }
    }
}
