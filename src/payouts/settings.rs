//! These are the settings of payout providers, `[providers.NAME]` in the settings file. The service refuses to start with
//! one that can't be right, and names it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::Deserialize;

use crate::domain::ids::CounterAccount;
use crate::domain::payee::Payee;
use crate::domain::transfer::call::Means;
use crate::domain::transfer::payout::Repeat;

use super::http_line::{Addresses, HttpLine, KEY};
use super::provider::{Provider, Providers};

/// The `GivenProviders` are the providers as the settings file has them, by their names. Each is read by itself, so that what
/// is wrong with one names it.
pub type GivenProviders = BTreeMap<String, toml::Value>;

/// A `GivenProvider` is one provider as the settings file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenProvider {
    url: String,
    status_url: Option<String>,
    cancel_url: Option<String>,
    repeat: String,
    #[serde(default = "fifteen")]
    timeout_seconds: u32,
    #[serde(default = "a_day")]
    ask_for_seconds: u32,
    #[serde(default = "sixteen")]
    at_once: u32,
    token_file: Option<PathBuf>,
}

fn fifteen() -> u32 {
    15
}

fn a_day() -> u32 {
    Means::ASK_FOR_SECONDS
}

fn sixteen() -> u32 {
    16
}

/// A provider error says what is wrong in the settings of a provider.
#[derive(Debug, thiserror::Error)]
#[error("the payout provider {name:?} can't be used: {what}")]
pub struct ProviderError {
    name: String,
    what: String,
    #[source]
    source: Option<io::Error>,
}

/// Makes the providers of the settings.
///
/// # Errors
/// Fails with the first provider that can't be right, and with what is wrong with it.
pub fn providers(given: &GivenProviders) -> Result<Providers, ProviderError> {
    given
        .iter()
        .map(|(name, given)| {
            let read =
                given.clone().try_into::<GivenProvider>().map_err(|error| (error.message().to_owned(), None));
            read.and_then(|given| provider(name, &given)).map_err(|(what, source)| ProviderError {
                name: name.clone(),
                what,
                source,
            })
        })
        .collect()
}

type Fault = (String, Option<io::Error>);

fn provider(name: &str, given: &GivenProvider) -> Result<Provider, Fault> {
    let Some(Payee::External(account)) = Payee::parse(&format!("{}{name}", CounterAccount::EXTERNAL)) else {
        return fault("its name must be 1 to 32 of a-z, 0-9 and -, and not begin with -");
    };
    let Some(repeat) = Repeat::parse(&given.repeat) else {
        return fault("`repeat` must be \"same_key\" or \"never\"");
    };
    for (key, value, most) in [
        ("timeout_seconds", given.timeout_seconds, 600),
        ("ask_for_seconds", given.ask_for_seconds, 31_536_000),
        ("at_once", given.at_once, 1_024),
    ] {
        if !(1..=most).contains(&value) {
            return fault(format!("`{key}` must be from 1 to {most}"));
        }
    }
    let addresses = Addresses {
        pay: address("url", &given.url)?,
        ask: given.status_url.as_deref().map(|text| with_key("status_url", text)).transpose()?,
        cancel: given.cancel_url.as_deref().map(|text| with_key("cancel_url", text)).transpose()?,
    };
    let means = Means {
        repeat,
        can_ask: addresses.ask.is_some(),
        can_cancel: addresses.cancel.is_some(),
        ask_for_seconds: given.ask_for_seconds,
    };
    let token = given.token_file.as_deref().map(token).transpose()?;
    let line = HttpLine::new(addresses, token).map_err(|error| (error.to_string(), None))?;
    let timeout = Duration::from_secs(given.timeout_seconds.into());
    let at_once = usize::try_from(given.at_once).unwrap_or(usize::MAX);
    Ok(Provider::new(account, means, timeout, at_once, Box::new(line)))
}

fn fault<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err((what.into(), None))
}

