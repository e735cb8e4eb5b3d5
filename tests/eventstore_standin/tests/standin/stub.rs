//! [`Stub`] is a client of a few lines for the stand-in's own tests: it has one connection, does not retry, and hides
//! nothing.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use eventstore_standin::proto::append::{
    AppendPart, AppendReply, AppendRequest, AppendResult, BatchReply, BatchRequest, Current, DeleteReply,
    DeleteRequest, Expected, Place, Proposed, Target,
};
use eventstore_standin::proto::read::{
    AllSource, Content, Control, Extent, FilterChoice, FilterOn, FilterOptions, FromPosition, FromRevision,
    IdChoice, IdWanted, ReadOptions, ReadReply, ReadRequest, Source, StreamSource,
};
use eventstore_standin::proto::{Empty, Id, Position, StreamName};

pub const NONE: Empty = Empty {};
pub const NO_STREAM: Expected = Expected::NoStream(NONE);
pub const ANY: Expected = Expected::Any(NONE);

pub fn at(revision: u64) -> Expected {
    Expected::Revision(revision)
}

pub fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// An event: its id and its body.
pub fn event(n: u128, data: &str) -> Proposed {
    Proposed {
        id: Some(Id::text(id(n))),
        metadata: [("type", "Deposited"), ("content-type", "application/json")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        custom_metadata: Vec::new(),
        data: data.into(),
    }
}

pub fn events(ids: std::ops::Range<u128>) -> Vec<Proposed> {
    ids.map(|n| event(n, "{}")).collect()
}

/// What an append was told, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Stored { revision: u64, position: Option<u64> },
    Wrong { current: Option<u64> },
}

#[derive(Clone)]
pub struct Stub {
    connection: SendRequest<Body>,
    origin: http::Uri,
    pub deadline: Duration,
}

impl Stub {
    pub async fn connect(address: SocketAddr) -> Self {
        let socket = tokio::net::TcpStream::connect(address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let (connection, driver) = handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
        tokio::spawn(driver);
        let origin = format!("http://{address}").parse().unwrap();
        Self { connection, origin, deadline: Duration::from_secs(120) }
    }

    fn grpc(
        &self,
    ) -> Grpc<
        impl tower::Service<
            http::Request<Body>,
            Response = http::Response<Incoming>,
            Error = hyper::Error,
            Future: Send,
        >,
    > {
        let connection = self.connection.clone();
        let service = tower::service_fn(move |request| {
            let mut connection = connection.clone();
            async move { connection.send_request(request).await }
        });
        Grpc::with_origin(service, self.origin.clone())
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.deadline);
        request
    }

    /// The same connection, with a client that waits a short time only.
    pub fn hurried(&self) -> Self {
        Self { deadline: Duration::from_millis(100), ..self.clone() }
    }

    pub async fn unary<Q, A>(&self, path: &'static str, question: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let path = http::uri::PathAndQuery::from_static(path);
        let answer = self.grpc().unary(self.request(question), path, ProstCodec::default()).await?;
        Ok(answer.into_inner())
    }

    pub async fn append(
        &self,
        stream: &str,
        expected: Expected,
        events: Vec<Proposed>,
    ) -> Result<Told, Status> {
        let target = Target { stream: Some(StreamName::new(stream)), expected: Some(expected) };
        let parts = std::iter::once(AppendPart::Target(target))
            .chain(events.into_iter().map(AppendPart::Event))
            .map(|part| AppendRequest { part: Some(part) });
        let parts = futures_util::stream::iter(parts.collect::<Vec<_>>());
        let path = http::uri::PathAndQuery::from_static("/event_store.client.streams.Streams/Append");
        let codec = ProstCodec::<AppendRequest, AppendReply>::default();
        let reply = self.grpc().client_streaming(self.request(parts), path, codec).await?.into_inner();
        Ok(match reply.result.unwrap() {
            AppendResult::WrongVersion(wrong) => Told::Wrong { current: wrong.current },
            AppendResult::Success(appended) => {
                let Some(Current::Revision(revision)) = appended.current else { panic!("{appended:?}") };
                let position = match appended.place {
                    Some(Place::At(place)) => Some(place.commit),
                    _ => None,
                };
                Told::Stored { revision, position }
            }
        })
    }

