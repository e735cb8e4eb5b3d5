//! The signature of a webhook's request is that of *Standard Webhooks*: HMAC-SHA256 over the id, the time and the body.
//!
//! There is one signature for each secret, in their order. A receiver takes a request if one of them is right, so that a secret
//! is rotated without a pause: the new one is added, the receiver changes, the old one goes. [`verify`] is the receiver's side.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::time::Timestamp;

/// A secret begins with this.
const PREFIX: &str = "whsec_";
/// A secret has so many bytes.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// A request may be so much older or newer than the receiver's clock, in seconds: *Standard Webhooks* say five minutes.
const TOLERANCE_SECONDS: i64 = 300;
/// A signature of the kind that is understood begins with this.
const VERSION: &str = "v1,";

/// A `Secret` is what a webhook's requests are signed with. It is shown nowhere.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl Secret {
    /// Reads a secret: `whsec_` and 24 to 64 bytes in base64; `None` for any other text. Blanks around it count for nothing,
    /// because a file ends with a line feed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim().strip_prefix(PREFIX)?).ok()?;
        let fits = BYTES.contains(&bytes.len());
        Hmac::new_from_slice(&bytes).ok().filter(|_| fits).map(Self)
    }

    /// Makes the code over what is signed of a request. The time is the text of the header, so that what is checked is what
    /// was sent.
    fn over(&self, id: &str, at: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in [id.as_bytes(), b".", at.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Returns the value of the header `webhook-signature`: one signature for each secret. The time is in seconds since 1970.
#[must_use]
pub fn sign(secrets: &[Secret], id: &str, at_seconds: i64, body: &[u8]) -> String {
    let signed = secrets.iter().map(|secret| {
        let mac = secret.over(id, &at_seconds.to_string(), body);
        format!("{VERSION}{}", STANDARD.encode(mac.finalize().into_bytes()))
    });
    signed.collect::<Vec<_>>().join(" ")
}

/// The reason why a request is not known to come from who has the secret, or is too old to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGenuine {
    /// A header is missing.
    #[error("the request has no header {0}")]
    NoHeader(&'static str),
    /// The time is no whole number of seconds.
    #[error("the header webhook-timestamp is no time in seconds")]
    BadTime,
    /// The time is more than five minutes before the receiver's.
    #[error("the request was signed more than five minutes ago")]
    TooOld,
    /// The time is more than five minutes after the receiver's.
    #[error("the request was signed more than five minutes from now")]
    TooNew,
    /// No signature is right with any of the secrets.
    #[error("no signature of the request is right")]
    WrongSignature,
}

/// Checks that a request was signed with one of the secrets, and less than five minutes from now. `header` finds a header by
/// its name in lower case; `body` is the bytes as they came, before anything has read them.
///
/// Several signatures and several secrets are each tried, so that either side can change a secret first. Signatures are
/// compared in constant time, and those of a version that is not known here are passed over.
///
/// # Errors
/// Fails with the first thing that is wrong. Without a secret no request is genuine.
pub fn verify<'a>(
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    secrets: &[Secret],
    now: Timestamp,
) -> Result<(), NotGenuine> {
    let needed = |name| header(name).ok_or(NotGenuine::NoHeader(name));
    let (id, at) = (needed("webhook-id")?, needed("webhook-timestamp")?);
    let signatures = needed("webhook-signature")?;
    let at_seconds = at.parse::<i64>().map_err(|_| NotGenuine::BadTime)?;
    let age = now.micros().div_euclid(1_000_000).saturating_sub(at_seconds);
    if age > TOLERANCE_SECONDS {
        return Err(NotGenuine::TooOld);
    }
    if age < -TOLERANCE_SECONDS {
        return Err(NotGenuine::TooNew);
    }
    let understood = signatures.split_ascii_whitespace().filter_map(|one| one.strip_prefix(VERSION));
    let decoded: Vec<Vec<u8>> = understood.filter_map(|one| STANDARD.decode(one).ok()).collect();
    let is_right = secrets.iter().any(|secret| {
        decoded.iter().any(|signature| secret.over(id, at, body).verify_slice(signature).is_ok())
    });
    if is_right { Ok(()) } else { Err(NotGenuine::WrongSignature) }
}
