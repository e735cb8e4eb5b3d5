//! Moments in time are microseconds since 1970 in UTC, shown as RFC 3339 with six decimals.
//!
//! Every function of the core takes the time as an argument; it comes from a [`Clock`].

use std::fmt;

/// A `Timestamp` is a moment, exact to the microsecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// These are the years that are accepted. A year outside them is more likely a mistake than a date that a ledger deals
/// with.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;

impl Timestamp {
    /// Makes a moment of microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns the moment that is this many seconds later.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Reads an RFC 3339 date and time with its offset. Every time that a person or a program sends is read here.
    ///
    /// The parser of the `jiff` crate takes more than RFC 3339 has: an hour without minutes, a comma, an offset of a
    /// day and more, and a second 60, which it makes 59. So the form is checked here first, byte by byte.
    ///
    /// # Errors
    /// Says what is wrong with the text. A moment finer than a microsecond is refused, not cut.
    pub fn parse(text: &str) -> Result<Self, NotAMoment> {
        if !has_form(text.as_bytes()) {
            return Err(NotAMoment::Form);
        }
        if text.get(17..19) == Some("60") {
            return Err(NotAMoment::LeapSecond);
        }
        let moment: jiff::Timestamp = text.parse().map_err(|_| NotAMoment::NoSuchDay)?;
        if moment.subsec_nanosecond() % 1_000 != 0 {
            return Err(NotAMoment::TooFine);
        }
        let year = moment.to_zoned(jiff::tz::TimeZone::UTC).year();
        YEARS.contains(&year).then(|| Self(moment.as_microsecond())).ok_or(NotAMoment::Year)
    }

    /// Reads exactly what [`write`](Self::write) wrote; `None` for any other text.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let written = bytes.len() == 27 && bytes.get(10) == Some(&b'T') && bytes.last() == Some(&b'Z');
        if !written || !has_form(bytes) || text.get(17..19) == Some("60") {
            return None;
        }
        text.parse::<jiff::Timestamp>().ok().map(|moment| Self(moment.as_microsecond()))
    }

    /// Appends the moment in the form `2026-11-21T02:00:00.123456Z`.
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

/// The reason why a text is not a moment that can be used, in words that follow the name of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAMoment {
    /// It does not have the form of RFC 3339.
    #[error(
        "must be an RFC 3339 date and time with its offset, such as 2026-11-21T02:00:00Z or 2026-11-21T03:00:00+01:00"
    )]
    Form,
    /// It is in a leap second.
    #[error(
        "must not be in second 60: the ledger's clock has no leap seconds, so send second 59 or the next minute"
    )]
    LeapSecond,
    /// Its form is right, but there is no such day or no such time of day.
    #[error("must be a day and a time of day that exist")]
    NoSuchDay,
    /// It has more decimals than the ledger keeps.
    #[error("must not be finer than a microsecond (6 decimals)")]
    TooFine,
    /// Its year is before 1900 or after 2199.
    #[error("must be in the years 1900 to 2199")]
    Year,
}

/// Says whether a text has the form `date-time` of RFC 3339, 5.6. The numbers of its date and time are not checked.
fn has_form(text: &[u8]) -> bool {
    let Some((head, mut rest)) = text.split_at_checked(19) else { return false };
    let fixed = head.iter().zip(b"dddd-dd-ddTdd:dd:dd").all(|(byte, form)| match form {
        b'd' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't'),
        other => byte == other,
    });
    if let Some((b'.', decimals)) = rest.split_first() {
        let length = decimals.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&length) {
            return false;
        }
        rest = decimals.get(length..).unwrap_or_default();
    }
    fixed && is_offset(rest)
}

/// Says whether a text is `Z`, or an offset of hours up to 23 and minutes up to 59.
fn is_offset(text: &[u8]) -> bool {
    match text {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h, hh, b':', m, mm] => {
            let digits = [h, hh, m, mm].iter().all(|byte| byte.is_ascii_digit());
            digits && (*h, *hh) <= (b'2', b'3') && *m <= b'5'
        }
        _ => false,
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

/// `Now` is the time of a decision.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// This is what the clock says. It decides what lies in the future.
    pub clock: Timestamp,
    /// This is when the event is recorded: what the clock says, but never before the event that goes before it.
    pub recorded_at: Timestamp,
}

