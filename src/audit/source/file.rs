//! An exported file is a source: it has lines of events, and a manifest as the last line.
//!
//! The manifest is read first; then the events are read as a stream, in bounded memory.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::audit::error::Error;
use crate::audit::parse::event_line;
use crate::audit::parse::manifest::{Manifest, START};
use crate::audit::parse::read_block::{Block, LONGEST_LINE, Row};
use crate::audit::source::form;
use crate::audit::source::interface::{BLOCK_BYTES, Source, SourceInfo};
use crate::audit::values::chain::Chain;
use crate::audit::values::finding::Flaw;

/// No manifest has this many bytes.
const LONGEST_MANIFEST: u64 = 4_096;

/// A `File` is an exported file, or anything else that can be read and rewound. The file is read from its beginning.
#[derive(Debug)]
pub(crate) struct File<R = fs::File> {
    path: PathBuf,
    file: R,
    info: SourceInfo,
    /// This is how many bytes of events are still to be read.
    left: u64,
    /// This is the beginning of a line whose end was not read yet.
    begun: Vec<u8>,
}

impl File {
    /// Opens a file, and reads its last line.
    ///
    /// # Errors
    /// Fails when it can't be read, there is nothing in it, or it has another form than an export.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let mut file = fs::File::open(path).map_err(|source| Error::Open { path: path.into(), source })?;
        match form::look(&mut file).map_err(|source| Error::Read { path: path.into(), source })? {
            Some(form) => Err(Error::NotAnExport { path: path.into(), form }),
            None => Self::new(file, path),
        }
    }
}

impl<R: Read + Seek + Send> File<R> {
    /// Takes a file that is open already, and reads its last line. `path` is its name in errors.
    ///
    /// # Errors
    /// Fails when it can't be read, or there is nothing in it.
    pub(crate) fn new(mut file: R, path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Read { path: path.into(), source };
        let left = file.seek(SeekFrom::End(0)).map_err(failed)?;
        let mut this = Self {
            path: path.into(),
            left,
            file,
            info: SourceInfo::unknown(Chain::Journal, left),
            begun: Vec::new(),
        };
        if this.left == 0 {
            return Err(Error::Empty(path.into()));
        }
        this.open_end().map_err(failed)?;
        Ok(this)
    }

    /// Finds the manifest at the end, and learns from it how the events begin.
    fn open_end(&mut self) -> std::io::Result<()> {
        let from = self.left.saturating_sub(LONGEST_MANIFEST);
        self.file.seek(SeekFrom::Start(from))?;
        let mut end = Vec::new();
        self.file.by_ref().take(LONGEST_MANIFEST).read_to_end(&mut end)?;
        let lines = end.strip_suffix(b"\n").unwrap_or(&end);
        let start = memchr::memrchr(b'\n', lines).map_or(0, |at| at.saturating_add(1));
        let last = end.get(start..).unwrap_or_default();
        self.file.seek(SeekFrom::Start(0))?;
        if last.starts_with(START.as_bytes()) {
            self.left = self.left.saturating_sub(last.len() as u64);
            let manifest = Manifest::read(last).and_then(|manifest| manifest.check().map(|()| manifest));
            if let Ok(manifest) = &manifest {
                self.info.chain = manifest.chain();
                self.info.begins = manifest.begins();
                self.info.journal_id = Some(manifest.journal_id);
                self.info.from = manifest.from;
                self.info.previous = Some(manifest.previous_hash);
                self.info.last = Some(manifest.to);
            }
            self.info.manifest = Some(manifest);
        }
        if !matches!(self.info.manifest, Some(Ok(_))) {
            let mut beginning = Vec::new();
            self.file.by_ref().take(LONGEST_LINE as u64).read_to_end(&mut beginning)?;
            self.file.seek(SeekFrom::Start(0))?;
            let line = memchr::memchr(b'\n', &beginning).and_then(|end| beginning.get(..end));
            self.begin_with(line.unwrap_or(&beginning));
        }
        Ok(())
    }

    /// Learns from the first line what no manifest says.
    fn begin_with(&mut self, line: &[u8]) {
        if event_line::begins_its_stream(line) {
            self.info.chain = Chain::Streams;
            return;
        }
        self.info.from = event_line::position(line, 0).filter(|position| *position > 0).unwrap_or(1);
        self.info.begins = self.info.from == 1;
    }
}

impl<R: Read + Seek + Send> Source for File<R> {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn fill(&mut self, block: &mut Block) -> Result<bool, Error> {
        block.bytes.append(&mut self.begun);
        let want = BLOCK_BYTES as u64;
        loop {
            let take = want.min(self.left);
            let read = self
                .file
                .by_ref()
                .take(take)
                .read_to_end(&mut block.bytes)
                .map_err(|source| Error::Read { path: self.path.clone(), source })?;
            // A file that became shorter meanwhile ends here.
            self.left = if read as u64 == take { self.left.saturating_sub(take) } else { 0 };
            if self.left == 0 {
                block.rows.push(Row { claim: None, end: block.bytes.len() });
                return Ok(false);
            }
            if let Some(feed) = memchr::memrchr(b'\n', &block.bytes) {
                let end = feed.saturating_add(1);
                self.begun = block.bytes.split_off(end);
                block.rows.push(Row { claim: None, end });
                return Ok(true);
            }
            if block.bytes.len() > LONGEST_LINE {
                block.bytes.clear();
                block.broken = Some(Flaw::TooLong(LONGEST_LINE));
                return Ok(false);
            }
        }
    }
}
