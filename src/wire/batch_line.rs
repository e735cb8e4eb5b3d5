//! A line of a batch is an object with the fields of its command, and `op`, `account` and `transaction_id` beside them.

use crate::domain::command::Command;
use crate::wire::body_faults::{field_errors, members};
use crate::wire::commands::{Frame, from_fields};
use crate::wire::fault::Fault;
use crate::wire::field::Field;
use crate::wire::fields::Fields;
use crate::wire::op::Op;
use crate::wire::shape::BATCH_LINE;

/// Reads a line. What only the fields together show is for [`crate::domain::decide::check_request`].
///
/// # Errors
/// All that is wrong with the line, field by field.
pub(crate) fn command(line: &[u8], frame: &Frame) -> Result<Command, Fault> {
    let text = std::str::from_utf8(line).map_err(|_| Fault::Malformed("The line is not UTF-8.".into()))?;
    let quick = Fields::read(text).and_then(|fields| {
        let op = Op::parse(fields.text(Field::Op)?)?;
        from_fields(fields, op, frame.clone(), op.line())
    });
    quick.unwrap_or_else(|| Err(line_fault(text)))
}

/// Returns what is wrong with a line.
fn line_fault(text: &str) -> Fault {
    let members = match members(text) {
        Ok(members) => members,
        Err(fault) => return fault,
    };
    let named = members.iter().filter(|(name, _)| name == Field::Op.name());
    let op = named.filter_map(|(_, node)| node.text()).find_map(Op::parse);
    let has_id = members.iter().any(|(name, _)| name == Field::TransactionId.name());
    let around = op.map_or(BATCH_LINE.required, Op::line);
    let around = if has_id { around } else { around & !Field::TransactionId.bit() };
    let errors = field_errors(&members, op, around);
    if errors.is_empty() && !has_id { Fault::IdMissing } else { Fault::Invalid(errors) }
}
