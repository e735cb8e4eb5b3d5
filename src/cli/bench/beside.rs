//! [`beside`] lets others make use of a service while it is measured.

use std::io::Error;
use std::sync::atomic::{AtomicBool, Ordering};

/// Does something on another thread, as long as `work` takes.
pub(super) fn beside<O: Send, T>(
    other: impl FnOnce(&AtomicBool) -> Result<O, Error> + Send,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<(O, T), Error> {
    let going = AtomicBool::new(true);
    std::thread::scope(|threads| {
        let other = threads.spawn(|| other(&going));
        let done = work();
        going.store(false, Ordering::Release);
        let other = other.join().map_err(|_| Error::other("what was to go on beside it broke down"))??;
        Ok((other, done?))
    })
}
