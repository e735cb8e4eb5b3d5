//! These functions write pieces of JSON into a buffer. The codec and the answers share them.

use crate::domain::ids::TransactionId;
use crate::domain::metadata::Metadata;

/// Appends texts as they are. Names, money and ids need no escaping.
pub fn put(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Appends a JSON string, with the escapes that it needs.
pub fn text(value: &str, out: &mut Vec<u8>) {
    // Writing a string into memory can't fail.
    let _infallible = serde_json::to_writer(out, value);
}

/// Appends a whole number.
pub fn number(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a further member that is true, or nothing when it is not set.
pub fn flag(name: &str, set: bool, out: &mut Vec<u8>) {
    if set {
        put(out, &[",\"", name, "\":true"]);
    }
}

/// Appends a list of transaction IDs.
pub fn ids(ids: &[TransactionId], out: &mut Vec<u8>) {
    out.push(b'[');
    for (place, id) in ids.iter().enumerate() {
        put(out, &[if place == 0 { "\"" } else { ",\"" }]);
        id.write(out);
        out.push(b'"');
    }
    out.push(b']');
}

/// Appends a further member `metadata`, or nothing when there is none.
pub fn metadata(pairs: &Metadata, out: &mut Vec<u8>) {
    if pairs.is_empty() {
        return;
    }
    put(out, &[",\"metadata\":{"]);
    for (place, (key, value)) in pairs.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        text(key, out);
        out.push(b':');
        text(value, out);
    }
    out.push(b'}');
}
