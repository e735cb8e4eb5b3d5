//! The page at `/docs` lets a person try each request; it is Swagger UI, with a start of its own.
//!
//! Swagger UI shows the example of a batch as one JSON string, because the name of its media type has "json" in it, and would
//! send it so. The start here shows and sends the lines as they are.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

/// This is the start of the page, in place of the one that comes with it.
const START: &str = r##"window.onload = function () {
  const lines = function () {
    return {
      afterLoad: function (system) {
        const sample = system.fn.getSampleSchema;
        system.fn.getSampleSchema = function (schema, type, config, example) {
          const asItIs = type === "application/x-ndjson" && typeof example === "string";
          return asItIs ? example : sample(schema, type, config, example);
        };
      },
    };
  };
  window.ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    plugins: [SwaggerUIBundle.plugins.DownloadUrl, lines],
    layout: "StandaloneLayout",
  });
};
"##;

/// Makes the routes of the page and of the document that it shows.
pub(crate) fn routes(document: OpenApi) -> Router {
    Router::from(SwaggerUi::new("/docs").url("/openapi.json", document))
        .route("/docs/swagger-initializer.js", get(start))
}

async fn start() -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"))], START).into_response()
}
