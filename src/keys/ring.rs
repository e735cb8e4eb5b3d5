//! The ring is the service's live view of the keys. Each request asks it; it looks at the disk at most five times a second.
//!
//! A change counts as seen only when it was read: a look that fails is repeated until one succeeds, so that no revocation
//! is lost. Meanwhile the keys read last stay in effect, and [`Ring::trouble`] says so. Keys that vanished after they were in
//! use let nobody in.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use super::{Error, Role, file};
use crate::domain::time::{Clock, Timestamp};

/// This is how long a change on disk may go unseen, in milliseconds.
const LOOK_EVERY_MS: u64 = 200;
/// This is how often it is logged that the keys can't be read, while that lasts.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// An `Identity` says who calls: it has the id that goes into events, and the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// This is the key's id, or `loopback`.
    pub actor: Arc<str>,
    /// This is the key's role.
    pub role: Role,
}

/// The reason why a caller is nobody. It is for the log and the figures; the caller is told the same for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// No key has ever been made, and the caller is not this machine's own user.
    NotLocal,
    /// No token came, or none that looks like one.
    NoToken,
    /// No key has the token's id.
    Unknown,
    /// The token's id is known, and its secret is another.
    Wrong,
    /// The key was revoked.
    Revoked,
    /// The key has expired.
    Expired,
}

/// A `Ring` has the keys in effect.
pub struct Ring {
    dir: PathBuf,
    clock: Clock,
    started: Instant,
    looked_ms: AtomicU64,
    disk: Mutex<Disk>,
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

/// A `Disk` says what is known of the files on disk.
struct Disk {
    /// These are the files that the view was loaded from.
    loaded: Stamp,
    /// This is why the view may not be what is on disk, for people.
    trouble: Option<&'static str>,
    /// This is when it was last logged that they can't be read.
    logged: Option<Instant>,
}

/// A `Stamp` says what one version of the two files differs by from another: inode, time of change and length of each.
type Stamp = [Option<(u64, i64, i64, u64)>; 2];

impl Ring {
    /// Opens the keys in this folder.
    ///
    /// # Errors
    /// Fails when there are files of keys that can't be used.
    pub fn open(dir: &Path, clock: Clock) -> Result<Self, Error> {
        // The stamp is taken first: what changes after it is found at the next look.
        let disk = Disk { loaded: stamp(dir)?, trouble: None, logged: None };
        Ok(Self {
            dir: dir.into(),
            clock,
            started: Instant::now(),
            looked_ms: AtomicU64::new(0),
            disk: Mutex::new(disk),
            view: ArcSwap::from_pointee(View::load(dir)?),
            loopback: Identity { actor: "loopback".into(), role: Role::Operator },
        })
    }

    /// Says whether no key has ever been made.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        self.refresh();
        matches!(**self.view.load(), View::Unused)
    }

    /// Returns how many keys are good now, of how many that were made; nothing where none has ever been made.
    #[must_use]
    pub fn count(&self) -> Option<(usize, usize)> {
        self.refresh();
        match &**self.view.load() {
            View::Unused => None,
            View::Keys { entries, .. } => {
                let now = (self.clock)();
                let good = |entry: &&Entry| !entry.revoked && entry.expires_at.is_none_or(|end| now < end);
                Some((entries.values().filter(good).count(), entries.len()))
            }
        }
    }

