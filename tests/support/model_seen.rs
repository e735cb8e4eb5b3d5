//! The running hash of the IDs that an account of the model has seen, and of how each ended.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::text;

/// Returns what stands for an ID in a running hash: a client's are its bytes, one of the service's own is its text.
pub fn bytes(id: &str) -> Vec<u8> {
    uuid::Uuid::parse_str(id).map_or(id.into(), |id| id.as_bytes().to_vec())
}

/// Returns the running hash of an account's IDs and how each ended.
pub fn saw(before: [u8; 32], id: &str, code: Option<&str>, kind: &str, data: &Value) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(bytes(id));
    hash.update(code.map_or_else(|| format!("accepted:{kind}"), |code| format!("declined:{code}")));
    if matches!(kind, "Reversed" | "Prevented") {
        hash.update(b"|");
        hash.update(bytes(text(data, "reverses")));
    }
    if matches!(kind, "HoldCaptured" | "HoldReleased" | "HoldExpired" | "HoldPrevented") {
        hash.update(b"|");
        hash.update(bytes(text(data, "hold")));
    }
    if matches!(kind, "TransferCredited" | "CreditPrevented") {
        hash.update(b"|");
        hash.update(bytes(text(data, "transfer")));
    }
    if matches!(kind, "Reversed" | "HoldCaptured" | "TransferCredited") {
        hash.update(text(data, "amount"));
    }
    if kind == "HoldPlaced" {
        hash.update(format!("|{}|", text(data, "amount")));
        match data["transfer"].as_str() {
            Some(transfer) => hash.update(bytes(transfer)),
            None => hash.update(data["expires_in_seconds"].to_string()),
        }
    }
    if kind == "Corrected" {
        hash.update(b"|");
        hash.update(text(&data["entries"][0], "amount"));
    }
    hash.finalize().into()
}
