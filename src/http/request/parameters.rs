//! Parameters, for the OpenAPI document only: what many operations take. [`crate::http::request::query`] reads them.

#![expect(dead_code, reason = "the document is made of their descriptions")]

use utoipa::IntoParams;

/// The account in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AccountPath {
    /// The account's name; with `@` one of the ledger's own, where its balance is read.
    #[param(example = "alice", pattern = "^@?[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
    account: String,
}

/// Headers of writes.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct OriginHeaders {
    /// What business process it belongs to; kept with the event, never compared.
    #[param(rename = "Correlation-Id", max_length = 128)]
    correlation_id: Option<String>,
    /// What caused it; kept with the event, never compared.
    #[param(rename = "Causation-Id", max_length = 128)]
    causation_id: Option<String>,
}

/// The ID, for clients that would rather not have it in the body.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IdHeader {
    /// The transaction ID, bare or quoted, where `transaction_id` is not in the body.
    #[param(rename = "Idempotency-Key")]
    idempotency_key: Option<String>,
}

/// As of when. Only one of the three.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AtQuery {
    /// By when things happened in the world, inclusive.
    as_of: Option<String>,
    /// By when they were recorded, inclusive.
    known_at: Option<String>,
    /// After the last event at or before this position. For one account it may be there several times.
    at_position: Option<Vec<u64>>,
}

/// A position to look at.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AtPosition {
    /// After the last event at or before this position.
    at_position: Option<u64>,
}

/// A page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// `next` of the page before.
    cursor: Option<String>,
    /// How many items.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
}

/// What a read must have seen.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MinPosition {
    /// The `Bookonce-Position` of a write: the read waits until it sees that write.
    min_position: Option<u64>,
}

/// Which lines of a statement.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatementFilter {
    /// Only this kind.
    kind: Option<String>,
    /// Recorded at or after.
    from: Option<String>,
    /// Recorded before.
    to: Option<String>,
    /// `newest` (first) or `oldest`.
    #[param(default = "newest")]
    order: Option<String>,
}

/// Which transactions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchFilter {
    /// Of this account.
    account: Option<String>,
    /// Of this kind.
    kind: Option<String>,
    /// `accepted` or `declined`.
    outcome: Option<String>,
    /// Recorded at or after.
    from: Option<String>,
    /// Recorded before.
    to: Option<String>,
}

/// Where in the journal.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct JournalFilter {
    /// Only what is after this position.
    after: Option<u64>,
}
