//! The checks at the end of a run: the auditor, an arithmetic of its own, the answers of all clients, and the digests must
//! agree.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bookonce::answers::render;
use bookonce::audit::audit_lines;
use bookonce::domain::digest::{EndedSum, StateHash};
use bookonce::domain::event::Event;
use bookonce::domain::ids::AccountName;
use bookonce::domain::stream::StreamName;
use bookonce::index::IndexError;
use bookonce::store::codec;
use bookonce::store::lines_of;

use crate::due::overdue;
use crate::instance::{Life, Place};
use crate::model::Model;
use crate::paid;
use crate::run::Run;
use crate::shown;

/// Checks everything that must hold at the end. Returns the number of events.
///
/// # Errors
/// Fails with what does not hold.
pub fn check(run: &Run) -> Result<usize, String> {
    let lines = lines(&run.place)?;
    let events = lines_of(&lines).count();
    let booked = answers(run, &lines)?;
    if events == 0 {
        return Ok(0);
    }
    let audited = audit_lines(lines.clone()).map_err(|error| error.to_string())?;
    if let Some(findings) = audited.findings {
        return Err(format!("the auditor finds: {findings}"));
    }
    let model = model(&lines, matches!(run.place, Place::Shared(_)))?;
    if audited.double_uses != model.twice.len() {
        return Err(format!(
            "{} IDs on two accounts by the auditor, {} by the model",
            audited.double_uses,
            model.twice.len()
        ));
    }
    if !model.twice.is_empty() {
        run.world.mark("ID on two accounts, booked on both");
    }
    ended(&model)?;
    run.readings.check(&booked)?;
    paid::check(run, &booked, &model)?;
    if let Some(wrong) = run.world.is_wrong() {
        return Err(wrong);
    }
    let digest = model.digest();
    if audited.digest.as_ref() != Some(&digest) {
        return Err(format!("the auditor's digest is {:?}, the model's {digest}", audited.digest));
    }
    for instance in &run.instances {
        let life = instance.life().ok_or("an instance is down though nothing goes wrong")?;
        let head = life.head.borrow().position;
        if head != model.position {
            return Err(format!(
                "instance {} is at {head}, the journal at {}",
                instance.number, model.position
            ));
        }
        if let Some(hold) = overdue(run, instance, &life) {
            return Err(format!("{hold} is open on instance {} though its time is over", instance.number));
        }
        let live = live_digest(&life, &run.place, &model)?;
        if live != digest {
            return Err(format!("the digest of instance {} is {live}, not {digest}", instance.number));
        }
    }
    Ok(events)
}

/// Returns the lines of the journal, as the store has them.
fn lines(place: &Place) -> Result<Vec<u8>, String> {
    match place {
        Place::Embedded(disk) => Ok(disk.all()),
        Place::Shared(node) => node.read(|log| {
            let mut lines = Vec::new();
            for record in log.iter().filter(|record| StreamName::is_claimed(&record.stream)) {
                let line = record.line().map_err(|error| format!("at {}: {error}", record.position))?;
                lines.extend_from_slice(&line);
                lines.push(b'\n');
            }
            Ok(lines)
        }),
    }
}

/// Holds all answers that clients heard against the journal, and returns its events.
fn answers(run: &Run, lines: &[u8]) -> Result<Vec<Event>, String> {
    let (mut booked, mut events) = (BTreeMap::new(), Vec::new());
    for line in lines_of(lines) {
        let event = codec::decode(line).map_err(|error| error.to_string())?.event;
        let key = (event.stream.to_string(), event.id.to_string());
        if booked.insert(key, render(&event).body).is_some() {
            return Err(format!("{} is booked twice on {}", event.id, event.stream));
        }
        events.push(event);
    }
    shown::mark(run, &events, &run.place.authors());
    for ((stream, id), first) in run.answers.all() {
        match booked.get(&(stream.clone(), id.clone())) {
            None => return Err(format!("{id} on {stream} was answered, and is not in the journal")),
            Some(body) if *body != first.body => {
                return Err(format!("{id} on {stream} was answered otherwise than its event says"));
            }
            Some(_) => {}
        }
    }
    Ok(events)
}

