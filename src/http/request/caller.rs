//! The caller of a request: whose key came with it, and whether its role may do what it asks for.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, ORIGIN};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::Response;

use crate::domain::role::Role;
use crate::http::app::App;
use crate::http::problem::details::Problem;
use crate::http::server::peer::Peer;
use crate::keys::ring::Identity;
use crate::ledger::permission::{Act, permit};

/// The caller of a request. A handler that asks for it refuses everybody whose key is not good (401).
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The key's id, or `loopback`.
    pub(crate) actor: Arc<str>,
    role: Role,
}

impl Caller {
    /// Refuses what the caller's role may not do.
    ///
    /// # Errors
    /// 403.
    pub(crate) fn may(&self, act: Act) -> Result<(), Problem> {
        Ok(permit(self.role, act)?)
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
            Ok(Identity { actor, role }) => Ok(Self { actor, role }),
            Err(_) => Err(Problem::unauthenticated()),
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Self::find(app, &parts.headers, &parts.extensions)
    }
}

/// Somebody who may read. A handler that asks for it refuses everybody else (401, 403).
pub(crate) struct MayRead;

impl FromRequestParts<App> for MayRead {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Caller::find(app, &parts.headers, &parts.extensions)?.may(Act::Read)?;
        Ok(Self)
    }
}

/// Guards routes that take no [`MayRead`]: only those who may read get through.
///
/// # Errors
/// 401, 403.
pub(crate) async fn required(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    Caller::find(&app, request.headers(), request.extensions())?.may(Act::Read)?;
    Ok(next.run(request).await)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether a request over loopback comes from this machine's own user. A page of another site in a browser on this
/// machine sends its requests over loopback too, but names the site.
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
