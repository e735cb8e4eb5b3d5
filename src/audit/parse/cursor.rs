//! A cursor goes over the bytes of one line, and accepts exactly one spelling of everything.
//!
//! What it has passed over is therefore in the canonical form, and need not be written out again to be compared.

use crate::audit::values::finding::Flaw;
use crate::audit::values::span::Span;

/// A cursor knows how far a line was read.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    block: &'a [u8],
    start: usize,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Begins at `start` of a block that ends with the line's last byte (without its line feed).
    #[must_use]
    pub(crate) fn new(block: &'a [u8], start: usize) -> Self {
        Self { block, start, at: start }
    }

    /// Says where in the block it is.
    #[must_use]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a [u8] {
        self.block.get(self.at..).unwrap_or_default()
    }

    /// Goes on by this many bytes. They were looked at, so they are in the block, and the sum can't wrap around.
    #[inline]
    fn pass(&mut self, bytes: usize) {
        self.at = self.at.wrapping_add(bytes);
    }

    /// Makes the flaw that the line is not as it should be here.
    #[must_use]
    pub(crate) fn wrong(&self, expected: &'static str) -> Flaw {
        Flaw::Layout { byte: self.at.saturating_sub(self.start).saturating_add(1), expected }
    }

    /// Passes over exactly this text.
    ///
    /// # Errors
    /// Fails when another text stands here.
    #[inline]
    pub(crate) fn literal(&mut self, text: &'static str) -> Result<(), Flaw> {
        if self.maybe(text) { Ok(()) } else { Err(self.wrong(text)) }
    }

    /// Passes over this text if it stands here, and says whether it does.
    #[inline]
    pub(crate) fn maybe(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text.as_bytes());
        if found {
            self.pass(text.len());
        }
        found
    }

    /// Passes over this many bytes, and gives them.
    ///
    /// # Errors
    /// Fails when the line ends before.
    #[inline]
    pub(crate) fn bytes<const N: usize>(&mut self, expected: &'static str) -> Result<&'a [u8; N], Flaw> {
        let bytes = self.rest().first_chunk().ok_or_else(|| self.wrong(expected))?;
        self.pass(N);
        Ok(bytes)
    }

    /// Reads a whole number without leading zeros.
    ///
    /// # Errors
    /// Fails when no number stands here, or one that does not fit into 64 bits.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<u64, Flaw> {
        let rest = self.rest();
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let number = rest.get(..digits).unwrap_or_default();
        if digits == 0 || (digits > 1 && number.first() == Some(&b'0')) {
            return Err(self.wrong("a whole number"));
        }
        let value = number
            .iter()
            .try_fold(0_u64, |sum, digit| {
                sum.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
            })
            .ok_or_else(|| self.wrong("a whole number of 64 bits"))?;
        self.pass(digits);
        Ok(value)
    }

    /// Reads the rest of a string and its closing quote. Its only spelling is the one with the shortest escapes of JSON.
    ///
    /// # Errors
    /// Fails when the string does not end, or is escaped in another way.
    pub(crate) fn text(&mut self) -> Result<Span, Flaw> {
        let start = self.at;
        loop {
            let rest = self.rest();
            let plain = rest.iter().take_while(|b| !matches!(b, b'"' | b'\\' | 0..0x20)).count();
            self.pass(plain);
            match rest.get(plain) {
                Some(b'"') => {
                    let span = self.span(start, self.at);
                    self.pass(1);
                    return Ok(span);
                }
                Some(b'\\') => self.escape()?,
                _ => return Err(self.wrong("the end of a string")),
            }
        }
    }

    /// Reads the rest of a string that has no escapes, such as a name or a sum, and its closing quote.
    ///
    /// # Errors
    /// Fails when the string does not end, or has an escape.
    #[inline]
    pub(crate) fn word(&mut self) -> Result<Span, Flaw> {
        let rest = self.rest();
        let length = rest.iter().take_while(|b| !matches!(b, b'"' | b'\\' | 0..0x20)).count();
        if rest.get(length) != Some(&b'"') {
            return Err(self.wrong("a plain word"));
        }
        let start = self.at;
        self.pass(length);
        let span = self.span(start, self.at);
        self.pass(1);
        Ok(span)
    }

    /// Makes the span of a part of the block that was passed over.
    #[must_use]
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(start, end)
    }

    fn escape(&mut self) -> Result<(), Flaw> {
        let short = matches!(self.rest().get(1), Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't'));
        if short {
            self.pass(2);
            return Ok(());
        }
        let low = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        match self.rest() {
            // Those that have a short escape must use it.
            [b'\\', b'u', b'0', b'0', b'0', b'8' | b'9' | b'a' | b'c' | b'd', ..] => {}
            [b'\\', b'u', b'0', b'0', b'0' | b'1', digit, ..] if low(digit) => {
                self.pass(6);
                return Ok(());
            }
            _ => {}
        }
        Err(self.wrong("an escape in its one spelling"))
    }

    /// Checks that the line ends here.
    ///
    /// # Errors
    /// Fails when the line goes on.
    pub(crate) fn end(&self) -> Result<(), Flaw> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.wrong("the end of the line")) }
    }
}

/// Gives the text of a JSON string without its escapes. Keys are in the order of these texts.
#[must_use]
pub(crate) fn unescaped(raw: &[u8]) -> Vec<u8> {
    let quoted = [b"\"", raw, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).map(String::into_bytes).unwrap_or_else(|_| raw.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_one_spelling_only() {
        for raw in ["plain", "", "tab\\t", "quote\\\" and \\\\", "\\u0000\\u001f\\u007f", "ü"] {
            let line = format!("{raw}\"");
            let mut cursor = Cursor::new(line.as_bytes(), 0);
            let spelled = serde_json::from_str::<String>(&format!("\"{raw}\"")).unwrap();
            let canonical = serde_json::to_string(&spelled).unwrap() == format!("\"{raw}\"");
            assert_eq!(cursor.text().is_ok(), canonical, "{raw}");
        }
        for raw in ["\\u000a", "\\u0041", "\\/", "\\u001F", "\\x", "a\nb", "open\\"] {
            let line = format!("{raw}\"");
            assert!(Cursor::new(line.as_bytes(), 0).text().is_err(), "{raw}");
        }
    }

    #[test]
    fn every_control_character_is_taken_as_serde_writes_it() {
        for code in 0..0x80_u8 {
            let text = serde_json::to_string(&char::from(code).to_string()).unwrap();
            assert!(Cursor::new(text.as_bytes(), 1).text().is_ok(), "{text}");
        }
    }

    #[test]
    fn a_number_has_no_leading_zero_and_fits() {
        for (text, value) in [("0,", Some(0)), ("17,", Some(17)), ("18446744073709551615", Some(u64::MAX))] {
            assert_eq!(Cursor::new(text.as_bytes(), 0).number().ok(), value);
        }
        for text in ["", "x", "01", "-1", "18446744073709551616"] {
            assert!(Cursor::new(text.as_bytes(), 0).number().is_err(), "{text}");
        }
    }
}
