//! This file makes the command of a request's fields.

use crate::domain::command::{
    Capturing, Command, HoldSeconds, LimitChange, Move, Opening, Operation, Placing, Reason, Releasing,
    Reversal,
};
use crate::domain::currency::Currency;
use crate::domain::delivery::decide::{After, DeliveryOperation, Resuming};
use crate::domain::delivery::event::PauseCode;
use crate::domain::delivery::name::DestinationName;
use crate::domain::ids::{AccountName, CounterAccount, Id, TransactionId};
use crate::domain::metadata::{Metadata, Origin};
use crate::domain::money::{Written, WrittenAmount};
use crate::domain::payee::Payee;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::domain::transfer::command::{
    Label, Payout, Reported, Requesting, TimeoutSeconds, TransferOperation,
};
use crate::wire::body_faults::body_fault;
use crate::wire::corrections::correction;
use crate::wire::fault::Fault;
use crate::wire::field::Field;
use crate::wire::fields::{Fields, Place};
use crate::wire::op::Op;

/// A `Frame` says what is known of a request beside its body.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// This is the account, where it is not in the body.
    pub(crate) account: Option<AccountName>,
    /// This is the hold, where it is not in the body.
    pub(crate) hold: Option<TransactionId>,
    /// This is the transfer that something is asked of.
    pub(crate) transfer: Option<TransactionId>,
    /// This is the destination that something is asked of.
    pub(crate) destination: Option<DestinationName>,
    /// This is the transaction ID, where it came beside the body.
    pub(crate) transaction_id: Option<TransactionId>,
    /// This says who asks, and why.
    pub(crate) origin: Origin,
}

/// Reads the body of a request to do `op`. What only the fields together show is for
/// [`crate::domain::decide::check_request`].
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
    around: u32,
) -> Option<Result<Command, Fault>> {
    let shape = op.shape();
    let required = shape.required | around;
    if fields.present & required != required || fields.present & !(shape.allowed | around) != 0 {
        return None;
    }
    let body_id = match fields.text(Field::TransactionId) {
        Some(text) => Some(TransactionId::parse(text)?),
        None => None,
    };
    let metadata = std::mem::take(&mut fields.metadata);
    let operation = operation(&fields, Metadata::new(metadata).ok()?, op, frame.hold)?;
    let stream = match (&operation, frame.account, frame.transfer) {
        (Operation::Transfer(_), _, Some(transfer)) => Some(StreamName::Transfer(transfer)),
        (Operation::Delivery(_), ..) => Some(StreamName::Delivery(frame.destination?)),
        // Its ID is the transfer's.
        (Operation::Transfer(_), _, None) => None,
        (_, Some(account), _) => Some(StreamName::Account(account)),
        (_, None, _) => Some(StreamName::Account(AccountName::parse(fields.text(Field::Account)?)?)),
    };
    let transaction_id = match (body_id, frame.transaction_id) {
        (Some(body), Some(beside)) if body != beside => return Some(Err(Fault::IdConflicting)),
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => return Some(Err(Fault::IdMissing)),
    };
    Some(Ok(Command {
        id: Id::Client(transaction_id),
        stream: stream.unwrap_or(StreamName::Transfer(transaction_id)),
        operation,
        origin: frame.origin,
    }))
}

