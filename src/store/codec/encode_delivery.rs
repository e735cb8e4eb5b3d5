//! These functions write the `data` of a destination's events, in version 1.

use std::collections::BTreeMap;

use crate::domain::delivery::event::{DeliveryEvent, Resumption};
use crate::domain::delivery::progress::{Parked, Progress};
use crate::domain::delivery::retry::Retry;
use crate::domain::delivery::select::{Pattern, Select};
use crate::domain::delivery::terms::Terms;

use super::failure_data::failure;
use super::json::{number, put, text};

/// Writes the `data` of an event of a destination, with its braces.
pub fn delivery_data(event: &DeliveryEvent, out: &mut Vec<u8>) {
    out.push(b'{');
    match event {
        DeliveryEvent::Set { terms, from } => {
            set(terms, out);
            optional_number("from", *from, out);
        }
        DeliveryEvent::Paused { code, reason } => {
            put(out, &["\"code\":\"", code.name(), "\""]);
            optional_text("reason", reason.as_ref().map(|reason| reason.as_str()), out);
        }
        DeliveryEvent::Resumed(said) => resumed(said, out),
        DeliveryEvent::Removed { through, parked } => {
            numbers(&[("through", *through), ("parked", *parked)], out)
        }
        DeliveryEvent::Taken { instance, holder, why } => {
            put(out, &["\"instance\":"]);
            text(instance.as_str(), out);
            optional_text("holder", holder.as_ref().map(|holder| holder.as_str()), out);
            put(out, &[",\"why\":\"", why.name(), "\""]);
        }
        DeliveryEvent::Challenged { instance } => {
            put(out, &["\"instance\":"]);
            text(instance.as_str(), out);
        }
        DeliveryEvent::Confirmed { term } | DeliveryEvent::Released { term } => {
            numbers(&[("term", *term)], out);
        }
        DeliveryEvent::Tested { is_delivered, detail } => {
            put(out, &["\"outcome\":\"", if *is_delivered { "delivered" } else { "failed" }, "\""]);
            optional_text("detail", detail.as_ref().map(|detail| detail.as_str()), out);
        }
        DeliveryEvent::Claimed { term, positions } => {
            numbers(&[("term", *term)], out);
            list("positions", positions, out);
        }
        DeliveryEvent::Progressed(progress) => progressed(progress, out),
    }
    out.push(b'}');
}

fn resumed(said: &Resumption, out: &mut Vec<u8>) {
    if let Some(after) = said.after {
        numbers(&[("after", after)], out);
        out.push(b',');
        if said.is_head {
            put(out, &["\"head\":true,"]);
        }
    }
    if let Some(count) = said.passed_over {
        numbers(&[("passed_over", count)], out);
        out.push(b',');
    }
    if let Some(holder) = &said.holder {
        put(out, &["\"holder\":"]);
        text(holder.as_str(), out);
        out.push(b',');
    }
    put(out, &["\"reason\":"]);
    text(said.reason.as_str(), out);
}

fn set(terms: &Terms, out: &mut Vec<u8>) {
    numbers(&[("generation", terms.generation)], out);
    put(out, &[",\"kind\":\"", terms.channel.kind(), "\",\"target\":"]);
    text(terms.channel.target(), out);
    put(out, &[",\"guarantee\":\"", terms.guarantee.name(), "\",\"order\":\"", terms.order.name()]);
    put(out, &["\",\"on_dead\":\"go_on\",\"select\":{"]);
    select(&terms.select, out);
    put(out, &["},\"retry\":["]);
    joined(terms.retry.seconds(), out, |seconds, out| put(out, &["\"", &Retry::write_wait(*seconds), "\""]));
    put(out, &["],\"options\":{"]);
    numbers(&[("in_flight", terms.in_flight.into()), ("claim", terms.claim.into())], out);
    out.push(b'}');
}

/// Writes the parts of a filter that say something.
fn select(select: &Select, out: &mut Vec<u8>) {
    let mut is_first = true;
    let mut key = |name: &str, out: &mut Vec<u8>| {
        let comma = if std::mem::take(&mut is_first) { "\"" } else { ",\"" };
        put(out, &[comma, name, "\":"]);
    };
    if !select.types.is_empty() {
        key("types", out);
        texts(select.types.iter().map(String::as_str), out);
    }
    if !select.accounts.is_empty() {
        key("accounts", out);
        texts(select.accounts.iter().map(Pattern::as_str), out);
    }
    if !select.currencies.is_empty() {
        key("currencies", out);
        texts(select.currencies.iter().map(|currency| currency.code()), out);
    }
    if let Some(least) = select.amount_min {
        key("amount_min", out);
        text(&least.to_string(), out);
    }
    if !select.metadata.is_empty() {
        key("metadata", out);
        out.push(b'{');
        joined(&select.metadata, out, |(name, pattern), out| {
            text(name, out);
            out.push(b':');
            text(pattern.as_str(), out);
        });
        out.push(b'}');
    }
    if select.none {
        key("none", out);
        put(out, &["true"]);
    }
}

fn progressed(progress: &Progress, out: &mut Vec<u8>) {
    let Progress { term, through, delivered, unconfirmed, parked, attempted, settled } = progress;
    numbers(&[("term", *term), ("through", *through), ("delivered", *delivered)], out);
    if !unconfirmed.is_empty() {
        list("unconfirmed", unconfirmed, out);
    }
    rows("parked", parked, out);
    rows("attempted", attempted, out);
    if !settled.is_empty() {
        put(out, &[",\"settled\":["]);
        joined(settled, out, |(position, end), out| {
            out.push(b'{');
            numbers(&[("position", *position)], out);
            put(out, &[",\"outcome\":\"", end.name(), "\"}"]);
        });
        out.push(b']');
    }
}

fn rows(name: &str, rows: &BTreeMap<u64, Parked>, out: &mut Vec<u8>) {
    if rows.is_empty() {
        return;
    }
    put(out, &[",\"", name, "\":["]);
    joined(rows, out, |(position, row), out| {
        out.push(b'{');
        numbers(&[("position", *position)], out);
        row.stream.with_parts(|[kind, name]| put(out, &[",\"stream\":\"", kind, name, "\","]));
        numbers(&[("revision", row.revision), ("attempts", row.attempts.into())], out);
        put(out, &[",\"next_at\":\""]);
        row.next_at.write(out);
        put(out, &["\",\"error\":"]);
        failure(&row.error, out);
        out.push(b'}');
    });
    out.push(b']');
}

/// Writes members that are numbers, the first one without a comma before it.
fn numbers(members: &[(&str, u64)], out: &mut Vec<u8>) {
    joined(members, out, |(name, value), out| {
        put(out, &["\"", name, "\":"]);
        number(*value, out);
    });
}

/// Writes a further member that is a list of numbers.
fn list(name: &str, values: &[u64], out: &mut Vec<u8>) {
    put(out, &[",\"", name, "\":["]);
    joined(values, out, |value, out| number(*value, out));
    out.push(b']');
}

fn texts<'a>(values: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
    out.push(b'[');
    joined(values, out, text);
    out.push(b']');
}

fn optional_text(name: &str, value: Option<&str>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        put(out, &[",\"", name, "\":"]);
        text(value, out);
    }
}

fn optional_number(name: &str, value: Option<u64>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        put(out, &[",\"", name, "\":"]);
        number(value, out);
    }
}

fn joined<T>(items: impl IntoIterator<Item = T>, out: &mut Vec<u8>, mut write: impl FnMut(T, &mut Vec<u8>)) {
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(item, out);
    }
}
