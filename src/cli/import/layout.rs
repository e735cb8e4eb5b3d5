//! A layout is a form of file that can't be imported. Each is named, with what to do about it, because what a spreadsheet or
//! a bank writes is seldom what its user believes.

use std::fmt;

use super::bank_line::COLUMNS;

/// This is how many bytes at the beginning are looked at to tell what a file is.
const HEAD: usize = 16 * 1024;

/// A layout says what was found where a CSV file with the right columns was wanted. The words follow the file's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layout {
    /// It has no byte.
    Empty,
    /// It is compressed; the program that undoes that.
    Compressed { how: &'static str, program: &'static str },
    /// It is a ZIP archive, as spreadsheets save their own files.
    Spreadsheet,
    /// It is a PDF.
    Pdf,
    /// It is UTF-16.
    Utf16,
    /// Its lines end with carriage returns alone.
    CarriageReturns,
    /// It has a line that is too long.
    LongLine { line: u64, most: usize },
    /// A value that begins in this line has no end.
    OpenQuote { line: u64 },
    /// Its first line says what separates its columns.
    SepLine,
    /// Its columns are separated by something else.
    Separator(&'static str),
    /// There are lines before its columns.
    Preamble { lines: usize },
    /// It has other columns.
    Columns(String),
    /// Its newest line is the first.
    NewestFirst,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "is empty"),
            Self::Compressed { how, program } => write!(
                f,
                "is compressed ({how}): `{program} FILE | bookonce import - …` imports what is in it"
            ),
            Self::Spreadsheet => {
                write!(f, "is a ZIP archive or a spreadsheet's own file: unpack it, or save it as CSV")
            }
            Self::Pdf => write!(f, "is a PDF"),
            Self::Utf16 => write!(
                f,
                "is UTF-16 text: `iconv -f UTF-16 -t UTF-8 FILE | bookonce import - …` imports what is in it"
            ),
            Self::CarriageReturns => write!(
                f,
                "has lines that end with a carriage return (CR) alone: they must end with LF or CRLF, as \
                 `tr '\\r' '\\n' < FILE` makes them"
            ),
            Self::LongLine { line, most } => write!(f, "has more than {most} bytes in line {line}"),
            Self::OpenQuote { line } => {
                write!(f, "has a quotation mark in line {line} that is never closed")
            }
            Self::SepLine => write!(
                f,
                "begins with a line `sep=`, which only spreadsheets know: delete it, and separate the columns by commas"
            ),
            Self::Separator(what) => write!(f, "has its columns separated by {what}, and not by commas"),
            Self::Preamble { lines } => write!(f, "has {lines} lines before its columns: delete them"),
            Self::Columns(found) => write!(f, "begins with another line: {found:?}"),
            Self::NewestFirst => write!(
                f,
                "has its newest lines first: each balance follows from the line after it. \
                 `(head -n 1 FILE; tail -n +2 FILE | tac) | bookonce import - …` turns it round"
            ),
        }
    }
}

/// A head is the beginning of a file.
#[derive(Default)]
pub(crate) struct Head(Vec<u8>);

impl Head {
    /// Takes the bytes that come next, as far as they belong to the beginning.
    pub(crate) fn take(&mut self, piece: &[u8]) {
        let room = HEAD.saturating_sub(self.0.len()).min(piece.len());
        self.0.extend_from_slice(piece.get(..room).unwrap_or_default());
    }

    /// Finds what is no text in UTF-8 at all.
    pub(crate) fn form(&self) -> Option<Layout> {
        let compressed = |how, program| Some(Layout::Compressed { how, program });
        match self.0.as_slice() {
            [] => Some(Layout::Empty),
            [0x1f, 0x8b, ..] => compressed("gzip", "zcat"),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => compressed("zstd", "zstdcat"),
            [0xfd, b'7', b'z', b'X', b'Z', ..] => compressed("xz", "xzcat"),
            [b'B', b'Z', b'h', ..] => compressed("bzip2", "bzcat"),
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Some(Layout::Spreadsheet),
            [b'%', b'P', b'D', b'F', ..] => Some(Layout::Pdf),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(Layout::Utf16),
            // Without its mark: every second byte of plain text is zero.
            [0, b, ..] | [b, 0, ..] if *b != 0 => Some(Layout::Utf16),
            _ => None,
        }
    }

    /// Finds out why the first line is not the one with the columns, if it is another.
    pub(crate) fn columns(&self) -> Option<Layout> {
        let text = self.0.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.0);
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let first = lines.first().copied().unwrap_or_default();
        if has_columns(first, b',') {
            return None;
        }
        if first.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case(b"sep=")) {
            return Some(Layout::SepLine);
        }
        let separators = [(b';', "semicolons"), (b'\t', "tab characters"), (b'|', "vertical bars")];
        if let Some((_, what)) = separators.into_iter().find(|(byte, _)| has_columns(first, *byte)) {
            return Some(Layout::Separator(what));
        }
        match lines.iter().position(|line| has_columns(line, b',')) {
            Some(lines) => Some(Layout::Preamble { lines }),
            None => {
                Some(Layout::Columns(String::from_utf8_lossy(first).trim_end().chars().take(100).collect()))
            }
        }
    }
}

/// Says whether this line has the names of the columns, separated by this.
fn has_columns(line: &[u8], separator: u8) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(separator).from_reader(line);
    let mut columns = csv::ByteRecord::new();
    reader.read_byte_record(&mut columns).is_ok() && columns == COLUMNS.to_vec()
}