/// Checks that every transfer has moved once or not and has ended, unless an operator left it as it is, and that nothing
/// else is in transit.
fn ended(model: &Model) -> Result<(), String> {
    let mut left = 0;
    for (id, transfer) in &model.transfers.0 {
        match transfer.state {
            "abandoned" => left += transfer.in_transit(),
            _ if transfer.is_over() => {}
            state => return Err(format!("transfer {id} is {state} at the end: {transfer:?}")),
        }
    }
    if model.transit != -left {
        return Err(format!(
            "{} cents are in transit at the end, and {left} of what was abandoned",
            model.transit
        ));
    }
    Ok(())
}

fn model(lines: &[u8], gaps: bool) -> Result<Model, String> {
    let mut model = Model::new(gaps);
    for line in lines_of(lines) {
        let line = std::str::from_utf8(line).map_err(|error| error.to_string())?;
        let taken = catch_unwind(AssertUnwindSafe(|| model.line(line)));
        taken.map_err(|_| format!("the model finds another outcome right: {line}"))?;
    }
    Ok(model)
}

/// Works out the digest as a living instance has it.
fn live_digest(life: &Life, place: &Place, model: &Model) -> Result<String, String> {
    let mut names: Vec<&String> = model.accounts.keys().collect();
    names.sort();
    let mut hash = StateHash::default();
    for name in names {
        let stream = StreamName::from(AccountName::parse(name).ok_or("a name that is none")?);
        let tracked = life.index.tracked(&stream).map_err(|error| error.to_string())?;
        let tracked = tracked.ok_or_else(|| format!("the index does not have {name}"))?;
        if let Some(account) = tracked.state.account() {
            hash.add(account);
        }
    }
    let read = life.index.overlay(|overlay| {
        overlay.every_open_transfer(|transfer| hash.add_transfer(transfer))?;
        overlay.ended()
    });
    let sum = read.map_err(|error| error.to_string())?;
    if sum != ended_sum(life, place, model)? {
        return Err("the index's sum of ended transfers is not that of the transfers that have ended".into());
    }
    hash.add_ended(sum);
    Ok(hash.finish())
}

/// Sums up the transfers that have ended, each as the index finds it. Of most it knows their events alone.
fn ended_sum(life: &Life, place: &Place, model: &Model) -> Result<EndedSum, String> {
    let mut sum = EndedSum::default();
    for id in model.transfers.0.keys() {
        let stream = StreamName::parse(&format!("transfer-{id}")).ok_or("a transfer's ID that is none")?;
        let read = |positions: &[u64]| positions.iter().map(|position| event_at(place, *position)).collect();
        let tracked = life.index.stands::<Unread, Event>(&stream, read).map_err(|unread| unread.0)?;
        let tracked = tracked.ok_or_else(|| format!("the index does not have transfer {id}"))?;
        sum.went_on(None, &tracked.state);
    }
    Ok(sum)
}

/// An `Unread` says why an event was not read.
struct Unread(String);

impl From<IndexError> for Unread {
    fn from(error: IndexError) -> Self {
        Self(error.to_string())
    }
}

/// Returns the event at a position of the store.
fn event_at(place: &Place, position: u64) -> Result<Event, Unread> {
    let line = match place {
        Place::Embedded(disk) => disk.after(position - 1).into_iter().next(),
        Place::Shared(node) => node.read(|log| {
            let record = log.iter().find(|record| record.position == position)?;
            record.line().ok()
        }),
    };
    let line = line.ok_or_else(|| Unread(format!("no event is at {position}")))?;
    let line = codec::decode(line.strip_suffix(b"\n").unwrap_or(&line));
    line.map(|line| line.event).map_err(|error| Unread(error.to_string()))
}
