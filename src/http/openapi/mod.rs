//! The OpenAPI document, which is made from the code: the handlers' descriptions, and the shapes that they share.
//!
//! `document` knows the handlers; the handlers know only the shapes, parameters and responses, so that there is no circle.

pub(crate) mod document;
pub(crate) mod responses;
pub(crate) mod schema;
