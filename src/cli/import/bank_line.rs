//! A line of a bank's file is read strictly: what is not exactly as it should be is refused, and never repaired.

use crate::client::ids;
use crate::client::request::{MoveBody, Request};
use crate::domain::currency::Currency;
use crate::domain::ids::{CounterAccount, TransactionId};
use crate::domain::money::{Amount, AmountError, Direction, Money, WrittenAmount};

use super::zone::BankZone;

/// These are the columns that the file must have, in this order.
pub(crate) const COLUMNS: [&str; 8] =
    ["entry_id", "account", "date", "kind", "channel", "purpose", "amount", "balance_after"];

/// An account's name in the ledger begins with this, and then has the bank's number.
pub(crate) const ACCOUNT_PREFIX: &str = "cz-";

/// A channel or a purpose has at most this many characters, as a value of metadata may have.
const LONGEST_TEXT: usize = 256;

/// A reading says what a file leaves unsaid.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// This is the currency of all its accounts.
    pub(crate) currency: Currency,
    /// This is where its days begin.
    pub(crate) zone: BankZone,
}

/// A bank line is a line of the file that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BankLine {
    /// This is its number in the file; the header is line 1.
    pub(crate) number: u64,
    /// This is the bank's own id of the line.
    pub(crate) entry_id: String,
    /// This is the account's name in the ledger: `cz-` and the bank's number.
    pub(crate) account: String,
    /// This says whether the money goes into the account or out of it.
    pub(crate) direction: Direction,
    /// This is the amount, with all decimals of the currency.
    pub(crate) amount: Money,
    /// This is what the account has after it, as the bank says.
    pub(crate) balance_after: Money,
    effective_at: String,
    channel: String,
    purpose: String,
}

/// A bad line can't be sent, and this is why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadLine {
    /// It is not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// It has a carriage return before its end.
    #[error("it has a carriage return (CR) before its end: where a line ends there must be LF or CRLF")]
    CarriageReturn,
    /// A value of it does not end before the line does.
    #[error(
        "a value goes on over the line's end, up to line {to}: a quotation mark is not closed, or it has a line feed"
    )]
    GoesOn { to: u64 },
    /// It has too many or too few columns.
    #[error("it has {0} columns instead of {expected}", expected = COLUMNS.len())]
    Columns(usize),
    /// A column has a value that it may not have.
    #[error("{column} {value:?} {problem}")]
    Column { column: &'static str, value: String, problem: String },
}

impl BankLine {
    /// Reads the columns of line `number`.
    ///
    /// # Errors
    /// With the first column that is not as it must be.
    pub(crate) fn read(number: u64, columns: &[&[u8]], reading: &Reading) -> Result<Self, BadLine> {
        let currency = reading.currency;
        let texts = columns.iter().map(|column| std::str::from_utf8(column));
        let texts: Vec<&str> = texts.collect::<Result<_, _>>().map_err(|_| BadLine::NotText)?;
        let [entry_id, account, date, kind, channel, purpose, amount, balance_after] =
            <[&str; 8]>::try_from(texts).map_err(|texts| BadLine::Columns(texts.len()))?;
        let fitted = WrittenAmount::parse(amount).and_then(|written| written.fit(currency));
        let begins = reading.zone.beginning(date);
        Ok(Self {
            number,
            entry_id: digits("entry_id", entry_id)?.to_owned(),
            account: format!("{ACCOUNT_PREFIX}{}", digits("account", account)?),
            effective_at: begins.ok_or_else(|| bad("date", date, "must be a day such as 1993-01-31"))?,
            direction: match kind {
                "deposit" => Direction::Credit,
                "withdrawal" => Direction::Debit,
                _ => return Err(bad("kind", kind, "must be deposit or withdrawal")),
            },
            channel: text("channel", channel)?.to_owned(),
            purpose: text("purpose", purpose)?.to_owned(),
            amount: fitted
                .map(Amount::money)
                .map_err(|problem: AmountError| bad("amount", amount, &problem.to_string()))?,
            balance_after: Money::read(balance_after, currency).ok_or_else(|| {
                bad("balance_after", balance_after, "must be a sum with the currency's decimals")
            })?,
        })
    }

    /// Returns the moment at which its day begins. Two of one file are in order as texts are.
    #[must_use]
    pub(crate) fn effective_at(&self) -> &str {
        &self.effective_at
    }

    /// Returns what the account had before it, as the bank says; `None` for a sum that no account can have.
    #[must_use]
    pub(crate) fn balance_before(&self) -> Option<Money> {
        match self.direction {
            Direction::Credit => self.balance_after.minus(self.amount),
            Direction::Debit => self.balance_after.plus(self.amount),
        }
    }

    /// Returns the account's number at the bank.
    #[must_use]
    pub(crate) fn bank_account(&self) -> &str {
        self.account.strip_prefix(ACCOUNT_PREFIX).unwrap_or(&self.account)
    }

    /// Derives the ID of the line's transaction. It is the same in every run, whatever else is in the file.
    #[must_use]
    pub(crate) fn transaction_id(&self) -> TransactionId {
        transaction_id(&self.entry_id)
    }

    /// Makes the request that books the line.
    #[must_use]
    pub(crate) fn request(&self) -> Request {
        let amount = self.amount.to_string();
        let named = [("entry_id", &self.entry_id), ("channel", &self.channel), ("purpose", &self.purpose)];
        let asked = MoveBody {
            amount: &amount,
            counter_account: Some(self.counter_account()),
            effective_at: Some(&self.effective_at),
            metadata: named
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(k, v)| (k, v.as_str()))
                .collect(),
        };
        Request::moved(self.transaction_id(), &self.account, self.direction, &asked)
    }

    /// Says which of the ledger's own accounts is on the other side. This depends on the purpose, and then on the channel.
    #[must_use]
    pub(crate) fn counter_account(&self) -> &'static str {
        match (self.purpose.as_str(), self.channel.as_str()) {
            ("interest" | "penalty_interest", _) => "@interest",
            ("fee", _) => "@fees",
            (_, "transfer_in" | "transfer_out") => "@other-banks",
            (_, "card_withdrawal") => "@cards",
            (_, "bank") => "@bank",
            _ => CounterAccount::CASH,
        }
    }
}

