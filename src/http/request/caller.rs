//! [`Caller`] is the caller of a request: it says whose key came with it, and whether its role may do what the route
//! asks for.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, Uri};

use crate::domain::role::Role;
use crate::http::access;
use crate::http::app::App;
use crate::http::problem::details::Problem;
use crate::http::request::local::{is_local, is_loopback};
use crate::http::server::peer::Peer;
use crate::keys::ring::{Identity, Refused, id_of};
use crate::ledger::TransactionHistory;
use crate::ledger::permission::{Act, permit, permit_history};

/// A `Caller` is the caller of a request. A handler that asks for it refuses everybody whose key is not good (401), and
/// everybody whose role may not use the route (403).
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// This is the key's id, or `loopback`.
    pub(crate) actor: Arc<str>,
    role: Role,
}

impl Caller {
    /// Refuses what the caller's role may not do.
    ///
    /// # Errors
    /// Answers 403.
    pub(crate) fn may(&self, act: Act) -> Result<(), Problem> {
        Ok(permit(self.role, act)?)
    }

    /// Refuses what the caller may not be told of a transaction.
    ///
    /// # Errors
    /// Answers 403.
    pub(crate) fn may_see(&self, found: &TransactionHistory) -> Result<(), Problem> {
        Ok(permit_history(self.role, &self.actor, found)?)
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let credentials = Credentials::of(&parts.uri, &parts.headers, &parts.extensions);
        let caller = match credentials.identify(app) {
            Ok(Identity { actor, role }) => Self { actor, role },
            Err(why) => return Err(credentials.refuse(app, why)),
        };
        let route = parts.extensions.get::<MatchedPath>();
        match route.and_then(|route| access::act(&parts.method, route.as_str())) {
            Some(act) => caller.may(act).map(|()| caller),
            None => Err(Problem::forbidden("No role may use this.")),
        }
    }
}

/// `Credentials` say what a request shows of its caller. They are cheap to clone, and are kept for as long as the
/// answer takes.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    authorization: Option<HeaderValue>,
    address: Option<SocketAddr>,
    local: bool,
}

impl Credentials {
    /// Reads them from a request.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap, extensions: &Extensions) -> Self {
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let authorization = match (given.next(), given.next()) {
            (Some(only), None) => Some(only.clone()),
            (None | Some(_), _) => None,
        };
        let address = extensions.get::<Peer>().map(|peer| peer.address);
        let local = address.is_some_and(|address| is_loopback(address.ip())) && is_local(uri, headers);
        Self { authorization, address, local }
    }

    /// Says whether their holder may do this now: a key may have gone since it was asked last.
    pub(crate) fn may_still(&self, app: &App, act: Act) -> bool {
        self.identify(app).is_ok_and(|found| permit(found.role, act).is_ok())
    }

    fn identify(&self, app: &App) -> Result<Identity, Refused> {
        app.keys().identify(self.token(), self.local)
    }

    fn token(&self) -> Option<&str> {
        let (scheme, token) = self.authorization.as_ref()?.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Makes a 401. It is the same answer whatever is wrong with a key; the log and the figures say what is wrong.
    fn refuse(&self, app: &App, why: Refused) -> Problem {
        app.sign_ins().failed(why, self.token().and_then(id_of), self.address);
        match why {
            Refused::NotLocal => Problem::not_local(),
            Refused::NoToken | Refused::Unknown | Refused::Wrong | Refused::Revoked | Refused::Expired => {
                Problem::unauthenticated()
            }
        }
    }
}
