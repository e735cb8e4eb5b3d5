//! The OpenAPI document has the descriptions of all handlers, and what is said about the service as a whole.

use axum::http::Method;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::domain::role::Role;
use crate::http::access;
use crate::http::openapi::examples::Examples;
use crate::http::openapi::nulls::Nulls;
use crate::http::openapi::schema;
use crate::http::reads::transfers as read_transfers;
use crate::http::reads::{accounts, destinations, holds, journal, live, reports, statement, transactions};
use crate::http::service::{front, health, metrics};
use crate::http::writes::destinations as act_on_destinations;
use crate::http::writes::{batch, single, transfers};
use crate::ledger::permission::permit;
use crate::wire::schema::BatchLine;

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "bookonce",
        description = "A ledger that books every transaction exactly once. Send a write again with the same \
            `transaction_id`, as often as you like: it is booked once, and you always get the first answer."
    ),
    paths(
        single::open, single::deposit, single::withdraw, single::reverse, single::hold, single::capture,
        single::release, single::correct, single::limit, single::freeze,
        single::unfreeze, transfers::request, transfers::cancel, transfers::outcome, transfers::retry,
        transfers::abandon, read_transfers::list, read_transfers::one, batch::batch, single::close, accounts::list,
        accounts::one, holds::list, holds::one, statement::statement,
        transactions::search, transactions::one, journal::journal, journal::head, live::live,
        reports::trial_balance, reports::digest, destinations::list, destinations::one,
        destinations::parked, act_on_destinations::pause, act_on_destinations::resume,
        act_on_destinations::test,
        front::front, health::healthz, health::readyz, metrics::metrics
    ),
    components(schemas(
        schema::Problem, schema::Accepted, schema::TransferAccepted, schema::DestinationActed,
        schema::BatchAnswer, schema::JournalEvent, BatchLine
    )),
    modifiers(&Key, &Roles, &Examples, &Nulls),
    tags(
        (name = "writes", description = "Each with a transaction ID, each booked once."),
        (name = "accounts", description = "How accounts stand, and their statements."),
        (name = "transfers", description = "From one account to another, once or not at all."),
        (name = "destinations", description = "Where what was recorded is sent, and how far that is."),
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

/// `Roles` says who may use each operation, from [`access`]: in words, and as `x-roles` for programs.
struct Roles;

impl Modify for Roles {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for (method, path, act) in &access::ROUTES {
            let item = document.paths.paths.get_mut(*path);
            let operation = item.and_then(|item| match *method {
                Method::POST => item.post.as_mut(),
                _ => item.get.as_mut(),
            });
            let Some(operation) = operation else { continue };
            let roles = Role::ALL.into_iter().filter(|role| permit(*role, *act).is_ok()).map(Role::name);
            let roles: Vec<&str> = roles.collect();
            let words = format!("For the roles {}.", roles.join(", "));
            operation.description = Some(match operation.description.take() {
                Some(description) => format!("{description}\n\n{words}"),
                None => words,
            });
            operation.extensions = Some(ExtensionsBuilder::new().add("x-roles", roles).build());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::op::Op;

    /// Guards against: two operations of one name, of which generated clients lose one or do not compile.
    #[test]
    fn each_operation_has_a_name_of_its_own() {
        let document = serde_json::to_value(Document::openapi()).unwrap();
        let items = document["paths"].as_object().unwrap().values();
        let operations = items.flat_map(|item| item.as_object().unwrap().values());
        let names: Vec<&str> =
            operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
        let single: std::collections::BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(names.len(), single.len(), "{names:?}");
    }

    #[test]
    fn each_write_is_described_with_the_shape_that_is_read() {
        let document = serde_json::to_value(Document::openapi()).unwrap();
        for (path, op) in [
            ("/v1/accounts", Op::OpenAccount),
            ("/v1/accounts/{account}/deposits", Op::Deposit),
            ("/v1/accounts/{account}/withdrawals", Op::Withdraw),
            ("/v1/accounts/{account}/reversals", Op::Reverse),
            ("/v1/accounts/{account}/corrections", Op::Correct),
            ("/v1/accounts/{account}/freeze", Op::Freeze),
            ("/v1/accounts/{account}/unfreeze", Op::Unfreeze),
            ("/v1/accounts/{account}/close", Op::Close),
            ("/v1/accounts/{account}/overdraft-limit", Op::OverdraftLimit),
            ("/v1/accounts/{account}/holds", Op::Hold),
            ("/v1/accounts/{account}/holds/{hold}/capture", Op::Capture),
            ("/v1/accounts/{account}/holds/{hold}/release", Op::Release),
            ("/v1/transfers", Op::Transfer),
            ("/v1/transfers/{transfer}/cancel", Op::CancelTransfer),
            ("/v1/transfers/{transfer}/outcome", Op::TransferOutcome),
            ("/v1/transfers/{transfer}/retry", Op::RetryTransfer),
            ("/v1/transfers/{transfer}/abandon", Op::AbandonTransfer),
            ("/v1/destinations/{name}/pause", Op::PauseDestination),
            ("/v1/destinations/{name}/resume", Op::ResumeDestination),
            ("/v1/destinations/{name}/test", Op::TestDestination),
        ] {
            let body = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"];
            assert_eq!(body["schema"]["$ref"], format!("#/components/schemas/{}", op.shape().name), "{path}");
        }
    }
}
