//! This folder has the OpenAPI document, which is made from the code, and what the handlers' descriptions share.
//!
//! `document` knows the handlers; the handlers know only `schema` (the shapes of answers), `names` (the words in them) and
//! `responses`, so that no import goes in a circle. `examples` and `nulls` work on the document when it is whole; `page` is
//! where a person tries it. The shapes of requests are in [`crate::wire`], the parameters in [`crate::http::request`].

pub(crate) mod document;
pub(crate) mod examples;
pub(crate) mod names;
mod nulls;
pub(crate) mod page;
pub(crate) mod responses;
pub(crate) mod schema;
