//! A [`Guard`] looks up a host's addresses and lets through only a list that is allowed as a whole.
//!
//! The connection is made to one of the very addresses that were looked at, so that a name which answers with another address
//! the next time reaches nothing. A host that is an address itself never comes here: it is looked at in the settings.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::addresses::Allowed;

/// A `LookUp` finds the addresses of a host. It blocks for as long as the system's resolver does, on a thread of its own.
pub(super) type LookUp = Arc<dyn Fn(&str) -> std::io::Result<Vec<IpAddr>> + Send + Sync>;

/// A `Guard` is the resolver of a webhook.
pub(super) struct Guard {
    pub(super) allowed: Allowed,
    pub(super) look_up: LookUp,
}

/// The error of a host that has an address to which nothing may be sent.
#[derive(Debug, thiserror::Error)]
#[error("the host has the blocked address {0}")]
pub(super) struct BlockedAddress(pub(super) IpAddr);

/// Finds the addresses of a host through the system.
pub(super) fn system() -> LookUp {
    use std::net::ToSocketAddrs as _;
    Arc::new(|host| Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect()))
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, look_up) = (self.allowed.clone(), Arc::clone(&self.look_up));
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let asked = host.clone();
            let found = tokio::task::spawn_blocking(move || look_up(&asked)).await??;
            match found.iter().find(|address| !allowed.may_reach(&host, **address)) {
                Some(address) => Err(Box::new(BlockedAddress(*address)) as _),
                None => Ok(Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs),
            }
        })
    }
}
