//! This file reads and changes the file of keys.
//!
//! `keys.json` is replaced as a whole, atomically and durably, by whoever holds `keys.lock`; a reader sees the old file
//! or the new one. `keys.secret` is made once, with the first key: that it exists says that keys are in use.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{Error, Role};
use crate::domain::metadata::SERVICE;
use crate::domain::time::Timestamp;

/// This is the number of the file's format.
const FORMAT: u32 = 1;
/// This is how many random bytes an id is made of.
const ID_BYTES: usize = 6;

/// A `Key` is a key as the file keeps it: never the token itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// This is its id: part of the token, shown in events as `actor`.
    pub id: String,
    /// This is the role of its holder.
    #[serde(with = "RoleName")]
    pub role: Role,
    /// This says whose it is, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// This is when it was made.
    pub created_at: String,
    /// This is when it begins to be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// This is when it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// This is the HMAC-SHA256 of the token under the secret, in hexadecimal.
    pub hash: String,
}

/// A `RoleName` is a role as the file names it.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Role", rename_all = "snake_case")]
enum RoleName {
    Teller,
    Auditor,
    Operator,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    keys: Vec<Key>,
}

/// A `NewKey` says what a new key is to be.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// This is the role of its holder.
    pub role: Role,
    /// This says whose it is, in words.
    pub name: Option<String>,
    /// This is for how many days it is good; for ever when not said.
    pub expires_in_days: Option<u32>,
}

/// Returns the path of the file of keys.
pub(super) fn document_path(dir: &Path) -> PathBuf {
    dir.join("keys.json")
}

/// Returns the path of the secret.
pub(super) fn secret_path(dir: &Path) -> PathBuf {
    dir.join("keys.secret")
}

/// Says whether a text has the form of a key's id. Only such a text may be shown: any other may be a secret.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 2 * ID_BYTES
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}

/// Returns the keyed hash of a token.
pub(super) fn hash(secret: &[u8; 32], token: &str) -> [u8; 32] {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return [0; 32] };
    mac.update(token.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Reads the keys in this folder; nothing when none was ever made.
///
/// # Errors
/// Fails when the file can't be read or is damaged.
pub fn load(dir: &Path) -> Result<Option<Vec<Key>>, Error> {
    let path = document_path(dir);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(source) => return Err(Error::Io { what: "can't read", path, source }),
    };
    let damaged =
        |source: Box<dyn std::error::Error + Send + Sync>| Error::Damaged { path: path.clone(), source };
    let document: Document = serde_json::from_slice(&bytes).map_err(|error| damaged(error.into()))?;
    if document.format != FORMAT {
        return Err(damaged(format!("it is of format {}", document.format).into()));
    }
    // What the service books of its own accord bears this name, and nobody may sign as it.
    if document.keys.iter().any(|key| key.id == SERVICE) {
        return Err(damaged(format!("a key has the id {SERVICE:?}, which is the service's own").into()));
    }
    Ok(Some(document.keys))
}

/// Reads the secret in this folder; nothing when there is none yet.
///
/// # Errors
/// Fails when it can't be read or is damaged.
pub(super) fn secret(dir: &Path) -> Result<Option<[u8; 32]>, Error> {
    let path = secret_path(dir);
    let mut bytes = Vec::with_capacity(32);
    match File::open(&path).and_then(|file| file.take(64).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if is_absent(&error) => return Ok(None),
        Err(source) => return Err(Error::Io { what: "can't read", path, source }),
    }
    let secret =
        bytes.try_into().map_err(|_| Error::Damaged { path, source: "it has not 32 bytes".into() })?;
    Ok(Some(secret))
}

