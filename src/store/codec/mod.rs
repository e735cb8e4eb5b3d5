//! How an event becomes a line of the journal, and a line an event again.
//!
//! A line is one JSON object without white space, its keys in a fixed order. Its *canonical bytes* are the line without
//! `position`, `event_id` and `hash`: what the hash and the id are made of. The event names its version; an unknown one
//! is refused, never skipped.

mod canonical;
mod decode;
mod encode;
pub mod json;

pub use canonical::{cut, position_of};
pub use decode::{DecodeError, Line, decode, decode_proven};
pub use encode::{Encoder, Parts};
