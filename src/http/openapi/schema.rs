//! This file has the shapes of those answers that no struct is serialized to: [`crate::answers`], problems and the
//! journal's lines are written by hand. A test compares these shapes with what is answered.

#![expect(dead_code, reason = "the document is made of their descriptions")]

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::http::openapi::names;
use crate::http::problem::code::Code;
use crate::wire::fault::FieldError;
use crate::wire::schema::place;

/// The answer to a batch's line.
#[derive(ToSchema)]
pub(crate) struct BatchAnswer {
    /// The status that the command alone would have got.
    status: u16,
    /// Was this answer given before?
    replayed: bool,
    /// The body that the command alone would have got.
    #[schema(value_type = Object)]
    body: String,
}

/// The answer to an accepted write.
#[derive(ToSchema)]
pub(crate) struct Accepted {
    /// The client's ID.
    #[schema(format = "uuid")]
    transaction_id: String,
    /// What was booked.
    #[schema(value_type = names::EventKind)]
    kind: String,
    /// `accepted`
    #[schema(value_type = names::AcceptedOutcome)]
    outcome: String,
    /// The account.
    #[schema(example = "alice")]
    account: String,
    /// Its currency.
    #[schema(example = "EUR")]
    currency: String,
    /// How much; where money moved.
    #[schema(example = "40.00")]
    amount: Option<String>,
    /// Of a correction: `credit` where money came in, `debit` where it went out.
    #[schema(value_type = Option<names::Direction>)]
    direction: Option<String>,
    /// The account's balance after it.
    #[schema(example = "60.00")]
    balance: String,
    /// What may go out after it.
    #[schema(example = "60.00")]
    available: String,
    /// The two sides; where money moved. They sum to zero.
    entries: Option<Vec<AnswerEntry>>,
    /// The account's state, where it was opened, frozen, unfrozen or closed.
    #[schema(value_type = Option<names::AccountStatus>)]
    status: Option<String>,
    /// The limit, where one was set.
    overdraft_limit: Option<String>,
    /// What it takes back or rules out.
    #[schema(format = "uuid")]
    reverses: Option<String>,
    /// The hold that it settles or rules out.
    #[schema(format = "uuid")]
    hold: Option<String>,
    /// What is left of the hold that was captured, and is free again.
    released: Option<String>,
    /// When the hold expires.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Of a correction: the transactions that were wrong, where it names any.
    corrects: Option<Vec<String>>,
    /// Why.
    reason: Option<String>,
    /// When it happened, where the client said so.
    #[schema(format = DateTime)]
    effective_at: Option<String>,
    /// The business's own ids.
    metadata: Option<BTreeMap<String, String>>,
    /// Its place in the account's stream, from 0.
    #[schema(example = 3)]
    revision: u64,
    /// When it was recorded.
    #[schema(format = DateTime)]
    recorded_at: String,
}

/// The answer to what was asked of a transfer. It says nothing of how far the transfer got.
#[derive(ToSchema)]
pub(crate) struct TransferAccepted {
    /// The client's ID.
    #[schema(format = "uuid")]
    transaction_id: String,
    /// What was asked.
    #[schema(value_type = names::EventKind)]
    kind: String,
    /// `accepted`
    #[schema(value_type = names::AcceptedOutcome)]
    outcome: String,
    /// The transfer, where it was there before.
    #[schema(format = "uuid")]
    transfer: Option<String>,
    /// The account that the money leaves; of a new transfer.
    #[schema(example = "alice")]
    from: Option<String>,
    /// Where it goes to; of a new transfer.
    #[schema(example = "bob")]
    to: Option<String>,
    /// Its currency.
    #[schema(example = "EUR")]
    currency: Option<String>,
    /// How much.
    #[schema(example = "40.00")]
    amount: Option<String>,
    /// After how many seconds it is stopped; of a new transfer.
    timeout_seconds: Option<u64>,
    /// When that is.
    #[schema(format = DateTime)]
    deadline_at: Option<String>,
    /// What an operator says that became of the payout: `done` or `declined`.
    payout: Option<String>,
    /// The payout's own id at the provider.
    reference: Option<String>,
    /// Why.
    reason: Option<String>,
    /// The business's own ids.
    metadata: Option<BTreeMap<String, String>>,
    /// Its place in the transfer's stream, from 0.
    #[schema(example = 0)]
    revision: u64,
    /// When it was recorded.
    #[schema(format = DateTime)]
    recorded_at: String,
}

fn after() -> RefOr<Schema> {
    place("After what it goes on: a position, or `head`, where that was asked.".to_owned()).into()
}

