//! [`Limits`] are the limits on sockets. This file also says how many connections the limit on open files allows.

use std::time::Duration;

/// `Limits` are the limits on sockets.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// This is how many connections there may be at once; one more is told 503 and closed.
    pub connections: usize,
    /// This is how long a request's head may take to come. It is noticed up to half a second late.
    pub head: Duration,
    /// This is how long a connection may rest between two requests.
    pub idle: Duration,
    /// This is how long a peer may take for the next bytes of its answer.
    pub write: Duration,
    /// This is how long requests that are under way when the service stops may take.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            head: Duration::from_secs(9),
            idle: Duration::from_secs(60),
            write: Duration::from_secs(9),
            drain: Duration::from_secs(10),
        }
    }
}

/// This is how many files the store and the index need beside the connections.
const OTHER_FILES: u64 = 1024;

/// Raises the limit on open files as far as it goes, and returns how many connections they allow.
///
/// The connections are limited by [`Limits`], then, and not by the shell that starts the service. Where there are too
/// few files, enough of them are left to the store, which must not fail because of too many peers.
pub(crate) fn allowed_connections(wanted: usize) -> usize {
    let files = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(OTHER_FILES);
    let allowed = match rlimit::increase_nofile_limit(files) {
        Ok(allowed) => allowed,
        Err(error) => {
            tracing::warn!(%error, "the limit on open files could not be raised");
            rlimit::Resource::NOFILE.get_soft().unwrap_or(OTHER_FILES)
        }
    };
    let connections = within(allowed).min(wanted);
    if connections < wanted {
        tracing::warn!(
            allowed,
            wanted,
            connections,
            "few files may be open at once: fewer connections are taken"
        );
    }
    connections
}

/// Returns how many connections may be open with so many files.
fn within(files: u64) -> usize {
    usize::try_from(files.saturating_sub(OTHER_FILES).max(files / 4)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_the_store() {
        assert_eq!([256, 1_024, 1_500, 9_216].map(within), [64, 256, 476, 8_192]);
    }
}
