//! The wire: from the JSON of a request to the command that it asks for.
//!
//! A text is read twice at most: quickly, and, where it is not a right command, slowly, to find all that is wrong with
//! it. What is known beside the text (the account in a path, an ID in a header, who asks) is an argument, so that this
//! room knows no HTTP and every way in can use it. Up the way: [`crate::http`]. Down the way: [`crate::domain`], whose
//! commands it makes; it knows no other room.

pub(crate) mod batch_line;
pub(crate) mod body_faults;
pub(crate) mod commands;
pub(crate) mod fault;
pub(crate) mod field;
pub(crate) mod fields;
pub(crate) mod op;
pub(crate) mod schema;
pub(crate) mod shape;
pub(crate) mod text;
