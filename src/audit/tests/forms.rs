//! These tests say that what a file is in place of an export is told by its form, and that what was tampered with is
//! never taken for that.

use super::history::{everything, export};
use crate::audit::source::form::{Form, form};

fn form_of(bytes: &[u8]) -> Option<Form> {
    form(bytes, bytes)
}

/// Guards against: each of these was called BAD, as if somebody had altered the journal. Seen failing for the file with CR
/// alone, for that without its last line feed, and for those that begin with a blank line.
#[test]
fn what_a_copy_does_to_an_export_is_named() {
    let export = String::from_utf8(export(&everything()[..3])).unwrap();
    let utf16: Vec<u8> = export.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, expected) in [
        (export.clone().into_bytes(), None),
        (Vec::new(), None),
        (export.replace('\n', "\r\n").into_bytes(), Some(Form::CarriageReturns)),
        (format!("\u{feff}{export}").into_bytes(), Some(Form::Mark)),
        (export.replace('\n', "\r").into_bytes(), Some(Form::CarriageReturns)),
        (export.trim_end().as_bytes().to_vec(), Some(Form::NoLineFeed)),
        (format!("\n{export}").into_bytes(), Some(Form::BlankBeginning)),
        (format!(" \r\n{export}").into_bytes(), Some(Form::BlankBeginning)),
        (format!("{export}   \n").into_bytes(), Some(Form::BlankEnd)),
        (format!("{export}\n").into_bytes(), Some(Form::BlankEnd)),
        (format!("{export}\r\n").into_bytes(), Some(Form::BlankEnd)),
        (utf16.clone(), Some(Form::Utf16)),
        ([&[0xff, 0xfe], utf16.as_slice()].concat(), Some(Form::Utf16)),
        (vec![0x1f, 0x8b, 8, 0], Some(Form::Compressed { how: "gzip", program: "zcat" })),
        (b"# bookonce\n\nA ledger service\n".to_vec(), Some(Form::Other)),
    ] {
        assert_eq!(form_of(&bytes), expected);
    }
}

/// Catches: a file that was tampered with, excused as one of another form.
#[test]
fn no_flipped_bit_makes_an_export_a_file_of_another_form() {
    let bytes = export(&everything()[..3]);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            assert_eq!(form_of(&flipped), None, "bit {bit} of byte {at}");
        }
    }
}
