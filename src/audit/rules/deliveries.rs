//! [`Deliveries`] are all destinations of a journal, and the letters of the messages to them.
//!
//! Each event of an account or a transfer is shown to them, so that it is known which destination's filter has chosen it: the
//! filter that was recorded last before the event.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use sha1::{Digest, Sha1};
use uuid::Uuid;

use crate::audit::rules::destination::{Destination, Message};
use crate::audit::rules::selected::chooses;
use crate::audit::rules::served::Served;
use crate::audit::values::delivery::{DeliveryBody, DeliveryFact, LetterBody};
use crate::audit::values::event::Event;
use crate::audit::values::finding::Flaw;

/// This is the UUID in whose name space letters' ids are made: 5d6c3ec8-1f7b-5a0e-9c1d-6b6f6f6b3132.
const NAMESPACE: [u8; 16] =
    [0x5d, 0x6c, 0x3e, 0xc8, 0x1f, 0x7b, 0x5a, 0x0e, 0x9c, 0x1d, 0x6b, 0x6f, 0x6f, 0x6b, 0x31, 0x32];

/// `Deliveries` are the destinations, by name.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    numbers: HashMap<Box<[u8]>, usize, RandomState>,
    list: Vec<Destination>,
    /// This makes the hashes of the streams' names.
    hashes: RandomState,
    /// This says that events may be missing or could not be read, so that it is not known any more what was chosen.
    in_doubt: bool,
}

impl Deliveries {
    /// Shows an event of an account or of a transfer to the destinations.
    #[inline]
    pub(super) fn show(&mut self, event: &Event, block: &[u8]) {
        if !self.list.is_empty() {
            self.choose(event, block);
        }
    }

    fn choose(&mut self, event: &Event, block: &[u8]) {
        let stream = self.hashes.hash_one(event.stream.of(block));
        let event_id = event.event_id(block).unwrap_or_default();
        let message = Message { position: event.position, event_id, stream, revision: event.revision };
        for destination in self.list.iter_mut().filter(|destination| !destination.is_removed()) {
            if chooses(&destination.filter, event, block) {
                destination.choose(message);
            }
        }
    }

    /// Gives the number of a destination's stream, which is none of an account or a transfer.
    pub(super) fn stream_number(&self, name: &[u8]) -> u32 {
        let place = self.numbers.get(name).copied().unwrap_or(self.list.len());
        u32::MAX.saturating_sub(u32::try_from(place).unwrap_or_default())
    }

    /// Names the streams, with their numbers.
    pub(super) fn stream_names(&self) -> impl Iterator<Item = (u32, String)> {
        let name = |name: &[u8]| format!("delivery-{}", String::from_utf8_lossy(name));
        self.numbers.keys().map(move |key| (self.stream_number(key), name(key)))
    }

    /// Notes that events may be missing.
    pub(super) fn doubt_all(&mut self) {
        self.in_doubt = true;
        self.list.iter_mut().for_each(|destination| destination.in_doubt = true);
    }

    /// Notes that an event of this destination was found wrong or not looked at.
    pub(super) fn doubt(&mut self, name: &[u8]) {
        match self.numbers.get(name).and_then(|place| self.list.get_mut(*place)) {
            Some(destination) => destination.in_doubt = true,
            None => self.in_doubt = true,
        }
    }