impl Now {
    /// Returns the time of a decision after an event that was recorded at `last`.
    #[must_use]
    pub fn after(last: Timestamp, clock: Timestamp) -> Self {
        Self { clock, recorded_at: clock.max(last) }
    }
}

impl From<Timestamp> for Now {
    fn from(clock: Timestamp) -> Self {
        Self { clock, recorded_at: clock }
    }
}

/// A `Clock` is a clock, from which the time comes: the machine's clock in the service, a script in a test.
pub type Clock = std::sync::Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Returns the machine's clock.
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
        assert_eq!(Timestamp::parse("2026-11-21T03:00:00.123456+01:00"), Ok(moment));
        assert_eq!(Timestamp::from_micros(0).to_string(), "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn every_form_of_rfc_3339_is_read() {
        for text in [
            "2026-11-21T02:00:00Z",
            "2026-11-21t02:00:00z",
            "2026-11-21T02:00:00.0Z",
            "2026-11-21T02:00:00.000000000Z",
            "2026-11-21T02:00:00-00:00",
            "2026-11-22T01:59:00+23:59",
            "2026-11-20T02:01:00-23:59",
        ] {
            assert_eq!(Timestamp::parse(text), Ok(Timestamp::from_micros(1_795_226_400_000_000)), "{text:?}");
        }
    }

    /// Seen failing with `jiff` alone, which took every one of the first two groups and made second 60 the one before.
    #[test]
    fn what_is_no_moment_is_refused_with_what_it_is_not() {
        let form = [
            "2026-11-21T12:30:00+24:00",
            "2026-11-21T12:30:00+25:59",
            "2026-11-21T12Z",
            "2026-11-21T12:30Z",
            "2026-11-21T12:30:00,5Z",
            "2026-11-21T12:30:00+01",
            "2026-11-21T12:30:00+0100",
            "2026-11-21T12:30:00+01:00:00",
            "2026-11-21T12:30:00.Z",
            "2026-11-21T12:30:00Z[UTC]",
            "2026-11-21T12:30:00+01:60",
            "2026-11-21T123000Z",
            "20261121T12:30:00Z",
            "+002026-11-21T12:30:00Z",
            "2026-11-21",
            "2026-11-21T00:00:00",
            "2026-11-21 00:00:00Z",
            " 2026-11-21T00:00:00Z",
            "2026-11-21T00:00:00Z ",
            "yesterday",
            "",
        ];
        for text in form {
            assert_eq!(Timestamp::parse(text), Err(NotAMoment::Form), "{text:?}");
        }
        for text in ["2026-11-21T12:30:60Z", "2026-11-21T12:30:60.5Z", "2016-12-31T23:59:60Z"] {
            assert_eq!(Timestamp::parse(text), Err(NotAMoment::LeapSecond), "{text:?}");
        }
        for (text, reason) in [
            ("2026-02-30T00:00:00Z", NotAMoment::NoSuchDay),
            ("2026-11-21T24:00:00Z", NotAMoment::NoSuchDay),
            ("2026-11-21T12:60:00Z", NotAMoment::NoSuchDay),
            ("2026-11-21T12:30:61Z", NotAMoment::NoSuchDay),
            ("2026-11-21T00:00:00.1234567Z", NotAMoment::TooFine),
            ("1899-12-31T23:59:59Z", NotAMoment::Year),
            ("2200-01-01T00:00:00Z", NotAMoment::Year),
            ("0000-01-01T00:00:00Z", NotAMoment::Year),
        ] {
            assert_eq!(Timestamp::parse(text), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn what_was_not_written_here_is_not_read_as_if_it_were() {
        for text in [
            "2026-11-21T02:00:60.123456Z",
            "2026-11-21T02:00:00,123456Z",
            "2026-11-21t02:00:00.123456Z",
            "2026-11-21T02:00:00.123+01Z",
        ] {
            assert_eq!(Timestamp::read(text), None, "{text:?}");
        }
    }
}
