//! A line that can't be read may be an event that a newer version of this program wrote. Then nothing is wrong with it, and
//! this program must be upgraded before it can say more.
//!
//! Such an event says its version or its type itself, and its id is that of its bytes, so that no flipped bit passes for it.

use crate::audit::parse::cursor::Cursor;
use crate::audit::parse::event_line::{VERSION, stream_of};
use crate::audit::values::chain::Hasher;
use crate::audit::values::finding::Flaw;

/// Gives the flaw of the line from `start` to the end of `block`, where it is that a newer version wrote the line.
#[must_use]
pub(super) fn of(block: &[u8], start: usize, flaw: &Flaw, hasher: &mut Hasher) -> Option<Flaw> {
    #[derive(serde::Deserialize)]
    struct Head {
        version: u64,
    }
    if !matches!(flaw, Flaw::UnknownType(_) | Flaw::UnknownVersion(_) | Flaw::Layout { .. }) {
        return None;
    }
    let stream = String::from_utf8_lossy(stream_of(block, start)?.of(block)).into_owned();
    let head: Head = serde_json::from_slice(block.get(start..)?).ok()?;
    let what = if head.version > VERSION {
        format!("of version {}", head.version)
    } else if let Flaw::UnknownType(name) = flaw {
        format!("of type {name:?}")
    } else {
        return None;
    };
    has_its_id(block, start, hasher)?.then_some(Flaw::Newer { stream, what })
}

/// Says whether the id of the event in this line is that of its bytes.
fn has_its_id(block: &[u8], start: usize, hasher: &mut Hasher) -> Option<bool> {
    /// This is how long what stands behind an event's own bytes is: its hash with its name.
    const HASH: usize = ",\"hash\":\"\"}".len() + 64;
    let mut cursor = Cursor::new(block, start);
    cursor.literal("{\"position\":").ok()?;
    cursor.number().ok()?;
    cursor.literal(",").ok()?;
    let front = cursor.at();
    cursor.literal("\"stream\":\"").ok()?;
    cursor.word().ok()?;
    cursor.literal(",\"revision\":").ok()?;
    cursor.number().ok()?;
    cursor.literal(",").ok()?;
    let middle = cursor.at();
    cursor.literal("\"event_id\":\"").ok()?;
    let id = cursor.bytes::<36>("an event's id").ok()?;
    cursor.literal("\",").ok()?;
    let (back, end) = (cursor.at(), block.len().checked_sub(HASH)?);
    hasher.take(block.get(front..middle)?, block.get(back..end)?);
    Some(hasher.event_id() == *id)
}
