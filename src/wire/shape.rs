//! A shape says which fields a request's body must have and may have, and what each means.
//!
//! It is said once, here. The quick reader and the search for faults look at its sets of fields; the OpenAPI
//! document is made of its descriptions ([`super::schema`]). The sets are worked out at compile time.

use super::field::Field;
use crate::domain::command::HoldSeconds;
use crate::domain::ids::CounterAccount;
use crate::domain::transfer::command::TimeoutSeconds;

/// A `Shape` is the shape of a body.
pub(crate) struct Shape {
    /// This is what it is called in the document.
    pub(crate) name: &'static str,
    /// This is what the request does.
    pub(crate) description: &'static str,
    /// These are its fields.
    pub(crate) members: &'static [Member],
    /// This is the set of fields that must be there.
    pub(crate) required: u32,
    /// This is the set of fields that may be there.
    pub(crate) allowed: u32,
}

/// A `Member` is a field of a shape.
#[derive(Clone, Copy)]
pub(crate) struct Member {
    /// This is the field.
    pub(crate) field: Field,
    /// This is true for a field that must be there.
    pub(crate) required: bool,
    /// This is what it means in this request.
    pub(crate) description: &'static str,
    /// This is the format of its text, in the words of JSON Schema.
    pub(crate) format: Option<&'static str>,
    /// This is the regular expression that its text matches.
    pub(crate) pattern: Option<&'static str>,
    /// This is a text that it may have.
    pub(crate) example: Option<&'static str>,
    /// These are the least and the largest number that it may be, where it is one.
    pub(crate) whole: Option<(usize, usize)>,
    /// This is what is meant when it is not there.
    pub(crate) unsaid: Option<Unsaid>,
}

/// An `Unsaid` says what is meant by a field that is not there.
#[derive(Clone, Copy)]
pub(crate) enum Unsaid {
    /// This text.
    Text(&'static str),
    /// `false`
    False,
}

impl Member {
    const fn required(field: Field, description: &'static str) -> Self {
        Self { required: true, ..Self::optional(field, description) }
    }

    /// Returns a field that may be there.
    pub(crate) const fn optional(field: Field, description: &'static str) -> Self {
        let (format, pattern, example, whole, unsaid) = (None, None, None, None, None);
        Self { field, required: false, description, format, pattern, example, whole, unsaid }
    }

    const fn format(self, format: &'static str) -> Self {
        Self { format: Some(format), ..self }
    }

    const fn pattern(self, pattern: &'static str) -> Self {
        Self { pattern: Some(pattern), ..self }
    }

    const fn example(self, example: &'static str) -> Self {
        Self { example: Some(example), ..self }
    }

    const fn whole(self, least: usize, most: usize) -> Self {
        Self { whole: Some((least, most)), ..self }
    }

    const fn unsaid(self, unsaid: Unsaid) -> Self {
        Self { unsaid: Some(unsaid), ..self }
    }
}

impl Shape {
    /// Returns what is said of this field.
    pub(crate) fn member(&self, field: Field) -> Option<&Member> {
        self.members.iter().find(|member| member.field == field)
    }

