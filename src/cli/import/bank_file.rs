//! A bank's file is read line by line, in bounded memory. It is read twice: once to check it, and once to send it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::domain::currency::Currency;

use super::bank_line::{BadLine, BankLine, COLUMNS};

/// An error says why the file as a whole can't be imported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It can't be read.
    #[error("can't read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// It is another kind of file.
    #[error("{path} does not begin with the columns {expected}", expected = COLUMNS.join(","))]
    Columns { path: PathBuf },
}

/// A numbered line is a line's number, and what the line says.
pub(crate) type Numbered = (u64, Result<BankLine, BadLine>);

/// The lines of a bank's file come one after the other, good or bad, with their numbers. Blank lines are left out.
///
/// Every line is read as CSV on its own: a value can't go on in the next line. A quotation mark that is never closed makes its
/// own line bad, and no other.
#[derive(Debug)]
pub(crate) struct BankLines {
    path: PathBuf,
    currency: Currency,
    reader: BufReader<File>,
    number: u64,
    bytes: Vec<u8>,
}

impl BankLines {
    /// Opens the file and checks its header.
    ///
    /// # Errors
    /// When it can't be read, or has other columns.
    pub(crate) fn open(path: &Path, currency: Currency) -> Result<Self, Error> {
        let file = File::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let reader = BufReader::new(file);
        let mut lines = Self { path: path.to_owned(), currency, reader, number: 0, bytes: Vec::new() };
        lines.advance()?;
        if columns(&lines.bytes) != Ok(csv::ByteRecord::from(COLUMNS.to_vec())) {
            return Err(Error::Columns { path: lines.path });
        }
        Ok(lines)
    }

    /// Reads the next line, without its end; `false` when there is none.
    fn advance(&mut self) -> Result<bool, Error> {
        self.bytes.clear();
        let read = self.reader.read_until(b'\n', &mut self.bytes);
        let read = read.map_err(|source| Error::Read { path: self.path.clone(), source })?;
        for end in [b'\n', b'\r'] {
            if self.bytes.last() == Some(&end) {
                self.bytes.pop();
            }
        }
        self.number += 1;
        Ok(read > 0)
    }
}

impl Iterator for BankLines {
    type Item = Result<Numbered, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.advance() {
                Ok(true) if self.bytes.is_empty() => {}
                Ok(true) => break,
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        let line =
            columns(&self.bytes).and_then(|columns| BankLine::read(self.number, &columns, self.currency));
        Some(Ok((self.number, line)))
    }
}

fn columns(line: &[u8]) -> Result<csv::ByteRecord, BadLine> {
    if line.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
        return Err(BadLine::OpenQuote);
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).buffer_capacity(512).from_reader(line);
    let mut columns = csv::ByteRecord::new();
    reader.read_byte_record(&mut columns).map_err(|_| BadLine::NotText)?;
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Result<Vec<Numbered>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bank.csv");
        std::fs::write(&path, text).unwrap();
        BankLines::open(&path, Currency::parse("CZK").unwrap())?.collect()
    }

    #[test]
    fn lines_are_numbered_as_an_editor_numbers_them() {
        let header = COLUMNS.join(",");
        let text =
            format!("{header}\n1,1,1993-01-01,deposit,c,,1.00,1.00\n\n2,1,1993-01-01,deposit,c,,x,1.00\n");
        let lines = lines(text.as_bytes()).unwrap();
        assert_eq!(
            lines.iter().map(|(number, line)| (*number, line.is_ok())).collect::<Vec<_>>(),
            [(2, true), (4, false)]
        );
    }

    #[test]
    fn another_file_is_refused_whole() {
        for text in ["", "a,b\n", "account,entry_id,date,kind,channel,purpose,amount,balance_after\n"] {
            assert!(matches!(lines(text.as_bytes()), Err(Error::Columns { .. })), "{text:?}");
        }
    }

    #[test]
    fn short_long_and_binary_lines_are_bad_lines() {
        let mut text = format!("{}\n1,2\n1,2,3,4,5,6,7,8,9\n\"1,2\n", COLUMNS.join(",")).into_bytes();
        text.extend_from_slice(b"\xff,1,1993-01-01,deposit,c,,1.00,1.00\n");
        let bad: Vec<_> = lines(&text).unwrap().into_iter().map(|(_, line)| line.unwrap_err()).collect();
        assert_eq!(bad, [BadLine::Columns(2), BadLine::Columns(9), BadLine::OpenQuote, BadLine::NotText]);
    }

    #[test]
    fn every_line_of_the_banks_file_is_good() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bank-1993.csv");
        let lines = BankLines::open(&path, Currency::parse("CZK").unwrap()).unwrap();
        assert_eq!(lines.filter(|line| matches!(line, Ok((_, Ok(_))))).count(), 32_321);
    }
}
