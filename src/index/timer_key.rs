//! A timer's key has the time first and then the stream, so that timers are in the order of their times.

use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;

/// Returns the key of the timer of a stream, for which something is due at this time. Keys are in the order of their times.
pub fn timer_key(at: Timestamp, stream: &StreamName) -> Vec<u8> {
    // With the sign's bit the other way round, the bytes are in the order of the numbers.
    let mut key = (at.micros().cast_unsigned() ^ 1 << 63).to_be_bytes().to_vec();
    stream.with_parts(|parts| parts.into_iter().for_each(|part| key.extend_from_slice(part.as_bytes())));
    key
}

/// Returns the time and the stream of a timer.
pub fn read_timer_key(key: &[u8]) -> Option<(Timestamp, StreamName)> {
    let (at, stream) = key.split_first_chunk::<8>()?;
    let at = Timestamp::from_micros((u64::from_be_bytes(*at) ^ 1 << 63).cast_signed());
    Some((at, StreamName::parse(std::str::from_utf8(stream).ok()?)?))
}
