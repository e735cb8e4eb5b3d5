//! The wire is HTTP/1.1, made as cheap as possible: a connection sends the bytes of a request, and the parser looks for three
//! things in an answer.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use memchr::memmem;

use crate::client::random::Draws;

/// An account's name ends with this many digits.
pub(super) const DIGITS: usize = 6;

/// The accounts of a load have names such as `bench-1f3a09c4-000042`, with the number of the run, so that runs may share a
/// store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accounts {
    /// This is the number of the run.
    pub(crate) run: u32,
    /// This is the number of the first account.
    pub(crate) first: u32,
    /// This is the number of accounts.
    pub(crate) count: u32,
}

impl Accounts {
    /// Makes this many accounts that no run before has used.
    #[must_use]
    pub(crate) fn fresh(count: u32) -> Self {
        Self { run: u32::try_from(Draws::fresh().next() >> 32).unwrap_or_default(), first: 0, count }
    }

    /// Gives their numbers.
    #[must_use]
    pub(crate) fn numbers(&self) -> std::ops::Range<u32> {
        self.first..self.first + self.count
    }

    /// Gives the name of one account.
    #[must_use]
    pub(crate) fn name(&self, number: u32) -> String {
        format!("bench-{:08x}-{number:0DIGITS$}", self.run)
    }

    /// Draws the number of one of them.
    pub(crate) fn draw(&self, draws: &Draws) -> u32 {
        self.first + u32::try_from(draws.below(self.count.into())).unwrap_or(0)
    }

    /// Draws the number of one of them that is not `account`, where there are two.
    pub(crate) fn draw_other(&self, draws: &Draws, account: u32) -> u32 {
        let others = u64::from(self.count).saturating_sub(1);
        let step = u32::try_from(draws.below(others)).unwrap_or(0) + 1;
        self.first + (account - self.first + step) % self.count.max(1)
    }
}

/// Draws an ID, as its bytes.
pub(crate) fn id(draws: &Draws) -> [u8; 16] {
    *draws.id().as_bytes()
}

/// An `AnswerHead` is the head of an answer, as far as it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnswerHead {
    pub(crate) status: u16,
    /// This is true when it is a first answer, given again.
    pub(crate) replayed: bool,
    /// This is the length of the head.
    pub(crate) length: usize,
    /// This is the length of the body; `None` when it comes in chunks.
    pub(crate) body: Option<usize>,
}

/// Reads the head of an answer; `None` while it is not whole.
///
/// # Errors
/// Fails when it is no HTTP/1.1 answer.
pub(crate) fn head(bytes: &[u8]) -> Result<Option<AnswerHead>, Error> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let text = bytes.get(..end).unwrap_or_default();
    let status = text.strip_prefix(b"HTTP/1.1 ").and_then(|rest| number(rest.get(..3)?));
    let status = status.ok_or_else(|| Error::new(ErrorKind::InvalidData, "this is no HTTP/1.1 answer"))?;
    let mut found = AnswerHead {
        status: u16::try_from(status).unwrap_or(0),
        replayed: false,
        length: end + 4,
        body: Some(0),
    };
    for line in memmem::find_iter(text, b"\r\n").filter_map(|at| text.get(at + 2..)) {
        if let Some(value) = header(line, b"content-length:") {
            found.body = number(value);
        } else if header(line, b"transfer-encoding:").is_some() {
            found.body = None;
        } else if header(line, b"idempotent-replayed:").is_some() {
            found.replayed = true;
        }
    }
    Ok(Some(found))
}

/// Gives the value of this header, when the line is this header.
fn header<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, rest) = line.split_at_checked(name.len())?;
    let value = rest.split(|byte| *byte == b'\r').next()?;
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn number(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A connection sends a request and waits for its answer before the next one.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// The first `filled` bytes are what has come. The rest is room that is made once and used again.
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// Fails when nobody listens.
    pub(crate) fn open(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 16 << 10], filled: 0 })
    }

    /// Sends a request and reads its whole answer: the head, and the body as it came (chunks with their sizes).
    ///
    /// # Errors
    /// Fails when the connection breaks or the answer is no HTTP.
    pub(crate) fn ask(&mut self, request: &[&[u8]]) -> Result<(AnswerHead, &[u8]), Error> {
        for part in request {
            self.stream.write_all(part)?;
        }
        self.filled = 0;
        let head = loop {
            self.read()?;
            if let Some(head) = head(self.come())? {
                break head;
            }
        };
        while !match head.body {
            Some(length) => self.filled >= head.length + length,
            None => self.come().ends_with(b"0\r\n\r\n"),
        } {
            self.read()?;
        }
        Ok((head, self.come().get(head.length..).unwrap_or_default()))
    }

    fn come(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    fn read(&mut self) -> Result<(), Error> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(2 * self.filled, 0);
        }
        match self.stream.read(self.buffer.get_mut(self.filled..).unwrap_or_default())? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            read => {
                self.filled += read;
                Ok(())
            }
        }
    }

    /// Reads one of the service's figures.
    ///
    /// # Errors
    /// Fails as [`get`](Self::get), or when it has no such figure.
    pub(crate) fn figure(&mut self, name: &str) -> Result<u64, Error> {
        let metrics = self.get("/metrics")?;
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let value = value.and_then(|number| number.trim().parse().ok());
        value.ok_or_else(|| Error::other(format!("the service does not tell its {name}")))
    }

    /// Reads a path and gives its body as text.
    ///
    /// # Errors
    /// Fails as [`ask`](Self::ask), or when the status is not 200.
    pub(crate) fn get(&mut self, path: &str) -> Result<String, Error> {
        let (head, body) =
            self.ask(&[format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()])?;
        if head.status != 200 {
            return Err(Error::other(format!("{path} was answered with {}", head.status)));
        }
        Ok(String::from_utf8_lossy(body).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answers_head_is_read_when_it_is_whole() {
        let text = b"HTTP/1.1 201 Created\r\nContent-Length: 12\r\nIdempotent-Replayed: true\r\n\r\n{}";
        let expected = AnswerHead { status: 201, replayed: true, length: text.len() - 2, body: Some(12) };
        assert_eq!(head(text).unwrap(), Some(expected));
        assert_eq!(head(&text[..40]).unwrap(), None);
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(head(chunked).unwrap().map(|head| (head.body, head.replayed)), Some((None, false)));
        assert!(head(b"SSH-2.0\r\n\r\n").is_err());
    }
}
