//! This is the call `Read`: it takes what was asked for, and answers message by message. An event goes out in the bytes
//! in which it is kept.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes};
use futures_util::Stream;
use prost::Message as _;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Response, Status};

use super::filter::Filter;
use super::log::Log;
use super::metadata::{Found, found};
use super::node::Node;
use super::proto::read::{
    Content, Extent, FilterChoice, FromPosition, FromRevision, IdWanted, NotFound, ReadOptions, ReadReply,
    ReadRequest, Source, Window,
};
use super::proto::{Id, StreamName};
use super::statuses;
use super::subscription::{Checkpoints, Subscription};
use super::walk::{Scope, Walk};
use super::writer::ticks;

/// How many events a read takes from the log at once.
const PAGE: usize = 256;

pub enum Reply {
    Kept(Bytes),
    Made(Content),
}

pub struct ReadCodec;
pub struct ReadEncoder;
pub struct ReadDecoder;

impl Codec for ReadCodec {
    type Encode = Reply;
    type Decode = ReadRequest;
    type Encoder = ReadEncoder;
    type Decoder = ReadDecoder;

    fn encoder(&mut self) -> ReadEncoder {
        ReadEncoder
    }

    fn decoder(&mut self) -> ReadDecoder {
        ReadDecoder
    }
}

impl Encoder for ReadEncoder {
    type Item = Reply;
    type Error = Status;

    fn encode(&mut self, reply: Reply, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        match reply {
            Reply::Kept(bytes) => into.put(bytes),
            Reply::Made(content) => ReadReply { content: Some(content) }
                .encode(into)
                .map_err(|error| Status::internal(error.to_string()))?,
        }
        Ok(())
    }
}

impl Decoder for ReadDecoder {
    type Item = ReadRequest;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<ReadRequest>, Status> {
        ReadRequest::decode(from).map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}

pub enum Answer {
    Read(Box<Reading>),
    Follow(Box<Subscription>),
}

pub async fn read(
    node: Arc<Node>,
    request: Request<ReadRequest>,
) -> Result<Response<impl Stream<Item = Result<Reply, Status>>>, Status> {
    node.leads(&request, false)?;
    let options = request.into_inner().options.ok_or_else(|| Status::invalid_argument("no options"))?;
    let structured = !matches!(options.id_form.and_then(|choice| choice.wanted), Some(IdWanted::Text(_)));
    let answer = begin(&node, &options)?;
    let stream = futures_util::stream::unfold(answer, move |mut answer| async move {
        let next = match &mut answer {
            Answer::Read(reading) => reading.next(),
            Answer::Follow(subscription) => subscription.next().await,
        };
        let next = next?.map(|reply| if structured { with_structured_id(reply) } else { reply });
        Some((next, answer))
    });
    Ok(Response::new(stream))
}

fn begin(node: &Arc<Node>, options: &ReadOptions) -> Result<Answer, Status> {
    let filter = match &options.filter {
        Some(FilterChoice::Filter(filter)) => Some(Arc::new(Filter::new(filter)?)),
        _ => None,
    };
    let follows = matches!(options.extent, Some(Extent::Subscription(_)));
    let backwards = options.direction == 1;
    if follows && backwards {
        return Err(Status::invalid_argument("a subscription goes forwards"));
    }
    let mark = node.store.visible();
    let log = node.store.log.read();
    let (scope, next) = match &options.source {
        Some(Source::Stream(source)) => {
            let name =
                source.stream.as_ref().map(|stream| String::from_utf8_lossy(&stream.name).into_owned());
            let name = name.ok_or_else(|| Status::invalid_argument("no stream is named"))?;
            let visible = log.stream(&name).map_or(0, |stream| stream.visible(mark) as u64);
            let next = match source.from {
                Some(FromRevision::Revision(at)) if backwards || follows => at.saturating_add(1),
                Some(FromRevision::Revision(at)) => at,
                Some(FromRevision::End(_)) if backwards || follows => visible,
                Some(FromRevision::End(_)) => u64::MAX,
                _ => 0,
            };
            (Scope::Stream(name), next)
        }
        Some(Source::All(source)) => {
            let next = match source.from {
                Some(FromPosition::Position(at)) if follows => {
                    log.index_at(at.commit.saturating_add(1)) as u64
                }
                Some(FromPosition::Position(at)) => place(&log, mark, at.commit)?,
                Some(FromPosition::End(_)) => mark as u64,
                _ => 0,
            };
            (Scope::All(filter), next)
        }
        None => return Err(Status::invalid_argument("nothing to read is named")),
    };
    drop(log);
    let walk = Walk { scope, backwards, next };
    if follows {
        let checkpoints = checkpoints(options);
        return Ok(Answer::Follow(Box::new(Subscription::new(node, walk, checkpoints)?)));
    }
    let left = match options.extent {
        Some(Extent::Count(count)) => count,
        _ => u64::MAX,
    };
    let compatible = options.control.is_some_and(|control| control.compatibility >= 1);
    Ok(Answer::Read(Box::new(Reading {
        node: Arc::clone(node),
        walk,
        left,
        compatible,
        asked: next,
        begun: false,
        ended: false,
        waiting: VecDeque::new(),
    })))
}

/// Where a read of `$all` begins that names a position: it must be a record's. The greatest number is the end.
fn place(log: &Log, mark: usize, position: u64) -> Result<u64, Status> {
    if position == u64::MAX {
        return Ok(mark as u64);
    }
    let index = log.index_at(position);
    match log.entries.get(index) {
        Some(entry) if entry.position == position && index < mark => Ok(index as u64),
        _ => Err(statuses::no_record_there()),
    }
}

/// How many events a filter looks at between two checkpoints; without a filter there are none.
fn checkpoints(options: &ReadOptions) -> Option<Checkpoints> {
    let Some(FilterChoice::Filter(filter)) = &options.filter else { return None };
    let window = match filter.window {
        Some(Window::Max(most)) => most as usize,
        _ => 32,
    };
    Some(Checkpoints::every(window * filter.checkpoint_interval.max(1) as usize))
}

/// A read: it ends.
pub struct Reading {
    node: Arc<Node>,
    walk: Walk,
    left: u64,
    compatible: bool,
    asked: u64,
    begun: bool,
    ended: bool,
    waiting: VecDeque<Result<Reply, Status>>,
}

impl Reading {
    fn next(&mut self) -> Option<Result<Reply, Status>> {
        loop {
            if let Some(next) = self.waiting.pop_front() {
                return Some(next);
            }
            if self.ended {
                return None;
            }
            self.page();
        }
    }

