//! This file describes the shapes of requests as the OpenAPI document has them.

use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::schema::{AdditionalProperties, Object, Schema};
use utoipa::openapi::{ObjectBuilder, RefOr, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use super::field::{Field, Form};
use super::op::{BATCHED, any_of};
use super::shape::{self, Member, Shape, Unsaid};

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
body!(/// The body of a change of state.
    Because, shape::BECAUSE, object(&shape::BECAUSE));
body!(/// The body of a change of the overdraft limit.
    OverdraftLimit, shape::OVERDRAFT_LIMIT, object(&shape::OVERDRAFT_LIMIT));
body!(/// A line of a batch.
    BatchLine, shape::BATCH_LINE, line());

fn object(shape: &Shape) -> Object {
    let object = ObjectBuilder::new().schema_type(Type::Object).description(Some(shape.description));
    let added = shape.members.iter().fold(object, |object, member| {
        let object = object.property(member.field.name(), property(member, member.description));
        if member.required { object.required(member.field.name()) } else { object }
    });
    added.build()
}

#[expect(deprecated, reason = "`example` is what tools of every age show")]
fn property(member: &Member, description: &str) -> Object {
    let of = match member.field.form() {
        Form::Text => Type::String,
        Form::Flag => Type::Boolean,
        Form::Pairs => Type::Object,
    };
    let object = ObjectBuilder::new()
        .description(Some(description))
        .format(member.format.map(format))
        .pattern(member.pattern)
        .example(member.example.map(Into::into))
        .default(member.unsaid.map(|unsaid| match unsaid {
            Unsaid::Text(text) => text.into(),
            Unsaid::False => false.into(),
        }));
    let object = match member.field.form() {
        Form::Text | Form::Flag => object,
        Form::Pairs => {
            let text = || Object::with_type(Type::String);
            object
                .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(text().into()))))
                .property_names(Some(text()))
        }
    };
    if member.required {
        object.schema_type(of)
    } else {
        object.schema_type([of, Type::Null].into_iter().collect::<SchemaType>())
    }
    .build()
}

fn format(name: &'static str) -> SchemaFormat {
    SchemaFormat::Custom(name.to_owned())
}

/// Describes a line of a batch: the fields that every line has, and those that some operation has, with a reference to where
/// they are described. The line that is shown as the example is a withdrawal.
fn line() -> Object {
    let mut line = object(&shape::BATCH_LINE);
    let names: Vec<String> = BATCHED.iter().map(|batched| format!("`{}`", batched.name)).collect();
    let op = shape::BATCH_LINE.members.iter().find(|member| member.field == Field::Op);
    let op = op.map(|op| property(op, &format!("{}.", any_of(&names))));
    line.properties.extend(op.map(|op| (Field::Op.name().to_owned(), op.into())));
    for field in Field::ALL.into_iter().filter(|field| shape::BATCH_LINE.allowed & field.bit() == 0) {
        let having = || BATCHED.iter().filter(|batched| batched.op.shape().allowed & field.bit() != 0);
        let nouns: Vec<String> = having().map(|batched| batched.noun.to_owned()).collect();
        if nouns.is_empty() {
            continue;
        }
        let example = shape::MOVE.members.iter().find(|member| member.field == field && member.required);
        let member =
            Member { example: example.and_then(|member| member.example), ..Member::optional(field, "") };
        line.properties
            .insert(field.name().to_owned(), property(&member, &format!("As in {}.", any_of(&nouns))).into());
    }
    line
}
