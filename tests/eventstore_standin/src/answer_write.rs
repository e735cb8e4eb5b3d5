//! These are the calls `Append`, `BatchAppend`, `Delete` and `Tombstone`. They make a write of messages, and messages
//! of its outcome.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use super::log::NewEvent;
use super::node::{Node, Wire};
use super::proto::append::{
    AppendPart, AppendReply, AppendRequest, AppendResult, Appended, BatchReply, BatchRequest, BatchResult,
    Current, DeleteReply, DeleteRequest, DeletedAt, Expected, Place, Proposed, Target, WrongVersion,
};
use super::proto::{Empty, Id, Position, StreamName};
use super::writer::{Outcome, Work};
use super::{rich, statuses};

/// An append as its parts come in.
struct Gathered {
    stream: String,
    expected: Expected,
    events: Vec<NewEvent>,
    size: usize,
}

impl Gathered {
    fn new(target: Target) -> Result<Self, Status> {
        let (stream, expected) = target.read()?;
        Ok(Self { stream, expected, events: Vec::new(), size: 0 })
    }

    fn add(&mut self, event: Proposed) -> Result<(), Status> {
        let mut metadata = event.metadata;
        let kind = metadata.remove("type").ok_or_else(|| statuses::missing_metadata("type"))?;
        let form =
            metadata.remove("content-type").ok_or_else(|| statuses::missing_metadata("content-type"))?;
        let id = event
            .id
            .as_ref()
            .and_then(Id::uuid)
            .ok_or_else(|| Status::invalid_argument("an event without a UUID"))?;
        // As on disk: a type name has two bytes a character there.
        self.size += event.data.len() + event.custom_metadata.len() + 2 * kind.len();
        self.events.push(NewEvent {
            id,
            kind,
            json: form == "application/json",
            data: event.data,
            custom_metadata: event.custom_metadata,
        });
        if self.size > statuses::MOST_APPENDED { Err(statuses::too_large()) } else { Ok(()) }
    }
}

impl Target {
    fn read(self) -> Result<(String, Expected), Status> {
        let name = self.stream.ok_or_else(|| Status::invalid_argument("no stream is named"))?.name;
        let name =
            String::from_utf8(name).map_err(|_| Status::invalid_argument("a stream's name is UTF-8"))?;
        Ok((name, self.expected.ok_or_else(|| Status::invalid_argument("no revision is expected"))?))
    }
}

pub async fn append(
    node: Arc<Node>,
    wire: Wire,
    request: Request<Streaming<AppendRequest>>,
) -> Result<Response<AppendReply>, Status> {
    node.leads(&request, true)?;
    let mut parts = request.into_inner();
    let Some(AppendRequest { part: Some(AppendPart::Target(target)) }) = parts.try_next().await? else {
        return Err(Status::unknown("Exception was thrown by handler."));
    };
    let mut gathered = Gathered::new(target)?;
    while let Some(part) = parts.try_next().await? {
        let Some(AppendPart::Event(event)) = part.part else {
            return Err(Status::unknown("Exception was thrown by handler."));
        };
        gathered.add(event)?;
    }
    let Gathered { stream, expected, events, .. } = gathered;
    let outcome = node.write(&wire, stream.clone(), expected, Work::Append(events)).await?;
    let result = match outcome {
        Outcome::Done { revision, position } => AppendResult::Success(appended(revision, position)),
        Outcome::Wrong { current } => AppendResult::WrongVersion(wrong_version(expected, current)),
        Outcome::Deleted => return Err(statuses::stream_deleted(&stream)),
    };
    Ok(Response::new(AppendReply { result: Some(result) }))
}

fn appended(revision: Option<u64>, position: Option<u64>) -> Appended {
    Appended {
        current: Some(revision.map_or(Current::NoStream(Empty {}), Current::Revision)),
        place: Some(position.map_or(Place::None(Empty {}), |place| Place::At(Position::at(place)))),
    }
}

fn wrong_version(expected: Expected, current: Option<u64>) -> WrongVersion {
    let empty = Some(Empty {});
    let mut wrong = WrongVersion { old_current: current, current, ..WrongVersion::default() };
    if current.is_none() {
        (wrong.old_no_stream, wrong.current_no_stream) = (empty, empty);
    }
    match expected {
        Expected::Revision(revision) => {
            (wrong.old_expected, wrong.expected) = (Some(revision), Some(revision));
        }
        Expected::NoStream(_) => (wrong.old_expected, wrong.expected_no_stream) = (Some(u64::MAX), empty),
        Expected::Any(_) => (wrong.old_any, wrong.expected_any) = (empty, empty),
        Expected::StreamExists(_) => (wrong.old_exists, wrong.expected_exists) = (empty, empty),
    }
    wrong
}

