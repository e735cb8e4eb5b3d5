//! The encoder writes a line, in version 1. Money, names and ids need no escaping; texts that a client chose are
//! escaped.

use uuid::Uuid;

use crate::domain::event::{Body, Event};
use crate::domain::time::Timestamp;
use crate::store::chain::{self, Hash};

use super::json::{number, put, text};
use super::{encode_data, encode_delivery, encode_transfer, letter_data};

/// An `Encoder` writes lines, each chained to the one before. It keeps its buffer, and the last timestamp that it wrote.
#[derive(Debug, Default)]
pub struct Encoder {
    canonical: Vec<u8>,
    time: Option<(Timestamp, Vec<u8>)>,
}

/// `Parts` are an event's canonical bytes and what they are made of. Fields stand without the commas between them. What the
/// service records of its deliveries has no field `answer`, and no field `transaction_id` where nobody asked for it: these are
/// empty then.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// These are all canonical bytes.
    pub canonical: &'a [u8],
    /// These are the fields from `recorded_at` to `version`.
    pub times: &'a [u8],
    /// This is the field `transaction_id`.
    pub transaction: &'a [u8],
    /// This is the value of `data`.
    pub data: &'a [u8],
    /// This is the field `answer`.
    pub answer: &'a [u8],
    /// These are the fields in `metadata`.
    pub origin: &'a [u8],
}

/// `Marks` say where in the canonical bytes the fields begin.
struct Marks {
    kind: usize,
    times: usize,
    transaction: usize,
    data: usize,
    answer: usize,
    origin: usize,
}

impl Encoder {
    /// Appends the event's line, with its line feed, to `out`, and returns its hash.
    pub fn line(&mut self, event: &Event, position: u64, previous: &Hash, out: &mut Vec<u8>) -> Hash {
        let marks = self.canonical(event);
        let hash = previous.then(&self.canonical);
        let id = chain::event_id(&self.canonical);
        let (front, back) = self.canonical.split_at(marks.kind);
        out.extend_from_slice(b"{\"position\":");
        number(position, out);
        out.push(b',');
        out.extend_from_slice(front.get(1..).unwrap_or_default());
        out.extend_from_slice(b"\"event_id\":\"");
        out.extend_from_slice(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
        out.extend_from_slice(b"\",");
        out.extend_from_slice(back.get(..back.len().saturating_sub(1)).unwrap_or_default());
        out.extend_from_slice(b",\"hash\":\"");
        let mut digits = [0; 64];
        if hex::encode_to_slice(hash.0, &mut digits).is_ok() {
            out.extend_from_slice(&digits);
        }
        out.extend_from_slice(b"\"}\n");
        hash
    }

    /// Writes the event's canonical bytes and shows the parts of them, for a store that keeps them apart.
    pub fn parts(&mut self, event: &Event) -> Parts<'_> {
        let marks = self.canonical(event);
        let written = self.canonical.as_slice();
        let cut = |from: usize, to: usize| written.get(from..to).unwrap_or_default();
        Parts {
            canonical: written,
            times: cut(marks.times, marks.transaction.saturating_sub(1)),
            transaction: cut(marks.transaction, marks.data.saturating_sub(1)),
            data: cut(marks.data + "\"data\":".len(), marks.answer.saturating_sub(1)),
            answer: cut(marks.answer, marks.origin.saturating_sub(1)),
            origin: cut(marks.origin + "\"metadata\":{".len(), written.len().saturating_sub(2)),
        }
    }

    /// Fills `canonical`, and returns where in it the parts begin.
    fn canonical(&mut self, event: &Event) -> Marks {
        let mut out = std::mem::take(&mut self.canonical);
        out.clear();
        event.stream.with_parts(|[kind, name]| {
            put(&mut out, &["{\"stream\":\"", kind, name, "\",\"revision\":"]);
        });
        number(event.revision, &mut out);
        out.push(b',');
        let kind = out.len();
        put(&mut out, &["\"type\":\"", event.type_name(), "\","]);
        let times = out.len();
        put(&mut out, &["\"recorded_at\":\""]);
        self.moment(event.recorded_at, &mut out);
        if !event.stream.is_of_delivery() {
            put(&mut out, &["\",\"effective_at\":\""]);
            self.moment(event.effective_at(), &mut out);
        }
        put(&mut out, &["\",\"version\":"]);
        number(event.version().into(), &mut out);
        out.push(b',');
        let transaction = out.len();
        if !event.id.is_absent() {
            put(&mut out, &["\"transaction_id\":\""]);
            event.id.write(&mut out);
            put(&mut out, &["\","]);
        }
        let data_at = out.len();
        put(&mut out, &["\"data\":"]);
        data(event, &mut out);
        out.push(b',');
        let answer = out.len();
        write_answer(&event.body, &mut out);
        let origin = out.len();
        put(&mut out, &["\"metadata\":{"]);
        write_origin(event, &mut out);
        put(&mut out, &["}}"]);
        self.canonical = out;
        Marks { kind, times, transaction, data: data_at, answer, origin }
    }

    fn moment(&mut self, moment: Timestamp, out: &mut Vec<u8>) {
        match &self.time {
            Some((last, written)) if *last == moment => out.extend_from_slice(written),
            _ => {
                let mut written = Vec::with_capacity(27);
                moment.write(&mut written);
                out.extend_from_slice(&written);
                self.time = Some((moment, written));
            }
        }
    }
}

/// Writes the value of `data`.
fn data(event: &Event, out: &mut Vec<u8>) {
    let braced = |write: &dyn Fn(&mut Vec<u8>), out: &mut Vec<u8>| {
        out.push(b'{');
        write(out);
        out.push(b'}');
    };
    match &event.body {
        Body::Account(body) => braced(&|out| encode_data::write(&event.stream, body, out), out),
        Body::Transfer(body) => braced(&|out| encode_transfer::data(body, out), out),
        Body::Delivery(body) => encode_delivery::delivery_data(body, out),
        Body::Letter(body) => letter_data::letter_data(body, out),
    }
}

/// Writes the field `answer` with its comma, where the event has one.
fn write_answer(body: &Body, out: &mut Vec<u8>) {
    match body {
        Body::Account(body) => {
            put(out, &["\"answer\":{\"balance\":\""]);
            body.answer.balance.write(out);
            put(out, &["\",\"available\":\""]);
            body.answer.available.write(out);
        }
        Body::Transfer(body) => put(out, &["\"answer\":{\"state\":\"", body.state.name()]),
        Body::Delivery(_) | Body::Letter(_) => return,
    }
    put(out, &["\"},"]);
}

/// Writes the fields in `metadata`. What belongs to no business process has its own ID as the correlation, and nothing where
/// it has no ID.
fn write_origin(event: &Event, out: &mut Vec<u8>) {
    match &event.origin.correlation {
        Some(correlation) => {
            put(out, &["\"$correlationId\":"]);
            text(correlation, out);
            out.push(b',');
        }
        None if event.id.is_absent() => {}
        None => {
            put(out, &["\"$correlationId\":\""]);
            event.id.write(out);
            put(out, &["\","]);
        }
    }
    if let Some(causation) = &event.origin.causation {
        put(out, &["\"$causationId\":"]);
        text(causation, out);
        out.push(b',');
    }
    put(out, &["\"actor\":"]);
    text(&event.origin.actor, out);
}
