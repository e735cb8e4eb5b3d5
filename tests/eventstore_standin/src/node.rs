//! [`Node`] is one run of the node, from start to stop. Every call holds it, and every write passes its fault here.

use std::net::SocketAddr;
use std::sync::Arc;

use crossbeam_channel::Sender;
use tokio::sync::{Notify, oneshot};
use tonic::{Code, Request, Status};

use super::faults::{Attempt, Fault, Handle, Leader};
use super::proto::append::Expected;
use super::statuses;
use super::writer::{Outcome, Store, Work, Write};

pub struct Node {
    pub store: Arc<Store>,
    pub faults: Arc<Handle>,
    pub address: SocketAddr,
    pub instance: uuid::Uuid,
    pub version: String,
    pub authorization: Option<String>,
    pub writes: Sender<Write>,
}

/// The connection that a call came on: to cut it.
#[derive(Clone, Default)]
pub struct Wire(pub Arc<Notify>);

impl Node {
    /// Says whether who sent this call may read and write. Anybody may ask what the node is.
    pub fn lets_in(&self, call: &http::Request<hyper::body::Incoming>) -> bool {
        let Some(wanted) = &self.authorization else { return true };
        let said = call.headers().get(http::header::AUTHORIZATION);
        !call.uri().path().contains(".streams.")
            || said.is_some_and(|said| said.as_bytes() == wanted.as_bytes())
    }

    /// Only a leader writes; a read asks for one by a header.
    pub fn leads<T>(&self, request: &Request<T>, writes: bool) -> Result<(), Status> {
        let wanted = request.metadata().get("requires-leader").is_some_and(|value| value == "true");
        match self.faults.leader() {
            Leader::Here => Ok(()),
            Leader::Nobody => Err(Status::new(Code::Unavailable, "Server Is Not Ready")),
            Leader::At(leader) if wanted || writes => Err(statuses::not_leader(leader)),
            Leader::At(_) => Ok(()),
        }
    }

    /// Hands a write to the writer, with the fault that is due. Never returns when nothing is answered.
    pub async fn write(
        &self,
        wire: &Wire,
        stream: String,
        expected: Expected,
        work: Work,
    ) -> Result<Outcome, Status> {
        if let Work::Append(events) = &work {
            self.faults.attempted(|| Attempt {
                stream: stream.clone(),
                expected: format!("{expected:?}"),
                ids: events.iter().map(|event| event.id).collect(),
                metadata: events.first().map(|event| event.custom_metadata.clone()).unwrap_or_default(),
            });
            self.faults.pass(&stream).await;
        }
        let fault = self.faults.draw(&stream);
        let (reply, answer) = oneshot::channel();
        let write = Write { stream, expected, work, reply };
        match fault {
            Some(Fault::LostRequest) => return std::future::pending().await,
            Some(Fault::CutBefore) => {
                wire.0.notify_one();
                return std::future::pending().await;
            }
            Some(Fault::Late(after)) => {
                let writes = self.writes.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    drop(writes.send(write));
                });
                return std::future::pending().await;
            }
            Some(Fault::Kept) => {
                let (writes, faults) = (self.writes.clone(), Arc::clone(&self.faults));
                tokio::spawn(async move {
                    drop(faults.kept().subscribe().wait_for(|kept| kept.lands).await);
                    drop(writes.send(write));
                    drop(answer.await);
                    faults.kept().send_modify(|kept| kept.tried += 1);
                });
                return std::future::pending().await;
            }
            _ => drop(self.writes.send(write)),
        }
        let Ok(outcome) = answer.await else { return std::future::pending().await };
        match (fault, outcome) {
            (Some(Fault::LostAnswer), _) => std::future::pending().await,
            (Some(Fault::CutAfter), _) => {
                wire.0.notify_one();
                std::future::pending().await
            }
            (Some(Fault::Timeout), _) => {
                Err(Status::new(Code::Aborted, "Operation timed out: Commit timeout"))
            }
            (Some(Fault::NoPosition), Outcome::Done { revision, .. }) => {
                Ok(Outcome::Done { revision, position: None })
            }
            (Some(Fault::Delay(time)), outcome) => {
                tokio::time::sleep(time).await;
                Ok(outcome)
            }
            (_, outcome) => Ok(outcome),
        }
    }
}
