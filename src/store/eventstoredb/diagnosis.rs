//! [`why`] finds out why no client can connect. The crate does not say it: its error is a count of attempts, or no text at all.
//!
//! The hosts of the connection string are asked one after the other, as the client asks them. It is done only after a
//! client has failed to connect, and takes no more than [`PATIENCE`].

use std::error::Error as _;
use std::time::Duration;

use eventstore::ClientSettings;
use reqwest::{Certificate, Client};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Error;

/// This is how long all hosts together may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Says why the hosts of these settings can't be connected to, if that can be found out.
pub(super) async fn why(settings: &ClientSettings) -> Option<Error> {
    timeout(PATIENCE, ask(settings)).await.ok().flatten()
}

async fn ask(settings: &ClientSettings) -> Option<Error> {
    let mut closed = Vec::new();
    for endpoint in settings.hosts() {
        let host = format!("{}:{}", endpoint.host, endpoint.port);
        match TcpStream::connect(&host).await {
            Err(error) => closed.push(format!("{host}: {error}")),
            Ok(_) if !settings.is_secure_mode_enabled() => return None,
            Ok(socket) => {
                drop(socket);
                if let Some(why) = untrusted(settings, &host).await {
                    return Some(Error::Untrusted(format!("{host}: {why}")));
                }
            }
        }
    }
    let all = closed.len() == settings.hosts().len();
    (all && !closed.is_empty()).then(|| Error::Unreachable(closed.join(", ")))
}

/// Says what is wrong with the certificate of a host, if something is.
async fn untrusted(settings: &ClientSettings, host: &str) -> Option<String> {
    if !settings.is_tls_certificate_verification_enabled() {
        return None;
    }
    let mut client = Client::builder().no_proxy();
    if let Some(path) = settings.tls_ca_file() {
        client = client.tls_certs_only(Certificate::from_pem_bundle(&std::fs::read(path).ok()?).ok()?);
    }
    let error = client.build().ok()?.get(format!("https://{host}/")).send().await.err()?;
    let mut cause = error.source();
    while let Some(known) = cause {
        let text = known.to_string();
        if text.contains("certificate") {
            return Some(text);
        }
        cause = known.source();
    }
    None
}
