//! Progress is shown on standard error while a command works, and only when that is a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress line counts events.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Begins to count, under this name.
    #[must_use]
    pub(crate) fn new(doing: &'static str) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{spinner} {msg}: {human_pos} events, {per_sec}, {elapsed}");
        Self(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(doing))
    }

    /// Shows that this many events are done.
    pub(crate) fn at(&self, events: u64) {
        self.0.set_position(events);
    }

    /// Takes the line away.
    pub(crate) fn done(&self) {
        self.0.finish_and_clear();
    }
}
