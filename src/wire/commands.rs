//! Requests: which fields each write has, and how they become a command.

use crate::domain::command::{Command, LimitChange, Move, Opening, Operation, Reason, Reversal};
use crate::domain::currency::Currency;
use crate::domain::ids::{AccountName, CounterAccount, TransactionId};
use crate::domain::metadata::{Metadata, Origin};
use crate::domain::money::Written;
use crate::domain::time::Timestamp;
use crate::wire::body_faults::body_fault;
use crate::wire::fault::{Fault, FieldError};
use crate::wire::fields::{Field, Fields};

/// What a request is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Open an account.
    OpenAccount,
    /// Put money in.
    Deposit,
    /// Take money out.
    Withdraw,
    /// Take a movement back.
    Reverse,
    /// Let nothing out.
    Freeze,
    /// Let money out again.
    Unfreeze,
    /// End the account.
    Close,
    /// Set the overdraft limit.
    OverdraftLimit,
}

const ID: u16 = Field::TransactionId.bit();
const MOVE_OPTIONAL: u16 = Field::CounterAccount.bit() | Field::EffectiveAt.bit() | Field::Metadata.bit();

impl Op {
    /// The one that a batch's line calls by this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "open_account" => Self::OpenAccount,
            "deposit" => Self::Deposit,
            "withdraw" => Self::Withdraw,
            "reverse" => Self::Reverse,
            _ => return None,
        })
    }

    /// The fields that its body must have.
    #[must_use]
    pub fn required(self) -> u16 {
        match self {
            Self::OpenAccount => Field::Account.bit() | Field::Currency.bit(),
            Self::Deposit | Self::Withdraw => Field::Amount.bit(),
            Self::Reverse => Field::Reverses.bit() | Field::Reason.bit(),
            Self::Freeze | Self::Unfreeze | Self::Close => Field::Reason.bit(),
            Self::OverdraftLimit => Field::OverdraftLimit.bit() | Field::Reason.bit(),
        }
    }

    /// The fields that its body may have.
    #[must_use]
    pub fn allowed(self) -> u16 {
        let optional = match self {
            Self::OpenAccount => Field::OverdraftLimit.bit() | Field::Metadata.bit(),
            Self::Deposit | Self::Withdraw => MOVE_OPTIONAL,
            Self::Reverse => Field::Amount.bit() | Field::Force.bit(),
            Self::Freeze | Self::Unfreeze | Self::Close | Self::OverdraftLimit => 0,
        };
        self.required() | optional | ID
    }
}

/// What is known of a request beside its body.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The account, where it is not in the body.
    pub(crate) account: Option<AccountName>,
    /// The transaction ID, where it came beside the body.
    pub(crate) transaction_id: Option<TransactionId>,
    /// Who asks, and why.
    pub(crate) origin: Origin,
}

/// What is said of a text that is no transaction ID.
pub(crate) const NOT_AN_ID: &str = "must be a UUID, and not the nil one";

/// Reads the body of a request to do `op`. What only the fields together show is for [`check`].
///
/// # Errors
/// All that is wrong with the body, field by field.
pub(crate) fn command(text: &str, op: Op, frame: Frame) -> Result<Command, Fault> {
    let Some(fields) = Fields::read(text) else { return Err(body_fault(text, op)) };
    from_fields(fields, op, frame, 0).unwrap_or_else(|| Err(body_fault(text, op)))
}

/// Makes the command of fields that were read; nothing when one is missing, wrong, or not this request's. `around`
/// are the fields that all lines of a batch have.
pub(crate) fn from_fields(
    mut fields: Fields<'_>,
    op: Op,
    frame: Frame,
    around: u16,
) -> Option<Result<Command, Fault>> {
    let required = op.required() | around;
    if fields.present & required != required || fields.present & !(op.allowed() | around) != 0 {
        return None;
    }
    let body_id = match fields.text(Field::TransactionId) {
        Some(text) => Some(TransactionId::parse(text)?),
        None => None,
    };
    let metadata = std::mem::take(&mut fields.metadata);
    let operation = operation(&fields, Metadata::new(metadata).ok()?, op)?;
    let account = match frame.account {
        Some(account) => account,
        None => AccountName::parse(fields.text(Field::Account)?)?,
    };
    let transaction_id = match (body_id, frame.transaction_id) {
        (Some(body), Some(beside)) if body != beside => return Some(Err(Fault::IdConflicting)),
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => return Some(Err(Fault::IdMissing)),
    };
    Some(Ok(Command { transaction_id, account, operation, origin: frame.origin }))
}

