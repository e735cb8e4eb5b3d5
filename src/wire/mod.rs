//! This folder makes the command of the JSON that asks for it.
//!
//! A text is read twice at most: first quickly ([`fields`]), and, where it is no right command, slowly, to find all that is
//! wrong with it ([`body_faults`]). [`shape`] says which fields each request has; the OpenAPI document is made of it, too.
//!
//! What is known beside the text (the account in a path, an ID in a header, who asks) is an argument, so that this room
//! must know no HTTP and every way in can use it. Up the way is [`crate::http`]. Down the way is [`crate::domain`], whose
//! commands it makes; it knows no other room.

pub(crate) mod batch_line;
pub(crate) mod body_faults;
pub(crate) mod commands;
pub(crate) mod corrections;
pub(crate) mod fault;
pub(crate) mod field;
pub(crate) mod fields;
pub(crate) mod op;
pub(crate) mod schema;
pub(crate) mod shape;
pub(crate) mod text;
