//! These functions render the answers to what an operator asks of a destination, of version 1. They are frozen: a fixture for
//! each holds every byte.

use crate::domain::delivery::event::{DeliveryEvent, Resumption};
use crate::domain::delivery::name::DestinationName;
use crate::domain::event::Event;
use crate::store::codec::json::{number, put, text};

use super::answer::Answer;

/// Renders the answer to an act on a destination: what was asked, and by which event it was recorded.
pub(super) fn destination(event: &Event, name: &DestinationName, body: &DeliveryEvent) -> Answer {
    let mut out = Vec::with_capacity(512);
    let outcome = match body {
        DeliveryEvent::Tested { is_delivered: true, .. } => "delivered",
        DeliveryEvent::Tested { is_delivered: false, .. } => "failed",
        DeliveryEvent::Set { .. }
        | DeliveryEvent::Challenged { .. }
        | DeliveryEvent::Confirmed { .. }
        | DeliveryEvent::Released { .. }
        | DeliveryEvent::Paused { .. }
        | DeliveryEvent::Resumed(_)
        | DeliveryEvent::Removed { .. }
        | DeliveryEvent::Taken { .. }
        | DeliveryEvent::Claimed { .. }
        | DeliveryEvent::Progressed(_) => "accepted",
    };
    put(&mut out, &["{\"transaction_id\":\""]);
    event.id.write(&mut out);
    put(&mut out, &["\",\"kind\":\"", event.kind().name(), "\",\"outcome\":\"", outcome]);
    put(&mut out, &["\",\"destination\":\"", name.as_str(), "\""]);
    match body {
        DeliveryEvent::Paused { reason, .. } => {
            member("reason", reason.as_ref().map(|reason| reason.as_str()), &mut out)
        }
        DeliveryEvent::Resumed(said) => resumed(said, &mut out),
        DeliveryEvent::Tested { detail, .. } => {
            member("detail", detail.as_ref().map(|detail| detail.as_str()), &mut out)
        }
        // Nobody asked for these.
        DeliveryEvent::Set { .. }
        | DeliveryEvent::Challenged { .. }
        | DeliveryEvent::Confirmed { .. }
        | DeliveryEvent::Released { .. }
        | DeliveryEvent::Removed { .. }
        | DeliveryEvent::Taken { .. }
        | DeliveryEvent::Claimed { .. }
        | DeliveryEvent::Progressed(_) => {}
    }
    put(&mut out, &[",\"revision\":"]);
    number(event.revision, &mut out);
    put(&mut out, &[",\"recorded_at\":\""]);
    event.recorded_at.write(&mut out);
    put(&mut out, &["\"}"]);
    Answer { status: 201, body: out }
}

/// Writes how a destination goes on. Where the end of the journal was asked for, `through` says where that was.
fn resumed(said: &Resumption, out: &mut Vec<u8>) {
    if let Some(after) = said.after {
        put(out, &[",\"after\":", if said.is_head { "\"head\",\"through\":" } else { "" }]);
        number(after, out);
    }
    if let Some(count) = said.passed_over {
        put(out, &[",\"passed_over\":"]);
        number(count, out);
    }
    member("reason", Some(said.reason.as_str()), out);
}

fn member(name: &str, value: Option<&str>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        put(out, &[",\"", name, "\":"]);
        text(value, out);
    }
}
