//! This rule says where the document has `null`: a member or a parameter that may be missing is never null.
//!
//! Descriptions are made of Rust's types, and an `Option` is described as both, missing or null. The service refuses null in
//! requests and leaves out of its answers what there is not; what is null in an answer is always there, and is marked as
//! required where it is described.

use utoipa::Modify;
use utoipa::openapi::path::PathItem;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{OpenApi, RefOr, Schema, Type};

/// `Nulls` takes `null` from everything in the document that may be missing.
pub(crate) struct Nulls;

impl Modify for Nulls {
    fn modify(&self, document: &mut OpenApi) {
        for item in document.paths.paths.values_mut() {
            parameters(item);
        }
        for schema in document.components.iter_mut().flat_map(|components| components.schemas.values_mut()) {
            members(schema);
        }
    }
}

fn parameters(item: &mut PathItem) {
    let operations = [item.get.as_mut(), item.post.as_mut()].into_iter().flatten();
    for parameter in operations.flat_map(|operation| operation.parameters.iter_mut().flatten()) {
        if let RefOr::T(parameter) = parameter {
            parameter.schema.iter_mut().for_each(never_null);
        }
    }
}

fn members(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            let required = &object.required;
            let optional = object.properties.iter_mut().filter(|(name, _)| !required.contains(name));
            optional.for_each(|(_, schema)| never_null(schema));
        }
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(members),
        RefOr::T(Schema::OneOf(one)) => one.items.iter_mut().for_each(members),
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

fn never_null(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            without_null(&mut object.schema_type);
            object.enum_values.iter_mut().for_each(|values| values.retain(|value| !value.is_null()));
        }
        RefOr::T(Schema::Array(array)) => without_null(&mut array.schema_type),
        RefOr::T(Schema::OneOf(one)) => {
            one.items.retain(|item| !is_null(item));
            if let [only] = one.items.as_slice() {
                *schema = only.clone();
            }
        }
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}

fn without_null(of: &mut SchemaType) {
    if let SchemaType::Array(types) = of {
        types.retain(|kind| *kind != Type::Null);
        if let [only] = types.as_slice() {
            *of = SchemaType::Type(only.clone());
        }
    }
}
