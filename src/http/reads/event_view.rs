//! A booking is an event as statements and searches show it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::account::decline::Decline;
use crate::domain::account::event::{AccountEvent, Fact};
use crate::domain::command::{BalanceChange, Operation};
use crate::domain::delivery::decide::DeliveryOperation;
use crate::domain::event::Event;
use crate::domain::time::Timestamp;
use crate::domain::transfer::command::TransferOperation;
use crate::http::openapi::names;
use crate::ledger::{Placed, Position};

/// One event, in the words of a statement.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Booking {
    /// Its place in the journal.
    pub(crate) position: Position,
    /// The account; what happened to a transfer has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    /// The destination, where it happened to one: it is read at `/v1/destinations/NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destination: Option<String>,
    /// The transfer's state after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<&'static str>,
    /// Its place in its stream, from 0.
    pub(crate) revision: u64,
    /// Its ID: the client's, or one of the service's own.
    pub(crate) transaction_id: String,
    /// What it is about.
    #[schema(value_type = names::EventKind)]
    pub(crate) kind: &'static str,
    /// `accepted` or `declined`.
    #[schema(value_type = names::Outcome)]
    pub(crate) outcome: &'static str,
    /// Why it was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<names::DeclineCode>)]
    pub(crate) code: Option<&'static str>,
    /// Its currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<String>,
    /// What the account gained; negative where it lost; null where no money moved.
    #[schema(example = "-40.00", required = true)]
    pub(crate) amount: Option<String>,
    /// What was asked for, where no money moved: it was declined, held, or is on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requested_amount: Option<String>,
    /// The account's balance after it.
    #[schema(example = "60.00")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) balance: Option<String>,
    /// What could go out after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) available: Option<String>,
    /// The ledger's own account on the other side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) counter_account: Option<String>,
    /// The transaction that it takes back or rules out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reverses: Option<String>,
    /// The transactions that it corrects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) corrects: Vec<String>,
    /// The prevention that ruled it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prevented_by: Option<String>,
    /// Why, in somebody's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// When it was recorded.
    #[schema(format = DateTime)]
    pub(crate) recorded_at: String,
    /// When it happened in the world.
    #[schema(format = DateTime)]
    pub(crate) effective_at: String,
    /// The business's own ids.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
    /// The hold that it settles or rules out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hold: Option<String>,
    /// The transfer whose step it is, or to which it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    pub(crate) transfer: Option<String>,
    /// When the hold expires that it places.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) expires_at: Option<String>,
}

impl From<&Placed> for Booking {
    fn from(placed: &Placed) -> Self {
        let event = &*placed.event;
        let asked = Asked::of(event);
        let body = event.account();
        let entries = body.and_then(AccountEvent::entries);
        Self {
            position: placed.position,
            account: event.stream.account().map(ToString::to_string),
            destination: event.stream.destination().map(ToString::to_string),
            state: event.transfer().map(|body| body.state.name()),
            revision: event.revision,
            transaction_id: event.id.to_string(),
            kind: event.kind().name(),
            outcome: if event.is_declined() { "declined" } else { "accepted" },
            code: event.decline_code(),
            currency: body.map(|body| body.currency.to_string()),
            amount: entries.as_ref().map(|entries| entries.guarded.to_string()),
            requested_amount: asked.amount.filter(|_| entries.is_none()),
            balance: body.map(|body| body.answer.balance.to_string()),
            available: body.map(|body| body.answer.available.to_string()),
            counter_account: entries.map(|entries| entries.counter_account.to_string()),
            reverses: asked.reverses,
            corrects: asked.corrects,
            prevented_by: event.decline().and_then(prevented_by),
            reason: asked.reason,
            recorded_at: event.recorded_at.to_string(),
            effective_at: event.effective_at().to_string(),
            metadata: asked.metadata,
            hold: asked.hold,
            transfer: event.stream.transfer().or(event.id.transfer()).map(|id| id.to_string()),
            expires_at: body.and_then(expires_at).map(|at| at.to_string()),
        }
    }
}

/// Returns when the hold expires that an event places.
fn expires_at(body: &AccountEvent) -> Option<Timestamp> {
    if let Fact::HoldPlaced { terms, .. } = &body.fact { terms.expires_at() } else { None }
}

/// Returns the prevention that a decline names.
fn prevented_by(decline: Decline) -> Option<String> {
    match decline {
        Decline::Prevented(by) => Some(by.to_string()),
        Decline::InsufficientFunds
        | Decline::BalanceTooLarge
        | Decline::AccountFrozen
        | Decline::AccountClosed
        | Decline::AccountNotEmpty
        | Decline::WrongState
        | Decline::ReversalExceedsOriginal
        | Decline::NotReversible
        | Decline::HoldsOpen
        | Decline::TooManyHolds
        | Decline::HoldExpired
        | Decline::HoldAlreadySettled
        | Decline::CaptureExceedsHold => None,
    }
}

