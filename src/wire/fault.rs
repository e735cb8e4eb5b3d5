//! A fault is the reason why a text is no command.

use std::borrow::Cow;

use serde::Serialize;

/// A `Fault` says why there is no command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The text is not JSON; the sentence says where or why.
    Malformed(Cow<'static, str>),
    /// Fields are missing, unknown, doubled or wrong: all of them, in the order in which they stand.
    Invalid(Vec<FieldError>),
    /// No transaction ID came with it.
    IdMissing,
    /// Two transaction IDs came with it, and they are different.
    IdConflicting,
}

impl Fault {
    /// Makes the fault of one field that is wrong.
    pub(crate) fn field(field: impl Into<String>, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(vec![FieldError::new(field, problem)])
    }
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct FieldError {
    /// The field, query parameter or header.
    pub(crate) field: String,
    /// What is wrong with it.
    pub(crate) problem: Cow<'static, str>,
}

impl FieldError {
    /// Makes an error of this field.
    pub(crate) fn new(field: impl Into<String>, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}
