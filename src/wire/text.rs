//! These texts tell a client what a field must be. Each rule has its text here and nowhere else.

use std::borrow::Cow;

use super::field::Field;
use crate::domain::command::{HoldSeconds, Reason};
use crate::domain::currency::Currency;
use crate::domain::ids::{AccountName, CounterAccount, TransactionId};
use crate::domain::money::{Written, WrittenAmount};
use crate::domain::payee::Payee;
use crate::domain::time::Timestamp;
use crate::domain::transfer::command::{Label, Payout, TimeoutSeconds};

/// This is the rule for a transaction ID.
pub(crate) const NOT_AN_ID: &str = "must be a UUID, and not the nil one";

/// This is the rule for an account's name.
pub(crate) const NOT_A_NAME: &str =
    "must be 1 to 64 letters, digits, `.`, `_`, `:` or `-`, the first a letter or digit";

/// This is the rule for the side to which a transfer moves money.
const NOT_A_PAYEE: &str = "must be an account's name, or \"@external:\" and the name of a payout provider";

/// This is the rule for the name of one of the ledger's own accounts.
const NOT_AN_OWN_ACCOUNT: &str = "must be `@` and a name, and not \"@transit\"";

/// Returns what is wrong with this text in this field, if anything is. Whether an `op` exists is for the caller to
/// check.
pub(crate) fn fault(field: Field, text: &str) -> Option<Cow<'static, str>> {
    let unless = |right: bool, problem: &'static str| (!right).then_some(Cow::Borrowed(problem));
    match field {
        Field::TransactionId | Field::Reverses | Field::Hold => {
            unless(TransactionId::parse(text).is_some(), NOT_AN_ID)
        }
        Field::From => unless(AccountName::parse(text).is_some(), NOT_A_NAME),
        Field::To => unless(Payee::parse(text).is_some(), NOT_A_PAYEE),
        Field::Outcome => unless(Payout::parse(text).is_some(), "must be \"done\" or \"declined\""),
        Field::Reference => {
            unless(Label::parse(text).is_some(), "must be 1 to 128 characters without control characters")
        }
        Field::Account => unless(AccountName::parse(text).is_some(), NOT_A_NAME),
        Field::Currency => unless(
            Currency::parse(text).is_some(),
            "must be the code of an ISO 4217 currency, such as \"EUR\"",
        ),
        Field::OverdraftLimit => Written::parse(text).err().map(|error| error.to_string().into()),
        Field::Amount => WrittenAmount::parse(text).err().map(|error| error.to_string().into()),
        Field::CounterAccount => unless(CounterAccount::parse_requested(text).is_some(), NOT_AN_OWN_ACCOUNT),
        Field::EffectiveAt => Timestamp::parse(text).err().map(|reason| reason.to_string().into()),
        Field::Reason => {
            unless(Reason::parse(text).is_some(), "must be 1 to 256 characters without control characters")
        }
        Field::Op | Field::Force | Field::Metadata | Field::ExpiresInSeconds | Field::TimeoutSeconds => None,
    }
}

/// Returns what is wrong with a number in a field that is a whole number; `None` stands for one that is not whole, or less
/// than zero.
pub(crate) fn count_fault(field: Field, number: Option<u64>) -> Option<Cow<'static, str>> {
    let (is_right, most) = match field {
        Field::ExpiresInSeconds => {
            (number.is_some_and(|number| HoldSeconds::new(number).is_some()), HoldSeconds::MOST)
        }
        Field::TimeoutSeconds => {
            (number.is_some_and(|number| TimeoutSeconds::new(number).is_some()), TimeoutSeconds::MOST)
        }
        Field::Op
        | Field::TransactionId
        | Field::Account
        | Field::Currency
        | Field::OverdraftLimit
        | Field::Amount
        | Field::CounterAccount
        | Field::EffectiveAt
        | Field::Reverses
        | Field::Hold
        | Field::From
        | Field::To
        | Field::Outcome
        | Field::Reference
        | Field::Reason
        | Field::Force
        | Field::Metadata => (true, 0),
    };
    (!is_right).then(|| format!("must be a whole number from 1 to {most}").into())
}
