//! This file describes the shapes of requests as the OpenAPI document has them.

use utoipa::openapi::schema::ArrayBuilder;
use utoipa::openapi::schema::{AdditionalProperties, Object, OneOfBuilder, Schema};
use utoipa::openapi::{ObjectBuilder, RefOr, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use super::field::{Field, Form};
use super::fields::Place;
use super::op::{BATCHED, Op, any_of};
use super::shape::{self, Member, Shape, Unsaid};
use crate::domain::currency::Currency;
use crate::domain::ids::TransactionId;
use crate::domain::money::Direction;

/// Makes a type that stands for a body in the description of an operation.
macro_rules! body {
    ($(#[$doc:meta])* $name:ident, $shape:expr, $schema:expr) => {
        $(#[$doc])*
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T($schema.into())
            }
        }

        impl ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                $shape.name.into()
            }
        }
    };
}

body!(/// The body that opens an account.
    OpenAccount, shape::OPEN_ACCOUNT, object(&shape::OPEN_ACCOUNT));
body!(/// The body of a deposit and of a withdrawal.
    Move, shape::MOVE, object(&shape::MOVE));
body!(/// The body of a reversal.
    Reverse, shape::REVERSE, object(&shape::REVERSE));
body!(/// The body of a correction.
    Correct, shape::CORRECT, object(&shape::CORRECT));
body!(/// The body of a change of state.
    Because, shape::BECAUSE, object(&shape::BECAUSE));
body!(/// The body of a change of the overdraft limit.
    OverdraftLimit, shape::OVERDRAFT_LIMIT, object(&shape::OVERDRAFT_LIMIT));
body!(/// The body of a hold.
    Hold, shape::HOLD, object(&shape::HOLD));
body!(/// The body of a capture.
    Capture, shape::CAPTURE, object(&shape::CAPTURE));
body!(/// The body of a release.
    Release, shape::RELEASE, object(&shape::RELEASE));
body!(/// The body of a transfer.
    Transfer, shape::TRANSFER, object(&shape::TRANSFER));
body!(/// The body of an operator's word on a payout.
    TransferOutcome, shape::TRANSFER_OUTCOME, object(&shape::TRANSFER_OUTCOME));
body!(/// The body that pauses a destination.
    DestinationPause, shape::DESTINATION_PAUSE, object(&shape::DESTINATION_PAUSE));
body!(/// The body that lets a destination go on.
    DestinationResume, shape::DESTINATION_RESUME, object(&shape::DESTINATION_RESUME));
body!(/// The body that tries a destination.
    DestinationTest, shape::DESTINATION_TEST, object(&shape::DESTINATION_TEST));
body!(/// A line of a batch.
    BatchLine, shape::BATCH_LINE, line());

fn object(shape: &Shape) -> Object {
    let object = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(shape.description))
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    let added = shape.members.iter().fold(object, |object, member| {
        let object = object.property(member.field.name(), property(member, member.description));
        if member.required { object.required(member.field.name()) } else { object }
    });
    added.build()
}

#[expect(deprecated, reason = "`example` is what tools of every age show")]
fn property(member: &Member, description: &str) -> Schema {
    // In words, and not as `default`: with that some generated clients want the field from whoever calls them.
    let description = match member.unsaid {
        Some(Unsaid::Text(text)) => format!("{description} `{text}` when not said."),
        Some(Unsaid::False) => format!("{description} `false` when not said."),
        None => description.to_owned(),
    };
    let of = match member.field.form() {
        Form::Text => Type::String,
        Form::Number => Type::Integer,
        Form::List => return ids(description),
        Form::Flag => Type::Boolean,
        Form::Place => return place(description),
        Form::Pairs => Type::Object,
    };
    let object = ObjectBuilder::new()
        .description(Some(description))
        .format(member.format.map(format))
        .pattern(member.pattern)
        .minimum(member.whole.map(|(least, _)| least))
        .maximum(member.whole.map(|(_, most)| most))
        .example(member.example.map(Into::into));
    let object = match member.field.form() {
        Form::Text | Form::Flag | Form::List | Form::Place => object,
        Form::Number => match member.whole {
            Some(_) => object,
            None => object.minimum(Some(0)),
        },
        Form::Pairs => {
            let key = text(shape::METADATA_KEY);
            let value = text(shape::METADATA_VALUE);
            object
                .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(value.into()))))
                .property_names(Some(key))
                .max_properties(Some(shape::METADATA_KEYS))
        }
    };
    object.schema_type(of).enum_values(values(member.field)).build().into()
}

/// Describes a list of the transactions that a correction names.
fn ids(description: String) -> Schema {
    let id = ObjectBuilder::new().schema_type(Type::String).format(Some(format("uuid")));
    let list = ArrayBuilder::new().description(Some(description)).items(id);
    list.min_items(Some(1)).max_items(Some(TransactionId::MOST_CORRECTED)).unique_items(true).build().into()
}

/// Describes a position, or the word for the end of the journal.
pub(crate) fn place(description: String) -> Schema {
    let position = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    let head = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([Place::HEAD]));
    OneOfBuilder::new().description(Some(description)).item(position).item(head).build().into()
}

/// Describes a text that matches this.
fn text(pattern: &str) -> Object {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).build()
}

/// Returns the values of a field that has no others.
fn values(field: Field) -> Option<Vec<&'static str>> {
    match field {
        Field::Op => Some(BATCHED.iter().map(|batched| batched.name).collect()),
        Field::Currency => Some(Currency::in_use().collect()),
        Field::Outcome => Some(vec!["done", "declined"]),
        Field::Direction => Some(vec![Direction::Credit.name(), Direction::Debit.name()]),
        Field::TransactionId
        | Field::Account
        | Field::OverdraftLimit
        | Field::Amount
        | Field::CounterAccount
        | Field::EffectiveAt
        | Field::Reverses
        | Field::Hold
        | Field::From
        | Field::To
        | Field::Reference
        | Field::TimeoutSeconds
        | Field::Balance
        | Field::ExpectedRevision
        | Field::Corrects
        | Field::Reason
        | Field::Force
        | Field::After
        | Field::Metadata
        | Field::ExpiresInSeconds => None,
    }
}

fn format(name: &'static str) -> SchemaFormat {
    SchemaFormat::Custom(name.to_owned())
}

/// Describes a line of a batch: the fields that every line has, and those that some operation has, with a reference to where
/// they are described. The line that is shown as the example is a withdrawal.
fn line() -> Object {
    let mut line = object(&shape::BATCH_LINE);
    for field in Field::ALL.into_iter().filter(|field| shape::BATCH_LINE.allowed & field.bit() == 0) {
        let has = |op: Op| (op.shape().allowed | op.line()) & field.bit() != 0;
        let having = || BATCHED.iter().filter(|batched| has(batched.op));
        let nouns: Vec<String> = having().map(|batched| batched.noun.to_owned()).collect();
        if nouns.is_empty() {
            continue;
        }
        let example = shape::MOVE.members.iter().find(|member| member.field == field && member.required);
        let like = having().find_map(|batched| batched.op.shape().member(field)).copied();
        let member = Member {
            required: false,
            unsaid: None,
            example: example.and_then(|member| member.example),
            ..like.unwrap_or(shape::HOLD_OF_LINE)
        };
        line.properties
            .insert(field.name().to_owned(), property(&member, &format!("As in {}.", any_of(&nouns))).into());
    }
    line
}
