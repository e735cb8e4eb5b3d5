//! The statement of one of the ledger's own accounts shows the movements from and to it, by their place in the journal.
//!
//! Such an account has no stream of its own: each of its entries is the other side of an entry of a guarded account. Its lines
//! say what it gained, and which account lost that.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::ids::CounterAccount;
use crate::http::app::App;
use crate::http::problem::details::Problem;
use crate::http::request::cursor::List;
use crate::ledger::{At, Placed, Position, StatementQuery};

/// A page of the statement of one of the ledger's own accounts.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct OwnStatementPage {
    /// The account.
    #[schema(example = "@cash")]
    account: String,
    /// What it has now, by currency.
    balances: BTreeMap<String, String>,
    /// Its entries, in the order that was asked for.
    items: Vec<OwnEntry>,
    /// What `cursor` takes to go on; null at the end.
    next: Option<String>,
}

/// An entry of one of the ledger's own accounts.
#[derive(Serialize, utoipa::ToSchema)]
struct OwnEntry {
    /// Its place in the journal.
    position: Position,
    /// The ID of its transaction.
    #[schema(format = "uuid")]
    transaction_id: String,
    /// `deposit`, `withdrawal` or `reversal`.
    kind: &'static str,
    /// The currency.
    currency: String,
    /// What this account gained; negative where it lost.
    #[schema(example = "-40.00")]
    amount: String,
    /// The guarded account on the other side.
    #[schema(example = "alice")]
    counterpart: String,
    /// Its place in that account's stream.
    revision: u64,
    /// When it was recorded.
    recorded_at: String,
    /// When it happened in the world.
    effective_at: String,
}

impl OwnEntry {
    fn of(placed: &Placed) -> Option<Self> {
        let event = &placed.event;
        let body = event.account()?;
        Some(Self {
            position: placed.position,
            transaction_id: event.id.to_string(),
            kind: event.kind().name(),
            currency: body.currency.to_string(),
            amount: body.entries()?.guarded.negated().to_string(),
            counterpart: event.stream.account().map(ToString::to_string).unwrap_or_default(),
            revision: event.revision,
            recorded_at: event.recorded_at.to_string(),
            effective_at: body.effective_at.to_string(),
        })
    }
}

/// A page of the statement.
///
/// # Errors
/// 404 for an account that was never used.
pub(super) async fn page(
    app: &App,
    name: &CounterAccount,
    cursors: &List,
    query: StatementQuery,
) -> Result<OwnStatementPage, Problem> {
    let has = app.ledger().internal_account(name, &[At::Now]).await?.pop().flatten();
    let has = has.ok_or_else(Problem::account_not_found)?;
    let found = app.ledger().own_statement(name, query).await?;
    let next = found.lines.last().filter(|_| found.more);
    Ok(OwnStatementPage {
        account: name.to_string(),
        balances: has.iter().map(|(currency, sum)| (currency.to_string(), sum.to_string())).collect(),
        items: found.lines.iter().filter_map(OwnEntry::of).collect(),
        next: next.map(|last| cursors.cursor(&last.position.to_string())),
    })
}
