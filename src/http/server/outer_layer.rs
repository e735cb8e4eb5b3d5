//! The outer layer does what holds for every request: no panic cuts a connection, every answer says how it may be used,
//! everything is counted. It is one layer, so that a request pays for one.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tower::{Layer, Service};

use crate::http::access;
use crate::http::app::App;
use crate::http::long_answer::watched;
use crate::http::problem::code::Code;
use crate::http::problem::details::{Problem, incident};
use crate::http::request::caller::Credentials;

/// Puts these routes, and 404 and 405 for all others, behind the layer.
pub fn guarded(app: &App, routes: Router) -> Router {
    let layer = Guard { app: app.clone() };
    routes.fallback(nothing_here).method_not_allowed_fallback(other_method).layer(layer)
}

async fn nothing_here() -> Problem {
    Problem::not_found()
}

/// Answers a method that the path does not know. OPTIONS is told which there are (axum adds `Allow`), and nothing about
/// other origins; all other methods get 405.
async fn other_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = "This path does not know this method; `Allow` lists those that it knows.";
    Problem::new(Code::MethodNotAllowed, detail).into_response()
}

/// This is the policy for pages: they may load what came with them, and nothing from elsewhere. Styles may stand in the
/// page itself, because the page for trying the API has some.
const PAGE_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

#[derive(Clone)]
struct Guard {
    app: App,
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, app: self.app.clone() }
    }
}

/// A `Guarded` is a service behind the layer.
#[derive(Clone)]
struct Guarded<S> {
    inner: S,
    app: App,
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response, Error = std::convert::Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let started = Instant::now();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let method = request.method().clone();
        let act = route.as_ref().and_then(|route| access::act(&method, route.as_str()));
        let credentials = Credentials::of(request.uri(), request.headers(), request.extensions());
        let app = self.app.clone();
        let answering = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        Box::pin(async move {
            let mut response = match answering.await {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                Err(panic) => panicked(&*panic).into_response(),
            };
            // What was booked is answered always: its bytes were taken before. A refusal booked nothing and is weighed now.
            if method == Method::GET || response.status().is_client_error() {
                response = app.budget().spend(response);
            }
            if let Some(act) = act {
                response = watched(response, &app, credentials, act);
            }
            let headers = response.headers_mut();
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            if headers.get(CONTENT_TYPE).is_some_and(|form| form.as_bytes().starts_with(b"text/html")) {
                headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
                headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            }
            if response.status() != StatusCode::METHOD_NOT_ALLOWED && method != Method::OPTIONS {
                response.headers_mut().remove(ALLOW);
            }
            let route = route.as_ref().map_or("other", MatchedPath::as_str);
            let (status, took) = (response.status(), started.elapsed());
            app.figures().answered(route, &method, status, took);
            tracing::debug!(%method, route, status = status.as_u16(), ?took, "answered");
            Ok(response)
        })
    }
}

/// Returns the answer after a panic. It says no more than an id; what the panic said is in the log under that id.
fn panicked(panic: &(dyn std::any::Any + Send)) -> Problem {
    let said = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    let id = incident();
    tracing::error!(incident = %id, said, "a handler panicked");
    Problem::incident(id)
}
