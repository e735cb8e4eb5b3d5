//! These are the settings of destinations, `[destinations.NAME]` in the settings file. What can't be right is refused with its
//! line and the reason, before anything is sent.
//!
//! Secrets are files: what a file holds is in no event, log, metric or answer. A part of the settings that is in an event is
//! [`Terms`]; the rest is what this process needs to reach the receiver.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::domain::currency::Currency;
use crate::domain::delivery::decide::Begin;
use crate::domain::delivery::name::DestinationName;
use crate::domain::delivery::retry::Retry;
use crate::domain::delivery::select::{Pattern, Select};
use crate::domain::delivery::terms::{Channel, Guarantee, Order, Terms};
use crate::domain::money::WrittenAmount;
use crate::signature::Secret;

use super::addresses::Allowed;
use super::target::Target;

/// A `Given` destination is one as the settings have it.
#[derive(Clone, Debug)]
pub struct Given {
    /// This is its name.
    pub name: DestinationName,
    /// This is the line of the settings that names it, from 1.
    pub line: usize,
    /// This is what is recorded of it.
    pub terms: Arc<Terms>,
    /// This says where it begins, if it is new or named again.
    pub begin: Begin,
    /// This is true where it is to be removed.
    pub is_removed: bool,
    /// This is where it sends.
    pub target: Target,
    /// These are what its requests are signed with.
    pub secrets: Vec<Secret>,
    /// These files of secrets can be read by others than the service. That is told, and not refused.
    pub readable_by_others: Vec<PathBuf>,
}

/// A settings error says what is wrong in the settings of destinations, and in which line.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct SettingsError {
    /// This is the line, from 1.
    pub line: usize,
    what: String,
    #[source]
    source: Option<io::Error>,
}

