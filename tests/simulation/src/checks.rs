//! The checks at the end of a run: the auditor, an arithmetic of its own, the answers of all clients, and the digests must
//! agree.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bookonce::answers::render;
use bookonce::audit::audit_lines;
use bookonce::domain::account::event::Fact;
use bookonce::domain::digest::StateHash;
use bookonce::domain::event::Event;
use bookonce::domain::ids::AccountName;
use bookonce::domain::stream::StreamName;
use bookonce::store::codec;
use bookonce::store::lines_of;

use crate::beat::overdue;
use crate::instance::{Life, Place};
use crate::model::Model;
use crate::run::Run;

/// Checks everything that must hold at the end. Returns the number of events.
///
/// # Errors
/// Fails with what does not hold.
pub fn check(run: &Run) -> Result<usize, String> {
    let lines = lines(&run.place)?;
    let events = lines_of(&lines).count();
    answers(run, &lines)?;
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
        let live = live_digest(&life, &model)?;
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

/// Notes the rare states that an event of the journal shows.
fn mark(run: &Run, event: &Event) {
    let Some(body) = event.account() else { return };
    let state = match (&body.fact, body.decline().map(|decline| decline.code())) {
        (_, Some("hold_expired")) => "capture or release after the expiry",
        (_, Some("holds_open")) => "closing with an open hold",
        (_, Some("capture_exceeds_hold")) => "capture above its hold",
        (Fact::HoldExpired { .. }, _) => "hold expired",
        (Fact::HoldCaptured { released: Some(_), .. }, _) => "hold captured in part",
        (Fact::HoldPrevented { .. }, _) => "release before its hold",
        (Fact::Corrected(_), _) => "correction",
        _ => return,
    };
    run.world.mark(state);
}

/// Holds all answers that clients heard against the journal.
fn answers(run: &Run, lines: &[u8]) -> Result<(), String> {
    let mut booked = BTreeMap::new();
    for line in lines_of(lines) {
        let event = codec::decode(line).map_err(|error| error.to_string())?.event;
        mark(run, &event);
        let key = (event.stream.to_string(), event.id.to_string());
        if booked.insert(key, render(&event).body).is_some() {
            return Err(format!("{} is booked twice on {}", event.id, event.stream));
        }
    }
    for ((stream, id), first) in run.answers.all() {
        match booked.get(&(stream.clone(), id.clone())) {
            None => return Err(format!("{id} on {stream} was answered, and is not in the journal")),
            Some(body) if *body != first.body => {
                return Err(format!("{id} on {stream} was answered otherwise than its event says"));
            }
            Some(_) => {}
        }
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
fn live_digest(life: &Life, model: &Model) -> Result<String, String> {
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
    Ok(hash.finish())
}
