//! The codec makes a line of the journal from an event, and an event from a line again.
//!
//! A line is one JSON object without white space, its keys in a fixed order. Its *canonical bytes* are the line without
//! `position`, `event_id` and `hash`; the hash and the id are made of them. The event names its version; an unknown
//! version is refused, never skipped.

mod canonical;
mod decode;
mod decode_correction;
mod decode_data;
mod decode_delivery;
mod decode_transfer;
mod encode;
mod encode_correction;
mod encode_data;
mod encode_delivery;
mod encode_transfer;
mod error;
mod failure_data;
pub mod json;
mod letter_data;

pub use canonical::{cut, position_of};
pub(crate) use canonical::{has_its_id, stream_of};
pub use decode::{Line, decode, decode_canonical, decode_proven};
pub use decode_delivery::read_delivery_data;
pub use encode::{Encoder, Parts};
pub use encode_delivery::delivery_data;
pub use error::DecodeError;
pub use letter_data::{letter_data, read_letter_data};
