//! These functions find the letters of a destination, in the order of their ids.
//!
//! Costs: as many rows as the page has letters, and the letters in memory, which are those of the events that are not in the
//! files yet.

use std::collections::BTreeMap;

use crate::domain::delivery::name::DestinationName;
use crate::domain::letter::{Letter, LetterId};
use crate::domain::stream::StreamName;

use super::error::IndexError;
use super::overlay::Overlay;
use super::rows::{self, Kind};

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
}