/// The answer to what was asked of a destination.
#[derive(ToSchema)]
pub(crate) struct DestinationActed {
    /// The client's ID.
    #[schema(format = "uuid")]
    transaction_id: String,
    /// What was asked: `destination_pause`, `destination_resume`, `destination_test`.
    #[schema(example = "destination_pause")]
    kind: String,
    /// `accepted`; of a test `delivered` or `failed`.
    #[schema(value_type = names::ActOutcome)]
    outcome: String,
    /// The destination.
    #[schema(example = "crm")]
    destination: String,
    /// After what it goes on: a position, or `head`, where that was asked.
    #[schema(schema_with = after)]
    after: Option<String>,
    /// Where the end of the journal was, where it goes on after that.
    through: Option<u64>,
    /// How many selected messages are never sent by that.
    passed_over: Option<u64>,
    /// Why.
    reason: Option<String>,
    /// What came of a test, in words.
    detail: Option<String>,
    /// Its place in the destination's stream, from 0.
    #[schema(example = 89)]
    revision: u64,
    /// When it was recorded.
    #[schema(format = DateTime)]
    recorded_at: String,
}

/// One side of a movement.
#[derive(ToSchema)]
pub(crate) struct AnswerEntry {
    /// Whose.
    account: String,
    /// What it gained; negative where it lost.
    amount: String,
}

/// An answer that is not a success (RFC 9457).
#[derive(ToSchema)]
pub(crate) struct Problem {
    /// `urn:bookonce:problem:` and the code.
    #[schema(rename = "type", example = json!(Code::InvalidRequest.urn()))]
    r#type: String,
    /// The code in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What to do about it.
    detail: String,
    /// Stable; what programs look at.
    #[schema(value_type = names::ProblemCode)]
    code: String,
    /// What is wrong with which field.
    errors: Option<Vec<FieldError>>,
    /// The transaction.
    transaction_id: Option<String>,
    /// True for a decline that was recorded: it is this ID's answer for ever.
    recorded: Option<bool>,
    /// The decline's place in the account's stream; with the code `account_changed` that of the account's last event.
    revision: Option<u64>,
    /// When the decline was recorded.
    recorded_at: Option<String>,
    /// Of a recorded decline: what was asked for.
    #[schema(value_type = Option<names::EventKind>)]
    kind: Option<String>,
    /// Of a recorded decline: `declined`.
    #[schema(value_type = Option<names::DeclinedOutcome>)]
    outcome: Option<String>,
    /// Of a recorded decline: the account.
    account: Option<String>,
    /// Of a recorded decline: the account's currency.
    currency: Option<String>,
    /// Of a recorded decline: the account's balance, which it left as it was.
    balance: Option<String>,
    /// Of a recorded decline: what may go out.
    available: Option<String>,
    /// Of a recorded decline with the code `prevented`: the reversal that ruled it out.
    prevented_by: Option<String>,
    /// In what a reused ID's request differs from its first.
    differences: Option<Vec<Difference>>,
    /// When the reused ID was first recorded.
    first_recorded_at: Option<String>,
    /// Where the reused ID's first transaction is.
    original: Option<String>,
    /// Of an unknown position: the last one before it at which an event is.
    nearest: Option<u64>,
    /// What finds an internal error in the log.
    incident: Option<String>,
}

/// A field in which two requests with one ID differ.
#[derive(ToSchema)]
pub(crate) struct Difference {
    /// The field.
    field: String,
    /// What it was; null where it was not there.
    #[schema(required = true)]
    first: Option<String>,
    /// What it is now; null where it is not there.
    #[schema(required = true)]
    now: Option<String>,
}

/// A page of the journal.
#[derive(ToSchema)]
pub(crate) struct JournalPage {
    /// Events in order.
    items: Vec<JournalEvent>,
    /// What `cursor` takes to go on; null at the end.
    #[schema(required = true)]
    next: Option<String>,
}

/// An event, as it is stored.
#[derive(ToSchema)]
pub(crate) struct JournalEvent {
    /// Its place in the journal.
    position: u64,
    /// `account-` and the account, or `transfer-` and the transfer.
    stream: String,
    /// Its place in the stream, from 0.
    revision: u64,
    /// Derived from its own bytes.
    #[schema(format = "uuid")]
    event_id: String,
    /// What happened.
    #[schema(rename = "type", example = "Withdrawn")]
    r#type: String,
    /// When it was recorded.
    #[schema(format = DateTime)]
    recorded_at: String,
    /// When it happened in the world.
    #[schema(format = DateTime)]
    effective_at: String,
    /// The version that it is written in.
    version: u32,
    /// The client's ID, or one of the service's own.
    transaction_id: String,
    /// What happened, by type.
    #[schema(value_type = Object)]
    data: String,
    /// What its client was told beside: `balance` and `available`.
    #[schema(value_type = Object)]
    answer: String,
    /// `$correlationId`, `$causationId` and `actor`.
    #[schema(value_type = Object)]
    metadata: String,
    /// SHA-256 of the hash before it and its own bytes.
    hash: String,
}
