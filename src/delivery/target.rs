//! A target is the URL to which a webhook's messages are posted. What can be seen to be wrong with it is refused in the
//! settings, before anything is sent.

use std::net::IpAddr;

use reqwest::Url;

use super::addresses::Allowed;

/// A `Target` is a URL to which something may be sent.
#[derive(Clone, Debug)]
pub struct Target {
    /// This is the URL.
    pub(super) url: Url,
    /// This says which hosts may have blocked addresses.
    pub(super) allowed: Allowed,
}

/// The reason why a URL is refused, in words that follow the name of the setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is no URL.
    #[error("is no URL")]
    NoUrl,
    /// It begins with something else than `https`, or with `http` where that is not allowed.
    #[error("must begin with https://, or with http:// where `allow_http` is true")]
    Scheme,
    /// It has a user name or a password in it, or a fragment.
    #[error("must have no user, no password and no fragment")]
    Secret,
    /// It names a blocked address.
    #[error("names the blocked address {0}; `allow_private` can allow it")]
    Blocked(IpAddr),
}

impl Target {
    /// Checks a URL. A host that is an address is looked at here, in every spelling that a browser would take: it is never
    /// resolved.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str, allow_http: bool, allowed: Allowed) -> Result<Self, TargetError> {
        let url = Url::parse(text).map_err(|_| TargetError::NoUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if allow_http => {}
            _ => return Err(TargetError::Scheme),
        }
        let host = url.host_str().ok_or(TargetError::NoUrl)?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(TargetError::Secret);
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>()
            && !allowed.may_reach(host, address)
        {
            return Err(TargetError::Blocked(address));
        }
        Ok(Self { url, allowed })
    }

    /// Returns the URL as it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }
}