/// An `Asked` has the parts of the event's request that are shown.
#[derive(Default)]
struct Asked {
    amount: Option<String>,
    reverses: Option<String>,
    hold: Option<String>,
    corrects: Vec<String>,
    reason: Option<String>,
    metadata: BTreeMap<String, String>,
}

impl Asked {
    fn of(event: &Event) -> Self {
        let pairs = |metadata: &crate::domain::metadata::Metadata| {
            metadata.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        };
        match event.request() {
            Operation::Open(opening) => Self { metadata: pairs(&opening.metadata), ..Self::default() },
            Operation::Deposit(asked) | Operation::Withdraw(asked) => Self {
                amount: Some(asked.amount.to_string()),
                metadata: pairs(&asked.metadata),
                ..Self::default()
            },
            Operation::Reverse(asked) => Self {
                amount: asked.amount.map(|amount| amount.to_string()),
                reverses: Some(asked.reverses.to_string()),
                reason: Some(asked.reason.as_str().to_owned()),
                ..Self::default()
            },
            Operation::Correct(asked) => Self {
                amount: match &asked.change {
                    BalanceChange::To { .. } => None,
                    BalanceChange::By { amount, .. } => Some(amount.to_string()),
                },
                corrects: asked.corrects.iter().map(ToString::to_string).collect(),
                reason: Some(asked.reason.as_str().to_owned()),
                ..Self::default()
            },
            Operation::Freeze(reason) | Operation::Unfreeze(reason) | Operation::Close(reason) => {
                Self { reason: Some(reason.as_str().to_owned()), ..Self::default() }
            }
            Operation::Hold(asked) => Self {
                amount: Some(asked.amount.to_string()),
                metadata: pairs(&asked.metadata),
                ..Self::default()
            },
            Operation::Capture(asked) => Self {
                amount: asked.amount.map(|amount| amount.to_string()),
                hold: Some(asked.hold.to_string()),
                metadata: pairs(&asked.metadata),
                ..Self::default()
            },
            Operation::Release(asked) => Self {
                hold: Some(asked.hold.to_string()),
                reason: asked.reason.map(|reason| reason.as_str().to_owned()),
                ..Self::default()
            },
            Operation::Expire(hold) => Self { hold: Some(hold.to_string()), ..Self::default() },
            Operation::TransferHold(asked) => {
                Self { amount: Some(asked.amount.to_string()), ..Self::default() }
            }
            Operation::TransferCredit(asked) => {
                Self { amount: Some(asked.amount.to_string()), ..Self::default() }
            }
            Operation::RuleOut(_) => Self::default(),
            Operation::SetOverdraftLimit(change) => {
                Self { reason: Some(change.reason.as_str().to_owned()), ..Self::default() }
            }
            Operation::Delivery(asked) => match *asked {
                DeliveryOperation::Pause { reason, .. } => {
                    Self { reason: reason.map(|reason| reason.as_str().to_owned()), ..Self::default() }
                }
                DeliveryOperation::Resume(asked) => {
                    Self { reason: Some(asked.reason.as_str().to_owned()), ..Self::default() }
                }
                DeliveryOperation::Set { .. }
                | DeliveryOperation::Remove
                | DeliveryOperation::Take { .. }
                | DeliveryOperation::Challenge { .. }
                | DeliveryOperation::Confirm { .. }
                | DeliveryOperation::Release { .. }
                | DeliveryOperation::Test { .. }
                | DeliveryOperation::Claim { .. }
                | DeliveryOperation::Progress(_) => Self::default(),
            },
            Operation::Letter(_) => Self::default(),
            Operation::Transfer(asked) => match asked {
                TransferOperation::Request(asked) => Self {
                    amount: Some(asked.amount.to_string()),
                    metadata: pairs(&asked.metadata),
                    ..Self::default()
                },
                TransferOperation::Cancel(reason)
                | TransferOperation::Retry(reason)
                | TransferOperation::Abandon(reason) => {
                    Self { reason: Some(reason.as_str().to_owned()), ..Self::default() }
                }
                TransferOperation::Outcome(asked) => Self {
                    amount: asked.amount.map(|amount| amount.to_string()),
                    reason: Some(asked.reason.as_str().to_owned()),
                    ..Self::default()
                },
                TransferOperation::TimeOut
                | TransferOperation::Stall { .. }
                | TransferOperation::End { .. }
                | TransferOperation::Send(_)
                | TransferOperation::Settle(_)
                | TransferOperation::Contradict { .. }
                | TransferOperation::Confirm { .. } => Self::default(),
            },
        }
    }
}
