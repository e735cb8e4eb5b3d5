//! `bookonce keys` makes, lists and revokes API keys. A running service sees the change within a quarter of a second,
//! and so does every other that reads the same folder.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::out;
use super::outcome::{Exit, Outcome};
use crate::config::{ConfigError, Given, Settings};
use crate::domain::time::{Timestamp, system_clock};
use crate::keys::file::{self, Key, NewKey};
use crate::keys::ring::id_of;
use crate::keys::{Error, Role};

/// Make, list and revoke API keys
///
/// While no key has ever been made, every request over loopback acts as an operator. From the first key on, all need
/// one. They are kept in the data folder; instances that are to know the same keys share a folder of their own for
/// them, with --keys here and in `bookonce serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  bookonce keys create --role teller --name atm-77 --expires-in-days 90
  bookonce keys create --role operator --keys /srv/keys
  bookonce keys list
  bookonce keys revoke 3f9a0c11d2e4")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key and print its token, once
    Create(Create),
    /// List all keys, without their tokens
    List(KeysFolder),
    /// Revoke a key, for ever
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct KeysFolder {
    /// The data folder [default: ./bookonce-data]
    #[arg(long, value_name = "DIR", env = "BOOKONCE_DATA")]
    data: Option<PathBuf>,
    /// Where the keys are [default: the data folder]
    #[arg(long, value_name = "DIR", env = "BOOKONCE_KEYS")]
    keys: Option<PathBuf>,
    /// The service's TOML file, if that says where they are
    #[arg(long, env = "BOOKONCE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl KeysFolder {
    /// Finds the folder that a service with the same settings reads.
    fn find(&self) -> Result<PathBuf, ConfigError> {
        let given = Given { data: self.data.clone(), keys: self.keys.clone(), ..Given::default() };
        Ok(Settings::gather(given, self.config.as_deref())?.keys)
    }
}

#[derive(Debug, clap::Args)]
struct Create {
    /// What its holder may do: a teller books and reads accounts, an auditor reads, an operator does everything
    #[arg(long)]
    role: Role,
    /// Whose it is, in words
    #[arg(long, value_parser = parse_name)]
    name: Option<String>,
    /// For how many days it is good; for ever when not said
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    expires_in_days: Option<u32>,
    #[command(flatten)]
    folder: KeysFolder,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// The key's id, as `keys list` shows it, or its token
    id: String,
    #[command(flatten)]
    folder: KeysFolder,
}

