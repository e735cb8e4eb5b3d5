//! What `bookonce send` and `bookonce outbox` have in common: where the outbox is, the key, and how they end.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::outcome::{Error, Exit, Outcome, complain};
use crate::client::outbox::error::Error as OutboxError;
use crate::client::outbox::state::State;

/// `At` says which outbox is meant.
#[derive(Debug, clap::Args)]
pub(super) struct At {
    /// The file of the outbox
    #[arg(long, value_name = "FILE", env = "BOOKONCE_OUTBOX")]
    pub(super) outbox: PathBuf,
}

/// `Key` says where the API key is, which is never taken from the command line and never stored.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Key {
    /// A file with the API key [default: the key in BOOKONCE_KEY, where the service asks for one]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl Key {
    /// Reads the key; nothing where none is given.
    pub(in crate::cli) fn read(&self) -> Result<Option<String>, Error> {
        let key = match &self.key_file {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| format!("can't read the key in {}: {error}", path.display()))?,
            None => std::env::var("BOOKONCE_KEY").unwrap_or_default(),
        };
        let key = key.trim();
        Ok((!key.is_empty()).then(|| key.to_owned()))
    }
}

/// Reads a length of time, such as `10s`, `5m` or `24h`.
pub(super) fn length(text: &str) -> Result<Duration, String> {
    let read: Option<jiff::SignedDuration> = text.parse().ok();
    read.and_then(|read| Duration::try_from(read).ok())
        .filter(|length| *length <= LONGEST)
        .ok_or_else(|| "must be a length of time such as 500ms, 10s, 5m or 24h, and at most 8784h".to_owned())
}

/// This is the longest time that can be said: a leap year.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Ends a command: what it could not do is said, with a code that no message's state has.
pub(super) fn ended(done: Result<Exit, Error>) -> Outcome {
    match done {
        Ok(exit) => Ok(exit),
        Err(error) => {
            complain(error.as_ref());
            let misuse = error.downcast_ref::<OutboxError>().is_some_and(OutboxError::is_misuse);
            Ok(if misuse { Exit::Usage } else { Exit::Found })
        }
    }
}

/// Returns the code that a message in this state gives.
const fn exit_of(state: State) -> Exit {
    match state {
        State::Confirmed => Exit::Ok,
        State::Declined | State::RuledOut | State::Replaced => Exit::Declined,
        State::Pending | State::Sending => Exit::NotAnswered,
        State::NeedsAttention(_) => Exit::NeedsAttention,
    }
}

/// Returns the worst of the codes of these states: 0 < 4 < 3 < 5.
pub(super) fn worst(states: impl IntoIterator<Item = State>) -> Exit {
    let rank = |exit: &Exit| {
        [Exit::Ok, Exit::Declined, Exit::NotAnswered, Exit::NeedsAttention].iter().position(|it| it == exit)
    };
    states.into_iter().map(exit_of).max_by_key(rank).unwrap_or(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::outbox::state::Why;

    #[test]
    fn the_worst_message_gives_the_code() {
        let (lost, refused) = (State::Pending, State::NeedsAttention(Why::Refused));
        for (states, exit) in [
            (vec![], Exit::Ok),
            (vec![State::Confirmed, State::Confirmed], Exit::Ok),
            (vec![State::Confirmed, State::Declined], Exit::Declined),
            (vec![State::Declined, lost, State::Confirmed], Exit::NotAnswered),
            (vec![lost, refused, State::Declined], Exit::NeedsAttention),
        ] {
            assert_eq!(worst(states.clone()), exit, "{states:?}");
        }
    }

    #[test]
    fn a_length_of_time_is_read() {
        assert_eq!(length("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(length("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(length("0s"), Ok(Duration::ZERO));
        for text in ["", "10", "-1s", "never", "9000h"] {
            assert!(length(text).is_err(), "{text}");
        }
    }
}
