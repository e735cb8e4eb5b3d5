//! This table has the code of every problem, with its status, its title and what it means.
//!
//! A code is stable: programs look at it. The OpenAPI document takes the codes from here, and the table in
//! `docs/clients.md` is made of them (a test holds it to them). The codes of recorded declines are not among them: they
//! are part of first answers, and stand in [`crate::domain::account::decline`].

use std::fmt;

use axum::http::StatusCode;

/// A `Row` is a row of the table.
struct Row {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    meaning: &'static str,
}

/// Makes the codes from a table of variant, status, code, title and meaning.
macro_rules! codes {
    ($($name:ident: $status:ident, $code:literal, $title:literal, $meaning:literal;)*) => {
        /// A `Code` is the code of a problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// These are all codes, by status.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            const fn row(self) -> Row {
                match self {
                    $(Self::$name => {
                        Row { status: StatusCode::$status, code: $code, title: $title, meaning: $meaning }
                    })*
                }
            }
        }
    };
}

codes! {
    MalformedJson: BAD_REQUEST, "malformed_json", "Malformed JSON", "the body is not JSON";
    InvalidRequest: BAD_REQUEST, "invalid_request", "Invalid request",
        "a field, a parameter or a header is wrong: `errors` says which";
    TransactionIdMissing: BAD_REQUEST, "transaction_id_missing", "Transaction ID missing",
        "a write came without a transaction ID";
    TransactionIdConflicting: BAD_REQUEST, "transaction_id_conflicting", "Transaction ID conflicting",
        "the header and the body name different transactions";
    UnknownPosition: BAD_REQUEST, "unknown_position", "Unknown position",
        "no event is at the position named: `nearest` is the one before it";
    Unauthenticated: UNAUTHORIZED, "unauthenticated", "Unauthenticated", "no key, or one that is not good";
    Forbidden: FORBIDDEN, "forbidden", "Forbidden", "the key's role does not allow it";
    AccountNotFound: NOT_FOUND, "account_not_found", "Account not found",
        "there is no such account, or there was none at that time";
    TransactionNotFound: NOT_FOUND, "transaction_not_found", "Transaction not found",
        "the ledger has not seen the transaction; it may still come";
    HoldNotFound: NOT_FOUND, "hold_not_found", "Hold not found",
        "the account has never seen the hold, or the ID is that of something else";
    TransferNotFound: NOT_FOUND, "transfer_not_found", "Transfer not found", "there is no transfer with this ID";
    DestinationNotFound: NOT_FOUND, "destination_not_found", "Destination not found",
        "there never was a destination of this name";
    NotFound: NOT_FOUND, "not_found", "Not found", "there is nothing at this path";
    MethodNotAllowed: METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed",
        "the path does not know this method";
    NotAcceptable: NOT_ACCEPTABLE, "not_acceptable", "Not acceptable", "`Accept` names no form that there is";
    RequestTimeout: REQUEST_TIMEOUT, "request_timeout", "Request timeout", "the body took too long to come";
    InProgress: CONFLICT, "in_progress", "In progress", "the first request with this ID is still running";
    AccountExists: CONFLICT, "account_exists", "Account exists",
        "the account was opened before, under another ID";
    AccountChanged: CONFLICT, "account_changed", "Account changed",
        "the account's last event is not the one that the request expected: `revision` is";
    DestinationState: CONFLICT, "destination_state", "Destination in another state",
        "the destination is in no state in which this can be done: `state` is";
    BodyTooLarge: PAYLOAD_TOO_LARGE, "body_too_large", "Body too large", "the body is larger than is allowed";
    UriTooLong: URI_TOO_LONG, "uri_too_long", "URI too long", "the request's target is longer than is allowed";
    UnsupportedMediaType: UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type",
        "the body has another type or encoding than the request takes";
    TransactionIdReused: UNPROCESSABLE_ENTITY, "transaction_id_reused", "Transaction ID reused",
        "the ID was used for another request: `differences` says how they differ";
    HeadersTooLarge: REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", "Headers too large",
        "the request's head is larger than is allowed";
    Internal: INTERNAL_SERVER_ERROR, "internal", "Internal error",
        "something broke; what was recorded is open: `incident` finds it in the log";
    Overloaded: SERVICE_UNAVAILABLE, "overloaded", "Overloaded", "there is more work than can be taken";
    Stopping: SERVICE_UNAVAILABLE, "stopping", "Stopping", "the service is stopping";
    StoreUnavailable: SERVICE_UNAVAILABLE, "store_unavailable", "Store unavailable",
        "the store can't be reached or written";
    StorageFull: SERVICE_UNAVAILABLE, "storage_full", "Storage full", "the disk is full";
    StoreDamaged: SERVICE_UNAVAILABLE, "store_damaged", "Store damaged",
        "the store, or the account's stream in it, is damaged";
    OutcomeUnknown: SERVICE_UNAVAILABLE, "outcome_unknown", "Outcome unknown",
        "the store could not say whether it took the event: open";
    PositionNotReached: SERVICE_UNAVAILABLE, "position_not_reached", "Position not reached",
        "a read waited for `min_position` in vain";
    ReadTooLong: SERVICE_UNAVAILABLE, "read_too_long", "Read too long",
        "the read took longer than a long read may: ask for less, or when less is going on";
    NotReady: SERVICE_UNAVAILABLE, "not_ready", "Not ready", "the ledger takes no commands; `/readyz` says why";
    TransfersPaused: SERVICE_UNAVAILABLE, "transfers_paused", "Transfers paused",
        "no new transfer is taken until an operator lets the service drive transfers again";
}