/// Makes a key. Returns it with its token, which nobody can show again.
///
/// # Errors
/// Fails when the files can't be read or written.
pub fn create(dir: &Path, new: NewKey, now: Timestamp) -> Result<(Key, String), Error> {
    fs::create_dir_all(dir).map_err(|source| Error::Io { what: "can't make", path: dir.into(), source })?;
    let _lock = lock(dir)?;
    let mut keys = load(dir)?.unwrap_or_default();
    let secret = match secret(dir)? {
        Some(secret) => secret,
        None => make_secret(dir)?,
    };
    let id = hex::encode(random::<ID_BYTES>()?);
    let token = format!("bo_{id}_{}", hex::encode(random::<32>()?));
    let key = Key {
        hash: hex::encode(hash(&secret, &token)),
        id,
        role: new.role,
        name: new.name,
        created_at: now.to_string(),
        expires_at: new.expires_in_days.map(|days| now.plus_seconds(i64::from(days) * 86_400).to_string()),
        revoked_at: None,
    };
    keys.push(key.clone());
    store(dir, keys)?;
    Ok((key, token))
}

/// Revokes a key, for ever. Revoking it again changes nothing.
///
/// # Errors
/// Fails when there is no such key, or the files can't be read or written.
pub fn revoke(dir: &Path, id: &str, now: Timestamp) -> Result<Key, Error> {
    if !is_id(id) {
        return Err(Error::NoId);
    }
    let unknown = || Error::Unknown(id.to_owned());
    if load(dir)?.is_none() {
        return Err(unknown());
    }
    let _lock = lock(dir)?;
    let mut keys = load(dir)?.unwrap_or_default();
    let key = keys.iter_mut().find(|key| key.id == id).ok_or_else(unknown)?;
    key.revoked_at.get_or_insert_with(|| now.to_string());
    let key = key.clone();
    store(dir, keys)?;
    Ok(key)
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(bytes)
}

/// Takes the lock that keeps others from changing the keys, for as long as the returned file is open.
fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join("keys.lock");
    let locked = OpenOptions::new().create(true).append(true).mode(0o600).open(&path).and_then(|file| {
        give(&file, dir)?;
        file.lock()?;
        Ok(file)
    });
    locked.map_err(|source| Error::Io { what: "can't lock", path, source })
}

fn make_secret(dir: &Path) -> Result<[u8; 32], Error> {
    let secret = random::<32>()?;
    replace(&secret_path(dir), &secret)?;
    Ok(secret)
}

fn store(dir: &Path, keys: Vec<Key>) -> Result<(), Error> {
    let path = document_path(dir);
    let mut bytes = serde_json::to_vec_pretty(&Document { format: FORMAT, keys })
        .map_err(|error| Error::Damaged { path: path.clone(), source: error.into() })?;
    bytes.push(b'\n');
    replace(&path, &bytes)
}

/// Puts a file in the place of another, so that after a crash there is one of the two, whole.
///
/// Whoever could read the old one can read the new one, and nobody else: it keeps its owner, its group and their rights,
/// so that a service reads what `sudo bookonce keys` wrote. A link stays a link: what it leads to is replaced.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let written = (|| {
        let path = match fs::canonicalize(path) {
            Err(error) if is_absent(&error) && fs::symlink_metadata(path).is_err() => path.to_path_buf(),
            found => found?,
        };
        let (dir, fresh) = (path.parent().unwrap_or(Path::new("/")), path.with_extension("new"));
        match fs::remove_file(&fresh) {
            Err(error) if !is_absent(&error) => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&fresh)?;
        match fs::metadata(&path) {
            Ok(old) => keep(&file, &old)?,
            Err(error) if is_absent(&error) => give(&file, dir)?,
            Err(error) => return Err(error),
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        File::open(dir)?.sync_all()
    })();
    written.map_err(|source| Error::Io { what: "can't write", path: path.into(), source })
}

/// Gives a file the owner, the group and their rights of the file that it comes in place of.
fn keep(file: &File, old: &Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        fchown(file, Some(old.uid()), Some(old.gid()))?;
    }
    file.set_permissions(Permissions::from_mode(old.mode() & 0o770))
}

/// Gives a new file to the owner of its folder, where whoever makes it may do so.
fn give(file: &File, dir: &Path) -> io::Result<()> {
    let (new, dir) = (file.metadata()?, fs::metadata(dir)?);
    if new.uid() == dir.uid() {
        return Ok(());
    }
    match fchown(file, Some(dir.uid()), Some(dir.gid())) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        given => given,
    }
}

