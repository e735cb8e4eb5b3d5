//! This file has the parameters that many requests take. A query is read by their names, and their descriptions stand
//! in the OpenAPI document.

#![expect(dead_code, reason = "a parameter's value is read by its name; its type is for the document")]

use utoipa::IntoParams;

use crate::http::openapi::names;

/// The account in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AccountPath {
    /// The account's name; with `@` one of the ledger's own, where its balance is read.
    #[param(example = "alice", pattern = "^@?[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
    account: String,
}

/// Makes a group of parameters of a query: a struct for the document, and the names by which they are read.
macro_rules! query {
    (
        $(#[$doc:meta])*
        struct $group:ident { $($(#[$about:meta])* $name:ident: $type:ty,)* }
    ) => {
        $(#[$doc])*
        #[derive(IntoParams)]
        #[into_params(parameter_in = Query)]
        pub(crate) struct $group {
            $($(#[$about])* $name: $type,)*
        }

        impl $group {
            /// The names of its parameters.
            pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];
        }
    };
}

/// A `GuardedPath` is the guarded account in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct GuardedPath {
    /// The account's name.
    #[param(example = "alice", pattern = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
    account: String,
}

/// A `HoldPath` is the guarded account and the hold in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct HoldPath {
    /// The account's name.
    #[param(example = "alice", pattern = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
    account: String,
    /// The hold: the transaction ID that it was placed with.
    #[param(format = "uuid")]
    hold: String,
}

/// A `TransferPath` is the transfer in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct TransferPath {
    /// The transfer: the transaction ID of its request.
    #[param(format = "uuid", example = "018f4e6e-9d52-7a30-8f7e-000000000021")]
    transfer: String,
}

/// A `DestinationPath` is the destination in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct DestinationPath {
    /// The destination's name.
    #[param(example = "crm", pattern = "^[a-z0-9][a-z0-9-]{0,31}$")]
    name: String,
}

query! {
    /// How long to wait.
    struct TransferWait {
        /// How many seconds to wait for the end, at most.
        #[param(minimum = 0, maximum = 60)]
        wait: Option<u64>,
    }
}

query! {
    /// This says which transfers are listed.
    struct TransferFilter {
        /// In this state.
        #[param(value_type = Option<names::TransferState>, inline)]
        state: Option<String>,
        /// Out of this account or into it.
        #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
        account: Option<String>,
        /// Requested at or after.
        #[param(format = DateTime)]
        from: Option<String>,
        /// Requested before.
        #[param(format = DateTime)]
        to: Option<String>,
    }
}

query! {
    /// As of when: `as_of`, `known_at` or both, or `at_position`.
    struct AtQuery {
        /// By when things happened in the world, inclusive.
        #[param(format = DateTime)]
        as_of: Option<String>,
        /// By when they were recorded, inclusive. With `as_of`: what had happened by the one moment, as far as it was recorded
        /// by the other.
        #[param(format = DateTime)]
        known_at: Option<String>,
        /// After the last event at or before this position. For one account it may be there several times.
        #[param(max_items = 100)]
        at_position: Option<Vec<u64>>,
    }
}

query! {
    /// A position to look at.
    struct AtPosition {
        /// After the last event at or before this position.
        at_position: Option<u64>,
    }
}

query! {
    /// A page of a list.
    struct PageQuery {
        /// `next` of the page before.
        cursor: Option<String>,
        /// How many items.
        #[param(minimum = 1, maximum = 1000, default = 100)]
        limit: Option<u64>,
    }
}

query! {
    /// What a read must have seen.
    struct MinPosition {
        /// The `Bookonce-Position` of a write: the read waits until it sees that write.
        min_position: Option<u64>,
    }
}

query! {
    /// Which lines of a statement.
    struct StatementFilter {
        /// Only this kind.
        #[param(value_type = Option<names::EventKind>, inline)]
        kind: Option<String>,
        /// Only what moved money from or to this account of the ledger's own.
        #[param(example = "@cash")]
        counter_account: Option<String>,
        /// Recorded at or after.
        #[param(format = DateTime)]
        from: Option<String>,
        /// Recorded before.
        #[param(format = DateTime)]
        to: Option<String>,
        /// This says which line comes first. It is the newest where nothing is said.
        #[param(value_type = Option<names::Order>, inline)]
        order: Option<String>,
    }
}

query! {
    /// Which transactions.
    struct SearchFilter {
        /// Of this account.
        #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
        account: Option<String>,
        /// Of this kind.
        #[param(value_type = Option<names::EventKind>, inline)]
        kind: Option<String>,
        /// What moved money from or to this account of the ledger's own.
        counter_account: Option<String>,
        /// The corrections that name this transaction.
        #[param(format = "uuid")]
        corrects: Option<String>,
        /// `accepted` or `declined`.
        #[param(value_type = Option<names::Outcome>, inline)]
        outcome: Option<String>,
        /// Recorded at or after.
        #[param(format = DateTime)]
        from: Option<String>,
        /// Recorded before.
        #[param(format = DateTime)]
        to: Option<String>,
    }
}

query! {
    /// Where in the journal.
    struct JournalFilter {
        /// Only what is after this position.
        after: Option<u64>,
    }
}
