//! Access is the table of the routes that need a key, with what each asks for. Which role may do that is said by
//! [`crate::ledger::permission`].
//!
//! A handler that asks for its caller refuses everybody whom this table does not name, and a route that is not in it refuses
//! everybody. The document of the API and the table in `docs/operations.md` are made of it. Routes that take no caller need no
//! key: the probes, the document and the page for trying it.

use axum::http::Method;

use crate::ledger::permission::Act;

/// These are the routes that need a key: method, path, and what is asked for.
pub(crate) const ROUTES: [(Method, &str, Act); 39] = [
    (Method::GET, "/v1/accounts", Act::ReadAccounts),
    (Method::GET, "/v1/accounts/{account}", Act::ReadAccounts),
    (Method::GET, "/v1/accounts/{account}/entries", Act::ReadAccounts),
    (Method::GET, "/v1/accounts/{account}/holds", Act::ReadAccounts),
    (Method::GET, "/v1/accounts/{account}/holds/{hold}", Act::ReadAccounts),
    (Method::GET, "/v1/transactions/{id}", Act::ReadTransaction),
    (Method::POST, "/v1/accounts", Act::Book),
    (Method::POST, "/v1/accounts/{account}/deposits", Act::Book),
    (Method::POST, "/v1/accounts/{account}/withdrawals", Act::Book),
    (Method::POST, "/v1/accounts/{account}/reversals", Act::Book),
    (Method::POST, "/v1/accounts/{account}/holds", Act::Book),
    (Method::POST, "/v1/accounts/{account}/holds/{hold}/capture", Act::Book),
    (Method::POST, "/v1/accounts/{account}/holds/{hold}/release", Act::Book),
    (Method::GET, "/v1/transfers", Act::ReadAccounts),
    (Method::GET, "/v1/transfers/{transfer}", Act::ReadAccounts),
    (Method::POST, "/v1/transfers", Act::Book),
    (Method::POST, "/v1/transfers/{transfer}/cancel", Act::Book),
    (Method::POST, "/v1/transfers/{transfer}/outcome", Act::Control),
    (Method::POST, "/v1/transfers/{transfer}/retry", Act::Control),
    (Method::POST, "/v1/transfers/{transfer}/abandon", Act::Control),
    (Method::POST, "/v1/batch", Act::Book),
    (Method::POST, "/v1/accounts/{account}/corrections", Act::Control),
    (Method::POST, "/v1/accounts/{account}/overdraft-limit", Act::Control),
    (Method::POST, "/v1/accounts/{account}/freeze", Act::Control),
    (Method::POST, "/v1/accounts/{account}/unfreeze", Act::Control),
    (Method::POST, "/v1/accounts/{account}/close", Act::Control),
    (Method::GET, "/v1/transactions", Act::ReadLedger),
    (Method::GET, "/v1/journal", Act::ReadLedger),
    (Method::GET, "/v1/journal/head", Act::ReadLedger),
    (Method::GET, "/v1/journal/live", Act::ReadLedger),
    (Method::GET, "/v1/trial-balance", Act::ReadLedger),
    (Method::GET, "/v1/digest", Act::ReadLedger),
    (Method::GET, "/v1/destinations", Act::ReadLedger),
    (Method::GET, "/v1/destinations/{name}", Act::ReadLedger),
    (Method::GET, "/v1/destinations/{name}/parked", Act::ReadLedger),
    (Method::POST, "/v1/destinations/{name}/pause", Act::Control),
    (Method::POST, "/v1/destinations/{name}/resume", Act::Control),
    (Method::POST, "/v1/destinations/{name}/test", Act::Control),
    (Method::GET, "/metrics", Act::ReadLedger),
];

/// Returns what a request of this route asks for; nothing where the route is not in the table.
pub(crate) fn act(method: &Method, path: &str) -> Option<Act> {
    // A HEAD is answered as a GET is, without its body.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    ROUTES.iter().find(|(known, route, _)| *route == path && known == method).map(|(_, _, act)| *act)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::role::Role;
    use crate::ledger::permission::permit;

    const BEGIN: &str = "<!-- made of the service's routes: a test holds it to them -->\n";
    const END: &str = "<!-- end of the routes -->\n";

    /// Returns what a role may not do on a route that is open to it.
    fn except(role: Role, method: &Method, path: &str) -> &'static str {
        match (role, method.as_str(), path) {
            (Role::Teller, "POST", "/v1/accounts") => "without an overdraft",
            (Role::Teller, "POST", "/v1/accounts/{account}/reversals") => "not forced",
            (Role::Teller, "POST", "/v1/batch") => "without an overdraft, not forced",
            (Role::Teller, "GET", "/v1/transactions/{id}") => "its own",
            (Role::Teller | Role::Auditor | Role::Operator, ..) => "yes",
        }
    }

    /// Returns the table of the document, from the routes.
    fn table() -> String {
        let mut text = String::from("| request | teller | auditor | operator |\n|---|---|---|---|\n");
        for (method, path, act) in &ROUTES {
            let cells = Role::ALL.map(|role| match permit(role, *act) {
                Ok(()) => except(role, method, path),
                Err(_) => "no",
            });
            text.push_str(&format!("| `{method} {path}` | {} |\n", cells.join(" | ")));
        }
        text
    }

    #[test]
    fn the_table_for_operators_has_every_route() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
        let document = std::fs::read_to_string(path).unwrap();
        let (_, rest) = document.split_once(BEGIN).expect("the table's begin");
        let (shown, _) = rest.split_once(END).expect("the table's end");
        assert_eq!(shown, table(), "docs/operations.md is to have this table:\n{}", table());
    }

    #[test]
    fn every_route_of_the_service_is_in_the_table_or_is_a_probe() {
        let routes = include_str!("mod.rs").split(".route(\"").skip(1);
        for path in routes.map(|rest| rest.split('"').next().unwrap()) {
            let known = ROUTES.iter().any(|(_, route, _)| *route == path);
            assert!(known || ["/", "/healthz", "/readyz"].contains(&path), "{path}");
        }
    }

    #[test]
    fn the_table_of_bounds_has_every_route() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
        let document = std::fs::read_to_string(path).unwrap();
        let begin = "<!-- a row for each of the service's routes: a test holds it to them -->\n";
        let (_, rest) = document.split_once(begin).expect("the table's begin");
        let (shown, _) = rest.split_once("<!-- end of the rows -->\n").expect("the table's end");
        let mut named: Vec<String> = Vec::new();
        for row in shown.lines().skip(2) {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 4, "{row}");
            assert!(cells[..3].iter().all(|cell| !cell.is_empty()), "{row}");
            named.push(cells[0].trim_matches('`').to_owned());
        }
        let probes = ["/healthz", "/readyz"].map(|path| format!("GET {path}"));
        let mut routes: Vec<String> =
            ROUTES.iter().map(|(method, path, _)| format!("{method} {path}")).chain(probes).collect();
        named.sort();
        routes.sort();
        assert_eq!(named, routes);
    }
}
