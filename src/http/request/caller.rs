//! Who calls, and what it may do.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, ORIGIN};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::app::App;
use crate::http::problem::details::Problem;
use crate::http::server::peer::Peer;
use crate::keys::Role;
use crate::keys::ring::Identity;

/// The caller of a request. To ask for it is to refuse everybody who is nobody (401).
#[derive(Clone, Debug)]
pub struct Caller {
    /// The key's id, or `loopback`.
    pub actor: Arc<str>,
    role: Role,
}

impl Caller {
    /// May it book?
    ///
    /// # Errors
    /// 403 for an auditor.
    pub fn may_write(&self) -> Result<(), Problem> {
        match self.role {
            Role::Teller | Role::Operator => Ok(()),
            Role::Auditor => Err(Problem::forbidden("An auditor's key only reads.")),
        }
    }

    /// May it do what only operators do?
    ///
    /// # Errors
    /// 403 for all others.
    pub fn may_operate(&self) -> Result<(), Problem> {
        if self.is_operator() { Ok(()) } else { Err(Problem::forbidden("Only operators may do this.")) }
    }

    /// Is it an operator?
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.role == Role::Operator
    }

    fn find(app: &App, headers: &HeaderMap, extensions: &Extensions) -> Result<Self, Problem> {
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let token = match (given.next(), given.next()) {
            (Some(value), None) => value.to_str().ok().and_then(bearer),
            _ => None,
        };
        let loopback = extensions.get::<Peer>().is_some_and(|peer| is_loopback(peer.address.ip()));
        let loopback = loopback && is_local_page(headers);
        match app.keys().identify(token, loopback) {
            Some(Identity { actor, role }) => Ok(Self { actor, role }),
            None => Err(Problem::unauthenticated()),
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Self::find(app, &parts.headers, &parts.extensions)
    }
}

/// Lets only known callers through to routes that do not ask for their [`Caller`].
///
/// # Errors
/// 401.
pub async fn required(State(app): State<App>, request: Request, next: Next) -> Result<Response, Problem> {
    Caller::find(&app, request.headers(), request.extensions())?;
    Ok(next.run(request).await)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A page of some other site, in a browser on this machine, is not the machine's own user: its requests come over
/// loopback too, but name the site.
fn is_local_page(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok());
    let host = origin.as_ref().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(is_loopback)
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
