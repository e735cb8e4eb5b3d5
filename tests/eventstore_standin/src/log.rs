//! [`Log`] is the node's log in memory: every event in the order of its position, and the events of each stream.
//!
//! Everything decided is in here at once; what readers may see ends at a mark that [`super::writer`] moves behind it,
//! because a real node answers a conflict before it shows the event that was first.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use uuid::Uuid;

use super::metadata::Limits;
use super::proto::read::{CommitPosition, Content, ReadEvent, ReadReply, Recorded};
use super::proto::{Id, StreamName};

/// Where the first frame of a log begins: behind the file's eight bytes of name.
pub const BEGINNING: u64 = 8;
/// Length and checksum, before the events of a frame.
pub const FRAME_HEAD: u64 = 8;

/// How many ids an append with no exact revision is compared with. A real node bounds its cache by bytes, at about
/// this many, and begins with an empty one.
const REMEMBERED_IDS: usize = 100_000;

/// The revision that stands for the end of a deleted stream.
pub const DELETED: u64 = i64::MAX as u64;

/// An event on its way in.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub id: Uuid,
    pub kind: String,
    pub json: bool,
    pub data: Vec<u8>,
    pub custom_metadata: Vec<u8>,
}

/// An event of the log, with the bytes in which it is answered.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: Uuid,
    pub stream: Arc<str>,
    pub kind: Arc<str>,
    pub revision: u64,
    pub position: u64,
    /// Ticks of 100 ns since 1970.
    pub created: i64,
    /// A whole [`ReadReply`], with the id as text.
    pub encoded: Bytes,
}

#[derive(Default, Debug)]
pub struct Stream {
    /// By revision: where in the log.
    pub events: Vec<usize>,
    pub limits: Limits,
    pub tombstoned: bool,
}

impl Stream {
    /// How many of its events readers may see.
    pub fn visible(&self, mark: usize) -> usize {
        self.events.partition_point(|index| *index < mark)
    }

    /// The revision of its last event, -1 when there is none.
    pub fn last(&self) -> i64 {
        i64::try_from(self.events.len()).unwrap() - 1
    }
}

pub struct Log {
    pub entries: Vec<Entry>,
    streams: HashMap<Arc<str>, Stream>,
    kinds: HashMap<String, Arc<str>>,
    remembered: HashMap<Uuid, (Arc<str>, u64)>,
    order: VecDeque<Uuid>,
    /// Deleted streams whose events are gone from `$all`, too.
    pub scavenged: HashSet<String>,
    /// Where the next frame begins.
    pub end: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            streams: HashMap::new(),
            kinds: HashMap::new(),
            remembered: HashMap::new(),
            order: VecDeque::new(),
            scavenged: HashSet::new(),
            end: BEGINNING,
        }
    }
}

impl Log {
    pub fn stream(&self, name: &str) -> Option<&Stream> {
        self.streams.get(name)
    }

    pub fn at(&self, stream: &str, revision: u64) -> Option<&Entry> {
        let index = self.stream(stream)?.events.get(usize::try_from(revision).ok()?)?;
        self.entries.get(*index)
    }

    /// The revision at which an id was lately written to this stream.
    pub fn remembered(&self, stream: &str, id: Uuid) -> Option<u64> {
        let (at, revision) = self.remembered.get(&id)?;
        (&**at == stream).then_some(*revision)
    }

    /// The first entry at this position or after it.
    pub fn index_at(&self, position: u64) -> usize {
        self.entries.partition_point(|entry| entry.position < position)
    }

    /// Takes events in as one frame and gives its bytes. Each group goes to the end of its stream, except that a
    /// tombstone stands at no revision of its own.
    pub fn write(&mut self, groups: Vec<(&str, Vec<NewEvent>)>, created: i64) -> Vec<u8> {
        let mut payload = Vec::new();
        for (stream, events) in groups {
            for event in events {
                let position = self.end + FRAME_HEAD + payload.len() as u64;
                let revision = match event.kind.as_str() {
                    super::metadata::TOMBSTONE => DELETED,
                    _ => self.stream(stream).map_or(0, |stream| stream.events.len() as u64),
                };
                let encoded = encode(stream, revision, position, created, &event);
                payload.extend(u32::try_from(encoded.len()).unwrap().to_le_bytes());
                payload.extend(&encoded);
                let kind = self.kind(&event.kind);
                let stream = self.name(stream);
                self.remember(event.id, &stream, revision);
                self.take(
                    Entry { id: event.id, stream, kind, revision, position, created, encoded },
                    &event.data,
                );
            }
        }
        let mut frame = u32::try_from(payload.len()).unwrap().to_le_bytes().to_vec();
        frame.extend(crc32fast::hash(&payload).to_le_bytes());
        frame.extend(payload);
        self.end += frame.len() as u64;
        frame
    }

    /// Takes in an event that a file had.
    pub fn restore(&mut self, encoded: Bytes) -> Option<()> {
        let Some(Content::Event(read)) = ReadReply::decode(encoded.clone()).ok()?.content else {
            return None;
        };
        let event = read.event?;
        let stream = self.name(std::str::from_utf8(&event.stream?.name).ok()?);
        let entry = Entry {
            id: event.id?.uuid()?,
            stream,
            kind: self.kind(event.metadata.get("type")?),
            revision: event.revision,
            position: event.commit,
            created: event.metadata.get("created")?.parse().ok()?,
            encoded,
        };
        self.take(entry, &event.data);
        Some(())
    }

    fn take(&mut self, entry: Entry, data: &[u8]) {
        let index = self.entries.len();
        let stream = self.streams.entry(Arc::clone(&entry.stream)).or_default();
        if entry.revision == DELETED {
            stream.tombstoned = true;
        } else {
            stream.events.push(index);
        }
        if let Some(described) = entry.stream.strip_prefix("$$") {
            let described = self.name(described);
            self.streams.entry(described).or_default().limits = Limits::parse(data);
        }
        self.entries.push(entry);
    }

    fn remember(&mut self, id: Uuid, stream: &Arc<str>, revision: u64) {
        if self.order.len() >= REMEMBERED_IDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.remembered.remove(&oldest);
        }
        self.order.push_back(id);
        self.remembered.insert(id, (Arc::clone(stream), revision));
    }

    fn name(&self, stream: &str) -> Arc<str> {
        self.streams.get_key_value(stream).map_or_else(|| Arc::from(stream), |(name, _)| Arc::clone(name))
    }

    fn kind(&mut self, kind: &str) -> Arc<str> {
        if let Some(known) = self.kinds.get(kind) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(kind);
        self.kinds.insert(kind.to_owned(), Arc::clone(&new));
        new
    }
}

fn encode(stream: &str, revision: u64, position: u64, created: i64, event: &NewEvent) -> Bytes {
    let form = if event.json { "application/json" } else { "application/octet-stream" };
    let metadata = BTreeMap::from([
        ("type".to_owned(), event.kind.clone()),
        ("content-type".to_owned(), form.to_owned()),
        ("created".to_owned(), created.to_string()),
    ]);
    let recorded = Recorded {
        id: Some(Id::text(event.id)),
        stream: Some(StreamName::new(stream)),
        revision,
        prepare: position,
        commit: position,
        metadata,
        custom_metadata: event.custom_metadata.clone(),
        data: event.data.clone(),
    };
    let event = ReadEvent { event: Some(recorded), link: None, position: Some(CommitPosition::At(position)) };
    ReadReply { content: Some(Content::Event(Box::new(event))) }.encode_to_vec().into()
}
