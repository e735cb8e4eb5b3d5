//! The slow way through a request's body finds all that is wrong with it at once, and says it in words that help.
//!
//! Only bodies that the quick way gave up on come here. Nesting is bounded by the JSON reader (128 deep), so that no
//! body overflows the stack.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::domain::ids::TransactionId;
use crate::domain::metadata::Metadata;
use crate::wire::corrections::{ids, unfit};
use crate::wire::fault::{Fault, FieldError};
use crate::wire::field::{Field, Form};
use crate::wire::fields::Place;
use crate::wire::op::{self, Op};
use crate::wire::text;

/// A `Node` is any JSON, with nothing lost that matters here: objects keep keys that come twice.
#[derive(Debug)]
pub(crate) enum Node {
    /// The value is `null`.
    Null,
    /// The value is `true` or `false`.
    Flag,
    /// The value is a whole number that is not negative and fits into 64 bits.
    Whole(u64),
    /// The value is another number.
    Number,
    /// The value is a string.
    Text(String),
    /// The value is an array. More items are not kept than tell that there are too many.
    List(Vec<Node>),
    /// The value is an object.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Returns its text, when it is a string.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Flag | Self::Whole(_) | Self::Number | Self::List(_) | Self::Object(_) => None,
        }
    }
}

/// Returns what is wrong with the body of a request to do `op`.
pub(crate) fn body_fault(text: &str, op: Op) -> Fault {
    match members(text) {
        Ok(members) => Fault::Invalid(field_errors(&members, Some(op), 0)),
        Err(fault) => fault,
    }
}

/// Reads the members of an object, in their order.
pub(crate) fn members(text: &str) -> Result<Vec<(String, Node)>, Fault> {
    let not_an_object = || Err(Fault::field("", "the body must be a JSON object"));
    match serde_json::from_str::<Node>(text) {
        Ok(Node::Object(members)) => Ok(members),
        Ok(_) => not_an_object(),
        Err(error) if text.trim().is_empty() => {
            let _said_better = error;
            Err(Fault::Malformed("The body is empty.".into()))
        }
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            Err(Fault::Malformed(format!("The body is not JSON (RFC 8259): see {place}.").into()))
        }
    }
}

/// Returns all that is wrong with these members. `around` are the fields that a batch's line has beside those of its
/// op. Where there is no op, the line's `op` itself is wrong.
pub(crate) fn field_errors(members: &[(String, Node)], op: Option<Op>, around: u32) -> Vec<FieldError> {
    let shape = op.map(Op::shape);
    let required = shape.map_or(0, |shape| shape.required) | around;
    let allowed = shape.map_or(u32::MAX, |shape| shape.allowed | around);
    let mut errors = Vec::new();
    let mut seen = 0;
    let mut named_twice = BTreeSet::new();
    for (name, node) in members {
        let shown: String = name.chars().take(64).collect();
        match Field::parse(name).filter(|field| field.bit() & allowed != 0) {
            None => errors.push(FieldError::new(shown, "is not a field of this request")),
            Some(field) if seen & field.bit() != 0 => {
                if named_twice.insert(name) {
                    errors.push(FieldError::new(shown, "is there more than once"));
                }
            }
            Some(field) => {
                seen |= field.bit();
                errors.extend(wrong(field, node, op));
            }
        }
    }
    if op == Some(Op::Correct) {
        errors.extend(unfit(seen));
    }
    for field in Field::ALL {
        if field.bit() & required & !seen != 0 {
            errors.push(FieldError::new(field.name(), "is missing"));
        }
    }
    errors
}

/// Returns what is wrong with a field's value.
fn wrong(field: Field, node: &Node, op: Option<Op>) -> Vec<FieldError> {
    let found: Option<Cow<'static, str>> = match (field.form(), node) {
        (Form::Pairs, Node::Object(pairs)) => return metadata(pairs),
        (Form::Text, Node::Text(_)) if field == Field::Op && op.is_none() => Some(unknown_op().into()),
        (Form::Text, Node::Text(text)) => text::fault(field, text),
        (Form::Number, Node::Whole(number)) => text::number_fault(field, *number),
        (Form::Flag, Node::Flag) => None,
        (Form::Number, _) => Some(text::not_whole(field)),
        (Form::List, Node::List(items)) if corrected(items) => None,
        (Form::List, _) => Some(text::NOT_CORRECTED.into()),
        (Form::Place, Node::Whole(_)) => None,
        (Form::Place, Node::Text(text)) if text == Place::HEAD => None,
        (Form::Place, _) => Some(text::NOT_A_PLACE.into()),
        (Form::Pairs, _) => Some("must be a flat object of strings".into()),
        (Form::Flag, _) => Some("must be true or false".into()),
        (Form::Text, _) if matches!(field, Field::Amount | Field::Balance | Field::OverdraftLimit) => {
            Some("must be a decimal string such as \"40.00\"".into())
        }
        (Form::Text, _) => Some("must be a string".into()),
    };
    found.map(|problem| FieldError::new(field.name(), problem)).into_iter().collect()
}

/// Says whether a correction may name these.
fn corrected(items: &[Node]) -> bool {
    let texts: Option<Vec<&str>> = items.iter().map(Node::text).collect();
    texts.and_then(|texts| ids(texts.into_iter())).is_some()
}

fn unknown_op() -> String {
    let names: Vec<String> = op::BATCHED.iter().map(|batched| batched.name.to_owned()).collect();
    format!("unknown op: must be {}", op::any_of(&names))
}

fn metadata(pairs: &[(String, Node)]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut map = BTreeMap::new();
    for (key, node) in pairs {
        let shown = || format!("metadata.{}", key.chars().take(64).collect::<String>());
        match node.text() {
            Some(value) => {
                if map.insert(key.clone(), value.to_owned()).is_some() {
                    errors.push(FieldError::new(shown(), "is there more than once"));
                }
            }
            None => errors.push(FieldError::new(shown(), "must be a string")),
        }
    }
    if let Err(error) = Metadata::new(map) {
        errors.push(FieldError::new("metadata", error.to_string()));
    }
    errors
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(NodeReader)
    }
}

struct NodeReader;

impl<'de> Visitor<'de> for NodeReader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Flag)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Whole(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Node, S::Error> {
        let mut kept = Vec::new();
        while let Some(item) = items.next_element()? {
            if kept.len() <= TransactionId::MOST_CORRECTED {
                kept.push(item);
            }
        }
        Ok(Node::List(kept))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Node, M::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}
