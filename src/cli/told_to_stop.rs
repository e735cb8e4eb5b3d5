//! A process is told to stop by Ctrl-C or by SIGTERM: a service, and also a demonstration or a measurement, which stops the
//! services that it started.

use tokio::signal::unix::{SignalKind, signal};

use super::outcome::Error;

/// Resolves at the first SIGTERM or SIGINT; the second ends the process at once.
pub(super) fn told_to_stop() -> Result<impl Future<Output = ()>, Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop");
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::warn!("told to stop again: stopping at once");
            std::process::exit(130);
        });
    })
}
