//! The books of a destination are what is recorded of it and for it: what happened to it, and its dead letters.
//!
//! What can't be recorded or read at the moment is tried again here, after waits that grow to 5 s. Only what does not fit how
//! the destination stands ends otherwise: then somebody else has changed the destination.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::client::random::Draws;
use crate::delivery::message::Message;
use crate::delivery::port::{NotRecorded, Port, Unreadable};
use crate::domain::delivery::decide::DeliveryOperation;
use crate::domain::delivery::flow::Dead;
use crate::domain::letter::DeadLettered;
use crate::domain::stream::StreamName;
use crate::domain::transfer::payout::Label;
use crate::store::lines_of;

use super::chosen::Chooser;
use super::log::Log;
use super::patience::Patience;

/// This is how many lines of a stream are read together.
const LINES: usize = 64;

/// The `Books` of one destination.
pub(super) struct Books {
    pub(super) port: Arc<dyn Port>,
    pub(super) chooser: Chooser,
    /// This is where the destination sends, as it is shown.
    pub(super) topic: Box<str>,
    pub(super) draws: Draws,
    pub(super) log: Log,
}

impl Books {
    /// Records what is asked of the destination; false where it does not fit how the destination stands.
    pub(super) async fn record(&self, asked: &DeliveryOperation) -> bool {
        let mut patience = Patience::default();
        loop {
            match self.port.record(&self.chooser.name, asked).await {
                Ok(()) => return true,
                Err(NotRecorded::Refused(refused)) => {
                    tracing::info!(destination = %self.chooser.name, ?refused, "the destination was changed meanwhile");
                    return false;
                }
                Err(error) => self.log.could_not(&error),
            }
            patience.wait(&self.draws).await;
        }
    }

    /// Makes a dead letter of a message; false where it can't be one.
    pub(super) async fn bury(&self, dead: &Dead) -> bool {
        let mut patience = Patience::default();
        loop {
            match self.letter(dead).await {
                Ok((letter, of)) => match self.port.bury(letter, &of).await {
                    Ok(()) => {
                        self.log.given_up(dead);
                        return true;
                    }
                    Err(NotRecorded::Refused(_)) => return false,
                    Err(error) => self.log.could_not(&error),
                },
                Err(error) => self.log.could_not(&error),
            }
            patience.wait(&self.draws).await;
        }
    }

    /// Returns the first chosen messages of a stream after a revision, up to a position.
    pub(super) async fn find(&self, stream: &StreamName, after: u64, to: u64, most: usize) -> Vec<Message> {
        let mut patience = Patience::default();
        loop {
            match self.chosen_of(stream, after, to, most).await {
                Ok(found) => return found,
                Err(error) => self.log.could_not(&error),
            }
            patience.wait(&self.draws).await;
        }
    }

    async fn chosen_of(
        &self,
        stream: &StreamName,
        mut after: u64,
        to: u64,
        most: usize,
    ) -> Result<Vec<Message>, Unreadable> {
        let mut found = Vec::new();
        loop {
            let lines = self.port.lines_of(stream, after, LINES).await?;
            let mut count = 0_u64;
            for line in lines_of(&lines) {
                let looked = self.chooser.look(line);
                let (position, message) = looked.map_err(|error| Unreadable(Box::new(error)))?;
                if position > to || found.len() >= most {
                    return Ok(found);
                }
                found.extend(message);
                count = count.saturating_add(1);
            }
            if count == 0 {
                return Ok(found);
            }
            after = after.saturating_add(count);
        }
    }

    async fn letter(&self, dead: &Dead) -> Result<(DeadLettered, Message), Unreadable> {
        let message = self.chooser.again(&*self.port, dead.position).await?;
        let none = || Unreadable("the message's id is none".into());
        let letter = DeadLettered {
            source: self.chooser.name.clone(),
            topic: self.topic.clone(),
            message_id: Label::parse(&message.id).ok_or_else(none)?,
            account: message.stream.account().cloned(),
            position: dead.position,
            error: dead.failure.clone(),
            failed_at: self.port.now(),
            attempts: dead.attempts,
            payload_bytes: u64::try_from(message.body.len()).unwrap_or(u64::MAX),
            payload_sha256: Sha256::digest(&message.body).into(),
        };
        Ok((letter, message))
    }
}
