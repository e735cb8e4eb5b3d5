//! The input of an import is taken whole into a temporary file before a line of it is read, so that it is read once, a pipe
//! is as good as a file, and no line can change between its check and its sending.
//!
//! While it is taken its form is looked at: what is no CSV with the right columns is refused, with what was found instead.

use std::fs::File;
use std::io::{Read, Write, stdin};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::bank_line::COLUMNS;
use super::layout::{Head, Layout};

/// No line of a file may have more bytes than this. It bounds the memory that one line takes.
pub(crate) const LONGEST_LINE: usize = 64 * 1024;

/// An error says why the input as a whole can't be imported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It can't be read.
    #[error("can't read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// It can't be kept while it is imported.
    #[error("can't keep {path} in a temporary file (TMPDIR names another folder for these)")]
    Keep {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// It is another kind of file.
    #[error("{path} {layout}. Its first line must be {expected}", expected = COLUMNS.join(","))]
    Layout { path: PathBuf, layout: Layout },
}

/// An input is all bytes that are to be imported. They end with a line feed, which is added where it is missing.
#[derive(Debug)]
pub(crate) struct Input {
    path: PathBuf,
    kept: NamedTempFile,
}

impl Input {
    /// Takes all of a file, or of standard input where the path is `-`.
    ///
    /// # Errors
    /// Fails when it can't be read or kept, or is no CSV file with the right columns.
    pub(crate) fn take(path: &Path) -> Result<Self, Error> {
        let read = |source| Error::Read { path: path.to_owned(), source };
        let mut from: Box<dyn Read> = match path.to_str() {
            Some("-") => Box::new(stdin().lock()),
            Some(_) | None => Box::new(File::open(path).map_err(read)?),
        };
        let keep = |source| Error::Keep { path: path.to_owned(), source };
        let mut kept = NamedTempFile::new().map_err(keep)?;
        let mut scan = Scan::default();
        let mut bytes = vec![0; 1 << 16];
        loop {
            let length = match from.read(&mut bytes) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(read(source)),
            };
            let piece = bytes.get(..length).unwrap_or_default();
            scan.take(piece);
            kept.write_all(piece).map_err(keep)?;
        }
        if !scan.line.is_empty() {
            kept.write_all(b"\n").map_err(keep)?;
        }
        match scan.layout() {
            Some(layout) => Err(Error::Layout { path: path.to_owned(), layout }),
            None => Ok(Self { path: path.to_owned(), kept }),
        }
    }

    /// Opens the kept bytes at their beginning.
    ///
    /// # Errors
    /// Fails when the temporary file has gone.
    pub(crate) fn open(&self) -> Result<File, Error> {
        self.kept.reopen().map_err(|source| Error::Keep { path: self.path.clone(), source })
    }

    /// Says that it can't be imported, for what was found in it.
    pub(crate) fn refuse(&self, layout: Layout) -> Error {
        Error::Layout { path: self.path.clone(), layout }
    }

    /// Says that the kept bytes can't be read.
    pub(crate) fn failed(&self, source: std::io::Error) -> Error {
        Error::Keep { path: self.path.clone(), source }
    }
}

/// A `Scan` looks at all bytes as they come, and keeps what tells one form of file from another.
#[derive(Default)]
struct Scan {
    head: Head,
    lines: u64,
    /// This is how many carriage returns have no line feed behind them.
    returns: u64,
    after_return: bool,
    line: Length,
    /// This is the number of the first line that is too long.
    too_long: Option<u64>,
}

/// A `Length` is the number of bytes of the line that is being taken.
#[derive(Default)]
struct Length(usize);

impl Length {
    fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

impl Scan {
    fn take(&mut self, piece: &[u8]) {
        self.head.take(piece);
        for byte in piece {
            if *byte == b'\n' {
                self.lines += 1;
                self.line = Length::default();
            } else {
                self.returns += u64::from(self.after_return);
                self.line.0 += 1;
                if self.line.0 > LONGEST_LINE {
                    self.too_long.get_or_insert(self.lines + 1);
                }
            }
            self.after_return = *byte == b'\r';
        }
    }

    fn layout(mut self) -> Option<Layout> {
        self.returns += u64::from(self.after_return);
        let form = self.head.form();
        if form.is_none() && self.lines == 0 && self.returns > 0 {
            return Some(Layout::CarriageReturns);
        }
        form.or(self.too_long.map(|line| Layout::LongLine { line, most: LONGEST_LINE }))
            .or_else(|| self.head.columns())
    }
}
