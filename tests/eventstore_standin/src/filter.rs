//! [`Filter`] picks events of `$all`, by prefixes or by a regular expression, of the stream's name or of the event's
//! type.

use fancy_regex::Regex;
use tonic::Status;

use super::log::Entry;
use super::proto::read::{Expression, FilterOn, FilterOptions};

pub struct Filter {
    on_stream: bool,
    test: Test,
}

enum Test {
    Prefixes(Vec<String>),
    /// With look-ahead: a common client says "none of these" by it.
    Regex(Regex),
}

impl Filter {
    pub fn new(options: &FilterOptions) -> Result<Self, Status> {
        let (on_stream, Expression { regex, prefix }) = match &options.on {
            Some(FilterOn::Stream(expression)) => (true, expression),
            Some(FilterOn::EventType(expression)) => (false, expression),
            None => return Err(Status::invalid_argument("a filter on nothing")),
        };
        let test = if regex.is_empty() {
            Test::Prefixes(prefix.clone())
        } else {
            Test::Regex(Regex::new(regex).map_err(|error| Status::invalid_argument(error.to_string()))?)
        };
        Ok(Self { on_stream, test })
    }

    pub fn lets_through(&self, entry: &Entry) -> bool {
        let subject = if self.on_stream { &entry.stream } else { &entry.kind };
        match &self.test {
            Test::Prefixes(prefixes) => prefixes.iter().any(|prefix| subject.starts_with(prefix.as_str())),
            Test::Regex(regex) => regex.is_match(subject).unwrap_or(false),
        }
    }
}
