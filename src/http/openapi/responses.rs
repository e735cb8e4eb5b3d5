//! Responses that many operations share in the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Response, Type};

/// What a write of one command may be answered with.
pub(crate) struct WriteAnswers;

impl IntoResponses for WriteAnswers {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = WriteProblems::responses();
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Accepted"))).build();
        let header = |of: Type, description: &str| {
            let schema = ObjectBuilder::new().schema_type(of).build();
            HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
        };
        let booked = ResponseBuilder::new()
            .description("Booked: now, or (with `Idempotent-Replayed`) before; the same bytes each time.")
            .content("application/json", content)
            .header(
                "Bookonce-Position",
                header(Type::Integer, "The journal is sure to hold the event at or before it."),
            )
            .header("Idempotent-Replayed", header(Type::String, "`true` where this answer was given before."))
            .build();
        all.insert("201".to_owned(), booked.into());
        all.extend(problems(&[
            ("402", "A recorded decline, this ID's answer for ever: see `code`."),
            ("404", "`account_not_found`, or `transaction_not_found` for a partial reversal. Not recorded."),
            ("422", "`transaction_id_reused`: the ID was used for another request; see `differences`."),
        ]));
        all
    }
}

/// The problems that every write may be answered with.
pub(crate) struct WriteProblems;

impl IntoResponses for WriteProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            (
                "400",
                "`malformed_json`, `invalid_request`, `transaction_id_missing` or `transaction_id_conflicting`.",
            ),
            ("401", UNAUTHENTICATED),
            ("403", "`forbidden`: the key's role does not allow it."),
            ("408", "`request_timeout`: the body took too long to come."),
            ("409", "`in_progress`: ask again with the same ID; or `account_exists`."),
            ("413", "`body_too_large`."),
            ("415", "`unsupported_media_type`."),
            ("500", INTERNAL),
            (
                "503",
                "`overloaded`, `store_unavailable`, `outcome_unknown`, `storage_full` or `store_damaged`: send it \
                 again with the same ID after `Retry-After`.",
            ),
        ])
    }
}

/// The problems that every read may be answered with.
pub(crate) struct ReadProblems;

impl IntoResponses for ReadProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            ("400", "`invalid_request`: `errors` says which parameter."),
            ("401", UNAUTHENTICATED),
            ("404", "`account_not_found` or `transaction_not_found`, where one is named."),
            ("406", "`not_acceptable`: `Accept` names no form that there is."),
            ("500", INTERNAL),
            ("503", "`overloaded`, `position_not_reached` or `store_damaged`; see `Retry-After`."),
        ])
    }
}

const UNAUTHENTICATED: &str = "`unauthenticated`: no key, or one that is not good.";
const INTERNAL: &str = "`internal`: `incident` finds it in the log.";

fn problems(all: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    let content = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = |description: &str| {
        ResponseBuilder::new().description(description).content("application/problem+json", content()).build()
    };
    all.iter().map(|(status, text)| ((*status).to_owned(), response(text).into())).collect()
}