    const fn new(name: &'static str, description: &'static str, members: &'static [Member]) -> Self {
        let (mut required, mut allowed) = (0, 0);
        let mut rest = members;
        while let [member, others @ ..] = rest {
            allowed |= member.field.bit();
            if member.required {
                required |= member.field.bit();
            }
            rest = others;
        }
        Self { name, description, members, required, allowed }
    }
}

/// This is the most keys that metadata has.
pub(crate) const METADATA_KEYS: usize = 16;
/// This is the regular expression that a key of metadata matches.
pub(crate) const METADATA_KEY: &str = r"^[^\u0000-\u001F\u007F-\u009F]{1,64}$";
/// This is the regular expression that a value of metadata matches.
pub(crate) const METADATA_VALUE: &str = r"^[^\u0000-\u0008\u000B-\u001F\u007F-\u009F]{0,256}$";
/// This is the regular expression that an account's name matches.
pub(crate) const ACCOUNT: &str = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$";
/// This is the regular expression that an amount matches: more than zero.
const AMOUNT: &str = concat!(
    r"^(10{15}(\.0{1,4})?|[1-9][0-9]{0,14}(\.[0-9]{1,4})?|",
    r"0\.([1-9][0-9]{0,3}|0[1-9][0-9]{0,2}|00[1-9][0-9]?|000[1-9]))$"
);
/// This is the regular expression that a limit matches: zero, or more.
const LIMIT: &str = r"^(10{15}(\.0{1,4})?|(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?)$";
/// This is the regular expression that the name of one of the ledger's own accounts matches, where a request names one.
const COUNTER_ACCOUNT: &str = "^@(?!transit$)[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$";
/// This is the regular expression that a reason matches.
const REASON_TEXT: &str = r"^[^\u0000-\u001F\u007F-\u009F]{1,256}$";

/// This is the regular expression that the side to which a transfer moves money matches.
const PAYEE: &str = "^([A-Za-z0-9][A-Za-z0-9._:-]{0,63}|@external:[a-z0-9][a-z0-9-]{0,31})$";
/// This is the regular expression that a short text of somebody else's matches.
const LABEL: &str = r"^[^\u0000-\u001F\u007F-\u009F]{1,128}$";

/// This is the format of a transaction ID.
const UUID: &str = "uuid";

const ID: Member =
    Member::optional(Field::TransactionId, "The client's ID for this; or in `Idempotency-Key`.").format(UUID);
const METADATA: Member = Member::optional(
    Field::Metadata,
    "The business's own ids: at most 16 keys of 64 characters, values of 256.",
);
/// This is the regular expression that a balance matches, which may be negative.
const BALANCE: &str = r"^(0(\.0{1,4})?|-?(10{15}(\.0{1,4})?|[1-9][0-9]{0,14}(\.[0-9]{1,4})?|0\.[0-9]{1,4}))$";

const REASON: Member = Member::required(Field::Reason, "Why.").pattern(REASON_TEXT);

/// This is the body that opens an account.
pub(crate) static OPEN_ACCOUNT: Shape = Shape::new(
    "OpenAccount",
    "Opens an account.",
    &[
        ID,
        Member::required(Field::Account, "Its name.").example("alice").pattern(ACCOUNT),
        Member::required(Field::Currency, "Its currency, ISO 4217.").example("EUR"),
        Member::optional(Field::OverdraftLimit, "How far below zero it may go.")
            .example("0.00")
            .pattern(LIMIT),
        METADATA,
    ],
);

/// This is the body of a deposit and of a withdrawal.
pub(crate) static MOVE: Shape = Shape::new(
    "Move",
    "Moves money between the account and one of the ledger's own.",
    &[
        ID,
        Member::required(
            Field::Amount,
            "How much: a decimal string, greater than zero, with no more decimals than the currency has.",
        )
        .example("40.00")
        .pattern(AMOUNT),
        Member::optional(Field::CounterAccount, "The ledger's own account on the other side.")
            .example(CounterAccount::CASH)
            .pattern(COUNTER_ACCOUNT)
            .unsaid(Unsaid::Text(CounterAccount::CASH)),
        Member::optional(Field::EffectiveAt, "When it happened in the world; not in the future.")
            .format("date-time"),
        METADATA,
    ],
);

/// This is the body of a reversal.
pub(crate) static REVERSE: Shape = Shape::new(
    "Reverse",
    "Takes a movement back, or rules one out that has not come.",
    &[
        ID,
        Member::required(Field::Reverses, "The transaction to take back.").format(UUID),
        Member::optional(Field::Amount, "How much of it; all that is left when not said.")
            .example("10.00")
            .pattern(AMOUNT),
        REASON,
        Member::optional(Field::Force, "May it pass the overdraft limit? Only operators may say so.")
            .unsaid(Unsaid::False),
    ],
);

/// This is the body of a hold.
pub(crate) static HOLD: Shape = Shape::new(
    "Hold",
    "Sets money aside until it is captured, released or expired.",
    &[
        ID,
        Member::required(Field::Amount, "How much.").example("40.00").pattern(AMOUNT),
        Member::required(Field::ExpiresInSeconds, "After how many seconds it expires.")
            .whole(1, HoldSeconds::MOST as usize),
        METADATA,
    ],
);

/// This is the body of a capture.
pub(crate) static CAPTURE: Shape = Shape::new(
    "Capture",
    "Books out what a hold sets aside; what is left of the hold is released.",
    &[
        ID,
        Member::optional(Field::Amount, "How much of it; all when not said.")
            .example("25.00")
            .pattern(AMOUNT),
        Member::optional(Field::CounterAccount, "The ledger's own account on the other side.")
            .example(CounterAccount::CASH)
            .pattern(COUNTER_ACCOUNT)
            .unsaid(Unsaid::Text(CounterAccount::CASH)),
        METADATA,
    ],
);

/// This is the body of a release.
pub(crate) static RELEASE: Shape = Shape::new(
    "Release",
    "Frees what a hold sets aside, or rules out a hold that has not come.",
    &[ID, Member::optional(Field::Reason, "Why.").pattern(REASON_TEXT)],
);

/// This is the body of a transfer.
pub(crate) static TRANSFER: Shape = Shape::new(
    "TransferRequest",
    "Moves money from one account to another.",
    &[
        ID,
        Member::required(Field::From, "The account that the money comes from.")
            .example("alice")
            .pattern(ACCOUNT),
        Member::required(Field::To, "The account that it moves to, or `@external:` and a payout provider.")
            .example("bob")
            .pattern(PAYEE),
        Member::required(Field::Amount, "How much.").example("40.00").pattern(AMOUNT),
        Member::optional(Field::TimeoutSeconds, "After how many seconds it is stopped; 60 when not said.")
            .whole(1, TimeoutSeconds::MOST as usize),
        METADATA,
    ],
);

/// This is the body with which an operator says what became of a payout.
pub(crate) static TRANSFER_OUTCOME: Shape = Shape::new(
    "TransferOutcome",
    "Says what became of a transfer's payout.",
    &[
        ID,
        Member::required(Field::Outcome, "`done` or `declined`.").example("done"),
        Member::optional(Field::Amount, "How much was paid, where it was less than asked.")
            .example("25.00")
            .pattern(AMOUNT),
        Member::optional(Field::Reference, "The provider's own name for it.").pattern(LABEL),
        REASON,
    ],
);

/// This is the hold in a line of a batch, which stands in the path of its own request.
pub(crate) static HOLD_OF_LINE: Member = Member::optional(Field::Hold, "The hold.").format(UUID);

/// This is the body of a correction. It has either `balance` and `expected_revision`, or `amount` and `direction`.
pub(crate) static CORRECT: Shape = Shape::new(
    "Correct",
    "Puts an account right: either `balance` and `expected_revision`, or `amount` and `direction`.",
    &[
        ID,
        Member::optional(
            Field::Balance,
            "What the balance should be; it may be negative. The ledger works out the amount.",
        )
        .pattern(BALANCE),
        Member::optional(Field::Amount, "How much to move, whatever the balance is.")
            .example("20.00")
            .pattern(AMOUNT),
        Member::optional(Field::Direction, "With `amount`: `credit` moves it in, `debit` out.")
            .example("credit"),
        Member::optional(
            Field::ExpectedRevision,
            "The account's revision as you saw it; with another one the answer is 409. Needed with `balance`.",
        ),
        Member::optional(
            Field::EffectiveAt,
            "With `amount`: when it happened in the world; not in the future.",
        )
        .format("date-time"),
        REASON,
        Member::optional(
            Field::Corrects,
            "What was wrong: up to 16 transaction IDs, on any account. Each must have been booked.",
        ),
        Member::optional(Field::Force, "May it pass the overdraft limit and open holds?")
            .unsaid(Unsaid::False),
    ],
);

/// This is the body of a change of state, which has only a reason.
pub(crate) static BECAUSE: Shape = Shape::new("Because", "Changes an account's state.", &[ID, REASON]);

/// This is the body that pauses a destination.
pub(crate) static DESTINATION_PAUSE: Shape =
    Shape::new("DestinationPause", "Sends nothing to a destination for now.", &[ID, REASON]);

/// This is the body that lets a destination go on.
pub(crate) static DESTINATION_RESUME: Shape = Shape::new(
    "DestinationResume",
    "Lets a destination go on that is paused or held.",
    &[
        ID,
        REASON,
        Member::optional(
            Field::After,
            "After which position it goes on, or `head` for the end of the journal; from where it stopped when not said. \
             What is passed over is never sent.",
        ),
    ],
);

/// This is the body that tries a destination.
pub(crate) static DESTINATION_TEST: Shape =
    Shape::new("DestinationTest", "Sends a message that says nothing to a destination.", &[ID]);

/// This is the body of a change of the overdraft limit.
pub(crate) static OVERDRAFT_LIMIT: Shape = Shape::new(
    "OverdraftLimit",
    "Sets how far below zero an account may go.",
    &[ID, Member::required(Field::OverdraftLimit, "The new limit.").example("500.00").pattern(LIMIT), REASON],
);

/// This is what every line of a batch has, beside the fields of its operation.
pub(crate) static BATCH_LINE: Shape = Shape::new(
    "BatchLine",
    "A line of a batch: `op`, `transaction_id`, `account`, and the fields of that op's own request.",
    &[
        Member::required(Field::Op, "The operation.").example("withdraw"),
        Member::required(Field::TransactionId, "The client's ID for this line.").format(UUID),
        Member::required(Field::Account, "The account.").example("alice").pattern(ACCOUNT),
    ],
);