pub async fn delete(
    node: Arc<Node>,
    wire: Wire,
    request: Request<DeleteRequest>,
    work: Work,
) -> Result<Response<DeleteReply>, Status> {
    node.leads(&request, true)?;
    let operation = if matches!(work, Work::Tombstone) { "Tombstone" } else { "Delete" };
    let target = request.into_inner().target.ok_or_else(|| Status::invalid_argument("no options"))?;
    let (stream, expected) = target.read()?;
    match node.write(&wire, stream.clone(), expected, work).await? {
        Outcome::Done { position, .. } => {
            let place =
                position.map_or(DeletedAt::None(Empty {}), |place| DeletedAt::At(Position::at(place)));
            Ok(Response::new(DeleteReply { place: Some(place) }))
        }
        Outcome::Wrong { current } => Err(statuses::wrong_version(operation, &stream, expected, current)),
        Outcome::Deleted => Err(statuses::stream_deleted(&stream)),
    }
}

/// A session: appends come in parts and are answered one by one, in any order, each by its correlation id.
pub async fn batch(
    node: Arc<Node>,
    wire: Wire,
    request: Request<Streaming<BatchRequest>>,
) -> Result<Response<impl Stream<Item = Result<BatchReply, Status>>>, Status> {
    node.leads(&request, true)?;
    let (answers, answering) = tokio::sync::mpsc::unbounded_channel();
    let mut parts = request.into_inner();
    tokio::spawn(async move {
        let mut gathering: HashMap<Uuid, Gathered> = HashMap::new();
        while let Some(Ok(part)) = parts.next().await {
            let Some(correlation) = part.correlation.as_ref().and_then(Id::uuid) else { continue };
            match gather(&mut gathering, correlation, part) {
                Ok(None) => {}
                Ok(Some(whole)) => {
                    let (node, wire, answers) = (Arc::clone(&node), wire.clone(), answers.clone());
                    tokio::spawn(async move {
                        drop(answers.send(write(&node, &wire, correlation, whole).await));
                    });
                }
                Err(status) => {
                    let result = BatchResult::Error(rich::from_status(&status));
                    drop(answers.send(Ok(reply(correlation, None, result))));
                }
            }
        }
    });
    let answering = futures_util::stream::unfold(answering, |mut answering| async move {
        let answer: Result<BatchReply, Status> = answering.recv().await?;
        Some((answer, answering))
    });
    Ok(Response::new(answering))
}

/// The append that is whole by this part; a part of an append that was refused is dropped.
fn gather(
    gathering: &mut HashMap<Uuid, Gathered>,
    correlation: Uuid,
    part: BatchRequest,
) -> Result<Option<Gathered>, Status> {
    if let Some(target) = part.target {
        gathering.insert(correlation, Gathered::new(target)?);
    }
    let Some(append) = gathering.get_mut(&correlation) else { return Ok(None) };
    for event in part.events {
        if let Err(status) = append.add(event) {
            gathering.remove(&correlation);
            return Err(status);
        }
    }
    Ok(if part.last { gathering.remove(&correlation) } else { None })
}

async fn write(node: &Node, wire: &Wire, correlation: Uuid, append: Gathered) -> Result<BatchReply, Status> {
    let Gathered { stream, expected, events, .. } = append;
    let result = match node.write(wire, stream.clone(), expected, Work::Append(events)).await {
        Ok(Outcome::Done { revision, position }) => BatchResult::Success(appended(revision, position)),
        Ok(Outcome::Wrong { current }) => BatchResult::Error(rich::wrong_version(expected, current)),
        Ok(Outcome::Deleted) => BatchResult::Error(rich::stream_deleted(&stream)),
        Err(status) => BatchResult::Error(rich::from_status(&status)),
    };
    Ok(reply(correlation, Some(&stream), result))
}

fn reply(correlation: Uuid, stream: Option<&str>, result: BatchResult) -> BatchReply {
    BatchReply {
        correlation: Some(Id::text(correlation)),
        result: Some(result),
        stream: Some(StreamName::new(stream.unwrap_or_default())),
    }
}
