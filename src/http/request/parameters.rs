//! This file has the parameters that many requests take. A query is read by their names, and their descriptions stand
//! in the OpenAPI document.

#![expect(dead_code, reason = "a parameter's value is read by its name; its type is for the document")]

use utoipa::IntoParams;

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

query! {
    /// As of when. Only one of the three.
    struct AtQuery {
        /// By when things happened in the world, inclusive.
        as_of: Option<String>,
        /// By when they were recorded, inclusive.
        known_at: Option<String>,
        /// After the last event at or before this position. For one account it may be there several times.
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
        kind: Option<String>,
        /// Recorded at or after.
        from: Option<String>,
        /// Recorded before.
        to: Option<String>,
        /// `newest` (first) or `oldest`.
        #[param(default = "newest")]
        order: Option<String>,
    }
}

query! {
    /// Which transactions.
    struct SearchFilter {
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
}

query! {
    /// Where in the journal.
    struct JournalFilter {
        /// Only what is after this position.
        after: Option<u64>,
    }
}