fn operation(
    fields: &Fields<'_>,
    metadata: Metadata,
    op: Op,
    hold: Option<TransactionId>,
) -> Option<Operation> {
    let text = |field| fields.text(field);
    let hold = || hold.or_else(|| TransactionId::parse(text(Field::Hold)?)).map(Id::Client);
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
            amount: amount(fields)?,
            reason: reason()?,
            force: fields.force,
        }),
        Op::Correct => Operation::Correct(Box::new(correction(fields)?)),
        Op::Freeze => Operation::Freeze(reason()?),
        Op::Unfreeze => Operation::Unfreeze(reason()?),
        Op::Close => Operation::Close(reason()?),
        Op::Hold => Operation::Hold(Placing {
            amount: WrittenAmount::parse(text(Field::Amount)?).ok()?,
            expires_in_seconds: HoldSeconds::new(fields.number(Field::ExpiresInSeconds)?)?,
            metadata,
        }),
        Op::Capture => Operation::Capture(Capturing {
            hold: hold()?,
            amount: amount(fields)?,
            counter_account: counter_account(fields)?,
            metadata,
            to: None,
        }),
        Op::Release => Operation::Release(Releasing {
            hold: hold()?,
            reason: match text(Field::Reason) {
                Some(reason) => Some(Reason::parse(reason)?),
                None => None,
            },
        }),
        Op::OverdraftLimit => Operation::SetOverdraftLimit(LimitChange {
            overdraft_limit: Written::parse(text(Field::OverdraftLimit)?).ok()?,
            reason: reason()?,
        }),
        Op::Transfer => Operation::Transfer(TransferOperation::Request(Box::new(Requesting {
            from: AccountName::parse(text(Field::From)?)?,
            to: Payee::parse(text(Field::To)?)?,
            amount: WrittenAmount::parse(text(Field::Amount)?).ok()?,
            timeout_seconds: match fields.number(Field::TimeoutSeconds) {
                Some(seconds) => TimeoutSeconds::new(seconds)?,
                None => TimeoutSeconds::default(),
            },
            metadata,
        }))),
        Op::PauseDestination => {
            let (code, reason) = (PauseCode::Operator, Some(reason()?));
            Operation::Delivery(Box::new(DeliveryOperation::Pause { code, reason }))
        }
        Op::ResumeDestination => {
            // Where the journal ends, and what is passed over, is found before it is decided.
            let after = fields.after.map(|place| match place {
                Place::Position(position) => After::Position(position),
                Place::Head => After::Head(0),
            });
            let asked = Resuming { after, passed: None, is_held: false, holder: None, reason: reason()? };
            Operation::Delivery(Box::new(DeliveryOperation::Resume(Box::new(asked))))
        }
        // What comes of it is found before it is decided.
        Op::TestDestination => {
            Operation::Delivery(Box::new(DeliveryOperation::Test { is_delivered: false, detail: None }))
        }
        Op::CancelTransfer => Operation::Transfer(TransferOperation::Cancel(reason()?)),
        Op::RetryTransfer => Operation::Transfer(TransferOperation::Retry(reason()?)),
        Op::AbandonTransfer => Operation::Transfer(TransferOperation::Abandon(reason()?)),
        Op::TransferOutcome => Operation::Transfer(TransferOperation::Outcome(Box::new(Reported {
            outcome: Payout::parse(text(Field::Outcome)?)?,
            amount: amount(fields)?,
            reference: match text(Field::Reference) {
                Some(reference) => Some(Label::parse(reference)?),
                None => None,
            },
            reason: reason()?,
        }))),
    })
}

fn movement(fields: &Fields<'_>, metadata: Metadata) -> Option<Move> {
    Some(Move {
        amount: WrittenAmount::parse(fields.text(Field::Amount)?).ok()?,
        counter_account: counter_account(fields)?,
        effective_at: match fields.text(Field::EffectiveAt) {
            Some(text) => Some(Timestamp::parse(text).ok()?),
            None => None,
        },
        metadata,
    })
}

/// Reads the amount, where one is there; nothing where it is wrong.
fn amount(fields: &Fields<'_>) -> Option<Option<WrittenAmount>> {
    match fields.text(Field::Amount) {
        Some(amount) => WrittenAmount::parse(amount).ok().map(Some),
        None => Some(None),
    }
}