impl Code {
    /// Returns the HTTP status of its answers.
    pub(crate) const fn status(self) -> StatusCode {
        self.row().status
    }

    /// Returns the code as programs see it.
    pub(crate) const fn text(self) -> &'static str {
        self.row().code
    }

    /// Returns the URN of its kind of problem (RFC 9457).
    pub(crate) fn urn(self) -> String {
        format!("urn:bookonce:problem:{self}")
    }

    /// Returns the code in words.
    pub(crate) const fn title(self) -> &'static str {
        self.row().title
    }

    /// Returns what it means, as a part of a sentence.
    pub(crate) const fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// Says whether the same request, with the same ID, is to be sent again after a while.
    pub(crate) fn asks_to_retry(self) -> bool {
        matches!(self, Self::InProgress | Self::RequestTimeout)
            || self.status() == StatusCode::SERVICE_UNAVAILABLE
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::policy;
    use crate::domain::account::decline::Decline;
    use crate::domain::transfer::decline::TransferDecline;

    const BEGIN: &str = "<!-- made of the service's codes: a test holds it to them -->\n";
    const END: &str = "<!-- end of the codes -->\n";

    /// Returns the table of the document, from the codes.
    fn table() -> String {
        let mut rows: Vec<(u16, String, &str, bool)> = Vec::new();
        for code in Code::ALL {
            let (status, again) =
                (code.status().as_u16(), !policy::is_final(code.status().as_u16(), Some(code.text())));
            match rows.iter_mut().find(|(_, named, ..)| named == code.text()) {
                Some(row) => assert_eq!((row.0, row.3), (status, again), "{code} has two meanings"),
                None => rows.push((status, code.to_string(), code.meaning(), again)),
            }
        }
        let declined = "declined, and recorded as declined for ever";
        rows.extend(
            Decline::CODES
                .into_iter()
                .chain(TransferDecline::OWN_CODES)
                .map(|code| (402, code.to_owned(), declined, !policy::is_final(402, Some(code)))),
        );
        rows.sort_by_key(|(status, ..)| *status);
        let mut text =
            String::from("| status | code | what it means | again, with the same ID? |\n|---|---|---|---|\n");
        for (status, code, meaning, again) in rows {
            let again = if again { "**yes**" } else { "no" };
            text.push_str(&format!("| {status} | `{code}` | {meaning} | {again} |\n"));
        }
        text
    }

    #[test]
    fn the_table_for_clients_has_every_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/clients.md");
        let document = std::fs::read_to_string(path).unwrap();
        let (_, rest) = document.split_once(BEGIN).expect("the table's begin");
        let (shown, _) = rest.split_once(END).expect("the table's end");
        assert_eq!(shown, table(), "docs/clients.md is to have this table:\n{}", table());
    }

    #[test]
    fn the_client_tries_again_what_asks_for_it() {
        for code in Code::ALL {
            let again = !policy::is_final(code.status().as_u16(), Some(code.text()));
            assert_eq!(again, code.asks_to_retry() || *code == Code::Internal, "{code}");
        }
    }
}
