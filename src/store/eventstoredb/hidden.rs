//! These functions say what the metadata of a stream hides of it.

use super::names::LAST_REVISION;

/// Returns the fields of a stream's metadata. What can't be read hides nothing: a node does not heed it either.
fn fields(metadata: &[u8]) -> Option<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_slice(metadata).ok()
}

/// Says whether the metadata of a stream hides all of it. That is how a deleted stream looks that can come back.
pub(super) fn hides_all(metadata: &[u8]) -> bool {
    let before = fields(metadata).and_then(|said| said.get("$tb")?.as_u64());
    before == Some(LAST_REVISION)
}

/// Returns what in the metadata of a stream hides a part of the stream, or all of it.
pub(super) fn cuts(metadata: &[u8]) -> Option<String> {
    let said = fields(metadata)?;
    if hides_all(metadata) {
        return Some("deleted".to_owned());
    }
    let cuts: Vec<String> = ["$maxCount", "$maxAge", "$tb"]
        .iter()
        .filter_map(|name| Some((name, said.get(*name)?)))
        .filter(|(name, value)| !value.is_null() && (**name != "$tb" || value.as_u64() != Some(0)))
        .map(|(name, value)| format!("{name} is {value}"))
        .collect();
    (!cuts.is_empty()).then(|| cuts.join(", "))
}