fn counter_account(fields: &Fields<'_>) -> Option<CounterAccount> {
    match fields.text(Field::CounterAccount) {
        Some(name) => CounterAccount::parse_requested(name),
        None => Some(CounterAccount::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ids::derive;
    use crate::client::request::{MoveBody, Request};
    use crate::domain::decide::check_request;
    use crate::domain::money::Direction;
    use crate::wire::fault::FieldError;

    /// These are the operations whose fields go together in every choice of them; those of a correction do not.
    const OPS: [Op; 19] = [
        Op::OpenAccount,
        Op::Deposit,
        Op::Withdraw,
        Op::Reverse,
        Op::Freeze,
        Op::Unfreeze,
        Op::Close,
        Op::OverdraftLimit,
        Op::Hold,
        Op::Capture,
        Op::Release,
        Op::Transfer,
        Op::CancelTransfer,
        Op::TransferOutcome,
        Op::RetryTransfer,
        Op::AbandonTransfer,
        Op::PauseDestination,
        Op::ResumeDestination,
        Op::TestDestination,
    ];

    fn frame(op: Op) -> Frame {
        let account = if op == Op::OpenAccount { None } else { AccountName::parse("alice") };
        let origin = Origin { correlation: None, causation: None, actor: "a".into() };
        let (hold, transfer) = (Some(derive("t", "3")), None);
        let destination = DestinationName::parse("crm");
        Frame { account, hold, transfer, destination, transaction_id: Some(derive("t", "1")), origin }
    }

    fn body(fields: impl Iterator<Item = Field>) -> String {
        let value = |field: Field| match field {
            Field::TransactionId => format!("\"{}\"", derive("t", "1")),
            Field::ExpiresInSeconds | Field::TimeoutSeconds => "60".to_owned(),
            Field::Outcome => "\"done\"".to_owned(),
            Field::From => "\"bob\"".to_owned(),
            Field::To | Field::Reference => "\"alice\"".to_owned(),
            Field::Reverses | Field::Hold => format!("\"{}\"", derive("t", "2")),
            Field::Currency => "\"EUR\"".to_owned(),
            Field::Op | Field::Account | Field::Reason => "\"alice\"".to_owned(),
            Field::Amount | Field::Balance | Field::OverdraftLimit => "\"1.50\"".to_owned(),
            Field::Direction => "\"credit\"".to_owned(),
            Field::ExpectedRevision | Field::After => "7".to_owned(),
            Field::Corrects => format!("[\"{}\"]", derive("t", "2")),
            Field::CounterAccount => "\"@fees\"".to_owned(),
            Field::EffectiveAt => "\"2026-01-01T00:00:00Z\"".to_owned(),
            Field::Force => "true".to_owned(),
            Field::Metadata => "{\"a\":\"b\"}".to_owned(),
        };
        let members: Vec<String> =
            fields.map(|field| format!("\"{}\":{}", field.name(), value(field))).collect();
        format!("{{{}}}", members.join(","))
    }

    fn errors(op: Op, fields: impl Iterator<Item = Field>) -> Vec<FieldError> {
        match command(&body(fields), op, frame(op)) {
            Err(Fault::Invalid(errors)) => errors,
            other => panic!("{op:?}: {other:?}"),
        }
    }

    #[test]
    fn a_body_has_the_fields_of_its_shape_and_no_others() {
        for op in OPS {
            let shape = op.shape();
            let of = |set: u32| Field::ALL.into_iter().filter(move |field| set & field.bit() != 0);
            let whole = command(&body(of(shape.allowed)), op, frame(op)).unwrap();
            check_request(&whole).unwrap();
            command(&body(of(shape.required)), op, frame(op)).unwrap();
            for field in of(shape.required) {
                let others = of(shape.allowed & !field.bit());
                assert_eq!(errors(op, others), [FieldError::new(field.name(), "is missing")], "{op:?}");
            }
            for field in of(!shape.allowed) {
                let more = of(shape.required).chain([field]);
                let unknown = FieldError::new(field.name(), "is not a field of this request");
                assert_eq!(errors(op, more), [unknown], "{op:?}");
            }
        }
    }

    #[test]
    fn what_the_client_sends_is_read() {
        let id = derive("t", "1");
        let asked = MoveBody {
            amount: "1.50",
            counter_account: Some("@fees"),
            effective_at: Some("2026-01-01T00:00:00Z"),
            metadata: [("a", "b")].into(),
        };
        for (op, request) in [
            (Op::OpenAccount, Request::open(id, "alice", "EUR", Some("5"))),
            (Op::Deposit, Request::moved(id, "alice", Direction::Credit, &asked)),
            (Op::Withdraw, Request::moved(id, "alice", Direction::Debit, &asked)),
            (Op::Reverse, Request::reverse(id, "alice", derive("t", "2"), Some("1"), "mistake")),
        ] {
            let text = String::from_utf8(request.body).unwrap();
            assert_eq!(command(&text, op, frame(op)).unwrap().id, id);
        }
    }
}
