//! A failure is written and read alike in the events of destinations and of letters.

use std::borrow::Cow;

use serde::Deserialize;

use crate::domain::delivery::failure::{ErrorText, Failure, FailureClass};
use crate::domain::transfer::payout::Label;

use super::json::{put, text};

/// Writes a failure as an object.
pub(super) fn failure(failure: &Failure, out: &mut Vec<u8>) {
    put(out, &["{\"class\":\"", failure.class.name(), "\""]);
    if let Some(code) = &failure.code {
        put(out, &[",\"code\":"]);
        text(code.as_str(), out);
    }
    put(out, &[",\"message\":"]);
    text(failure.message.as_str(), out);
    out.push(b'}');
}

/// A `RawFailure` is a failure as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFailure<'a> {
    class: &'a str,
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Cow<'a, str>,
}

impl RawFailure<'_> {
    /// Reads it; `None` where no event has such a failure.
    pub(super) fn read(&self) -> Option<Failure> {
        let code = self.code.as_ref().map(|code| Label::parse(code).ok_or(())).transpose().ok()?;
        let class = FailureClass::parse(self.class)?;
        Some(Failure { class, code, message: ErrorText::parse(&self.message)? })
    }
}
