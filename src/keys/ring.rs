//! The ring is the service's live view of the keys. Each request asks it; it looks at the disk at most five times a second.
//!
//! A damaged file leaves the last good one in effect; one that vanished after keys were in use lets nobody in.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use super::{Error, Role, file};
use crate::domain::time::{Clock, Timestamp};

/// How long a change on disk may go unseen, in milliseconds.
const LOOK_EVERY_MS: u64 = 200;

/// Who calls: the id that goes into events, and the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The key's id, or `loopback`.
    pub actor: Arc<str>,
    /// The key's role.
    pub role: Role,
}

/// The keys in effect.
pub struct Ring {
    dir: PathBuf,
    clock: Clock,
    started: Instant,
    looked_ms: AtomicU64,
    stamp: Mutex<Stamp>,
    view: ArcSwap<View>,
    loopback: Identity,
}

enum View {
    /// No key was ever made.
    Unused,
    /// These keys were made.
    Keys { secret: [u8; 32], entries: HashMap<String, Entry> },
}

struct Entry {
    identity: Identity,
    hash: [u8; 32],
    expires_at: Option<Timestamp>,
    revoked: bool,
}

/// What one version of the file differs by from another: inode, time of change and length.
type Stamp = Option<(u64, i64, i64, u64)>;

impl Ring {
    /// Opens the keys in this folder.
    ///
    /// # Errors
    /// When there are files of keys that can't be used.
    pub fn open(dir: &Path, clock: Clock) -> Result<Self, Error> {
        let stamp = stamp(dir);
        Ok(Self {
            dir: dir.into(),
            clock,
            started: Instant::now(),
            looked_ms: AtomicU64::new(0),
            stamp: Mutex::new(stamp),
            view: ArcSwap::from_pointee(View::load(dir)?),
            loopback: Identity { actor: "loopback".into(), role: Role::Operator },
        })
    }

    /// Whether no key has ever been made.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        self.refresh();
        matches!(**self.view.load(), View::Unused)
    }

    /// Finds who sends this token, over loopback or not. A token that is not good is nobody's, whatever the reason.
    #[must_use]
    pub fn identify(&self, token: Option<&str>, loopback: bool) -> Option<Identity> {
        self.refresh();
        match &**self.view.load() {
            View::Unused => loopback.then(|| self.loopback.clone()),
            View::Keys { secret, entries } => {
                let token = token?;
                let entry = entries.get(token.strip_prefix("bo_")?.split_once('_')?.0);
                // An unknown id costs the same hash as a known one.
                let hash = file::hash(secret, token);
                let entry = entry?;
                let same: bool = hash.ct_eq(&entry.hash).into();
                let alive = !entry.revoked && entry.expires_at.is_none_or(|end| (self.clock)() < end);
                (same && alive).then(|| entry.identity.clone())
            }
        }
    }

    /// Looks at the file when the last look is long enough ago.
    fn refresh(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let looked = self.looked_ms.load(Ordering::Relaxed);
        let due = now.saturating_sub(looked) >= LOOK_EVERY_MS;
        let mine = |looked| {
            self.looked_ms.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        if due && mine(looked) {
            self.reload();
        }
    }

    fn reload(&self) {
        let mut last = self.stamp.lock();
        let found = stamp(&self.dir);
        if *last == found {
            return;
        }
        match View::load(&self.dir) {
            Ok(View::Unused) if !matches!(**self.view.load(), View::Unused) => {
                tracing::error!("the keys have vanished: nobody is let in until they are back");
                let secret = [0; 32];
                self.view.store(Arc::new(View::Keys { secret, entries: HashMap::new() }));
            }
            Ok(view) => self.view.store(Arc::new(view)),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "the keys can't be read: those read last stay in effect");
            }
        }
        *last = found;
    }
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl View {
    fn load(dir: &Path) -> Result<Self, Error> {
        let Some(secret) = file::secret(dir)? else {
            return match file::load(dir)? {
                None => Ok(Self::Unused),
                Some(_) => {
                    let source = "there are keys and no secret to check them with".into();
                    Err(Error::Damaged { path: file::secret_path(dir), source })
                }
            };
        };
        let keys = file::load(dir)?.unwrap_or_default();
        let entries = keys.into_iter().map(|key| entry(dir, key)).collect::<Result<_, _>>()?;
        Ok(Self::Keys { secret, entries })
    }
}