    fn page(&mut self) {
        let node = Arc::clone(&self.node);
        let mark = match self.walk.scope {
            Scope::All(_) if !self.walk.backwards => node.faults.shown(node.store.visible()),
            Scope::All(_) | Scope::Stream(_) => node.store.visible(),
        };
        let log = node.store.log.read();
        let name = match &self.walk.scope {
            Scope::Stream(name) => name.clone(),
            Scope::All(_) => "$all".to_owned(),
        };
        if !self.begun && self.missing(&log, mark) {
            return node.faults.count_read(&name, true, 0);
        }
        let most = PAGE.min(usize::try_from(self.left).unwrap_or(PAGE));
        let page = self.walk.page(&log, mark, ticks(), most);
        node.faults.count_read(&name, !self.begun, page.events.len());
        self.left -= page.events.len() as u64;
        self.ended = page.finished || self.left == 0;
        if let Scope::Stream(name) = &self.walk.scope
            && self.compatible
            && !self.walk.backwards
        {
            let first_differs = !self.begun && page.events.is_empty() && self.walk.next != self.asked;
            if first_differs {
                let first = Content::FirstStreamRevision(self.walk.next);
                self.waiting.push_back(Ok(Reply::Made(first)));
            }
            self.waiting.extend(page.events.into_iter().map(|event| Ok(Reply::Kept(event))));
            let last = log.stream(name).and_then(|stream| stream.visible(mark).checked_sub(1));
            if let Some(last) = last.filter(|_| self.ended) {
                self.waiting.push_back(Ok(Reply::Made(Content::LastStreamRevision(last as u64))));
            }
        } else {
            self.waiting.extend(page.events.into_iter().map(|event| Ok(Reply::Kept(event))));
        }
        self.begun = true;
    }

    /// A stream that is not there is a message; one that was tombstoned is an error.
    fn missing(&mut self, log: &Log, mark: usize) -> bool {
        let Scope::Stream(name) = &self.walk.scope else { return false };
        let answer = match found(log.stream(name), mark) {
            Found::Yes => return false,
            Found::No => {
                let stream = Some(StreamName::new(name));
                Ok(Reply::Made(Content::StreamNotFound(NotFound { stream })))
            }
            Found::Tombstoned => Err(statuses::stream_deleted(name)),
        };
        self.waiting.push_back(answer);
        self.ended = true;
        true
    }
}

/// For a client that wants ids as two halves; the log keeps them as text.
fn with_structured_id(reply: Reply) -> Reply {
    let Reply::Kept(bytes) = &reply else { return reply };
    let Ok(ReadReply { content: Some(Content::Event(mut event)) }) = ReadReply::decode(bytes.clone()) else {
        return reply;
    };
    if let Some(recorded) = &mut event.event {
        recorded.id = recorded.id.as_ref().and_then(Id::uuid).map(Id::structured);
    }
    Reply::Made(Content::Event(event))
}
