//! [`Moment`] is a point in time as an event writes it, and can be reckoned with.

/// A moment is kept as an event writes it: `2026-11-21T02:00:00.123456Z`. Moments are in the order of their bytes.
pub(crate) type Moment = [u8; 27];

/// Joins two places of a number, as hours and minutes: so many units of so many parts each, and the parts after them. A moment
/// has so few digits that nothing can wrap around.
fn join(units: i64, of: i64, parts: i64) -> i64 {
    units.wrapping_mul(of).wrapping_add(parts)
}

/// Reads a moment as microseconds on a scale of its own, which only serves to subtract; none when the text is no moment.
#[must_use]
pub(crate) fn micros(moment: &Moment) -> Option<i64> {
    const SHAPE: &Moment = b"0000-00-00T00:00:00.000000Z";
    let shaped = moment
        .iter()
        .zip(SHAPE)
        .all(|(b, shape)| if *shape == b'0' { b.is_ascii_digit() } else { b == shape });
    let number = |from: usize, to: usize| {
        let digits = moment.get(from..to).unwrap_or_default();
        digits.iter().fold(0, |sum, digit| join(sum, 10, i64::from(digit.wrapping_sub(b'0'))))
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let exists = (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60;
    // Days since 0000-03-01, so that a leap day comes last in its year.
    let (years, months) = if month > 2 {
        (year, month.saturating_sub(3))
    } else {
        (year.saturating_sub(1), month.saturating_add(9))
    };
    let leap_days = [years.div_euclid(4), years.div_euclid(100).saturating_neg(), years.div_euclid(400)];
    let days: i64 = leap_days.into_iter().chain([join(months, 153, 2) / 5, day]).sum();
    let seconds = join(join(join(join(years, 365, days), 24, hour), 60, minute), 60, second);
    (shaped && exists).then_some(join(seconds, 1_000_000, number(20, 26)))
}

/// Says whether one moment is exactly so many seconds after another.
#[must_use]
pub(crate) fn is_after(later: &Moment, seconds: u64, earlier: &Moment) -> bool {
    let apart = i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1_000_000));
    match (micros(later), micros(earlier), apart) {
        (Some(later), Some(earlier), Some(apart)) => later.checked_sub(earlier) == Some(apart),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_exists_and_has_one_spelling() {
        assert!(micros(b"2024-02-29T23:59:59.999999Z").is_some());
        for text in [
            b"2026-02-29T00:00:00.000000Z",
            b"2026-13-01T00:00:00.000000Z",
            b"2026-04-31T00:00:00.000000Z",
            b"2026-01-01T24:00:00.000000Z",
            b"2026-01-01 00:00:00.000000Z",
            b"2026-01-01T00:00:60.000000Z",
            b"2026-01-00T00:00:00.000000Z",
            b"2026-00-01T00:00:00.000000Z",
            b"2026-01-01T00:00:00.00000 Z",
        ] {
            assert_eq!(micros(text), None, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn moments_are_as_far_apart_as_a_calendar_says() {
        let between = |from: &Moment, to: &Moment| (micros(to).unwrap() - micros(from).unwrap()) / 1_000_000;
        assert_eq!(between(b"2026-12-31T23:59:59.000000Z", b"2027-01-01T00:00:00.000000Z"), 1);
        assert_eq!(between(b"2024-02-28T00:00:00.000000Z", b"2024-03-01T00:00:00.000000Z"), 2 * 86_400);
        assert_eq!(between(b"1993-01-01T00:00:00.000000Z", b"2026-01-01T00:00:00.000000Z"), 12_053 * 86_400);
        assert!(is_after(b"2024-03-01T00:00:00.000001Z", 86_400, b"2024-02-29T00:00:00.000001Z"));
        assert!(!is_after(b"2024-03-01T00:00:00.000002Z", 86_400, b"2024-02-29T00:00:00.000001Z"));
    }
}