fn entry(dir: &Path, key: file::Key) -> Result<(String, Entry), Error> {
    let damaged = |what: &str| Error::Damaged {
        path: file::document_path(dir),
        source: format!("key {} has a wrong {what}", key.id).into(),
    };
    let mut hash = [0; 32];
    hex::decode_to_slice(&key.hash, &mut hash).map_err(|_| damaged("hash"))?;
    let expires_at = match &key.expires_at {
        Some(text) => Some(Timestamp::read(text).ok_or_else(|| damaged("expires_at"))?),
        None => None,
    };
    let identity = Identity { actor: key.id.as_str().into(), role: key.role };
    Ok((key.id, Entry { identity, hash, expires_at, revoked: key.revoked_at.is_some() }))
}

fn stamp(dir: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(file::document_path(dir)).ok()?;
    Some((found.ino(), found.mtime(), found.mtime_nsec(), found.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::file::{NewKey, create, revoke};
    use std::sync::atomic::AtomicI64;

    /// A ring that looks at the disk each time, and a clock to turn.
    fn ring(dir: &Path) -> (Ring, Arc<AtomicI64>) {
        let hand = Arc::new(AtomicI64::new(0));
        let seen = Arc::clone(&hand);
        let clock: Clock = Arc::new(move || Timestamp::from_micros(seen.load(Ordering::Relaxed)));
        (Ring::open(dir, clock).unwrap(), hand)
    }

    fn make(dir: &Path, role: Role, days: Option<u32>) -> (String, String) {
        let new = NewKey { role, name: None, expires_in_days: days };
        let (key, token) = create(dir, new, Timestamp::from_micros(0)).unwrap();
        (key.id, token)
    }

    #[test]
    fn without_keys_loopback_is_an_operator_and_nobody_else_is_anybody() {
        let dir = tempfile::tempdir().unwrap();
        let (ring, _) = ring(dir.path());
        assert_eq!(ring.identify(None, true).unwrap().role, Role::Operator);
        assert_eq!(ring.identify(None, false), None);
    }

    #[test]
    fn a_key_is_good_until_it_is_revoked_or_expires() {
        let dir = tempfile::tempdir().unwrap();
        let (ring, hand) = ring(dir.path());
        let (id, token) = make(dir.path(), Role::Teller, Some(1));
        let (_, other) = make(dir.path(), Role::Auditor, None);
        ring.reload();
        assert_eq!(ring.identify(None, true), None);
        assert_eq!(ring.identify(Some(&token), false).unwrap().role, Role::Teller);
        let forged = format!("{}0", &token[..token.len() - 1]);
        assert!(ring.identify(Some(&forged), true).is_none() || forged == token);
        hand.store(86_400_000_000, Ordering::Relaxed);
        assert_eq!(ring.identify(Some(&token), false), None);
        assert_eq!(ring.identify(Some(&other), false).unwrap().role, Role::Auditor);
        hand.store(0, Ordering::Relaxed);
        revoke(dir.path(), &id, Timestamp::from_micros(5)).unwrap();
        ring.reload();
        assert_eq!(ring.identify(Some(&token), false), None);
    }

    #[test]
    fn a_damaged_file_changes_nothing_and_a_lost_one_lets_nobody_in() {
        let dir = tempfile::tempdir().unwrap();
        let (_, token) = make(dir.path(), Role::Teller, None);
        let (ring, _) = ring(dir.path());
        let path = file::document_path(dir.path());
        std::fs::write(&path, "{").unwrap();
        ring.reload();
        assert!(ring.identify(Some(&token), false).is_some());
        std::fs::remove_file(&path).unwrap();
        ring.reload();
        assert_eq!(ring.identify(Some(&token), true), None);
        std::fs::remove_file(file::secret_path(dir.path())).unwrap();
        std::fs::write(&path, "").unwrap();
        ring.reload();
        assert_eq!(ring.identify(None, true), None);
    }
}
