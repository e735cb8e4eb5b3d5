//! Money is in exact decimals, each with as many places as its currency has. There is no floating point and no rounding,
//! and the arithmetic is checked.

use std::fmt;

use rust_decimal::Decimal;

use super::currency::Currency;

/// This is the largest amount, and the largest balance of a guarded account, in major units: 10^15.
pub const LARGEST_MAJOR: i64 = 1_000_000_000_000_000;

/// This is the most decimals that any currency has.
const MOST_DECIMALS: usize = 4;

/// This is the most digits that a sum has. Any number of this many digits fits into the 96 bits of a `Decimal`.
const MOST_DIGITS: usize = 28;

/// Returns the digits as one whole number, without their point. It is exact for at most [`MOST_DIGITS`] digits.
fn units(whole: &str, fraction: &str) -> i128 {
    whole
        .bytes()
        .chain(fraction.bytes())
        .fold(0, |sum: i128, digit| sum.wrapping_mul(10).wrapping_add(i128::from(digit.wrapping_sub(b'0'))))
}

/// The reason why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// It does not have the form `digits` or `digits.digits`.
    #[error("must be a decimal string such as \"40.00\": digits, and at most one point between digits")]
    NotDecimal,
    /// It is zero or less, where an amount must be greater than zero.
    #[error("must be greater than zero")]
    NotPositive,
    /// It is above [`LARGEST_MAJOR`].
    #[error("must be at most 1000000000000000")]
    TooLarge,
    /// It has more decimals than its currency.
    #[error("has more decimals than its currency")]
    TooManyDecimals,
    /// It is zero and has a minus sign.
    #[error("must not have a minus sign where it is zero")]
    MinusZero,
}

/// A `Written` is a number as a client wrote it: exact and not negative, not yet fitted to a currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written(Decimal);

impl Written {
    /// This is zero, the default of an overdraft limit.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Reads a number of the form `0`, `40` or `40.00`. A sign, an exponent, a separator and a leading zero are
    /// refused.
    ///
    /// # Errors
    /// Fails when the text is not of that form, has more decimals than any currency, or is above the largest amount.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return Err(AmountError::NotDecimal),
            Some(parts) => parts,
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let padded = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || padded || !digits(whole) || !digits(fraction) {
            return Err(AmountError::NotDecimal);
        }
        if fraction.len() > MOST_DECIMALS {
            return Err(AmountError::TooManyDecimals);
        }
        if whole.len() > 16 {
            return Err(AmountError::TooLarge);
        }
        let places = u32::try_from(fraction.len()).unwrap_or_default();
        let value = Decimal::from_i128_with_scale(units(whole, fraction), places);
        if value > Decimal::from(LARGEST_MAJOR) { Err(AmountError::TooLarge) } else { Ok(Self(value)) }
    }

    /// Returns the same number with exactly the currency's decimals.
    ///
    /// # Errors
    /// Fails when it was written with more decimals than the currency has, even if they are zeros. Nothing is rounded.
    pub fn fit(self, currency: Currency) -> Result<Money, AmountError> {
        if self.0.scale() > currency.decimals() {
            return Err(AmountError::TooManyDecimals);
        }
        let mut value = self.0;
        value.rescale(currency.decimals());
        Ok(Money(value))
    }
}

impl From<Money> for Written {
    fn from(money: Money) -> Self {
        Self(money.0)
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Money(self.0).fmt(f)
    }
}

/// A `WrittenAmount` is an amount as a client wrote it: a [`Written`] number that is greater than zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrittenAmount(Written);

impl WrittenAmount {
    /// Reads an amount as [`Written::parse`] does, and checks that it is greater than zero.
    ///
    /// # Errors
    /// Fails as `Written::parse` does; zero and a number with a minus sign are [`AmountError::NotPositive`].
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        if text.strip_prefix('-').is_some_and(|rest| Written::parse(rest).is_ok()) {
            return Err(AmountError::NotPositive);
        }
        let written = Written::parse(text)?;
        if written.0.is_zero() { Err(AmountError::NotPositive) } else { Ok(Self(written)) }
    }

    /// Returns the same amount with exactly the currency's decimals.
    ///
    /// # Errors
    /// Fails as [`Written::fit`] does.
    pub fn fit(self, currency: Currency) -> Result<Amount, AmountError> {
        self.0.fit(currency).map(Amount)
    }
}

impl From<Amount> for WrittenAmount {
    fn from(amount: Amount) -> Self {
        Self(amount.0.into())
    }
}

impl fmt::Display for WrittenAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A `Direction` is the direction in which money moves, as the guarded account sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Money comes in.
    Credit,
    /// Money goes out.
    Debit,
}

impl Direction {
    /// Returns the other direction.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Credit => Self::Debit,
            Self::Debit => Self::Credit,
        }
    }

    /// Returns its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Debit => "debit",
        }
    }

    /// Returns the direction with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Credit, Self::Debit].into_iter().find(|direction| direction.name() == name)
    }
}

/// An `Amount` is an amount of money that is moved: a [`Money`] that is greater than zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(Money);

impl Amount {
    /// Makes an amount of a sum; `None` for zero and for less.
    #[must_use]
    pub fn new(sum: Money) -> Option<Self> {
        (!sum.is_zero() && !sum.is_negative()).then_some(Self(sum))
    }

