//! The OpenAPI document, made from the code, and what many operations share in it.

use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Response, Type};
use utoipa::{IntoResponses, Modify, OpenApi};

use crate::http::openapi::schema;
use crate::http::reads::{accounts, journal, live, reports, statement, transactions};
use crate::http::service::{health, metrics};
use crate::http::writes::{batch, single};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "bookonce",
        description = "A ledger that books every transaction exactly once. Send a write again with the same \
            `transaction_id`, as often as you like: it is booked once, and you always get the first answer."
    ),
    paths(
        single::open, single::deposit, single::withdraw, single::reverse, single::limit, single::freeze,
        single::unfreeze, single::close, batch::batch, accounts::list, accounts::one, statement::statement,
        transactions::search, transactions::one, journal::journal, journal::head, live::live,
        reports::trial_balance, reports::digest, health::healthz, health::readyz, metrics::metrics
    ),
    components(schemas(schema::Problem, schema::Accepted)),
    modifiers(&Key),
    tags(
        (name = "writes", description = "Each with a transaction ID, each booked once."),
        (name = "accounts", description = "How accounts stand, and their statements."),
        (name = "transactions", description = "What happened to an ID."),
        (name = "journal", description = "Every event, in order."),
        (name = "audit", description = "Sums over everything."),
        (name = "service", description = "For machines that watch.")
    )
)]
pub(crate) struct Document;

struct Key;

impl Modify for Key {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let description = "An API key. While none has been made, none is needed over loopback.";
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build();
        document
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::commands::Op;
    use crate::http::request::fields::Field;

    #[test]
    fn each_requests_fields_are_those_that_are_read() {
        let document = serde_json::to_value(Document::openapi()).unwrap();
        for (schema, op) in [
            ("OpenAccount", Op::OpenAccount),
            ("Move", Op::Deposit),
            ("Move", Op::Withdraw),
            ("Reverse", Op::Reverse),
            ("Because", Op::Freeze),
            ("Because", Op::Unfreeze),
            ("Because", Op::Close),
            ("OverdraftLimit", Op::OverdraftLimit),
        ] {
            let schema = &document["components"]["schemas"][schema];
            let named = |of: &serde_json::Value| match of {
                serde_json::Value::Object(members) => members.keys().cloned().collect::<Vec<_>>(),
                _ => of.as_array().into_iter().flatten().map(|it| it.as_str().unwrap().to_owned()).collect(),
            };
            let bits = |names: Vec<String>| names.iter().map(|n| Field::parse(n).unwrap().bit()).sum::<u16>();
            assert_eq!(bits(named(&schema["properties"])), op.allowed(), "{op:?}");
            assert_eq!(bits(named(&schema["required"])), op.required(), "{op:?}");
        }
    }
}
