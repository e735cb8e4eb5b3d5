//! This file tells whether a request is certain to come from this machine's own user. Before the first key nobody
//! else is let in.
//!
//! That the connection is a loopback one is not enough. A page of another site in a browser on this machine sends its requests
//! over loopback, and names itself as `Origin`, or, with a name of its own that leads to this machine (DNS
//! rebinding), as `Host`.
//! A proxy on this machine sends everybody's requests over loopback, and says so in `Forwarded`, `Via` and the like.

use std::net::IpAddr;

use axum::http::header::{FORWARDED, HOST, ORIGIN, VIA};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};

/// Says whether a request that came over loopback is this machine's own user's.
pub(crate) fn is_local(uri: &Uri, headers: &HeaderMap) -> bool {
    let hosts = headers.get_all(HOST).iter().map(|host| host.to_str().ok());
    let origins = headers.get_all(ORIGIN).iter().map(|origin| origin.to_str().ok());
    uri.host().is_none_or(is_loopback_name)
        && hosts
            .into_iter()
            .all(|host| host.is_some_and(|host| names_this_machine(host.parse::<Authority>())))
        && origins.into_iter().all(|origin| origin.is_some_and(|origin| is_own_page(origin.parse::<Uri>())))
        && !is_forwarded(headers)
}

/// Says whether an address is this machine's.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn names_this_machine<E>(host: Result<Authority, E>) -> bool {
    host.is_ok_and(|host| is_loopback_name(host.host()))
}

fn is_own_page<E>(origin: Result<Uri, E>) -> bool {
    origin.is_ok_and(|origin| origin.host().is_some_and(is_loopback_name))
}

fn is_loopback_name(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(is_loopback)
}

/// Says whether a proxy says that it passed the request on.
fn is_forwarded(headers: &HeaderMap) -> bool {
    let of_a_proxy = |name: &str| name.starts_with("x-forwarded-") || name == "x-real-ip";
    headers.contains_key(FORWARDED)
        || headers.contains_key(VIA)
        || headers.keys().any(|name| of_a_proxy(name.as_str()))
}
