//! Moments in time: microseconds since 1970, UTC, shown as RFC 3339 with six decimals.
//!
//! Time is an input everywhere; [`Clock`] is where it enters.

use std::fmt;

/// A moment, exact to the microsecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Years outside these are refused: more likely a slip than a date a ledger has to do with.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This moment and so many seconds more.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Reads an RFC 3339 date and time with an offset, as clients send it. Finer than a microsecond is refused, not cut.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let shape = text.as_bytes();
        if text.len() > 40 || shape.get(10).is_none_or(|t| !matches!(t, b'T' | b't')) || text.contains('[') {
            return None;
        }
        let moment: jiff::Timestamp = text.parse().ok()?;
        let whole = moment.subsec_nanosecond() % 1_000 == 0;
        let year = moment.to_zoned(jiff::tz::TimeZone::UTC).year();
        (whole && YEARS.contains(&year)).then(|| Self(moment.as_microsecond()))
    }

    /// Reads exactly what [`write`](Self::write) wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() != 27 || !text.ends_with('Z') || text.as_bytes().get(19) != Some(&b'.') {
            return None;
        }
        text.parse::<jiff::Timestamp>().ok().map(|moment| Self(moment.as_microsecond()))
    }

    /// Appends `2026-11-21T02:00:00.123456Z`.
    pub fn write(self, out: &mut Vec<u8>) {
        let moment = jiff::Timestamp::from_microsecond(self.0).unwrap_or_default();
        let moment = jiff::tz::Offset::UTC.to_datetime(moment);
        let mut number = |value: i64, width: u32, after: u8| {
            for place in (0..width).rev() {
                let digit = value.div_euclid(10_i64.saturating_pow(place)).rem_euclid(10);
                out.push(b'0'.saturating_add(u8::try_from(digit).unwrap_or_default()));
            }
            out.push(after);
        };
        number(moment.year().into(), 4, b'-');
        number(moment.month().into(), 2, b'-');
        number(moment.day().into(), 2, b'T');
        number(moment.hour().into(), 2, b':');
        number(moment.minute().into(), 2, b':');
        number(moment.second().into(), 2, b'.');
        number(i64::from(moment.subsec_nanosecond()) / 1_000, 6, b'Z');
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(27);
        self.write(&mut text);
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where time enters: the machine's clock in the service, a script in a test.
pub type Clock = std::sync::Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The machine's clock.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the edge at which time enters")]
pub fn system_clock() -> Clock {
    std::sync::Arc::new(|| Timestamp(jiff::Timestamp::now().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_with_six_decimals_and_read_back() {
        let moment = Timestamp::from_micros(1_795_226_400_123_456);
        assert_eq!(moment.to_string(), "2026-11-21T02:00:00.123456Z");
        assert_eq!(Timestamp::read(&moment.to_string()), Some(moment));
        assert_eq!(Timestamp::parse("2026-11-21T03:00:00.123456+01:00"), Some(moment));
        assert_eq!(Timestamp::from_micros(0).to_string(), "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "2026-02-30T00:00:00Z",
            "9999-01-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "2026-11-21",
            "2026-11-21T00:00:00",
            "2026-11-21T00:00:00.1234567Z",
            "yesterday",
            "",
            "2026-11-21 00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text:?}");
        }
    }
}
