//! A balance as a client writes it may be negative; everything else that a client writes is not.

use std::fmt;

use super::currency::Currency;
use super::money::{AmountError, Money, Written};

/// A `WrittenBalance` is a balance as a client wrote it: exact, perhaps negative, and not yet fitted to a currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrittenBalance {
    is_negative: bool,
    size: Written,
}

impl WrittenBalance {
    /// Reads a number as [`Written::parse`] does, with a `-` before it where it is less than zero.
    ///
    /// # Errors
    /// Fails as `Written::parse` does, and with [`AmountError::MinusZero`] for zero with a minus sign.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let size = Written::parse(digits)?;
        if is_negative && size == Written::ZERO {
            return Err(AmountError::MinusZero);
        }
        Ok(Self { is_negative, size })
    }

    /// Returns the same balance with exactly the currency's decimals.
    ///
    /// # Errors
    /// Fails as [`Written::fit`] does.
    pub fn fit(self, currency: Currency) -> Result<Money, AmountError> {
        let size = self.size.fit(currency)?;
        Ok(if self.is_negative { size.negated() } else { size })
    }
}

impl From<Money> for WrittenBalance {
    fn from(balance: Money) -> Self {
        let is_negative = balance.is_negative();
        let size = if is_negative { balance.negated() } else { balance };
        Self { is_negative, size: size.into() }
    }
}

impl fmt::Display for WrittenBalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_negative { "-" } else { "" })?;
        self.size.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_has_one_spelling_and_may_be_negative() {
        let eur = Currency::parse("EUR").unwrap();
        let fit =
            |text: &str| WrittenBalance::parse(text).and_then(|it| it.fit(eur)).map(|it| it.to_string());
        for (text, balance) in [("0", "0.00"), ("-5", "-5.00"), ("120.5", "120.50"), ("-0.01", "-0.01")] {
            assert_eq!(fit(text), Ok(balance.to_owned()));
            assert_eq!(WrittenBalance::parse(text).unwrap().to_string(), text);
        }
        for text in ["-0", "-0.00"] {
            assert_eq!(fit(text), Err(AmountError::MinusZero));
        }
        for text in ["--5", "+5", "- 5", "-", "-05", "", "-1e3"] {
            assert_eq!(fit(text), Err(AmountError::NotDecimal), "{text}");
        }
        assert_eq!(fit("-1000000000000000.01"), Err(AmountError::TooLarge));
        assert_eq!(fit("-0.001"), Err(AmountError::TooManyDecimals));
        let read = Money::read("-7.50", eur).unwrap();
        assert_eq!(WrittenBalance::from(read).fit(eur), Ok(read));
    }
}
