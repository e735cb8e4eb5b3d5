//! A bank's file is read record by record, in bounded memory, by one reader of CSV over all of it.

use std::fs::File;
use std::io::Read;

use super::bank_line::{BadLine, BankLine, Reading};
use super::input::{Error, Input, LONGEST_LINE};
use super::layout::Layout;

/// The reader of records reads so many bytes ahead.
const AHEAD: usize = 16 * 1024;

/// A numbered line is a line's number, and what the line says.
pub(crate) type Numbered = (u64, Result<BankLine, BadLine>);

/// The lines of a bank's file come one after the other, good or bad, with their numbers. Blank lines are left out.
///
/// A value that goes on over the end of a line makes one bad line of all lines that it is in. They are counted in what is said
/// of it, so that none is left out in silence.
pub(crate) struct BankLines<'a> {
    input: &'a Input,
    reading: &'a Reading,
    records: csv::Reader<Bounded>,
    record: csv::ByteRecord,
    /// This is how many bytes there are.
    bytes: u64,
}

impl<'a> BankLines<'a> {
    /// Begins with the first line after the one with the columns.
    ///
    /// # Errors
    /// Fails when the kept input can't be read.
    pub(crate) fn of(input: &'a Input, reading: &'a Reading) -> Result<Self, Error> {
        let file = input.open()?;
        let bytes = file.metadata().map_err(|error| input.failed(error))?.len();
        let records = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .terminator(csv::Terminator::Any(b'\n'))
            .buffer_capacity(AHEAD)
            .from_reader(Bounded { file, given: 0, allowed: 0 });
        let mut lines = Self { input, reading, records, record: csv::ByteRecord::new(), bytes };
        lines.advance()?;
        Ok(lines)
    }

    /// Reads the next record; `false` when there is none.
    fn advance(&mut self) -> Result<bool, Error> {
        let at = self.records.position().clone();
        self.records.get_mut().allowed = at.byte().saturating_add((LONGEST_LINE + AHEAD) as u64);
        self.records.read_byte_record(&mut self.record).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<TooLong>()) => {
                self.input.refuse(Layout::OpenQuote { line: at.line() })
            }
            csv::ErrorKind::Io(error) => self.input.failed(error),
            // Records of bytes, of any length, have no other error.
            kind @ (csv::ErrorKind::Utf8 { .. }
            | csv::ErrorKind::UnequalLengths { .. }
            | csv::ErrorKind::Seek
            | csv::ErrorKind::Serialize(_)
            | csv::ErrorKind::Deserialize { .. }
            | _) => self.input.failed(std::io::Error::other(format!("{kind:?}"))),
        })
    }

    fn line(&self) -> Option<Numbered> {
        let feeds = |field: &[u8]| field.iter().filter(|byte| **byte == b'\n').count();
        let more: usize = self.record.iter().map(feeds).sum();
        // The kept input ends with a line feed. It ends this record, too, unless a quotation mark was never closed.
        let is_cut = self.records.position().byte() >= self.bytes
            && self.record.iter().next_back().is_some_and(|field| field.ends_with(b"\n"));
        let own_end = u64::from(!is_cut);
        let number = self.records.position().line().saturating_sub(own_end + more as u64);
        let to = number.saturating_add(more as u64).saturating_add(own_end).saturating_sub(1);
        let mut fields: Vec<&[u8]> = self.record.iter().collect();
        if let Some(last) = fields.last_mut() {
            *last = last.strip_suffix(b"\r").unwrap_or(last);
        }
        let returns = fields.iter().any(|field| field.contains(&b'\r'));
        if fields == [b""] {
            return None;
        }
        let line = match more {
            0 if returns => Err(BadLine::CarriageReturn),
            0 => BankLine::read(number, &fields, self.reading),
            _ => Err(BadLine::GoesOn { to }),
        };
        Some((number, line))
    }
}

impl Iterator for BankLines<'_> {
    type Item = Result<Numbered, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.advance() {
                Ok(false) => return None,
                Ok(true) => {}
                Err(error) => return Some(Err(error)),
            }
            if let Some(line) = self.line() {
                return Some(Ok(line));
            }
        }
    }
}

/// A bounded file gives no more bytes than one record may have, so that a quotation mark that is never closed does not take
/// the whole file into memory.
struct Bounded {
    file: File,
    given: u64,
    allowed: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("a record is too long")]
struct TooLong;

impl Read for Bounded {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.given >= self.allowed {
            return Err(std::io::Error::other(TooLong));
        }
        let read = self.file.read(into)?;
        self.given = self.given.saturating_add(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::bank_line::COLUMNS;
    use super::*;

    fn take(bytes: &[u8]) -> Result<Input, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bank.csv");
        std::fs::write(&path, bytes).unwrap();
        Input::take(&path)
    }

