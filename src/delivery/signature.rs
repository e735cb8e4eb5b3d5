//! The signature of a webhook's request is that of *Standard Webhooks*: HMAC-SHA256 over the id, the time and the body.
//!
//! There is one signature for each secret, in their order. A receiver takes a request if one of them is right, so that a secret
//! is rotated without a pause: the new one is added, the receiver changes, the old one goes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A secret begins with this.
const PREFIX: &str = "whsec_";
/// A secret has so many bytes.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

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
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Returns the value of the header `webhook-signature`: one signature for each secret. The time is in seconds since 1970.
#[must_use]
pub fn sign(secrets: &[Secret], id: &str, at_seconds: i64, body: &[u8]) -> String {
    let head = format!("{id}.{at_seconds}.");
    let signed = secrets.iter().map(|secret| {
        let mut mac = secret.0.clone();
        mac.update(head.as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    });
    signed.collect::<Vec<_>>().join(" ")
}
