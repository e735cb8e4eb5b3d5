//! Numbers become those of figures here.

/// Returns a count as a figure has it.
pub(super) fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Returns a size as a figure has it.
pub(super) fn size(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Returns a number of microseconds as seconds.
pub(super) fn seconds(micros: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a figure that people look at")]
    let seconds = micros as f64 / 1_000_000.0;
    seconds
}
