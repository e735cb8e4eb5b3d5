//! This room is the auditor's own reader: it makes an event of a line, and checks all that the line shows by itself.
//!
//! It must not know the lines before (but for the hash that a line is chained to), nor where lines come from, so that
//! blocks can be read on several threads in any order. Down the way is [`values`](super::values). Up the way are
//! [`source`](super::source), which fills the blocks, and [`run`](super::run), which reads them.

mod correction_data;
pub(crate) mod cursor;
mod delivery_data;
pub(crate) mod event_data;
pub(crate) mod event_line;
pub(crate) mod head;
pub(crate) mod hold_data;
pub(crate) mod manifest;
mod newer;
mod own_line;
pub(crate) mod read_block;
pub(crate) mod transfer_data;
pub(crate) mod words;