fn parse_name(text: &str) -> Result<String, String> {
    let good = (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if good { Ok(text.to_owned()) } else { Err("1 to 64 characters without control characters".to_owned()) }
}

/// Runs the command.
///
/// # Errors
/// Fails when the keys can't be read or written, or the output can't.
pub(crate) fn run(args: Args) -> Outcome {
    let mut shown = Vec::new();
    let exit = act(args, &mut shown)?;
    if !shown.is_empty() {
        out::line(String::from_utf8_lossy(&shown).trim_end())?;
    }
    Ok(exit)
}

fn act(args: Args, out: &mut impl Write) -> Outcome {
    let now = system_clock()();
    match args.action {
        Action::Create(asked) => {
            let new = NewKey { role: asked.role, name: asked.name, expires_in_days: asked.expires_in_days };
            let (key, token) = file::create(&asked.folder.find()?, new, now)?;
            created(&key, &token, asked.folder.json, out)?;
        }
        Action::List(folder) => {
            let keys = file::load(&folder.find()?)?.unwrap_or_default();
            list(&keys, folder.json, now, out)?;
        }
        Action::Revoke(asked) => match file::revoke(&asked.folder.find()?, id_in(&asked.id), now) {
            Ok(key) => list(&[key], asked.folder.json, now, out)?,
            Err(unknown @ (Error::Unknown(_) | Error::NoId)) => {
                writeln!(io::stderr(), "bookonce: {unknown}")?;
                return Ok(Exit::Found);
            }
            Err(error) => return Err(error.into()),
        },
    }
    Ok(Exit::Ok)
}

/// Returns the key's id in what was given, which may be its whole token.
fn id_in(given: &str) -> &str {
    id_of(given).unwrap_or(given)
}

fn created(key: &Key, token: &str, as_json: bool, out: &mut impl Write) -> io::Result<()> {
    if as_json {
        let shown = json!({"id": key.id, "role": key.role.name(), "name": key.name, "created_at": key.created_at,
            "expires_at": key.expires_at, "token": token});
        return writeln!(out, "{shown}");
    }
    writeln!(out, "id       {}", key.id)?;
    writeln!(out, "role     {}", key.role.name())?;
    if let Some(name) = &key.name {
        writeln!(out, "name     {name}")?;
    }
    writeln!(out, "expires  {}", key.expires_at.as_deref().unwrap_or("never"))?;
    writeln!(out, "token    {token}")?;
    writeln!(io::stderr(), "Keep the token: it is shown this once and stored nowhere.")
}

fn list(keys: &[Key], as_json: bool, now: Timestamp, out: &mut impl Write) -> io::Result<()> {
    if as_json {
        let shown = keys.iter().map(|key| {
            json!({"id": key.id, "role": key.role.name(), "name": key.name, "created_at": key.created_at,
                "expires_at": key.expires_at, "revoked_at": key.revoked_at, "state": state(key, now)})
        });
        return writeln!(out, "{}", shown.collect::<serde_json::Value>());
    }
    writeln!(out, "{:<14}{:<10}{:<9}{:<29}{:<29}NAME", "ID", "ROLE", "STATE", "CREATED", "EXPIRES")?;
    for key in keys {
        let (role, state) = (key.role.name(), state(key, now));
        let (expires, name) =
            (key.expires_at.as_deref().unwrap_or("never"), key.name.as_deref().unwrap_or_default());
        writeln!(out, "{:<14}{role:<10}{state:<9}{:<29}{expires:<29}{name}", key.id, key.created_at)?;
    }
    Ok(())
}

fn state(key: &Key, now: Timestamp) -> &'static str {
    let expired = key.expires_at.as_deref().and_then(Timestamp::read).is_some_and(|end| end <= now);
    match (&key.revoked_at, expired) {
        (Some(_), _) => "revoked",
        (None, true) => "expired",
        (None, false) => "good",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        keys: Args,
    }

    fn keys(dir: &std::path::Path, line: &[&str]) -> (Exit, String) {
        run_with(&[line, &["--data", dir.to_str().unwrap()]].concat())
    }

    fn run_with(line: &[&str]) -> (Exit, String) {
        let words = ["keys"].iter().chain(line).copied();
        let mut out = Vec::new();
        let exit = act(CommandLine::parse_from(words).keys, &mut out).unwrap();
        (exit, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_key_is_made_listed_and_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let (_, made) = keys(dir.path(), &["create", "--role", "teller", "--name", "atm-77", "--json"]);
        let made: serde_json::Value = serde_json::from_str(&made).unwrap();
        let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
        assert!(token.starts_with(&format!("bo_{id}_")));
        let (_, listed) = keys(dir.path(), &["list"]);
        assert!(listed.contains(id) && listed.contains("atm-77") && listed.contains("good"));
        assert!(!listed.contains(token));
        let (exit, revoked) = keys(dir.path(), &["revoke", id]);
        assert!(exit == Exit::Ok && revoked.contains("revoked"));
        assert_eq!(keys(dir.path(), &["revoke", "nope"]).0, Exit::Found);
    }

    /// Guards against: `there is no key bo_…`, with the whole secret on the terminal, and a key that stays good.
    #[test]
    fn whoever_has_the_token_alone_revokes_its_key_and_its_secret_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let (_, made) = keys(dir.path(), &["create", "--role", "teller", "--json"]);
        let made: serde_json::Value = serde_json::from_str(&made).unwrap();
        let token = made["token"].as_str().unwrap();
        let secret = token.rsplit('_').next().unwrap();
        let (exit, revoked) = keys(dir.path(), &["revoke", token]);
        assert!(exit == Exit::Ok && revoked.contains("revoked") && !revoked.contains(secret));
        let unknown = token.replace(made["id"].as_str().unwrap(), "0123456789ab");
        for other in [secret, &format!("bo_{secret}"), &unknown, "x"] {
            let error = file::revoke(dir.path(), id_in(other), system_clock()()).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(!said.contains(secret) && !said.contains(&token[20..40]), "{said}");
            assert_eq!(keys(dir.path(), &["revoke", other]).0, Exit::Found);
        }
    }

    #[test]
    fn a_key_goes_where_a_service_with_the_same_settings_looks() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let create = ["create", "--role", "auditor"];
        run_with(&[&create[..], &["--data", &at("data"), "--keys", &at("shared")]].concat());
        assert!(file::load(&dir.path().join("shared")).unwrap().is_some());
        assert!(!dir.path().join("data").exists());
        std::fs::write(at("file.toml"), format!("keys = '{}'", at("other"))).unwrap();
        run_with(&[&create[..], &["--data", &at("data"), "--config", &at("file.toml")]].concat());
        assert!(file::load(&dir.path().join("other")).unwrap().is_some());
        assert!(!dir.path().join("data").exists());
    }
}
