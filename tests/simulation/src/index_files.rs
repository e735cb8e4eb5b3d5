//! [`IndexFiles`] are the files of an instance's index, in a folder that costs no disk. They outlive a crash, or do not. What
//! else a data folder has lies beside them, and outlives every crash.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bookonce::audit::restore_lines;
use bookonce::index::{Index, Tuning};
use bookonce::store::embedded::folder::JOURNAL;
use bookonce::store::embedded::reader::Reader;
use tempfile::TempDir;
use uuid::Uuid;

use crate::world::World;

/// `IndexFiles` are the files of an instance's index.
pub struct IndexFiles {
    dir: TempDir,
    /// These are the files as they were before the last checkpoint, if somebody has kept them.
    older: Option<BTreeMap<PathBuf, Vec<u8>>>,
    /// The files are those of an older checkpoint.
    is_old: bool,
    /// This is the data folder.
    data: PathBuf,
}

/// This is a folder in memory, where there is one.
const IN_MEMORY: &str = "/dev/shm";

impl IndexFiles {
    /// Makes an empty folder.
    ///
    /// # Errors
    /// Fails when it can't be made.
    pub fn new() -> std::io::Result<Self> {
        let memory = Path::new(IN_MEMORY);
        let dir = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }?;
        let data = dir.path().join("data");
        std::fs::create_dir(&data)?;
        Ok(Self { dir, older: None, is_old: false, data })
    }

    /// Opens the index. It has no threads: the run moves its checkpoint.
    ///
    /// # Errors
    /// Fails when its files are not what was written.
    pub fn open(&self, journal_id: Uuid, seed: u64) -> Result<Index, String> {
        let tuning = Tuning { flush_at: usize::MAX, most_behind: usize::MAX, ..Tuning::default() };
        Index::prepare(&self.dir.path().join("index"), journal_id, seed, tuning)
            .map_err(|error| format!("the index can't be opened: {error}"))
    }

    /// Returns the data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// Restores a journal into a new data folder, in which the index is to be built anew. Returns the lines that it has there.
    ///
    /// # Errors
    /// Fails when the journal is not right, or can't be read there as it was.
    pub fn restore(&mut self, world: &World, lines: &[u8], journal_id: Uuid) -> Result<Vec<u8>, String> {
        self.lose(world);
        self.data = self.dir.path().join("restored");
        restore_lines(lines, journal_id, &self.data).map_err(|error| error.to_string())?;
        Reader::new(&self.data.join(JOURNAL)).lines(0, usize::MAX).map_err(|error| error.to_string())
    }

    /// Says once whether the files are those of an older checkpoint.
    pub fn was_old(&mut self) -> bool {
        std::mem::take(&mut self.is_old)
    }

    /// Moves the checkpoint, and keeps the files of the one before when the run draws it.
    pub fn move_checkpoint(&mut self, world: &World, index: &Index) {
        if world.goes_wrong(world.plan().index) {
            self.older = read_all(self.dir.path()).ok();
        }
        if let Err(error) = index.move_checkpoint() {
            world.wrong(format!("the index can't move its checkpoint: {error}"));
        }
    }

    /// Draws what a crash leaves of the files.
    pub fn crash(&mut self, world: &World) {
        if !world.goes_wrong(world.plan().index) {
            return;
        }
        let done = match self.older.take() {
            Some(older) => {
                world.mark("index one checkpoint old");
                self.is_old = true;
                world.step("index", "one checkpoint old".to_owned());
                write_all(self.dir.path(), &older)
            }
            None => {
                world.mark("index lost");
                return self.lose(world);
            }
        };
        written(world, done);
    }

    /// Removes the files.
    pub fn lose(&mut self, world: &World) {
        world.step("index", "lost".to_owned());
        self.older = None;
        written(world, write_all(self.dir.path(), &BTreeMap::new()));
    }
}

fn written(world: &World, done: std::io::Result<()>) {
    if let Err(error) = done {
        world.wrong(format!("the index's files can't be written: {error}"));
    }
}

fn read_all(dir: &Path) -> std::io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut dirs = vec![dir.join("index")];
    while let Some(next) = dirs.pop() {
        for entry in std::fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                dirs.push(path);
            } else if let (Ok(name), Ok(bytes)) = (path.strip_prefix(dir), std::fs::read(&path)) {
                files.insert(name.to_owned(), bytes);
            }
        }
    }
    Ok(files)
}

fn write_all(dir: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> std::io::Result<()> {
    let index = dir.join("index");
    if index.exists() {
        std::fs::remove_dir_all(&index)?;
    }
    for (name, bytes) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(dir))?;
        std::fs::write(path, bytes)?;
    }
    Ok(())
}
