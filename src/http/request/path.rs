//! This file reads the variable parts of a path: an account's name, a hold, or a transaction's ID.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::domain::delivery::name::DestinationName;
use crate::domain::ids::{AccountName, CounterAccount, Id, TransactionId};
use crate::http::app::App;
use crate::http::problem::details::Problem;
use crate::wire::text::{NOT_A_NAME, NOT_AN_ID};

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

/// A `NamedHold` is an account and a hold in a path, decoded and not yet checked.
#[derive(Debug)]
pub(crate) struct NamedHold {
    account: Named,
    hold: String,
}

impl FromRequestParts<App> for NamedHold {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let found: Result<Path<(String, String)>, PathRejection> = Path::from_request_parts(parts, app).await;
        match found {
            Ok(Path((account, hold))) => Ok(Self { account: Named(account), hold }),
            Err(_) => Err(Problem::field("path", "must be percent-encoded UTF-8")),
        }
    }
}

impl NamedHold {
    /// Returns the guarded account of this name.
    ///
    /// # Errors
    /// Fails with a 400 as [`Named::guarded`] does.
    pub(crate) fn account(&self) -> Result<AccountName, Problem> {
        self.account.guarded()
    }

    /// Returns the hold's ID, a client's or that of a transfer.
    ///
    /// # Errors
    /// Fails with a 400 when the text is no ID.
    pub(crate) fn any_hold(&self) -> Result<Id, Problem> {
        Id::parse(&self.hold).ok_or_else(|| Problem::field("hold", NOT_AN_ID))
    }

    /// Returns the hold's ID. The hold of a transfer can't be named.
    ///
    /// # Errors
    /// Fails with a 400 when the text is no ID.
    pub(crate) fn hold(&self) -> Result<TransactionId, Problem> {
        TransactionId::parse(&self.hold).ok_or_else(|| Problem::field("hold", NOT_AN_ID))
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
        name.map(Some).ok_or_else(|| Problem::field("account", "must be `@` and a name"))
    }

    /// Returns the transfer of this ID.
    ///
    /// # Errors
    /// Fails with a 400 when the text is no ID.
    pub(crate) fn transfer(&self) -> Result<TransactionId, Problem> {
        TransactionId::parse(&self.0).ok_or_else(|| Problem::field("transfer", NOT_AN_ID))
    }

    /// Returns the destination of this name.
    ///
    /// # Errors
    /// Fails with a 400 when the text is no name of a destination.
    pub(crate) fn destination(&self) -> Result<DestinationName, Problem> {
        let problem = "must be 1 to 32 of a-z, 0-9 and -, and not begin with -";
        DestinationName::parse(&self.0).ok_or_else(|| Problem::field("name", problem))
    }

    /// Returns the transaction of this ID, a client's or one of the service's own.
    ///
    /// # Errors
    /// Answers 400 for a text that is no ID.
    pub(crate) fn transaction(&self) -> Result<Id, Problem> {
        Id::parse(&self.0).ok_or_else(|| Problem::field("transaction_id", NOT_AN_ID))
    }
}
