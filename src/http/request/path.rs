//! This file reads the variable part of a path: an account's name or a transaction's ID.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::domain::ids::{AccountName, CounterAccount, TransactionId};
use crate::http::app::App;
use crate::http::problem::details::Problem;
use crate::wire::text::{NOT_A_NAME, NOT_AN_ID, NOT_AN_OWN_ACCOUNT};

/// A `Named` is the one variable part of a path, decoded and not yet checked.
#[derive(Debug)]
pub(crate) struct Named(String);

impl FromRequestParts<App> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let found: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, app).await;
        match found {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(Problem::field("path", "must be percent-encoded UTF-8")),
        }
    }
}

impl Named {
    /// Returns the text as it stands in the path.
    #[must_use]
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Returns the guarded account of this name.
    ///
    /// # Errors
    /// Answers 400 for a text that is no name, or one of the ledger's own accounts.
    pub(crate) fn guarded(&self) -> Result<AccountName, Problem> {
        AccountName::parse(&self.0).ok_or_else(|| {
            let own = "is one of the ledger's own accounts, which have no stream of their own";
            Problem::field("account", if self.0.starts_with('@') { own } else { NOT_A_NAME })
        })
    }

    /// Returns the ledger's own account of this name; nothing for a name that has no `@`.
    ///
    /// # Errors
    /// Answers 400 for a text that is no such name.
    pub(crate) fn internal(&self) -> Result<Option<CounterAccount>, Problem> {
        if !self.0.starts_with('@') {
            return Ok(None);
        }
        let name = CounterAccount::parse(&self.0);
        name.map(Some).ok_or_else(|| Problem::field("account", NOT_AN_OWN_ACCOUNT))
    }

    /// Returns the transaction of this ID.
    ///
    /// # Errors
    /// Answers 400 for a text that is no ID.
    pub(crate) fn transaction(&self) -> Result<TransactionId, Problem> {
        TransactionId::parse(&self.0).ok_or_else(|| Problem::field("transaction_id", NOT_AN_ID))
    }
}
