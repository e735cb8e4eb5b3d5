//! The data folder has a format, and a lock that makes one process its only writer.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Error;
use super::held::Held;
use super::private::make_private;

/// This is the format that this program writes.
pub const FORMAT: u32 = 1;
/// This is the name of the journal's database.
pub const JOURNAL: &str = "journal.db";
const FORMAT_FILE: &str = "FORMAT";
const FORMAT_WORDS: &str = "bookonce data folder, format ";

/// A `Folder` is a data folder that this process holds until it is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    held: Arc<Held>,
    _lock: File,
}

impl Folder {
    /// Takes the folder, and makes it when it is missing or empty.
    ///
    /// # Errors
    /// Fails when another process holds it, when it is of a newer format, or when it holds something else.
    pub fn take(path: &Path) -> Result<Self, Error> {
        if path.is_file() {
            return Err(Error::Foreign { path: path.to_owned(), why: "it is a file".into() });
        }
        std::fs::create_dir_all(path).map_err(Error::io(path))?;
        if !path.join(FORMAT_FILE).exists() {
            let strange = std::fs::read_dir(path).map_err(Error::io(path))?.flatten().find(|entry| {
                let name = entry.file_name();
                !["lock", "FORMAT.new", "keys.json", "keys.secret", "keys.lock", "lost+found"]
                    .iter()
                    .any(|known| name == *known)
            });
            if let Some(entry) = strange {
                let why = format!("it has no file FORMAT, but {}", entry.file_name().to_string_lossy());
                return Err(Error::Foreign { path: path.to_owned(), why });
            }
        }
        let held = Arc::new(Held::take(path).map_err(Error::io(path))?);
        let lock = Self::lock(path)?;
        match Self::format(path)? {
            Some(FORMAT) => {}
            Some(found) => return Err(Error::Newer { path: path.to_owned(), found, known: FORMAT }),
            None => Self::write_format(path)?,
        }
        // Not before it is known whose folder it is.
        make_private(path);
        Ok(Self { path: path.to_owned(), held, _lock: lock })
    }

    /// Returns the room, in bytes, that is left for its owner on its disk; nothing when it can't be learnt.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.path).ok()?;
        disk.f_bavail.checked_mul(disk.f_frsize)
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder by its handle, through which its files are opened.
    #[must_use]
    pub fn held(&self) -> &Arc<Held> {
        &self.held
    }

    /// Returns the format of a data folder; `None` when it has none yet.
    ///
    /// # Errors
    /// Fails when the file can't be read, or says something else.
    pub fn format(path: &Path) -> Result<Option<u32>, Error> {
        let file = path.join(FORMAT_FILE);
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                match text.trim_end().strip_prefix(FORMAT_WORDS).and_then(|number| number.parse().ok()) {
                    Some(format) => Ok(Some(format)),
                    None => Err(Error::Foreign {
                        path: path.to_owned(),
                        why: "its file FORMAT says something else".into(),
                    }),
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(file)(error)),
        }
    }

    /// Marks a folder as one of this format. This is the last step of making a folder.
    ///
    /// # Errors
    /// Fails when the file can't be written.
    pub fn write_format(path: &Path) -> Result<(), Error> {
        let (new, file) = (path.join("FORMAT.new"), path.join(FORMAT_FILE));
        let write = || {
            let mut out = File::create(&new)?;
            out.write_all(format!("{FORMAT_WORDS}{FORMAT}\n").as_bytes())?;
            out.sync_all()?;
            std::fs::rename(&new, &file)?;
            File::open(path)?.sync_all()
        };
        write().map_err(Error::io(file.clone()))
    }

    fn lock(path: &Path) -> Result<File, Error> {
        let file = path.join("lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&file)
            .map_err(Error::io(&file))?;
        match lock.try_lock() {
            Ok(()) => {
                let write = |lock: &mut File| {
                    lock.set_len(0)?;
                    lock.rewind()?;
                    write!(lock, "process {}", std::process::id())
                };
                write(&mut lock).map_err(Error::io(&file))?;
                Ok(lock)
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who holds it is a courtesy; that it is held is what matters.
                let _read_or_not = lock.read_to_string(&mut holder);
                Err(Error::Held { path: path.to_owned(), holder })
            }
            Err(std::fs::TryLockError::Error(error)) => Err(Error::io(file)(error)),
        }
    }
}
