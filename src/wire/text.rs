//! These texts tell a client what a field must be. Each rule has its text here and nowhere else.

use std::borrow::Cow;

use super::field::Field;
use crate::domain::command::{HoldSeconds, Reason};
use crate::domain::currency::Currency;
use crate::domain::ids::{AccountName, CounterAccount, TransactionId};
use crate::domain::money::{Direction, Written, WrittenAmount};
use crate::domain::payee::Payee;
use crate::domain::time::Timestamp;
use crate::domain::transfer::command::{Label, Payout, TimeoutSeconds};
use crate::domain::written_balance::WrittenBalance;

/// This is the rule for a transaction ID.
pub(crate) const NOT_AN_ID: &str = "must be a UUID, and not the nil one";

/// This is the rule for an account's name.
pub(crate) const NOT_A_NAME: &str =
    "must be 1 to 64 letters, digits, `.`, `_`, `:` or `-`, the first a letter or digit";

/// This is the rule for the side to which a transfer moves money.
const NOT_A_PAYEE: &str = "must be an account's name, or \"@external:\" and the name of a payout provider";

/// This is the rule for the name of one of the ledger's own accounts.
const NOT_AN_OWN_ACCOUNT: &str = "must be `@` and a name, and not \"@transit\"";

/// This is the rule for what a correction names.
pub(crate) const NOT_CORRECTED: &str = "must be 1 to 16 transaction IDs, each once";

/// This is the rule for where a destination goes on.
pub(crate) const NOT_A_PLACE: &str = "must be a position, or \"head\"";

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
        Field::Balance => WrittenBalance::parse(text).err().map(|error| error.to_string().into()),
        Field::Direction => unless(Direction::parse(text).is_some(), "must be \"credit\" or \"debit\""),
        Field::CounterAccount => unless(CounterAccount::parse_requested(text).is_some(), NOT_AN_OWN_ACCOUNT),
        Field::EffectiveAt => Timestamp::parse(text).err().map(|reason| reason.to_string().into()),
        Field::Reason => {
            unless(Reason::parse(text).is_some(), "must be 1 to 256 characters without control characters")
        }
        Field::Op
        | Field::ExpectedRevision
        | Field::ExpiresInSeconds
        | Field::TimeoutSeconds
        | Field::Corrects
        | Field::Force
        | Field::After
        | Field::Metadata => None,
    }
}

/// Returns what is wrong with this whole number in this field, if anything is.
pub(crate) fn number_fault(field: Field, number: u64) -> Option<Cow<'static, str>> {
    let is_wrong = (field == Field::ExpiresInSeconds && HoldSeconds::new(number).is_none())
        || (field == Field::TimeoutSeconds && TimeoutSeconds::new(number).is_none());
    is_wrong.then(|| not_whole(field))
}

/// Returns what is to be said of a field with something else than a whole number, or one outside its bounds.
pub(crate) fn not_whole(field: Field) -> Cow<'static, str> {
    if field == Field::ExpiresInSeconds {
        format!("must be a whole number from 1 to {}", HoldSeconds::MOST).into()
    } else if field == Field::TimeoutSeconds {
        format!("must be a whole number from 1 to {}", TimeoutSeconds::MOST).into()
    } else {
        "must be a whole number, zero or more".into()
    }
}
