//! The auditor has an arithmetic of money of its own, with whole minor units in an `i128`.
//!
//! It shares nothing with the decimals that the service uses, so that a mistake in one of the two is found by the other.

use crate::audit::values::currency::Currency;

/// A sum has at most this many digits: far more than 10^15 major units have, and far fewer than an `i128` can hold.
const MOST_DIGITS: usize = 34;

/// Gives the largest amount, which is also the largest balance of a guarded account: 10^15 major units, in minor units.
#[must_use]
pub(crate) fn largest(currency: Currency) -> i128 {
    10_i128.saturating_pow(u32::from(currency.decimals()).saturating_add(15))
}

/// Reads a sum in its one spelling: exactly the currency's decimals, no leading zero, `-` when negative, never `-0`.
#[must_use]
pub(crate) fn read(text: &[u8], currency: Currency) -> Option<i128> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let decimals = usize::from(currency.decimals());
    let whole = match decimals {
        0 => digits.len(),
        _ => digits.len().checked_sub(decimals.saturating_add(1))?,
    };
    if whole == 0 || digits.len() > MOST_DIGITS || (whole > 1 && digits.first() == Some(&b'0')) {
        return None;
    }
    // So few digits can't wrap around, and an audit reads many of them: to check each step would be slow.
    let mut units = 0_i128;
    for (place, digit) in digits.iter().enumerate() {
        match digit {
            b'.' if decimals > 0 && place == whole => {}
            b'0'..=b'9' if decimals == 0 || place != whole => {
                units = units.wrapping_mul(10).wrapping_add(i128::from(digit.wrapping_sub(b'0')));
            }
            _ => return None,
        }
    }
    if negative { (units != 0).then_some(units.saturating_neg()) } else { Some(units) }
}

/// Writes a sum in its one spelling.
#[must_use]
pub(crate) fn show(units: i128, currency: Currency) -> String {
    let decimals = usize::from(currency.decimals());
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", units.unsigned_abs(), width = decimals.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &[u8; 3]) -> Currency {
        Currency::read(code).unwrap()
    }

    #[test]
    fn a_sum_is_read_in_its_one_spelling_and_shown_in_it_again() {
        for (code, text, units) in [
            (b"EUR", "40.00", 4_000),
            (b"EUR", "-0.05", -5),
            (b"EUR", "0.00", 0),
            (b"JPY", "40", 40),
            (b"JPY", "0", 0),
            (b"KWD", "-1.001", -1_001),
            (b"CLF", "0.0001", 1),
            (b"EUR", "1000000000000000.00", 100_000_000_000_000_000),
        ] {
            assert_eq!(read(text.as_bytes(), currency(code)), Some(units), "{text}");
            assert_eq!(show(units, currency(code)), text);
        }
    }

    #[test]
    fn another_spelling_is_no_sum() {
        for text in [
            "",
            "-",
            ".",
            "40",
            "40.0",
            "40.000",
            "040.00",
            "-0.00",
            "+1.00",
            "1,00",
            " 1.00",
            "1.00 ",
            ".00",
            "1e3",
            "1..0",
            "--1.00",
            "00.00",
            "1.0x",
            "99999999999999999999999999999999999999999999.00",
        ] {
            assert_eq!(read(text.as_bytes(), currency(b"EUR")), None, "{text:?}");
        }
        for text in ["40.", "4.0", "-0", "01"] {
            assert_eq!(read(text.as_bytes(), currency(b"JPY")), None, "{text:?}");
        }
    }
}
