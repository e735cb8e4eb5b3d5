//! [`prepare_tls`] lets the `eventstore` crate install the TLS provider of the process before anything else does.
//!
//! The crate installs the provider when it makes its first client, in a task of its own, and **panics there when one is
//! already installed**; after that no client of the process ever connects. So a client that is thrown away is made before
//! anything else uses TLS.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use tokio::sync::OnceCell;

use crate::store::eventstoredb::Error;

static ONCE: OnceCell<()> = OnceCell::const_new();
static TOO_LATE: AtomicBool = AtomicBool::new(false);

/// This is how long the client that is thrown away is waited for. It reads the root certificates of the machine first.
const PATIENCE_MS: u64 = 10_000;

/// Lets the `eventstore` crate install the TLS provider. It must be called in a tokio runtime, at the very beginning,
/// before anything uses rustls; later calls do nothing.
pub async fn prepare_tls() {
    ONCE.get_or_init(|| async {
        if CryptoProvider::get_default().is_some() {
            TOO_LATE.store(true, Ordering::Release);
            return;
        }
        let Ok(settings) = "esdb://127.0.0.1:1?tls=false".parse() else { return };
        let _thrown_away = eventstore::Client::new(settings);
        for _ in 0..PATIENCE_MS / 2 {
            if CryptoProvider::get_default().is_some() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// Says whether clients can be made.
pub fn prepared() -> Result<(), Error> {
    if TOO_LATE.load(Ordering::Acquire) {
        return Err(Error::Settings(
            "something used TLS before prepare_tls, a fault of this program".to_owned(),
        ));
    }
    if CryptoProvider::get_default().is_none() {
        return Err(Error::Settings("the machine's root certificates can't be read".to_owned()));
    }
    Ok(())
}
