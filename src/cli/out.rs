//! Standard output is written here and nowhere else: it carries a command's result.

use std::fmt::Display;
use std::io::{ErrorKind, Result, Write};

use super::outcome::Error;

/// Writes a line. A reader that has gone away (`bookonce … | head`) is no failure: the work goes on, and the exit code still
/// says how it ended.
///
/// # Errors
/// Fails when standard output can't be written for another reason, such as a full disk.
pub(crate) fn line(text: impl Display) -> std::result::Result<(), Error> {
    let mut out = Unfailing(std::io::stdout().lock());
    Ok(writeln!(out, "{text}").and_then(|()| out.flush())?)
}

/// An `Unfailing` throws away what is written after the reader has gone.
pub(crate) struct Unfailing<W>(pub W);

impl<W: Write> Write for Unfailing<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut out = Unfailing(writer);
        writeln!(out, "unheard").unwrap();
        out.flush().unwrap();
    }
}