/// Checks an address: `https`, or `http` where it stays on this machine. What is secret has no place in it, because addresses
/// are shown.
fn address(key: &str, text: &str) -> Result<Url, Fault> {
    let Ok(url) = Url::parse(text) else { return fault(format!("`{key}` is no URL: {text:?}")) };
    let is_local = match url.host_str() {
        None => return fault(format!("`{key}` names no host: {text:?}")),
        Some("localhost") => true,
        Some(host) => {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    };
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return fault(format!("`{key}` must have no user, no password and no fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_local => Ok(url),
        _ => fault(format!("`{key}` must begin with https://, or with http:// on loopback: {text:?}")),
    }
}

/// Checks an address that has the payout's key in it. It is kept as a text, into which the key is put.
fn with_key(key: &str, text: &str) -> Result<String, Fault> {
    address(key, &text.replace(KEY, "key"))?;
    let (before, _) = text.split_once(KEY).unwrap_or((text, ""));
    let is_behind_the_host = before.splitn(4, '/').count() == 4;
    if text.contains(KEY) && is_behind_the_host {
        Ok(text.to_owned())
    } else {
        fault(format!("`{key}` must have {KEY} behind its host: {text:?}"))
    }
}

/// Reads the token, which is the whole file but for blanks around it.
fn token(path: &Path) -> Result<HeaderValue, Fault> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| (format!("`token_file` {} can't be read", path.display()), Some(error)))?;
    let token = text.trim();
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    match value {
        Ok(mut value) if !token.is_empty() => {
            value.set_sensitive(true);
            Ok(value)
        }
        Ok(_) | Err(_) => fault(format!("`token_file` {} has no token that can be sent", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let given: GivenProviders = toml::from_str(text).unwrap();
        crate::with_causes::with_causes(&providers(&given).err().expect(text))
    }

    /// Guards against: a plain `http` address that is taken for every host.
    #[test]
    fn a_provider_that_cannot_be_right_is_refused_and_named() {
        let url = "url = 'https://pay.example/payouts'";
        let key = "repeat = 'never'";
        for (settings, named) in [
            (key.to_owned(), "missing field `url`"),
            (url.to_owned(), "missing field `repeat`"),
            (format!("{url}\nrepeat = 'often'"), "`repeat` must be"),
            (format!("{url}\n{key}\nretries = 3"), "unknown field `retries`"),
            (format!("url = 'http://pay.example/'\n{key}"), "`url` must begin with https://"),
            (format!("url = 'http://127.0.0.1.example/'\n{key}"), "`url` must begin with https://"),
            (format!("url = 'ftp://127.0.0.1/'\n{key}"), "`url` must begin with https://"),
            (format!("url = 'pay'\n{key}"), "`url` is no URL"),
            (format!("url = 'https://me:secret@pay.example/'\n{key}"), "`url` must have no user"),
            (
                format!("{url}\n{key}\nstatus_url = 'https://pay.example/payouts'"),
                "`status_url` must have {key}",
            ),
            (
                format!("{url}\n{key}\nstatus_url = 'https://{{key}}.example/'"),
                "`status_url` must have {key}",
            ),
            (format!("{url}\n{key}\ncancel_url = 'http://pay.example/{{key}}'"), "`cancel_url` must begin"),
            (format!("{url}\n{key}\ntimeout_seconds = 0"), "`timeout_seconds` must be from 1"),
            (format!("{url}\n{key}\nat_once = 0"), "`at_once` must be from 1"),
            (
                format!("{url}\n{key}\ntoken_file = '/nowhere/token'"),
                "`token_file` /nowhere/token can't be read",
            ),
        ] {
            let told = refused(&format!("[atm]\n{settings}"));
            assert!(told.contains(named) && told.contains("atm"), "{settings}: {told}");
        }
        for name in ["Atm", "-atm", "a_b", "\"a b\""] {
            assert!(refused(&format!("[{name}]\n{url}\n{key}")).contains("its name must be"), "{name}");
        }
    }

    #[test]
    fn a_provider_is_made_of_its_settings_and_the_defaults() {
        let text =
            "[atm]\nurl = 'http://localhost:9/pay'\nrepeat = 'same_key'\nstatus_url = 'http://[::1]:9/{key}'";
        let given: GivenProviders = toml::from_str(text).unwrap();
        let providers = providers(&given).unwrap();
        let provider = providers.get(&CounterAccount::parse("@external:atm").unwrap()).unwrap();
        let means = provider.means();
        assert_eq!((means.repeat, means.can_ask, means.can_cancel), (Repeat::SameKey, true, false));
        assert_eq!(means.ask_for_seconds, 86_400);
    }
}
