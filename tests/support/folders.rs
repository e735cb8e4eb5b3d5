//! These functions copy folders and damage them.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Returns the files in a folder and below, by path, with their bytes. A file that goes away meanwhile is left out.
pub fn read_all(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                files.insert(path.strip_prefix(dir).unwrap().to_owned(), bytes);
            }
        }
    }
    files
}

/// Makes the folder hold exactly these files.
pub fn write_all(dir: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) {
    let _may_be_new = std::fs::remove_dir_all(dir);
    std::fs::create_dir_all(dir).unwrap();
    for (path, bytes) in files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// Returns what a crash would leave of a folder that is in use: its files as they all were at one moment.
pub fn as_a_crash_leaves_it(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    loop {
        let (first, second) = (read_all(dir), read_all(dir));
        if first == second {
            return first;
        }
    }
}
