//! These are the closed lists of words in answers and parameters: codes, kinds, outcomes, states.
//!
//! Each is made of the list that the code itself goes by, so that a generated client knows every word that can come.

use std::borrow::Cow;

use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::delivery::runner::Condition;
use crate::domain::account::decline::Decline;
use crate::domain::delivery::event::PauseCode;
use crate::domain::kind::Kind;
use crate::domain::transfer::decline::TransferDecline;
use crate::domain::transfer::stage::Stage;
use crate::http::problem::code::Code;

/// Makes a type that stands for a list of words in the document.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident: $about:literal, $words:expr;)*) => {
        $(
            $(#[$doc])*
            pub(crate) enum $name {}

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let words: Vec<&'static str> = $words;
                    let object = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
                    RefOr::T(object.description(Some($about)).build().into())
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
            }
        )*
    };
}

words! {
    /// This is the code of a problem.
    ProblemCode: "Stable; what programs look at. New ones may be added.", codes();
    /// This is the code of a decline.
    DeclineCode: "Why it was declined. New ones may be added.", declines();
    /// This is the kind of an event.
    EventKind: "What an event is about.", Kind::searched().map(Kind::name).collect();
    /// This is the outcome of what was recorded.
    Outcome: "Whether the business said yes.", vec!["accepted", "declined"];
    /// This is the outcome of an accepted write.
    AcceptedOutcome: "The business said yes.", vec!["accepted"];
    /// This is the outcome of an act on a destination.
    ActOutcome: "What came of an act.", vec!["accepted", "delivered", "failed"];
    /// This is the outcome of a recorded decline.
    DeclinedOutcome: "The business said no, for ever.", vec!["declined"];
    /// This is the outcome of a transaction that can't be booked any more.
    RuledOutOutcome: "It has not come, and never will be booked.", vec!["ruled_out"];
    /// This is the state of an account.
    AccountStatus: "How an account is: `unopened` at a position before its opening, `internal` for the ledger's own.",
        vec!["open", "frozen", "closed", "unopened", "internal"];
    /// This is the state of a transfer.
    TransferState: "How far a transfer is. New ones may be added.", Stage::ALL.map(Stage::name).to_vec();
    /// This is the state of a destination.
    DestinationState: "How a destination stands. New ones may be added.", Condition::NAMES.to_vec();
    /// This is why a destination is paused.
    PauseReason: "Why nothing is sent to a destination. New ones may be added.",
        PauseCode::ALL.map(PauseCode::name).to_vec();
    /// This is the direction in which a correction moves money.
    Direction: "Which way money moves, as the account sees it.", vec!["credit", "debit"];
    /// This is what became of a hold.
    HoldState: "What became of a hold.", vec!["open", "captured", "released", "expired", "prevented"];
    /// This is the order of a statement.
    Order: "Which line comes first.", vec!["newest", "oldest"];
}

/// Returns the codes of the problems, and those of the recorded declines, which are problems, too.
fn codes() -> Vec<&'static str> {
    Code::ALL.iter().map(|code| code.text()).chain(declines()).collect()
}

/// Returns the codes of the recorded declines: those of accounts, and those that only transfers have.
fn declines() -> Vec<&'static str> {
    Decline::CODES.into_iter().chain(TransferDecline::OWN_CODES).collect()
}
