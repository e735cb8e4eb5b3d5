//! These functions find what a line tells without reading its JSON: its canonical bytes, its position, its id.

use uuid::Uuid;

use crate::store::chain;

/// Returns the canonical bytes of a line, and the hash that it carries as text. It returns `None` when the line is not
/// laid out as the encoder lays it out.
#[must_use]
pub fn cut(line: &[u8]) -> Option<(Vec<u8>, &str)> {
    let rest = line.strip_prefix(b"{\"position\":")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest.get(digits..)?.strip_prefix(b",")?;
    // A stream's name has no quotes and no commas, so the first of these is the field.
    let id = memchr::memmem::find(rest, b"\"event_id\":\"")?;
    let (head, rest) = rest.split_at(id);
    let rest = rest.get(12 + 36..)?.strip_prefix(b"\",")?;
    let body = rest.len().checked_sub(9 + 64 + 2)?;
    let (body, tail) = rest.split_at(body);
    let hash = tail.strip_prefix(b",\"hash\":\"")?.strip_suffix(b"\"}")?;
    let mut canonical = Vec::with_capacity(head.len() + body.len() + 2);
    canonical.push(b'{');
    canonical.extend_from_slice(head);
    canonical.extend_from_slice(body);
    canonical.push(b'}');
    Some((canonical, std::str::from_utf8(hash).ok()?))
}

/// Says whether the id of a line is that of its bytes, so that they are what its writer wrote.
#[must_use]
pub(crate) fn has_its_id(line: &[u8]) -> bool {
    let written = event_id_of(line);
    cut(line).is_some_and(|(canonical, _)| Some(chain::event_id(&canonical)) == written)
}

/// Returns the position of a line; `None` when it is not laid out as the encoder lays it out.
#[must_use]
pub fn position_of(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"{\"position\":")?;
    let digits = rest.split(|byte| *byte == b',').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Returns the name of a line's stream; `None` when it is not laid out as the encoder lays it out.
#[must_use]
pub fn stream_of(line: &[u8]) -> Option<&str> {
    const FIELD: &[u8] = b",\"stream\":\"";
    let rest = line.strip_prefix(b"{\"position\":")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let name = rest.get(digits..)?.strip_prefix(FIELD)?;
    let end = memchr::memchr(b'"', name)?;
    std::str::from_utf8(name.get(..end)?).ok()
}

/// Returns the id that a line says it has; `None` when it is not laid out as the encoder lays it out.
#[must_use]
fn event_id_of(line: &[u8]) -> Option<Uuid> {
    const FIELD: &[u8] = b"\"event_id\":\"";
    let at = memchr::memmem::find(line, FIELD)?;
    let id = line.get(at + FIELD.len()..)?.get(..36)?;
    Uuid::try_parse_ascii(id).ok()
}