    /// Returns why the keys in effect may not be those on disk; nothing while all is well.
    #[must_use]
    pub fn trouble(&self) -> Option<&'static str> {
        self.refresh();
        self.disk.lock().trouble
    }

    /// Finds who sends this token; `local` says that the request is certain to come from this machine's own user.
    ///
    /// # Errors
    /// Why the caller is nobody.
    pub fn identify(&self, token: Option<&str>, local: bool) -> Result<Identity, Refused> {
        self.refresh();
        match &**self.view.load() {
            View::Unused if local => Ok(self.loopback.clone()),
            View::Unused => Err(Refused::NotLocal),
            View::Keys { secret, entries } => {
                let token = token.ok_or(Refused::NoToken)?;
                let entry = entries.get(id_of(token).ok_or(Refused::NoToken)?);
                // An unknown id costs the same hash as a known one.
                let hash = file::hash(secret, token);
                let entry = entry.ok_or(Refused::Unknown)?;
                let same: bool = hash.ct_eq(&entry.hash).into();
                let expired = entry.expires_at.is_some_and(|end| (self.clock)() >= end);
                match (same, entry.revoked, expired) {
                    (false, _, _) => Err(Refused::Wrong),
                    (true, true, _) => Err(Refused::Revoked),
                    (true, false, true) => Err(Refused::Expired),
                    (true, false, false) => Ok(entry.identity.clone()),
                }
            }
        }
    }

    /// Looks at the files when the last look is long enough ago.
    fn refresh(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let looked = self.looked_ms.load(Ordering::Relaxed);
        let due = now.saturating_sub(looked) >= LOOK_EVERY_MS;
        let mine = |looked| {
            self.looked_ms.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        if due && mine(looked) {
            self.look();
        }
    }

    /// Reads the files where they are not those that were read last. Does nothing while another look goes on.
    fn look(&self) {
        let Some(mut disk) = self.disk.try_lock() else { return };
        let read = stamp(&self.dir).and_then(|found| {
            if found == disk.loaded {
                return Ok(None);
            }
            View::load(&self.dir).map(|view| Some((found, view)))
        });
        match read {
            Ok(changed) => {
                if let Some((found, view)) = changed {
                    disk.loaded = found;
                    disk.trouble = self.take(view);
                } else if disk.logged.is_some() {
                    disk.trouble = None;
                }
                if disk.logged.take().is_some() {
                    tracing::info!("the keys can be read again");
                }
            }
            Err(error) => {
                disk.trouble = Some("The keys can't be read: those that were read last stay in effect.");
                if disk.logged.is_none_or(|at| at.elapsed() >= LOG_EVERY) {
                    disk.logged = Some(Instant::now());
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(%error, cause, "the keys can't be read: those read last stay in effect");
                }
            }
        }
    }

    /// Puts keys that were read into effect; says what is wrong with them.
    fn take(&self, view: View) -> Option<&'static str> {
        let were_used = !matches!(**self.view.load(), View::Unused);
        if were_used && matches!(view, View::Unused) {
            tracing::error!("the keys have vanished: nobody is let in until they are back");
            self.view.store(Arc::new(View::Keys { secret: [0; 32], entries: HashMap::new() }));
            return Some("The keys have vanished: nobody is let in until they are back.");
        }
        self.view.store(Arc::new(view));
        None
    }
}

/// Returns the id in a token, known or not; nothing for a text that is no token.
#[must_use]
pub fn id_of(token: &str) -> Option<&str> {
    let (id, _) = token.strip_prefix("bo_")?.split_once('_')?;
    file::is_id(id).then_some(id)
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

fn stamp(dir: &Path) -> Result<Stamp, Error> {
    use std::os::unix::fs::MetadataExt;
    let of = |path: PathBuf| match std::fs::metadata(&path) {
        Ok(found) => Ok(Some((found.ino(), found.mtime(), found.mtime_nsec(), found.len()))),
        Err(error) if file::is_absent(&error) => Ok(None),
        Err(source) => Err(Error::Io { what: "can't look at", path, source }),
    };
    Ok([of(file::secret_path(dir))?, of(file::document_path(dir))?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::file::{NewKey, create, revoke};
    use std::sync::atomic::AtomicI64;

    /// Returns a ring that looks at the disk each time, and a clock to turn.
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
        assert_eq!(ring.identify(None, false), Err(Refused::NotLocal));
    }

    #[test]
    fn a_key_is_good_until_it_is_revoked_or_expires() {
        let dir = tempfile::tempdir().unwrap();
        let (ring, hand) = ring(dir.path());
        let (id, token) = make(dir.path(), Role::Teller, Some(1));
        let (_, other) = make(dir.path(), Role::Auditor, None);
        ring.look();
        assert_eq!(ring.identify(None, true), Err(Refused::NoToken));
        assert_eq!(ring.identify(Some(&token), false).unwrap().role, Role::Teller);
        let forged = format!("{}0", &token[..token.len() - 1]);
        assert!(ring.identify(Some(&forged), true) == Err(Refused::Wrong) || forged == token);
        hand.store(86_400_000_000, Ordering::Relaxed);
        assert_eq!(ring.identify(Some(&token), false), Err(Refused::Expired));
        assert_eq!(ring.identify(Some(&other), false).unwrap().role, Role::Auditor);
        hand.store(0, Ordering::Relaxed);
        revoke(dir.path(), &id, Timestamp::from_micros(5)).unwrap();
        ring.look();
        assert_eq!(ring.identify(Some(&token), false), Err(Refused::Revoked));
    }

    #[test]
    fn a_damaged_file_changes_nothing_and_a_lost_one_lets_nobody_in() {
        let dir = tempfile::tempdir().unwrap();
        let (_, token) = make(dir.path(), Role::Teller, None);
        let (ring, _) = ring(dir.path());
        let path = file::document_path(dir.path());
        std::fs::write(&path, "{").unwrap();
        ring.look();
        assert!(ring.identify(Some(&token), false).is_ok() && ring.trouble().is_some());
        std::fs::remove_file(&path).unwrap();
        ring.look();
        assert_eq!(ring.identify(Some(&token), true), Err(Refused::Unknown));
        std::fs::remove_file(file::secret_path(dir.path())).unwrap();
        std::fs::write(&path, "").unwrap();
        ring.look();
        assert_eq!(ring.identify(None, true), Err(Refused::NoToken));
    }
}
