//! A comparison finds where the books of the journal differ from books that somebody else keeps, such as the index.

use std::collections::BTreeMap;
use std::fmt;

use crate::audit::show::replay::{BookedAccount, BookedInternal, Replayed};

/// A books error says why somebody's books can't be read.
pub(crate) type BooksError = Box<dyn std::error::Error + Send + Sync>;

/// Other books are kept by somebody else, such as the index, and are compared with the journal's.
pub(crate) trait OtherBooks {
    /// Says the position of the last event that is in them.
    fn position(&self) -> u64;

    /// Lists every guarded account, in any order.
    ///
    /// # Errors
    /// Fails when they can't be read.
    fn accounts(&self) -> Result<Vec<BookedAccount>, BooksError>;

    /// Lists every one of the ledger's own accounts, in each currency that it was used in, in any order.
    ///
    /// # Errors
    /// Fails when they can't be read.
    fn internal(&self) -> Result<Vec<BookedInternal>, BooksError>;

    /// Gives the state digest, where they keep one.
    ///
    /// # Errors
    /// Fails when it can't be read.
    fn digest(&self) -> Result<Option<String>, BooksError> {
        Ok(None)
    }
}

/// A difference is one thing that the two books say differently.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Difference {
    /// This is the account, or what else is different.
    pub(crate) of: String,
    /// This is the name of the field.
    pub(crate) field: &'static str,
    /// This is what the journal gives; `-` for nothing.
    pub(crate) journal: String,
    /// This is what the other books say; `-` for nothing.
    pub(crate) books: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, field, journal, books } = self;
        write!(f, "{of}: {field} is {journal} by the journal, {books} in the index")
    }
}

/// Lists what other books say differently. Both must be of the same position; if they are not, this is the only difference
/// that is listed.
///
/// # Errors
/// Fails when the other books can't be read.
pub(crate) fn compare(replayed: &Replayed, books: &dyn OtherBooks) -> Result<Vec<Difference>, BooksError> {
    let mut found = Differences(Vec::new());
    found.field("the books", "position", &replayed.position.to_string(), &books.position().to_string());
    if !found.0.is_empty() {
        return Ok(found.0);
    }
    let key = |account: &BookedAccount| account.account.clone();
    for (name, pair) in pairs(replayed.accounts.clone(), books.accounts()?, key) {
        if let Some((ours, theirs)) = found.both(&name, pair) {
            found.field(&name, "currency", &ours.currency, &theirs.currency);
            found.field(&name, "balance", &ours.balance, &theirs.balance);
            let held = |account: &BookedAccount| account.held.clone().unwrap_or_else(|| "0".to_owned());
            found.field(&name, "held", &held(&ours), &held(&theirs));
            found.field(&name, "overdraft_limit", &ours.overdraft_limit, &theirs.overdraft_limit);
            found.field(&name, "status", &ours.status, &theirs.status);
            found.field(&name, "revision", &ours.revision.to_string(), &theirs.revision.to_string());
        }
    }
    let key = |internal: &BookedInternal| format!("{} ({})", internal.account, internal.currency);
    for (name, pair) in pairs(replayed.internal.clone(), books.internal()?, key) {
        if let Some((ours, theirs)) = found.both(&name, pair) {
            found.field(&name, "balance", &ours.balance, &theirs.balance);
        }
    }
    if let Some(digest) = books.digest()? {
        found.field("the books", "digest", &replayed.digest, &digest);
    }
    Ok(found.0)
}

type Pair<T> = (Option<T>, Option<T>);

/// Puts both sides together by name.
fn pairs<T>(ours: Vec<T>, theirs: Vec<T>, key: impl Fn(&T) -> String) -> BTreeMap<String, Pair<T>> {
    let mut pairs = BTreeMap::<String, Pair<T>>::new();
    for one in ours {
        let name = key(&one);
        pairs.entry(name).or_insert((None, None)).0 = Some(one);
    }
    for one in theirs {
        let name = key(&one);
        pairs.entry(name).or_insert((None, None)).1 = Some(one);
    }
    pairs
}

struct Differences(Vec<Difference>);

impl Differences {
    fn field(&mut self, of: &str, field: &'static str, journal: &str, books: &str) {
        if journal != books {
            self.0.push(Difference { of: of.into(), field, journal: journal.into(), books: books.into() });
        }
    }

    /// Gives the two, when both are there. Else notes that one is missing.
    fn both<T>(&mut self, of: &str, pair: Pair<T>) -> Option<(T, T)> {
        match pair {
            (Some(ours), Some(theirs)) => return Some((ours, theirs)),
            (Some(_), None) => self.field(of, "account", "there", "-"),
            (None, Some(_)) => self.field(of, "account", "-", "there"),
            (None, None) => {}
        }
        None
    }
}