/// Returns the ID of the transaction of the line with this id of the bank.
#[must_use]
pub(crate) fn transaction_id(entry_id: &str) -> TransactionId {
    ids::derive("bank-csv entry", entry_id)
}

/// Makes the request that opens an account of the file, under an ID that follows from its name.
#[must_use]
pub(crate) fn open_account(account: &str, currency: Currency, overdraft_limit: Money) -> Request {
    let id = ids::derive("bank-csv account", account);
    Request::open(id, account, currency.code(), Some(&overdraft_limit.to_string()))
}

fn bad(column: &'static str, value: &str, problem: &str) -> BadLine {
    BadLine::Column { column, value: value.to_owned(), problem: problem.to_owned() }
}

fn ensure<'a>(holds: bool, column: &'static str, value: &'a str, problem: &str) -> Result<&'a str, BadLine> {
    if holds { Ok(value) } else { Err(bad(column, value, problem)) }
}

fn digits<'a>(column: &'static str, value: &'a str) -> Result<&'a str, BadLine> {
    let number = (1..=20).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    ensure(number, column, value, "must be a number of up to 20 digits")
}

fn text<'a>(column: &'static str, value: &'a str) -> Result<&'a str, BadLine> {
    let plain = value.chars().count() <= LONGEST_TEXT && !value.chars().any(char::is_control);
    ensure(plain, column, value, "must be at most 256 characters, none of them a control character")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    impl Reading {
        /// Returns a file in this currency, whose days begin in UTC.
        pub(crate) fn plain(currency: &str) -> Self {
            Self { currency: Currency::parse(currency).unwrap(), zone: BankZone::default() }
        }
    }

    const GOOD: [&str; 8] =
        ["1117247", "3818", "1993-01-01", "deposit", "cash_deposit", "", "600.00", "-1600.50"];

    fn read(columns: &[&str]) -> Result<BankLine, BadLine> {
        let columns: Vec<&[u8]> = columns.iter().map(|column| column.as_bytes()).collect();
        BankLine::read(2, &columns, &Reading::plain("CZK"))
    }

    fn with(column: usize, value: &str) -> Result<BankLine, BadLine> {
        let mut columns = GOOD;
        columns[column] = value;
        read(&columns)
    }

    #[test]
    fn a_good_line_becomes_a_request() {
        let line = read(&GOOD).unwrap();
        assert_eq!((line.account.as_str(), line.balance_after.to_string().as_str()), ("cz-3818", "-1600.50"));
        let request = line.request();
        assert_eq!(request.path, "/v1/accounts/cz-3818/deposits");
        insta::assert_snapshot!(String::from_utf8(request.body).unwrap(), @r#"{"amount":"600.00","counter_account":"@cash","effective_at":"1993-01-01T00:00:00Z","metadata":{"channel":"cash_deposit","entry_id":"1117247"}}"#);
    }

    #[test]
    fn the_id_follows_from_the_lines_own_id_alone() {
        assert_eq!(read(&GOOD).unwrap().transaction_id(), with(6, "601.00").unwrap().transaction_id());
        assert_ne!(read(&GOOD).unwrap().transaction_id(), with(0, "1117248").unwrap().transaction_id());
    }

    #[test]
    fn the_other_side_is_what_the_money_was_for() {
        for (channel, purpose, expected) in [
            ("cash_deposit", "", "@cash"),
            ("bank", "interest", "@interest"),
            ("cash_withdrawal", "fee", "@fees"),
            ("transfer_out", "household", "@other-banks"),
            ("card_withdrawal", "", "@cards"),
            ("pigeon", "", "@cash"),
        ] {
            let mut columns = GOOD;
            (columns[4], columns[5]) = (channel, purpose);
            assert_eq!(read(&columns).unwrap().counter_account(), expected, "{channel} {purpose}");
        }
    }

    #[test]
    fn what_is_not_exactly_right_is_refused_with_its_column() {
        for (column, values) in [
            (0, ["", "12a", "-1", "1 ", "123456789012345678901"].as_slice()),
            (1, &["", "../etc", "٣", "1.0"]),
            (2, &["", "1993-02-30", "1993-1-1", "93-01-01", "1993-01-01T00:00:00Z", "01.01.1993"]),
            (3, &["", "Deposit", "transfer", "deposit "]),
            (4, &["a\u{7}b"]),
            (5, &["a\nb"]),
            (6, &["", "0.00", "-5.00", "1e3", "1_000", "+5", " 5 ", "5.", ".5", "1,000.00", "10.505", "NaN"]),
            (7, &["", "5", "5.0", "5.000", "--5.00", "+5.00", "5.00 ", "1e3"]),
        ] {
            for value in values {
                match with(column, value) {
                    Err(BadLine::Column { column: named, .. }) => {
                        assert_eq!(named, COLUMNS[column], "{value:?}")
                    }
                    other => panic!("{} {value:?} gave {other:?}", COLUMNS[column]),
                }
            }
        }
    }

    #[test]
    fn a_line_has_eight_columns_of_text() {
        assert_eq!(read(&GOOD[..7]), Err(BadLine::Columns(7)));
        assert_eq!(
            BankLine::read(2, &[b"\xff".as_slice(); 8], &Reading::plain("CZK")),
            Err(BadLine::NotText)
        );
    }
}
