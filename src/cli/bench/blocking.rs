//! Work that blocks, such as sending a load, runs on threads of its own, beside the runtime that watches the services.

use crate::cli::outcome::Error;

/// Runs what blocks on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await?
}
