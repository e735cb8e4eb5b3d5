//! The front page says to a person with a browser what this is, whether it is well, and where to go on.
//!
//! It needs no key and tells no more than `/readyz` does.

use axum::extract::{Request, State};
use axum::response::Response;

use crate::http::app::App;
use crate::http::openapi::responses;
use crate::http::problem::details::Problem;
use crate::http::reply::bytes_of;
use crate::http::request::negotiate::{self, HTML};
use crate::http::service::health::trouble;

/// This is the media type of the page, with its encoding.
const PAGE: &str = "text/html; charset=utf-8";

/// This is the page before what differs from time to time.
const BEFORE: &str = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>bookonce</title>\n\
    <meta name=\"viewport\" content=\"width=device-width\">\n\
    <style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}</style></head>\n\
    <body>\n<h1>bookonce</h1>\n<p>A ledger that books every transaction exactly once.</p>\n<p>";

/// This is the page after it.
const AFTER: &str = "</p>\n<ul>\n<li><a href=\"/docs/\">Try every request</a></li>\n\
    <li><a href=\"/openapi.json\">The description for programs (OpenAPI)</a></li>\n\
    <li><a href=\"/readyz\">Whether it takes commands</a>, <a href=\"/healthz\">whether it lives</a></li>\n\
    <li><a href=\"/metrics\">Its figures</a>, for auditors and operators</li>\n</ul>\n</body>\n</html>\n";

/// Answers with a page for people, which says what this is and whether it is well.
#[utoipa::path(get, path = "/", operation_id = "get_front_page", tag = "service", security(()),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html"),
        responses::NotAcceptable))]
pub(crate) async fn front(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    negotiate::choose(request.headers(), &[HTML])?;
    let state = match trouble(&app) {
        None => "It is well: it takes commands.".to_owned(),
        Some(trouble) => format!("It takes no commands now. {}", escaped(&trouble)),
    };
    Ok(bytes_of(PAGE, format!("{BEFORE}{state}{AFTER}")))
}

/// Returns the text with what HTML would take for more than text written as entities.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
