//! [`Limits`] is what a stream's metadata stream (`$$stream`) says of it: how much of it is still shown, and whether it
//! is deleted.

use serde_json::{Map, Value};

use super::log::{DELETED, NewEvent, Stream};

pub const METADATA: &str = "$metadata";
pub const TOMBSTONE: &str = "$streamDeleted";

/// The last metadata event of a stream, as far as reads heed it.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    max_count: Option<u64>,
    max_age_s: Option<i64>,
    truncate_before: Option<u64>,
    raw: Map<String, Value>,
}

impl Limits {
    /// What can't be read limits nothing, as on a real node.
    pub fn parse(data: &[u8]) -> Self {
        let raw: Map<String, Value> = serde_json::from_slice(data).unwrap_or_default();
        let number = |name: &str| raw.get(name).and_then(Value::as_u64);
        Self {
            max_count: number("$maxCount"),
            max_age_s: raw.get("$maxAge").and_then(Value::as_i64),
            truncate_before: number("$tb"),
            raw,
        }
    }

    /// A soft delete is a truncation before the end of all revisions.
    pub fn deleted(&self) -> bool {
        self.truncate_before == Some(DELETED)
    }

    /// This metadata again, truncated before another revision: how a stream is deleted, and comes back.
    pub fn truncated(&self, before: u64) -> NewEvent {
        let mut raw = self.raw.clone();
        raw.insert("$tb".to_owned(), before.into());
        NewEvent {
            id: uuid::Uuid::new_v4(),
            kind: METADATA.to_owned(),
            json: true,
            data: serde_json::to_vec(&raw).unwrap(),
            custom_metadata: Vec::new(),
        }
    }

    /// The first revision shown of a stream whose last is `last`, its age aside.
    pub fn first(&self, name: &str, last: u64) -> u64 {
        // A metadata stream shows its last event only.
        let max_count = if name.starts_with("$$") { Some(1) } else { self.max_count };
        let by_count = max_count.map_or(0, |count| (last + 1).saturating_sub(count));
        by_count.max(self.truncate_before.unwrap_or(0))
    }

    /// The oldest time shown, in ticks of 100 ns since 1970.
    pub fn oldest(&self, now: i64) -> i64 {
        self.max_age_s.map_or(i64::MIN, |age| now.saturating_sub(age.saturating_mul(10_000_000)))
    }
}

/// Whether a reader finds the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Yes,
    /// Never written to, or deleted and not written to since.
    No,
    Tombstoned,
}

pub fn found(stream: Option<&Stream>, mark: usize) -> Found {
    match stream {
        Some(stream) if stream.tombstoned => Found::Tombstoned,
        Some(stream) if stream.visible(mark) > 0 && !stream.limits.deleted() => Found::Yes,
        _ => Found::No,
    }
}
