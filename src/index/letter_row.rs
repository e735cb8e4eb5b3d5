//! These functions make and read the value of the row that says how a letter stands.

use crate::domain::delivery::name::DestinationName;
use crate::domain::letter::{Letter, LetterId};

/// Returns how a letter stands, as the parts of a row's value with a blank between them. None of them has a blank.
pub(super) fn value(letter: &Letter) -> String {
    format!("{} {} {}", letter.source, letter.position, letter.revision)
}

/// Reads a letter from the parts of its row's value.
pub(super) fn read<'a>(id: LetterId, parts: &mut impl Iterator<Item = &'a str>) -> Option<Letter> {
    Some(Letter {
        id,
        source: DestinationName::parse(parts.next()?)?,
        position: parts.next()?.parse().ok()?,
        revision: parts.next()?.parse().ok()?,
    })
}