#[derive(Deserialize)]
struct File {
    messages: Option<Messages>,
    destinations: Option<BTreeMap<Spanned<String>, Raw>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Messages {
    #[serde(default)]
    generation: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    kind: Spanned<String>,
    url: Option<Spanned<String>>,
    #[serde(default)]
    secret_files: Vec<Spanned<PathBuf>>,
    guarantee: Option<Spanned<String>>,
    order: Option<Spanned<String>>,
    on_dead: Option<Spanned<String>>,
    from: Option<Spanned<toml::Value>>,
    retry: Option<Spanned<Vec<String>>>,
    in_flight: Option<Spanned<u64>>,
    claim: Option<Spanned<u64>>,
    #[serde(default)]
    removed: bool,
    #[serde(default)]
    allow_http: bool,
    #[serde(default)]
    allow_private: Vec<String>,
    #[serde(default)]
    select: RawSelect,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawSelect {
    types: Vec<String>,
    accounts: Vec<Spanned<String>>,
    currencies: Vec<Spanned<String>>,
    amount_min: Option<Spanned<String>>,
    metadata: BTreeMap<String, Spanned<String>>,
    none: bool,
}

/// A `Fault` is what is wrong at a place of the file.
struct Fault {
    at: Range<usize>,
    what: String,
    source: Option<io::Error>,
}

fn fault<T>(at: Range<usize>, what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { at, what: what.into(), source: None })
}

/// Reads the destinations of a settings file. Its other parts are read elsewhere.
///
/// # Errors
/// Fails with the first thing that can't be right, and its line.
pub fn destinations(text: &str) -> Result<Vec<Given>, SettingsError> {
    let line = |at: &Range<usize>| {
        let before = text.get(..at.start).unwrap_or(text);
        before.matches('\n').count().saturating_add(1)
    };
    let told = |fault: Fault| SettingsError { line: line(&fault.at), what: fault.what, source: fault.source };
    let file: File = toml::from_str(text).map_err(|error| {
        let at = error.span().unwrap_or_default();
        told(Fault { at, what: error.message().to_owned(), source: None })
    })?;
    let generation = file.messages.unwrap_or_default().generation;
    let named = |name: &Spanned<String>| (generation, line(&name.span()));
    let all = file.destinations.unwrap_or_default();
    all.iter().map(|(name, raw)| destination(name, raw, named(name)).map_err(told)).collect()
}

/// Returns the generation of the settings of messages in a file; `None` where it has none that can be read.
#[must_use]
pub fn generation(text: &str) -> Option<u64> {
    let file: File = toml::from_str(text).ok()?;
    let is_named = file.destinations.is_some() || file.messages.is_some();
    is_named.then(|| file.messages.unwrap_or_default().generation)
}

fn destination(name: &Spanned<String>, raw: &Raw, (generation, line): (u64, usize)) -> Result<Given, Fault> {
    let Some(known) = DestinationName::parse(name.get_ref()) else {
        return fault(
            name.span(),
            "a destination's name must be 1 to 32 of a-z, 0-9 and -, and not begin with -",
        );
    };
    if raw.kind.get_ref() != "webhook" {
        let what =
            format!("`kind` {:?} is not built into this program; it has \"webhook\"", raw.kind.get_ref());
        return fault(raw.kind.span(), what);
    }
    let Some(url) = &raw.url else { return fault(name.span(), "a webhook needs a `url`") };
    let Some(guarantee) = &raw.guarantee else {
        let what = "`guarantee` must be said: \"at_most_once\", \"at_least_once\" or \"exactly_once_effect\"";
        return fault(name.span(), what);
    };
    if let Some(on_dead) = raw.on_dead.as_ref().filter(|on_dead| *on_dead.get_ref() != "go_on") {
        return fault(on_dead.span(), "`on_dead` must be \"go_on\"");
    }
    let allowed = Allowed::parse(&raw.allow_private).or_else(|wrong| {
        fault(name.span(), format!("`allow_private` has no host, address or network in {wrong:?}"))
    })?;
    let target = Target::parse(url.get_ref(), raw.allow_http, allowed)
        .or_else(|error| fault(url.span(), format!("`url` {error}")))?;
    let mut secrets = Vec::new();
    let mut readable_by_others = Vec::new();
    for path in &raw.secret_files {
        secrets.push(secret(path)?);
        if is_readable_by_others(path.get_ref()) {
            readable_by_others.push(path.get_ref().clone());
        }
    }
    let terms = Terms {
        generation,
        channel: Channel::Webhook { url: target.as_str().into() },
        guarantee: one_of("guarantee", guarantee, Guarantee::parse)?,
        order: raw.order.as_ref().map_or(Ok(Order::Account), |order| one_of("order", order, Order::parse))?,
        select: select(&raw.select)?,
        retry: raw.retry.as_ref().map_or_else(|| Ok(Retry::default()), retry)?,
        in_flight: bounded("in_flight", raw.in_flight.as_ref(), Terms::IN_FLIGHT, Terms::MOST_IN_FLIGHT)?,
        claim: bounded("claim", raw.claim.as_ref(), Terms::CLAIM, Terms::MOST_CLAIMED)?,
    };
    let begin = raw.from.as_ref().map_or(Ok(Begin::Unsaid), begin)?;
    let terms = Arc::new(terms);
    let is_removed = raw.removed;
    Ok(Given { name: known, line, terms, begin, is_removed, target, secrets, readable_by_others })
}

fn one_of<T>(key: &str, given: &Spanned<String>, parse: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
    match parse(given.get_ref()) {
        Some(known) => Ok(known),
        None => fault(given.span(), format!("`{key}` can't be {:?}", given.get_ref())),
    }
}

fn bounded(key: &str, given: Option<&Spanned<u64>>, usual: u16, most: u16) -> Result<u16, Fault> {
    let Some(given) = given else { return Ok(usual) };
    match u16::try_from(*given.get_ref()).ok().filter(|value| (1..=most).contains(value)) {
        Some(value) => Ok(value),
        None => fault(given.span(), format!("`{key}` must be from 1 to {most}")),
    }
}

fn retry(given: &Spanned<Vec<String>>) -> Result<Retry, Fault> {
    let waits: Option<Vec<u32>> = given.get_ref().iter().map(|wait| Retry::parse_wait(wait)).collect();
    match waits.and_then(|waits| Retry::new(&waits)) {
        Some(retry) => Ok(retry),
        None => fault(
            given.span(),
            "`retry` must be 1 to 32 waits such as \"5s\", \"30m\" or \"24h\", of a week at most",
        ),
    }
}

fn begin(given: &Spanned<toml::Value>) -> Result<Begin, Fault> {
    let value = given.get_ref();
    match (value.as_str(), value.as_integer().and_then(|position| u64::try_from(position).ok())) {
        (Some("now"), _) => Ok(Begin::Here),
        (Some("start"), _) => Ok(Begin::After(0)),
        (None, Some(position)) => Ok(Begin::After(position)),
        _ => fault(given.span(), "`from` must be \"now\", \"start\" or a position"),
    }
}

fn select(raw: &RawSelect) -> Result<Select, Fault> {
    let pattern = |text: &Spanned<String>| one_of("select", text, Pattern::parse);
    let least = raw
        .amount_min
        .as_ref()
        .map(|given| one_of("amount_min", given, |text| WrittenAmount::parse(text).ok()));
    let metadata = raw.metadata.iter().map(|(key, text)| Ok((key.clone(), pattern(text)?)));
    Ok(Select {
        types: raw.types.clone(),
        accounts: raw.accounts.iter().map(pattern).collect::<Result<_, Fault>>()?,
        currencies: raw
            .currencies
            .iter()
            .map(|code| one_of("currencies", code, Currency::parse))
            .collect::<Result<_, Fault>>()?,
        amount_min: least.transpose()?,
        metadata: metadata.collect::<Result<_, Fault>>()?,
        none: raw.none,
    })
}

fn secret(path: &Spanned<PathBuf>) -> Result<Secret, Fault> {
    let shown = path.get_ref().display();
    let text = std::fs::read_to_string(path.get_ref()).map_err(|error| Fault {
        at: path.span(),
        what: format!("the secret file {shown} can't be read"),
        source: Some(error),
    })?;
    match Secret::parse(&text) {
        Some(secret) => Ok(secret),
        None => fault(
            path.span(),
            format!("the secret file {shown} has no `whsec_` and 24 to 64 bytes in base64"),
        ),
    }
}

fn is_readable_by_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o077 != 0)
}
