//! A line that can't be read may be an event that a newer version of this program wrote. Then nothing is wrong with it, and
//! this program must be upgraded before it can say more.
//!
//! Such an event says its version, its type or its stream itself, and its id is that of its bytes, so that no flipped bit
//! passes for it.

use crate::audit::parse::cursor::Cursor;
use crate::audit::parse::event_line::{named_stream, stream_of};
use crate::audit::parse::head::VERSION;
use crate::audit::values::chain::Hasher;
use crate::audit::values::finding::Flaw;
use crate::audit::values::span::Span;

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
    let name = stream_of(block, start);
    let is_known = name.is_some();
    let name = name.or_else(|| later_stream(block, start))?;
    let stream = String::from_utf8_lossy(name.of(block)).into_owned();
    let head: Head = serde_json::from_slice(block.get(start..)?).ok()?;
    let what = if !is_known {
        "in a kind of stream which is not known here".to_owned()
    } else if head.version > VERSION {
        format!("of version {}", head.version)
    } else if let Flaw::UnknownType(name) = flaw {
        format!("of type {name:?}")
    } else {
        return None;
    };
    has_its_id(block, start, hasher)?.then_some(Flaw::Newer { stream, what })
}

/// Reads the name of a stream that no event of this version is in, where a later version could have such a stream: its kind is
/// a word of small letters, and behind it may stand `-` and a name.
fn later_stream(block: &[u8], start: usize) -> Option<Span> {
    let stream = named_stream(block, start)?;
    let name = stream.of(block);
    let kind = name.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    (kind > 0 && matches!(name.get(kind), None | Some(b'-'))).then_some(stream)
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
