//! [`Settings`] is the connection string as it was understood. It is completed here, checked, and freed of its secrets
//! before anybody sees it.

use eventstore::{ClientSettings, Credentials};

use super::Error;

/// `Settings` are the settings of the two clients, and what may be shown of the connection string.
pub struct Settings {
    pub shown: String,
    pub leader: ClientSettings,
    pub any: ClientSettings,
    /// These are user and password, unescaped. They are given with each call: the crate would send them as they are
    /// escaped.
    pub credentials: Option<Credentials>,
}

/// This is how long the crate waits before each attempt to connect, even the first. Its default of 500 ms is a quarter
/// of the time that an append may take.
const DISCOVERY_INTERVAL: &str = "discoveryInterval=50";

impl Settings {
    pub fn read(connection: &str) -> Result<Self, Error> {
        let connection = connection.trim();
        let Some((scheme, rest)) = connection.split_once("://") else {
            return Err(Error::Settings("it does not begin with esdb:// or esdb+discover://".to_owned()));
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "esdb" | "kurrentdb" | "kdb" => "esdb",
            "esdb+discover" | "kurrentdb+discover" | "kdb+discover" => "esdb+discover",
            _ => {
                return Err(Error::Settings(
                    "its scheme is none of esdb, esdb+discover, kurrentdb".to_owned(),
                ));
            }
        };
        let (hosts, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut all: Vec<&str> = query.split('&').filter(|part| !part.is_empty()).collect();
        if !all.iter().any(|part| is(part, "discoveryInterval")) {
            all.push(DISCOVERY_INTERVAL);
        }
        let any = parse(&format!("{scheme}://{hosts}?{}", all.join("&")))?;
        all.retain(|part| !is(part, "nodePreference"));
        all.push("nodePreference=leader");
        let leader = parse(&format!("{scheme}://{hosts}?{}", all.join("&")))?;
        check_files(&any)?;
        Ok(Self { shown: shown(scheme, rest), leader, any, credentials: credentials(hosts) })
    }
}

fn is(part: &str, name: &str) -> bool {
    part.split('=').next().is_some_and(|key| key.eq_ignore_ascii_case(name))
}

/// Lets the crate read the string. Its errors quote the string with the password, so only those are passed on that quote
/// no more than a setting's value.
fn parse(text: &str) -> Result<ClientSettings, Error> {
    text.parse().map_err(|error: eventstore::ClientSettingsParseError| {
        let harmless = ["Invalid format for param", "Unknown node preference", "Invalid user certificate"];
        let message = error.message();
        let why = match error.error() {
            _ if harmless.iter().any(|start| message.starts_with(start)) => message.to_owned(),
            Some(why) => why.to_string(),
            None => "its hosts can't be read".to_owned(),
        };
        Error::Settings(why)
    })
}

fn credentials(hosts: &str) -> Option<Credentials> {
    let (given, _) = hosts.rsplit_once('@')?;
    let (user, password) = given.split_once(':').unwrap_or((given, ""));
    Some(Credentials::new(unescaped(user), unescaped(password)))
}

/// Replaces each escape, such as `%40`, by the byte that it stands for. What is no escape stays.
fn unescaped(text: &str) -> Vec<u8> {
    let mut parts = text.split('%');
    let mut out: Vec<u8> = parts.next().unwrap_or_default().into();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, part.get(2..)) {
            (Some(byte), Some(rest)) => {
                out.push(byte);
                out.extend_from_slice(rest.as_bytes());
            }
            _ => {
                out.push(b'%');
                out.extend_from_slice(part.as_bytes());
            }
        }
    }
    out
}

/// Checks that the files that are named can be read and are PEM. With one that can't be, the crate panics in a task of its
/// own, and never connects.
fn check_files(settings: &ClientSettings) -> Result<(), Error> {
    let user = settings.user_certificate();
    let files =
        settings.tls_ca_file().into_iter().chain(user.into_iter().flat_map(|(cert, key)| [cert, key]));
    for path in files {
        let text =
            std::fs::read(path).map_err(|error| Error::Settings(format!("{path} can't be read: {error}")))?;
        if memchr::memmem::find(&text, b"-----BEGIN ").is_none() {
            return Err(Error::Settings(format!("{path} is no PEM file")));
        }
    }
    Ok(())
}

/// Returns the string without user and password. All before the last `@` is taken for them, even behind a `?`: a password
/// may hold such characters, and it is better to show too little.
fn shown(scheme: &str, rest: &str) -> String {
    let (hosts, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, query) = match (hosts.rsplit_once('@'), query.rsplit_once('@')) {
        (Some((_, hosts)), _) => (hosts, query),
        (None, Some((_, rest))) => (rest, ""),
        (None, None) => (hosts, query),
    };
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{scheme}://{hosts}{mark}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_of(text: &str) -> String {
        Settings::read(text).unwrap().shown
    }

    #[test]
    fn user_and_password_are_never_shown() {
        assert_eq!(shown_of("esdb://admin:s3cret@node:2113?tls=false"), "esdb://node:2113?tls=false");
        assert_eq!(shown_of("kurrentdb+discover://a:b%40c@nodes"), "esdb+discover://nodes");
        assert_eq!(shown_of("esdb://a:b@n1:1,n2:2,n3:3"), "esdb://n1:1,n2:2,n3:3");
        for text in
            ["esdb://u:s3cret@node:port", "http://u:s3cret@node", "esdb://u:s3cret?@node", "u:s3cret@node"]
        {
            let error = Settings::read(text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn escapes_are_read_and_what_is_none_is_left() {
        for (text, meant) in
            [("p%40ss%3Aw", "p@ss:w"), ("50%", "50%"), ("%+4", "%+4"), ("a%zzb%C3%A4", "a%zzbä"), ("", "")]
        {
            assert_eq!(unescaped(text), meant.as_bytes(), "{text}");
        }
    }

    #[test]
    fn the_clerks_client_wants_the_leader_whatever_the_string_says() {
        let read = Settings::read("esdb://n1:1,n2:2?nodePreference=follower&tls=false").unwrap();
        assert_eq!(read.leader.node_preference().to_string(), "Leader");
        assert_ne!(read.any.node_preference().to_string(), "Leader");
        assert_eq!(read.leader.hosts().len(), 2);
    }

    #[test]
    fn what_would_make_the_crate_panic_is_refused_before() {
        assert!(Settings::read("esdb://node?tlsCAFile=/does/not/exist").is_err());
        assert!(Settings::read("esdb://node?tls=perhaps").is_err());
    }
}
