//! This test uses TLS before the event store's client does, which makes that client useless for the whole process: an
//! error says so at once. It is a binary of its own, because it spoils its process.

#![allow(clippy::unwrap_used, reason = "a test says so by failing")]

use bookonce::store::eventstoredb::{Error, Store, prepare_tls};

#[tokio::test]
async fn a_provider_that_was_first_is_a_fault_that_is_named() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    prepare_tls().await;
    let refused = Store::new("esdb://127.0.0.1:1?tls=false").await.unwrap_err();
    assert!(matches!(refused, Error::Settings(_)), "{refused:?}");
}