    /// Takes the next event of a destination's stream.
    ///
    /// # Errors
    /// Fails with what is wrong with it, after the events before.
    pub(super) fn take(&mut self, event: &Event, body: &DeliveryBody, block: &[u8]) -> Result<(), Flaw> {
        let name = body.name.of(block);
        let Some(place) = self.numbers.get(name).copied() else {
            return match &body.fact {
                _ if event.revision != 0 => Err(Flaw::Revision { says: event.revision, expected: 0 }),
                DeliveryFact::Set(setting) => {
                    self.numbers.insert(name.into(), self.list.len());
                    let mut begun = Destination::begin(setting, 0, event.position);
                    begun.in_doubt = self.in_doubt;
                    self.list.push(begun);
                    Ok(())
                }
                DeliveryFact::Paused { .. }
                | DeliveryFact::Resumed { .. }
                | DeliveryFact::Removed { .. }
                | DeliveryFact::Taken { .. }
                | DeliveryFact::Challenged { .. }
                | DeliveryFact::Confirmed { .. }
                | DeliveryFact::Released { .. }
                | DeliveryFact::Tested
                | DeliveryFact::Claimed { .. }
                | DeliveryFact::Progressed(_) => Err(Flaw::NotSetUp),
            };
        };
        let Some(destination) = self.list.get_mut(place) else { return Ok(()) };
        let expected = destination.revision.saturating_add(1);
        if event.revision != expected {
            return Err(Flaw::Revision { says: event.revision, expected });
        }
        destination.revision = expected;
        if destination.is_removed() && !matches!(body.fact, DeliveryFact::Set(_)) {
            return Err(Flaw::NotNow("it was removed"));
        }
        match &body.fact {
            DeliveryFact::Set(setting) => destination.set(setting, expected, event.position),
            DeliveryFact::Paused { missing } => destination.pause(*missing),
            DeliveryFact::Resumed { after, passed_over } => destination.resume(*after, *passed_over),
            DeliveryFact::Removed { through, parked } => destination.remove(*through, *parked),
            DeliveryFact::Taken { instance, why } => destination.take(instance.of(block), *why),
            DeliveryFact::Challenged { instance } => destination.challenge(instance.of(block)),
            DeliveryFact::Confirmed { term } => destination.served_in(*term)?.confirm(),
            DeliveryFact::Released { term } => destination.served_in(*term).map(Served::release),
            DeliveryFact::Tested => Ok(()),
            DeliveryFact::Claimed { term, positions } => destination.claim(*term, positions),
            DeliveryFact::Progressed(said) => {
                if said.through >= event.position {
                    return Err(Flaw::ThroughAhead(said.through));
                }
                destination.progress(said, |row| self.hashes.hash_one(row.stream.of(block)))
            }
        }
    }

    /// Takes the first event of a letter.
    ///
    /// # Errors
    /// Fails with what is wrong with it, after the events before.
    pub(super) fn bury(&mut self, event: &Event, body: &LetterBody, block: &[u8]) -> Result<(), Flaw> {
        if event.revision != 0 {
            return Err(Flaw::Letter("it was written before"));
        }
        let (source, message_id) = (body.source.of(block), body.message_id.of(block));
        if id_of(source, message_id) != body.letter {
            return Err(Flaw::Letter("its id does not follow from the message's"));
        }
        let Some(place) = self.numbers.get(source).copied() else {
            return if self.in_doubt { Ok(()) } else { Err(Flaw::NotSetUp) };
        };
        let Some(destination) = self.list.get_mut(place) else { return Ok(()) };
        let Some(message) = destination.bury(body.position)? else { return Ok(()) };
        let event_id = Uuid::from_u128(message.event_id).hyphenated().to_string();
        if message_id != [event_id.as_bytes(), b".", source].concat() {
            return Err(Flaw::Letter("the message's id is not that of the event at its position"));
        }
        if let Some(account) = body.account {
            let name = [b"account-", account.of(block)].concat();
            if self.hashes.hash_one(name.as_slice()) != message.stream {
                return Err(Flaw::Letter("the message's event is of another account"));
            }
        }
        Ok(())
    }
}

/// Computes the id of the letter of a message.
fn id_of(source: &[u8], message_id: &[u8]) -> u128 {
    let mut hash = Sha1::new();
    hash.update(NAMESPACE);
    for part in [b"out|", source, b"|", message_id] {
        hash.update(part);
    }
    let digest: [u8; 20] = hash.finalize().into();
    let bytes = digest.first_chunk::<16>().copied().unwrap_or_default();
    uuid::Builder::from_sha1_bytes(bytes).into_uuid().as_u128()
}