/// Says whether the error says that there is no such file. (Nor is there one below a file.)
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(role: Role) -> NewKey {
        NewKey { role, name: None, expires_in_days: Some(1) }
    }

    #[test]
    fn the_token_is_in_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let (key, token) = create(dir.path(), new(Role::Teller), Timestamp::from_micros(0)).unwrap();
        assert!(token.starts_with(&format!("bo_{}_", key.id)) && token.len() > 70);
        let secret_part = token.rsplit('_').next().unwrap();
        for file in fs::read_dir(dir.path()).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains(secret_part));
        }
        assert_eq!(key.expires_at.as_deref(), Some("1970-01-02T00:00:00.000000Z"));
    }

    #[test]
    fn only_the_owner_may_read_the_files() {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path(), new(Role::Operator), Timestamp::from_micros(0)).unwrap();
        for path in [document_path(dir.path()), secret_path(dir.path())] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_is_revoked_once() {
        let dir = tempfile::tempdir().unwrap();
        let nobodys = "0123456789ab";
        assert!(matches!(revoke(dir.path(), nobodys, Timestamp::from_micros(0)), Err(Error::Unknown(_))));
        let (key, _) = create(dir.path(), new(Role::Auditor), Timestamp::from_micros(0)).unwrap();
        let first = revoke(dir.path(), &key.id, Timestamp::from_micros(1)).unwrap();
        assert_eq!(revoke(dir.path(), &key.id, Timestamp::from_micros(2)).unwrap(), first);
        assert_eq!(load(dir.path()).unwrap().unwrap(), [first]);
    }

    /// Guards against a new file that belongs to whoever wrote it: after `sudo bookonce keys revoke` the service could
    /// not read its keys any more. (Only root may give files away; for others this shows the rights.)
    #[test]
    fn a_change_keeps_owner_rights_and_links() {
        let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (key, _) = create(dir.path(), new(Role::Teller), Timestamp::from_micros(0)).unwrap();
        let (linked, real) = (document_path(dir.path()), elsewhere.path().join("real.json"));
        fs::rename(&linked, &real).unwrap();
        std::os::unix::fs::symlink(&real, &linked).unwrap();
        let _only_root_can = std::os::unix::fs::chown(&real, Some(12_345), Some(12_346));
        fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
        let seen =
            |path: &Path| fs::metadata(path).map(|file| (file.uid(), file.gid(), file.mode())).unwrap();
        let before = seen(&real);
        revoke(dir.path(), &key.id, Timestamp::from_micros(1)).unwrap();
        assert!(fs::symlink_metadata(&linked).unwrap().is_symlink());
        assert_eq!(seen(&real), before);
        assert!(load(dir.path()).unwrap().unwrap()[0].revoked_at.is_some());
    }

    #[test]
    fn what_is_made_first_is_the_folders_owners() {
        let dir = tempfile::tempdir().unwrap();
        let _only_root_can = std::os::unix::fs::chown(dir.path(), Some(12_345), Some(12_346));
        create(dir.path(), new(Role::Teller), Timestamp::from_micros(0)).unwrap();
        let owner = fs::metadata(dir.path()).unwrap().uid();
        for file in fs::read_dir(dir.path()).unwrap() {
            assert_eq!(file.unwrap().metadata().unwrap().uid(), owner);
        }
    }

    /// Guards against: a key that signs events as the service itself does.
    #[test]
    fn a_key_with_the_services_own_name_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path(), new(Role::Teller), Timestamp::from_micros(0)).unwrap();
        let path = document_path(dir.path());
        let text = fs::read_to_string(&path).unwrap();
        let id = load(dir.path()).unwrap().unwrap()[0].id.clone();
        fs::write(&path, text.replace(&id, SERVICE)).unwrap();
        assert!(matches!(load(dir.path()), Err(Error::Damaged { .. })));
    }
}
