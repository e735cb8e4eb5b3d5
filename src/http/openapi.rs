//! The OpenAPI document, made from the code, and the parameters and answers that many operations share.

use std::collections::BTreeMap;

use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response};
use utoipa::{IntoParams, IntoResponses};

/// The problems that every read may be answered with.
pub(super) struct ReadProblems;

impl IntoResponses for ReadProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            ("400", "`invalid_request`: `errors` says which parameter."),
            ("401", "`unauthenticated`: no key, or one that is not good."),
            ("404", "`account_not_found` or `transaction_not_found`."),
            ("406", "`not_acceptable`: `Accept` names no form that there is."),
            ("500", "`internal`: `incident` finds it in the log."),
            ("503", "`overloaded`, `position_not_reached` or `store_damaged`; see `Retry-After`."),
        ])
    }
}

fn problems(all: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    let content = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    all.iter()
        .map(|(status, description)| {
            let response = ResponseBuilder::new()
                .description(*description)
                .content("application/problem+json", content())
                .build();
            ((*status).to_owned(), response.into())
        })
        .collect()
}

/// The account in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct AccountPath {
    /// The account's name; with `@` one of the ledger's own, where that makes sense.
    #[param(example = "alice", pattern = "^@?[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
    account: String,
}

/// As of when.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct AtQuery {
    /// By when things happened in the world, inclusive.
    as_of: Option<String>,
    /// By when they were recorded, inclusive.
    known_at: Option<String>,
    /// After the last event at or before this position. May be there several times.
    at_position: Option<Vec<u64>>,
}

/// A page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct PageQuery {
    /// `next` of the page before.
    cursor: Option<String>,
    /// How many items.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
}

/// What a read must have seen.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct MinPosition {
    /// The `Bookonce-Position` of a write: the read waits until it sees that write.
    min_position: Option<u64>,
}
