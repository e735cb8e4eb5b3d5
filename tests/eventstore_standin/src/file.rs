//! [`LogFile`] is the file of the log: a name, then frames of length, checksum and the events of one append. A frame is
//! made durable before its append is answered. The file is read from the beginning at the start, and a torn end is cut
//! off.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use bytes::Bytes;

use super::log::{BEGINNING, Log};

const NAME: &[u8; 8] = b"standin1";

pub struct LogFile(File);

impl LogFile {
    /// Opens it, or makes it, and takes in the frames that are whole.
    pub fn open(path: &Path, log: &mut Log) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        if bytes.len() < NAME.len() {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(NAME)?;
            file.sync_all()?;
        } else if !bytes.starts_with(NAME) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "this file is not a stand-in's log"));
        }
        replay(&Bytes::from(bytes), log);
        file.set_len(log.end)?;
        file.seek(SeekFrom::Start(log.end))?;
        Ok(Self(file))
    }

    pub fn append(&mut self, frames: &[u8]) -> io::Result<()> {
        self.0.write_all(frames)?;
        self.0.sync_data()
    }

    /// Forgets everything from this place on, as a machine does that stops before it was made durable.
    pub fn cut(&mut self, end: u64) -> io::Result<()> {
        self.0.set_len(end)?;
        self.0.seek(SeekFrom::Start(end))?;
        self.0.sync_data()
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(field.try_into().ok()?) as usize)
}

fn replay(bytes: &Bytes, log: &mut Log) {
    let mut at = usize::try_from(BEGINNING).unwrap();
    while let (Some(length), Some(sum)) = (number(bytes, at), number(bytes, at + 4)) {
        let (from, to) = (at + 8, at + 8 + length);
        let whole = bytes.get(from..to).is_some_and(|payload| crc32fast::hash(payload) as usize == sum);
        if !whole {
            break;
        }
        let mut event = from;
        while event < to {
            let Some(length) = number(bytes, event) else { break };
            // Copied, so that one event kept does not keep the whole file in memory.
            let encoded = Bytes::copy_from_slice(&bytes[event + 4..event + 4 + length]);
            log.restore(encoded).expect("the checksum of this frame is right, so its events are whole");
            event += 4 + length;
        }
        at = to;
        log.end = at as u64;
    }
}

/// Changes one of a stream's events in the node's file, so that the file is whole again.
pub fn rewrite(file: &Path, which: usize, stream: &str, change: impl Fn(&[u8]) -> Vec<u8>) {
    let mut bytes = std::fs::read(file).unwrap();
    let (mut at, mut seen) = (8, 0);
    while at < bytes.len() {
        let frame = at + 8..at + 8 + number(&bytes, at).unwrap();
        let mut event = frame.start;
        while event < frame.end {
            let body = event + 4..event + 4 + number(&bytes, event).unwrap();
            let name = format!("\x1a{}{stream}", char::from(u8::try_from(stream.len()).unwrap()));
            if memchr::memmem::find(&bytes[body.clone()], name.as_bytes()).is_some() {
                if seen == which {
                    let changed = change(&bytes[body.clone()]);
                    assert_eq!(changed.len(), body.len());
                    bytes[body.clone()].copy_from_slice(&changed);
                }
                seen += 1;
            }
            event = body.end;
        }
        let sum = crc32fast::hash(&bytes[frame.clone()]);
        bytes[at + 4..at + 8].copy_from_slice(&sum.to_le_bytes());
        at = frame.end;
    }
    assert!(seen > which, "there are {seen} such events");
    std::fs::write(file, bytes).unwrap();
}

/// The event with one text in place of another of the same length.
pub fn replaced(event: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut event = event.to_owned();
    let places: Vec<usize> = memchr::memmem::find_iter(&event, old).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| event[at..at + new.len()].copy_from_slice(new));
    event
}