    /// Returns the amount as a sum.
    #[must_use]
    pub fn money(self) -> Money {
        self.0
    }

    /// Returns what the guarded account gains when this amount moves in the given direction; negative where it loses.
    #[must_use]
    pub fn toward(self, direction: Direction) -> Money {
        match direction {
            Direction::Credit => self.0,
            Direction::Debit => self.0.negated(),
        }
    }

    /// Appends the decimal string, as [`Money::write`] does.
    pub fn write(self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `Money` is an exact sum in some currency, with that currency's number of decimals. It may be negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(Decimal);

impl Money {
    /// Returns zero in this currency.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self(Decimal::new(0, currency.decimals()))
    }

    /// Returns the largest balance of a guarded account in this currency.
    #[must_use]
    pub fn largest(currency: Currency) -> Self {
        let mut largest = Decimal::from(LARGEST_MAJOR);
        largest.rescale(currency.decimals());
        Self(largest)
    }

    /// Reads what [`Display`](fmt::Display) wrote of a sum in this currency; `None` for any other text.
    #[must_use]
    pub fn read(text: &str, currency: Currency) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let length = whole.len().saturating_add(fraction.len());
        if whole.is_empty() || !number(whole) || !number(fraction) || length > MOST_DIGITS {
            return None;
        }
        if u32::try_from(fraction.len()).ok()? != currency.decimals() || digits.ends_with('.') {
            return None;
        }
        let mut value = Decimal::from_i128_with_scale(units(whole, fraction), currency.decimals());
        value.set_sign_negative(negative && !value.is_zero());
        Some(Self(value))
    }

    /// Adds; `None` where the sum passes what 96 bits hold, about 10^13 times the largest balance in whole units.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Subtracts; returns `None` where [`plus`](Self::plus) does.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Returns the sum with the opposite sign.
    #[must_use]
    pub fn negated(self) -> Self {
        let mut value = self.0;
        value.set_sign_negative(!value.is_zero() && value.is_sign_positive());
        Self(value)
    }

    /// Says whether it is less than zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }

    /// Says whether it is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Appends the decimal string with all its places, such as `-40.00`. It is exact, and allocates nothing of its own.
    pub fn write(self, out: &mut Vec<u8>) {
        if self.is_negative() {
            out.push(b'-');
        }
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(self.0.mantissa().unsigned_abs()).as_bytes();
        let places = self.0.scale() as usize;
        match digits.len().checked_sub(places) {
            Some(whole) if whole > 0 => {
                let (whole, fraction) = digits.split_at(whole);
                out.extend_from_slice(whole);
                if places > 0 {
                    out.push(b'.');
                    out.extend_from_slice(fraction);
                }
            }
            Some(_) | None => {
                out.extend_from_slice(b"0.");
                out.extend(std::iter::repeat_n(b'0', places.saturating_sub(digits.len())));
                out.extend_from_slice(digits);
            }
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(24);
        self.write(&mut text);
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn eur() -> Currency {
        Currency::parse("EUR").unwrap()
    }

    #[test]
    fn only_plain_decimal_strings_are_amounts() {
        for text in [
            "1e3", "1_000", "+5", " 5 ", "5.", ".5", "0x10", "٣", "NaN", "Infinity", "1,000.00", "", "007",
            "5.5.5", "-", "5\n", "½", "１",
        ] {
            assert_eq!(WrittenAmount::parse(text), Err(AmountError::NotDecimal), "{text:?}");
        }
        for text in ["0", "0.00", "-0", "-5", "-0.00"] {
            assert_eq!(WrittenAmount::parse(text), Err(AmountError::NotPositive), "{text:?}");
        }
    }

    #[test]
    fn nothing_is_rounded() {
        let fit = |text: &str, code: &str| {
            WrittenAmount::parse(text)
                .and_then(|w| w.fit(Currency::parse(code).unwrap()))
                .map(|m| m.to_string())
        };
        assert_eq!(fit("40", "EUR"), Ok("40.00".into()));
        assert_eq!(fit("10.505", "EUR"), Err(AmountError::TooManyDecimals));
        assert_eq!(fit("10.500", "EUR"), Err(AmountError::TooManyDecimals));
        assert_eq!(fit("1.0", "JPY"), Err(AmountError::TooManyDecimals));
        assert_eq!(fit("0.001", "KWD"), Ok("0.001".into()));
        assert_eq!(fit(&format!("0.{}1", "0".repeat(32)), "EUR"), Err(AmountError::TooManyDecimals));
    }

    #[test]
    fn the_largest_amount_is_ten_to_the_fifteenth() {
        assert!(WrittenAmount::parse("1000000000000000.00").is_ok());
        for text in ["1000000000000000.01", "10000000000000000", &"9".repeat(400)] {
            assert_eq!(WrittenAmount::parse(text), Err(AmountError::TooLarge), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(units in -10_i128.pow(20)..10_i128.pow(20)) {
            let money = Money(Decimal::from_i128_with_scale(units, 2));
            prop_assert_eq!(Money::read(&money.to_string(), eur()), Some(money));
            prop_assert_eq!(money.to_string(), money.0.to_string());
        }
    }
}
