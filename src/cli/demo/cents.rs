//! The demonstration counts money as whole cents in 64 bits, so that the ledger's arithmetic is not checked with itself.

/// Writes cents as the ledger writes euros.
#[must_use]
pub(crate) fn write(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

/// Reads what the ledger wrote; `None` when it is no sum with two decimals.
#[must_use]
pub(crate) fn read(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.')?;
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if fraction.len() != 2 || !number(whole) || !number(fraction) {
        return None;
    }
    let cents = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(fraction.parse().ok()?)?;
    Some(sign * cents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_are_written_and_read_back() {
        for (cents, text) in [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (123_456, "1234.56"), (-100, "-1.00")]
        {
            assert_eq!((write(cents).as_str(), read(text)), (text, Some(cents)));
        }
        for text in ["", "1", "1.0", "1.000", ".50", "1e2", "--1.00", "1.-5", "99999999999999999999.00"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