    fn lines(bytes: &[u8]) -> Result<Vec<Numbered>, Error> {
        BankLines::of(&take(bytes)?, &Reading::plain("CZK"))?.collect()
    }

    fn layout(bytes: &[u8]) -> Layout {
        match lines(bytes) {
            Err(Error::Layout { layout, .. }) => layout,
            other => panic!("{other:?}"),
        }
    }

    fn file(lines: &str) -> Vec<u8> {
        format!("{}\n{lines}", COLUMNS.join(",")).into_bytes()
    }

    const LINE: &str = "1,1,1993-01-01,deposit,c,,1.00,1.00";

    #[test]
    fn lines_are_numbered_as_an_editor_numbers_them() {
        for (end, last) in [("\n", "\n"), ("\n", ""), ("\r\n", "\r\n"), ("\r\n", "")] {
            let text = format!("{LINE}{end}{end}2,1,1993-01-01,deposit,c,,x,1.00{end}{LINE}{last}");
            let lines = lines(&file(&text)).unwrap();
            let numbers: Vec<_> = lines.iter().map(|(number, line)| (*number, line.is_ok())).collect();
            assert_eq!(numbers, [(2, true), (4, false), (5, true)], "{end:?}");
        }
    }

    /// Guards against: a reader of lines: the file with carriage returns alone had no line, and ended with 0.
    #[test]
    fn another_file_is_refused_whole_with_what_it_is() {
        let columns = COLUMNS.join(",");
        let utf16: Vec<u8> = columns.bytes().flat_map(|byte| [byte, 0]).collect();
        for (bytes, expected) in [
            (Vec::new(), Layout::Empty),
            (vec![0x1f, 0x8b, 8, 0], Layout::Compressed { how: "gzip", program: "zcat" }),
            (b"PK\x03\x04...".to_vec(), Layout::Spreadsheet),
            ([&[0xff, 0xfe], utf16.as_slice()].concat(), Layout::Utf16),
            (utf16, Layout::Utf16),
            (format!("{columns}\r{LINE}\r").into_bytes(), Layout::CarriageReturns),
            (format!("sep=,\n{columns}\n").into_bytes(), Layout::SepLine),
            (columns.replace(',', ";").into_bytes(), Layout::Separator("semicolons")),
            (columns.replace(',', "\t").into_bytes(), Layout::Separator("tab characters")),
            (format!("My bank\n\n{columns}\n{LINE}\n").into_bytes(), Layout::Preamble { lines: 2 }),
            (b"a,b\n1,2\n".to_vec(), Layout::Columns("a,b".to_owned())),
            (file(&"x".repeat(LONGEST_LINE + 1)), Layout::LongLine { line: 2, most: LONGEST_LINE }),
            (file(&format!("{LINE}\n\"1\n{}", "1,2\n".repeat(40_000))), Layout::OpenQuote { line: 3 }),
        ] {
            assert_eq!(layout(&bytes), expected);
        }
    }

    #[test]
    fn a_mark_at_the_beginning_is_no_other_file() {
        let marked = [b"\xef\xbb\xbf".as_slice(), &file(LINE)].concat();
        assert!(matches!(lines(&marked).unwrap().as_slice(), [(2, Ok(_))]));
    }

    /// Guards against: a reader of lines, which lost the first of the two lines that a carriage return parted.
    #[test]
    fn what_is_in_no_good_line_is_in_a_bad_one() {
        let text = format!("1,2\n1,2,3,4,5,6,7,8,9\n{LINE}\r{LINE}\n\"1,2\n{LINE}\n");
        let mut bytes = file(&text);
        let at = bytes.len() - LINE.len() - 6;
        bytes.splice(at..at, b"\xff,1,1993-01-01,deposit,c,,1.00,1.00\n".iter().copied());
        let bad: Vec<_> =
            lines(&bytes).unwrap().into_iter().map(|(n, line)| (n, line.unwrap_err())).collect();
        assert_eq!(
            bad,
            [
                (2, BadLine::Columns(2)),
                (3, BadLine::Columns(9)),
                (4, BadLine::CarriageReturn),
                (5, BadLine::NotText),
                (6, BadLine::GoesOn { to: 7 }),
            ]
        );
    }

    #[test]
    fn every_line_of_the_banks_file_is_good() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bank-1993.csv");
        let (input, reading) = (Input::take(&path).unwrap(), Reading::plain("CZK"));
        let lines = BankLines::of(&input, &reading).unwrap();
        assert_eq!(lines.filter(|line| matches!(line, Ok((_, Ok(_))))).count(), 32_321);
    }
}
