//! A cursor says where a list goes on, in a form that only this ledger makes and only the same list takes.
//!
//! A cursor is its text and 8 bytes of HMAC-SHA256 over it and over what list it belongs to, in hexadecimal. The key is
//! the journal's id: it survives restarts, and a cursor of another ledger, of another filter, or with one altered byte
//! is refused. It guards against slips, not against forgers, who would gain nothing.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::http::app::App;
use crate::http::problem::details::Problem;
use crate::http::request::query::Params;

const SUM: usize = 8;

/// A `List` is the list that a cursor belongs to: its path and all parameters but `cursor`, `limit` and `min_position`.
pub(crate) struct List {
    mac: Hmac<Sha256>,
}

impl List {
    /// Returns the list of this kind, with these filters.
    pub(crate) fn new(app: &App, kind: &str, params: &Params) -> Result<Self, Problem> {
        let key = app.ledger().head().journal_id;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
            .map_err(|error| Problem::internal("no key for cursors", &error))?;
        mac.update(kind.as_bytes());
        for name in [
            "account",
            "kind",
            "outcome",
            "from",
            "to",
            "order",
            "as_of",
            "known_at",
            "at_position",
            "counter_account",
            "state",
        ] {
            mac.update(b"\0");
            mac.update(params.get(name).unwrap_or_default().as_bytes());
        }
        mac.update(b"\0");
        Ok(Self { mac })
    }

    /// Returns the cursor with this text.
    pub(crate) fn cursor(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        bytes.extend(self.sum(text));
        hex::encode(bytes)
    }

    /// Returns what the cursor in the query says, if there is one.
    pub(crate) fn read(&self, params: &Params) -> Result<Option<String>, Problem> {
        let parse = |cursor: &str| {
            let bytes = hex::decode(cursor).ok()?;
            let text = bytes.get(..bytes.len().checked_sub(SUM)?)?;
            let text = std::str::from_utf8(text).ok()?;
            (self.cursor(text) == cursor).then(|| text.to_owned())
        };
        params.parsed("cursor", parse, "is not a cursor of this list")
    }

    fn sum(&self, text: &str) -> [u8; SUM] {
        let mut mac = self.mac.clone();
        mac.update(text.as_bytes());
        let whole: [u8; 32] = mac.finalize().into_bytes().into();
        let mut sum = [0; SUM];
        sum.copy_from_slice(&whole[..SUM]);
        sum
    }
}
