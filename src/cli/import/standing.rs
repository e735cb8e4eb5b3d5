//! The ledger's own standing is compared with the file before a line of it is booked.
//!
//! A line that is not booked yet fits when its account has in the ledger what the bank says that it had before the line. One
//! that does not fit is of another file than those imported before, or is in the ledger under another id: a spreadsheet takes
//! the leading zeros of numbers away when it saves a file, and with them the ids under which its lines were booked.

use futures_util::{StreamExt, stream};

use crate::client::sender::{Client, Error};
use crate::domain::currency::Currency;
use crate::domain::ids::TransactionId;
use crate::domain::money::Money;

use super::bank_line::{ACCOUNT_PREFIX, BankLine, transaction_id};
use super::order::Order;
use super::tally::{LineFinding, Wrong};

/// A number of the bank has at most this many digits.
const MOST_DIGITS: usize = 20;

/// Asks the ledger about the first line of each account, and about the lines that may have lost leading zeros.
///
/// # Errors
/// Fails when the service gives no answer.
pub(crate) async fn compare(
    client: &Client,
    order: &Order,
    currency: Currency,
    concurrency: usize,
) -> Result<Vec<LineFinding>, Error> {
    let first = stream::iter(order.first()).map(|line| async move {
        let found = balance(client, &line.account, currency).await?;
        misfit(client, line, found).await
    });
    let mut first = first.buffered(concurrency);
    let mut findings = Vec::new();
    while let Some(found) = first.next().await {
        findings.extend(found?);
    }
    let suspicious = stream::iter(order.suspicious()).map(|line| zeros(client, line));
    let mut suspicious = suspicious.buffered(concurrency);
    while let Some(found) = suspicious.next().await {
        findings.extend(found?);
    }
    Ok(findings)
}

/// Says what is wrong when this line is not booked, and its account does not have `found` before it.
///
/// # Errors
/// Fails when the service gives no answer.
pub(crate) async fn misfit(
    client: &Client,
    line: &BankLine,
    found: Option<Money>,
) -> Result<Option<LineFinding>, Error> {
    let before = line.balance_before();
    if found.is_none() || found == before || is_there(client, &path_of(line.transaction_id())).await? {
        return Ok(None);
    }
    let (account, found) = (line.account.clone(), found.map(|sum| sum.to_string()).unwrap_or_default());
    let what = Wrong::Misfit { account, before, found };
    Ok(Some(LineFinding { line: line.number, what }))
}

/// Returns the balance of an account, which is zero before it is opened; `None` where the service does not tell it.
///
/// # Errors
/// Fails when the service gives no answer.
pub(crate) async fn balance(
    client: &Client,
    account: &str,
    currency: Currency,
) -> Result<Option<Money>, Error> {
    let answer = client.look(&format!("/v1/accounts/{account}")).await?;
    Ok(match answer.status {
        200 => answer.json()["balance"].as_str().and_then(|balance| Money::read(balance, currency)),
        404 => Some(Money::zero(currency)),
        _ => None,
    })
}

/// Looks for a line's numbers with zeros before them, where the ledger does not know them as they are.
async fn zeros(client: &Client, line: &BankLine) -> Result<Option<LineFinding>, Error> {
    let id = |entry_id: &str| path_of(transaction_id(entry_id));
    let account = |number: &str| format!("/v1/accounts/{ACCOUNT_PREFIX}{number}");
    let lost = match padded(client, "entry_id", &line.entry_id, id).await? {
        Some(lost) => Some(lost),
        None => padded(client, "account", line.bank_account(), account).await?,
    };
    Ok(lost.map(|what| LineFinding { line: line.number, what }))
}

async fn padded(
    client: &Client,
    column: &'static str,
    number: &str,
    path: impl Fn(&str) -> String,
) -> Result<Option<Wrong>, Error> {
    if is_there(client, &path(number)).await? {
        return Ok(None);
    }
    for width in number.len() + 1..=MOST_DIGITS {
        let booked = format!("{number:0>width$}");
        if is_there(client, &path(&booked)).await? {
            return Ok(Some(Wrong::LostZeros { column, number: number.to_owned(), booked }));
        }
    }
    Ok(None)
}

fn path_of(id: TransactionId) -> String {
    format!("/v1/transactions/{id}")
}

/// Says whether there is something at a path. A teller is not told what another key has sent: 403 says that there is
/// something.
async fn is_there(client: &Client, path: &str) -> Result<bool, Error> {
    Ok(matches!(client.look(path).await?.status, 200 | 403))
}
