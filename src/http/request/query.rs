//! This file reads query strings: known parameters, each once, each of its form.
//!
//! A `+` stands for itself, as RFC 3986 has it, so that an offset in a time need not be encoded.

use crate::domain::time::Timestamp;
use crate::http::problem::details::Problem;
use crate::ledger::{At, Position};

/// `Params` are the parameters of a query.
#[derive(Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

/// This is the one parameter that may come more than once.
const REPEATABLE: &str = "at_position";

impl Params {
    /// Reads a query of the parameters of these groups.
    ///
    /// # Errors
    /// Answers 400 for another parameter, or one that comes twice.
    pub(crate) fn read(query: Option<&str>, known: &[&[&str]]) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let broken = || Problem::field("query", "must be percent-encoded UTF-8");
            let (name, value) = (decoded(name).ok_or_else(broken)?, decoded(value).ok_or_else(broken)?);
            if !known.iter().any(|group| group.contains(&name.as_str())) {
                let shown: String = name.chars().take(64).collect();
                return Err(Problem::field(shown, "is not a parameter of this request"));
            }
            if name != REPEATABLE && pairs.iter().any(|(other, _)| *other == name) {
                return Err(Problem::field(name, "is there more than once"));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// Makes sure that the query has no parameter.
    ///
    /// # Errors
    /// Answers 400 when it has one.
    pub(crate) fn none(query: Option<&str>) -> Result<(), Problem> {
        Self::read(query, &[]).map(|_| ())
    }

    /// Returns the text of the parameter with this name.
    #[must_use]
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a parameter, as `parse` reads it.
    ///
    /// # Errors
    /// Answers 400 with `problem` when it is there and can't be read.
    pub(crate) fn parsed<T>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
        problem: &'static str,
    ) -> Result<Option<T>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => parse(text).map(Some).ok_or_else(|| Problem::field(name, problem)),
        }
    }

    /// Returns the value of `limit`: how many items are wanted.
    ///
    /// # Errors
    /// Answers 400 outside 1 to 1000.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let parse = |text: &str| number(text).filter(|n| (1..=1000).contains(n)).map(|n| n as usize);
        Ok(self.parsed("limit", parse, "must be a number from 1 to 1000")?.unwrap_or(100))
    }

    /// Returns the moment that a parameter names.
    ///
    /// # Errors
    /// Answers 400 when it is none.
    pub(crate) fn moment(&self, name: &'static str) -> Result<Option<Timestamp>, Problem> {
        let read = |text| Timestamp::parse(text).map_err(|reason| Problem::field(name, reason.to_string()));
        self.get(name).map(read).transpose()
    }

    /// Returns the position that a parameter names.
    ///
    /// # Errors
    /// Answers 400 when it is none.
    pub(crate) fn position(&self, name: &'static str) -> Result<Option<Position>, Problem> {
        self.parsed(name, number, NOT_A_POSITION)
    }

    /// Returns the values of `from` and `to`.
    ///
    /// # Errors
    /// Answers 400 when one is no moment, or the first is after the second.
    pub(crate) fn period(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
        let (from, to) = (self.moment("from")?, self.moment("to")?);
        match (from, to) {
            (Some(from), Some(to)) if from > to => Err(Problem::field("from", "must not be after `to`")),
            period => Ok(period),
        }
    }

    /// As of when the client wants to look: a moment of one kind or of both, or positions.
    ///
    /// # Errors
    /// Answers 400 for several kinds at once, or what can't be read.
    pub(crate) fn at(&self) -> Result<Vec<At>, Problem> {
        let moment = match (self.moment("as_of")?, self.moment("known_at")?) {
            (Some(effective), Some(known)) => Some(At::Both { effective, known }),
            (effective, known) => effective.map(At::Effective).or(known.map(At::Known)),
        };
        let positions = self.0.iter().filter(|(name, _)| name == REPEATABLE);
        let positions: Option<Vec<At>> = positions.map(|(_, text)| number(text).map(At::Position)).collect();
        let mut all = positions.ok_or_else(|| Problem::field(REPEATABLE, NOT_A_POSITION))?;
        if moment.is_some() && !all.is_empty() {
            let name = if self.get("as_of").is_some() { "as_of" } else { "known_at" };
            return Err(Problem::field(name, "goes without at_position"));
        }
        if all.len() > 100 {
            return Err(Problem::field(REPEATABLE, "may be there at most 100 times"));
        }
        all.extend(moment);
        Ok(all)
    }
}

const NOT_A_POSITION: &str = "must be a position: a whole number, not negative";

/// Reads a whole number in plain digits, up to 2^63 - 1: no position is larger, on either store.
fn number(text: &str) -> Option<u64> {
    let plain = (1..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok().filter(|number| i64::try_from(*number).is_ok()) } else { None }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let mut value = [0];
            hex::decode_to_slice(digits, &mut value).ok()?;
            bytes.extend(value);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
