//! This folder has the OpenAPI document, which is made from the code, and what the handlers' descriptions share.
//!
//! `document` knows the handlers; the handlers know only `schema` (the shapes of answers) and `responses`, so that no import
//! goes in a circle. The shapes of requests are in [`crate::wire`], the parameters in [`crate::http::request`].

pub(crate) mod document;
pub(crate) mod responses;
pub(crate) mod schema;
