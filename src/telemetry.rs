//! Logs are written to standard error by `tracing`, one line for each message, for people or as JSON for machines.
//!
//! What a client sent is never part of a message. It is a field, which both formats escape.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A filter error says why a filter can't be used. One that names nothing that exists would silence the log.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FilterError {
    /// A part of it is neither a level nor a target with a level.
    #[error(
        "the log filter's {0:?} is no level (off, error, warn, info, debug or trace) and no target with a level, such as \
         bookonce=debug"
    )]
    NoLevel(String),
    /// It has targets alone, and none of them is in this program.
    #[error("the log filter {0:?} says nothing about bookonce's own messages: add a level, such as info")]
    Silent(String),
}

/// Checks that each part of a filter is a level or a target with a level, and that one is about this program.
fn check(filter: &str) -> Result<(), FilterError> {
    if filter.contains('[') {
        // A span's fields may have commas, so a filter with them is not checked any further.
        return Ok(());
    }
    let is_level = |text: &str| !text.is_empty() && text.parse::<LevelFilter>().is_ok();
    let is_ours = |target: &str| target.split("::").next() == Some(env!("CARGO_PKG_NAME"));
    let mut about_us = false;
    for part in filter.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (target, level) = part.split_once('=').unwrap_or((part, ""));
        let bare = !part.contains('=');
        let known = is_level(if bare { part } else { level }) || (bare && is_ours(part));
        if !known {
            return Err(FilterError::NoLevel(part.to_owned()));
        }
        about_us |= is_ours(target) || bare;
    }
    if about_us { Ok(()) } else { Err(FilterError::Silent(filter.to_owned())) }
}

/// Starts logging. `filter` is in the form of `RUST_LOG`, such as `info` or `bookonce=debug`.
///
/// # Errors
/// Fails when the filter can't be understood, or logging was started before.
pub(crate) fn start(format: LogFormat, filter: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    check(filter)?;
    // The store's client logs as errors what happens every day to its adapter, which itself logs what matters.
    let filter = EnvFilter::try_new(format!("eventstore=off,{filter}"))?;
    let registry = tracing_subscriber::registry().with(filter);
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    match format {
        LogFormat::Text => registry.with(lines.with_target(false)).try_init()?,
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs a panic as one line like any other message, and prints no stack on the terminal.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let said = panic.payload_as_str().unwrap_or_default();
    let thread = std::thread::current().name().unwrap_or_default().to_owned();
    tracing::error!(place, said, thread, "panicked: a fault of this program");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against: `warning` was taken for the name of a target, and nothing was logged any more.
    #[test]
    fn a_filter_that_would_silence_everything_is_refused() {
        for filter in [
            "info",
            "WARN",
            "off",
            "bookonce=debug",
            "bookonce",
            "warn,bookonce::http=trace",
            "hyper=debug,info",
        ] {
            assert_eq!(check(filter), Ok(()), "{filter}");
        }
        for filter in ["warning", "inof", "info,inof", "bookonce=inof", "bookonce=", "hyper"] {
            assert!(matches!(check(filter), Err(FilterError::NoLevel(_))), "{filter}");
        }
        for filter in ["", "hyper=debug", "booknce=info"] {
            assert!(matches!(check(filter), Err(FilterError::Silent(_))), "{filter}");
        }
    }
}
