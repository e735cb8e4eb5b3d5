//! The form of a file says whether it can be an export at all. A file that is none is not called wrong.
//!
//! What a copy does to an export (compresses it, writes other line ends, puts a mark before it) changes every line, and no
//! forger does it. So it is named, and never reported as tampering.

use std::fmt;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};

use crate::audit::parse::manifest::START;

/// This is how many bytes of the beginning, and of the end, are looked at.
const LOOKED_AT: u64 = 16 * 1024;

/// A form says what a file is in place of an export. The words follow the file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The file is compressed; `program` undoes that.
    Compressed { how: &'static str, program: &'static str },
    /// It is UTF-16.
    Utf16,
    /// It is an export with a byte-order mark before it.
    Mark,
    /// It is an export whose lines end with CR and LF.
    CarriageReturns,
    /// It is an export with blank lines before it.
    BlankBeginning,
    /// It is an export with blank lines behind it.
    BlankEnd,
    /// It is an export without the line feed at its end.
    NoLineFeed,
    /// It is something else.
    Other,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compressed { how, program } => {
                write!(
                    f,
                    "is compressed ({how}): `{program} FILE | bookonce verify -` looks into it, and `restore -` takes it"
                )
            }
            Self::Utf16 => {
                write!(f, "is UTF-16 text, and an export is UTF-8: `iconv -f UTF-16 -t UTF-8 FILE` undoes it")
            }
            Self::Mark => {
                write!(
                    f,
                    "has a byte-order mark before its first line: `tail -c +4 FILE` is the export without it"
                )
            }
            Self::CarriageReturns => write!(
                f,
                "has lines that end with CRLF or CR, as a copy in text mode makes them, and those of an export end with LF: \
                 `tr -d '\\r' < FILE` takes the CR of CRLF away, `tr '\\r' '\\n' < FILE` undoes CR alone"
            ),
            Self::BlankBeginning => {
                write!(
                    f,
                    "has blank lines before its first line: `sed '/^[[:space:]]*$/d' FILE` is the export without them"
                )
            }
            Self::NoLineFeed => {
                write!(
                    f,
                    "has no line feed at its end, as an editor may leave it: `echo >> FILE` puts it there"
                )
            }
            Self::BlankEnd => {
                write!(
                    f,
                    "has blank lines behind its last line: `sed '/^[[:space:]]*$/d' FILE` is the export without them"
                )
            }
            Self::Other => write!(
                f,
                "is not an export: none of its lines at the beginning or the end is one of an export"
            ),
        }
    }
}

/// Finds out whether a file has another form than an export. It is left at its beginning.
///
/// # Errors
/// Fails when it can't be read.
pub(crate) fn look(file: &mut fs::File) -> io::Result<Option<Form>> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut part = |from| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        file.by_ref().take(LOOKED_AT).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    };
    let end = part(length.saturating_sub(LOOKED_AT))?;
    let beginning = part(0)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(form(&beginning, &end))
}

/// Tells the form of a file by its beginning and its end, which may be all of it.
pub(crate) fn form(beginning: &[u8], end: &[u8]) -> Option<Form> {
    let compressed = |how, program| Some(Form::Compressed { how, program });
    match beginning {
        [0x1f, 0x8b, ..] => return compressed("gzip", "zcat"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => return compressed("zstd", "zstdcat"),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => return compressed("xz", "xzcat"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some(Form::Utf16),
        [b'{', 0, b'"', 0, ..] | [0, b'{', 0, b'"', ..] => return Some(Form::Utf16),
        _ => {}
    }
    let has = |bytes: &[u8], part: &[u8]| memchr::memmem::find(bytes, part).is_some();
    let exported = has(beginning, b"\"hash\":\"")
        || has(beginning, b"{\"position\":")
        || has(beginning, START.as_bytes())
        || has(end, START.as_bytes());
    if !exported && !beginning.is_empty() {
        return Some(Form::Other);
    }
    if beginning.starts_with(b"\xef\xbb\xbf") {
        return Some(Form::Mark);
    }
    let feed = memchr::memchr(b'\n', beginning);
    if feed.and_then(|feed| beginning.get(..feed)).is_some_and(|line| line.ends_with(b"}\r")) {
        return Some(Form::CarriageReturns);
    }
    if beginning.starts_with(b"{") && feed.is_none() && has(beginning, b"}\r{") {
        return Some(Form::CarriageReturns);
    }
    let first = feed.and_then(|feed| beginning.get(..feed));
    if first.is_some_and(|line| line.trim_ascii().is_empty()) {
        return Some(Form::BlankBeginning);
    }
    let last =
        memchr::memrchr(b'\n', end).map_or(end, |feed| end.get(feed.saturating_add(1)..).unwrap_or_default());
    if last.starts_with(START.as_bytes()) && last.ends_with(b"}}") {
        return Some(Form::NoLineFeed);
    }
    let text = end.trim_ascii_end();
    let blank = end.get(text.len()..).unwrap_or_default();
    let feeds = blank.iter().filter(|byte| **byte == b'\n').count();
    (text.ends_with(b"}") && feeds > 1).then_some(Form::BlankEnd)
}