    pub async fn batch(&self, requests: Vec<BatchRequest>) -> Result<Vec<BatchReply>, Status> {
        let path = http::uri::PathAndQuery::from_static("/event_store.client.streams.Streams/BatchAppend");
        let requests = self.request(futures_util::stream::iter(requests));
        let codec = ProstCodec::<BatchRequest, BatchReply>::default();
        let replies = self.grpc().streaming(requests, path, codec).await?.into_inner();
        replies.collect::<Vec<_>>().await.into_iter().collect()
    }

    pub async fn delete(&self, stream: &str, expected: Expected) -> Result<DeleteReply, Status> {
        let target = Target { stream: Some(StreamName::new(stream)), expected: Some(expected) };
        let request = DeleteRequest { target: Some(target) };
        self.unary("/event_store.client.streams.Streams/Delete", request).await
    }

    pub async fn open(&self, options: ReadOptions) -> Result<Streaming<ReadReply>, Status> {
        let path = http::uri::PathAndQuery::from_static("/event_store.client.streams.Streams/Read");
        let request = self.request(ReadRequest { options: Some(options) });
        let codec = ProstCodec::<ReadRequest, ReadReply>::default();
        Ok(self.grpc().server_streaming(request, path, codec).await?.into_inner())
    }

    pub async fn read(&self, options: ReadOptions) -> Result<Vec<Content>, Status> {
        let replies = self.open(options).await?.collect::<Vec<_>>().await;
        replies.into_iter().map(|reply| Ok(reply?.content.unwrap())).collect()
    }

    /// The revisions and ids of a stream's events; empty when it is not found.
    pub async fn stored(&self, stream: &str) -> Vec<(u64, Uuid)> {
        let read = self.read(stream_from(stream, FromRevision::Start(NONE))).await.unwrap();
        seen(&read).into_iter().map(|(revision, id, _)| (revision, id)).collect()
    }
}

/// Revision, id and position of the events among these messages.
pub fn seen(messages: &[Content]) -> Vec<(u64, Uuid, u64)> {
    let events = messages.iter().filter_map(|message| match message {
        Content::Event(event) => event.event.as_ref(),
        _ => None,
    });
    events.map(|event| (event.revision, event.id.as_ref().unwrap().uuid().unwrap(), event.commit)).collect()
}

fn options(source: Source) -> ReadOptions {
    ReadOptions {
        source: Some(source),
        direction: 0,
        resolve_links: false,
        extent: Some(Extent::Count(u64::MAX)),
        filter: Some(FilterChoice::None(NONE)),
        id_form: Some(IdChoice { wanted: Some(IdWanted::Text(NONE)) }),
        control: Some(Control { compatibility: 1 }),
    }
}

pub fn stream_from(stream: &str, from: FromRevision) -> ReadOptions {
    options(Source::Stream(StreamSource { stream: Some(StreamName::new(stream)), from: Some(from) }))
}

pub fn all_from(from: FromPosition) -> ReadOptions {
    options(Source::All(AllSource { from: Some(from) }))
}

pub fn place(position: u64) -> FromPosition {
    FromPosition::Position(Position::at(position))
}

pub fn backwards(options: ReadOptions) -> ReadOptions {
    ReadOptions { direction: 1, ..options }
}

pub fn limited(options: ReadOptions, count: u64) -> ReadOptions {
    ReadOptions { extent: Some(Extent::Count(count)), ..options }
}

pub fn follow(options: ReadOptions) -> ReadOptions {
    ReadOptions { extent: Some(Extent::Subscription(NONE)), ..options }
}

pub fn filtered(options: ReadOptions, on: FilterOn) -> ReadOptions {
    let filter = FilterOptions { on: Some(on), window: None, checkpoint_interval: 1 };
    ReadOptions { filter: Some(FilterChoice::Filter(filter)), ..options }
}

/// The next message of a subscription.
pub async fn next(subscription: &mut Streaming<ReadReply>) -> Result<Content, Status> {
    subscription.message().await?.and_then(|reply| reply.content).ok_or_else(|| Status::ok("it ended"))
}