/// Checks what only the fields together show.
///
/// # Errors
/// The field that does not go with the others.
pub(crate) fn check(command: &Command) -> Result<(), Fault> {
    match &command.operation {
        Operation::Reverse(asked) if asked.reverses == command.transaction_id => {
            Err(Fault::field(Field::Reverses.name(), "must not be the transaction's own ID"))
        }
        Operation::Open(opening) => match opening.overdraft_limit.fit(opening.currency) {
            Ok(_) => Ok(()),
            Err(error) => Err(Fault::field(Field::OverdraftLimit.name(), error.to_string())),
        },
        _ => Ok(()),
    }
}

fn operation(fields: &Fields<'_>, metadata: Metadata, op: Op) -> Option<Operation> {
    let text = |field| fields.text(field);
    let reason = || Reason::parse(text(Field::Reason)?);
    Some(match op {
        Op::OpenAccount => Operation::Open(Opening {
            currency: Currency::parse(text(Field::Currency)?)?,
            overdraft_limit: match text(Field::OverdraftLimit) {
                Some(limit) => Written::parse(limit).ok()?,
                None => Written::ZERO,
            },
            metadata,
        }),
        Op::Deposit => Operation::Deposit(movement(fields, metadata)?),
        Op::Withdraw => Operation::Withdraw(movement(fields, metadata)?),
        Op::Reverse => Operation::Reverse(Reversal {
            reverses: TransactionId::parse(text(Field::Reverses)?)?,
            amount: match text(Field::Amount) {
                Some(amount) => Some(Written::parse_positive(amount).ok()?),
                None => None,
            },
            reason: reason()?,
            force: fields.force,
        }),
        Op::Freeze => Operation::Freeze(reason()?),
        Op::Unfreeze => Operation::Unfreeze(reason()?),
        Op::Close => Operation::Close(reason()?),
        Op::OverdraftLimit => Operation::SetOverdraftLimit(LimitChange {
            overdraft_limit: Written::parse(text(Field::OverdraftLimit)?).ok()?,
            reason: reason()?,
        }),
    })
}

fn movement(fields: &Fields<'_>, metadata: Metadata) -> Option<Move> {
    Some(Move {
        amount: Written::parse_positive(fields.text(Field::Amount)?).ok()?,
        counter_account: match fields.text(Field::CounterAccount) {
            Some(name) => CounterAccount::parse(name)?,
            None => CounterAccount::default(),
        },
        effective_at: match fields.text(Field::EffectiveAt) {
            Some(text) => Some(Timestamp::parse(text)?),
            None => None,
        },
        metadata,
    })
}

/// What is wrong with a text in this field of this request, if anything is.
pub(crate) fn text_fault(field: Field, text: &str, op: Option<Op>) -> Option<FieldError> {
    let problem: std::borrow::Cow<'static, str> = match field {
        Field::Op if op.is_none() => "unknown op: must be open_account, deposit, withdraw or reverse".into(),
        Field::TransactionId | Field::Reverses if TransactionId::parse(text).is_none() => NOT_AN_ID.into(),
        Field::Account if AccountName::parse(text).is_none() => NOT_A_NAME.into(),
        Field::Currency if Currency::parse(text).is_none() => {
            "must be the code of an ISO 4217 currency, such as \"EUR\"".into()
        }
        Field::OverdraftLimit => Written::parse(text).err()?.to_string().into(),
        Field::Amount => Written::parse_positive(text).err()?.to_string().into(),
        Field::CounterAccount if CounterAccount::parse(text).is_none() => {
            "must be `@` and a name, and not \"@transit\"".into()
        }
        Field::EffectiveAt if Timestamp::parse(text).is_none() => NOT_A_MOMENT.into(),
        Field::Reason if Reason::parse(text).is_none() => {
            "must be 1 to 256 characters without control characters".into()
        }
        _ => return None,
    };
    Some(FieldError::new(field.name(), problem))
}

/// What is said of a text that is no account's name.
pub(crate) const NOT_A_NAME: &str =
    "must be 1 to 64 letters, digits, `.`, `_`, `:` or `-`, the first a letter or digit";

/// What is said of a text that is no moment.
pub(crate) const NOT_A_MOMENT: &str =
    "must be an RFC 3339 date and time with its offset, at most 6 decimals, in the years 1900 to 2199";
