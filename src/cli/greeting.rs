//! The greeting is what `bookonce serve` says on standard output when it listens: where, and who is let in.

use std::net::SocketAddr;

use serde_json::json;

use crate::config::Settings;
use crate::keys::Ring;
use crate::telemetry::LogFormat;

/// A `Greeting` is what is said of a service that has begun to listen.
pub(super) struct Greeting {
    scheme: &'static str,
    address: SocketAddr,
    kept: String,
    keys: String,
    tls: bool,
    paused: Option<&'static str>,
}

impl Greeting {
    /// Makes the greeting of a service at this address.
    pub(super) fn new(
        settings: &Settings,
        keys: &Ring,
        address: SocketAddr,
        paused: Option<&'static str>,
    ) -> Self {
        let tls = settings.tls.is_some();
        let kept = if settings.store.is_some() { "index" } else { "data" };
        let keys = match keys.count() {
            None => "No key has been made: only this machine is let in, and everybody on it is an operator."
                .to_owned(),
            Some((good, made)) => {
                format!("Every request needs a key. Keys that are good: {good} of {made}.")
            }
        };
        Self {
            scheme: if tls { "https" } else { "http" },
            address,
            kept: format!("{kept} in {}", settings.data.display()),
            keys,
            tls,
            paused,
        }
    }

    /// Returns the greeting in the form of the log: lines for people, or one JSON object.
    pub(super) fn show(&self, form: LogFormat) -> String {
        let Self { scheme, address, kept, keys, tls, paused } = self;
        let first = format!("bookonce is listening on {scheme}://{address}, {kept}");
        let front = format!("{scheme}://{}/", reachable(*address));
        let docs = format!("{front}docs/");
        let secured =
            if *tls { "With TLS." } else { "Without TLS: whoever sees the traffic can read it, keys too." };
        match form {
            LogFormat::Text => {
                let paused = paused.map_or_else(String::new, |why| {
                    format!("\n  Transfers are paused, because {why}: `bookonce serve --resume-transfers` goes on.")
                });
                format!(
                    "{first}\n  {front} says how it is, {docs} lets you try every request.\n  {keys}\n  {secured}{paused}"
                )
            }
            LogFormat::Json => {
                let mut said =
                    json!({"message": first, "front": front, "docs": docs, "keys": keys, "tls": tls});
                if let (Some(why), Some(said)) = (paused, said.as_object_mut()) {
                    said.insert("transfers_paused".to_owned(), json!(why));
                }
                said.to_string()
            }
        }
    }
}

/// Returns an address at which a browser on this machine finds what listens at this one.
fn reachable(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}
