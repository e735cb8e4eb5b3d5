//! Settings say how the service is set up. They come from flags first, then from the environment, then from a file, and then
//! from the defaults.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::delivery::settings::{Given as GivenDestination, SettingsError, destinations, generation};
use crate::payouts::GivenProviders;
use crate::telemetry::LogFormat;

/// The service keeps its data in this folder when nothing else is said.
pub(crate) const DATA: &str = "./bookonce-data";
/// It listens on this address when nothing else is said.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7070);

/// Returns the folder that a command works on when nobody names another: that of the service with the same environment.
///
/// A command that also takes a store or files in its place can't leave this to `clap`, which would take a variable for a
/// second answer to the same question.
pub(crate) fn data_folder(given: Option<&Path>) -> PathBuf {
    let set = std::env::var_os("BOOKONCE_DATA").filter(|value| !value.is_empty());
    given.map(Path::to_owned).or_else(|| set.map(PathBuf::from)).unwrap_or_else(|| DATA.into())
}

/// What can be set by flag, by environment or in the file; the file's keys are these names.
#[derive(Clone, Debug, Default, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Given {
    /// The data folder, made when it is missing [default: ./bookonce-data]
    #[arg(long, env = "BOOKONCE_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The event store's connection string, esdb://…; without it the ledger lives in the data folder
    #[arg(long, env = "BOOKONCE_STORE", hide_env_values = true, value_name = "URL")]
    pub(crate) store: Option<ConnectionString>,
    /// Where the API keys are, so that several instances can share them [default: the data folder]
    #[arg(long, env = "BOOKONCE_KEYS", value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
    /// The address to listen on; port 0 takes a free one [default: 127.0.0.1:7070]
    #[arg(long, env = "BOOKONCE_LISTEN", value_name = "ADDR", value_parser = address)]
    #[serde(deserialize_with = "address_in_file")]
    pub(crate) listen: Option<SocketAddr>,
    /// The certificate chain for TLS, PEM
    #[arg(long, env = "BOOKONCE_TLS_CERT", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, env = "BOOKONCE_TLS_KEY", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Listen beyond loopback without TLS: keys and money travel in the clear
    #[arg(long, env = "BOOKONCE_INSECURE", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) insecure: Option<bool>,
    /// How logs are written [default: text]
    #[arg(long, env = "BOOKONCE_LOG_FORMAT", value_enum, value_name = "FORMAT")]
    pub(crate) log: Option<LogFormat>,
    /// What is logged, such as `info` or `bookonce=debug` [default: info]
    #[arg(long, env = "BOOKONCE_LOG", value_name = "FILTER")]
    pub(crate) log_filter: Option<String>,
    /// Connections at once; more are turned away [default: 8192]
    #[arg(long, env = "BOOKONCE_MAX_CONNECTIONS", value_name = "N")]
    pub(crate) max_connections: Option<usize>,
    /// How long a write waits for its answer before it is told to come again, in seconds [default: 10]
    #[arg(long, env = "BOOKONCE_WRITE_WAIT_SECONDS", value_name = "SECONDS")]
    pub(crate) write_wait_seconds: Option<u64>,
    /// How long a read may take whose cost grows with the ledger, in seconds [default: 30]
    #[arg(long, env = "BOOKONCE_LONG_READ_SECONDS", value_name = "SECONDS")]
    pub(crate) long_read_seconds: Option<u64>,
    /// The ledger's own accounts that clients may name, such as @cash,@atm-77; any other name is refused [default: any]
    #[arg(long, env = "BOOKONCE_COUNTER_ACCOUNTS", value_delimiter = ',', value_name = "NAMES")]
    pub(crate) counter_accounts: Option<Vec<String>>,
    /// These are the payout providers, by name. They stand in the file alone.
    #[arg(skip)]
    pub(crate) providers: GivenProviders,
    /// This is read with the destinations.
    #[arg(skip)]
    pub(crate) messages: IgnoredAny,
    /// These are the destinations, by name, which [`Settings::destinations`] reads.
    #[arg(skip)]
    pub(crate) destinations: IgnoredAny,
}

/// Reads an address with its port. One that is not whole is refused with the one that was probably meant.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let port = text.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).unwrap_or(LISTEN.port());
        format!(
            "needs an IP address and a port, such as 127.0.0.1:{port} (this machine alone), 0.0.0.0:{port} or [::1]:{port}"
        )
    })
}

fn address_in_file<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(from)?;
    address(&text).map(Some).map_err(|problem| serde::de::Error::custom(format!("{text:?} {problem}")))
}

/// A connection string says how an event store is reached. It may have a password in it, and is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct ConnectionString(String);

impl ConnectionString {
    /// Gives the whole string, which only the store's client may see.
    #[must_use]
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ConnectionString {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(a connection string)")
    }
}

/// The settings of a service are complete: every one has a value.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// This is the data folder.
    pub(crate) data: PathBuf,
    /// This is the event store, where the ledger lives in one.
    pub(crate) store: Option<ConnectionString>,
    /// This is the folder of the API keys.
    pub(crate) keys: PathBuf,
    /// This is the address to listen on.
    pub(crate) listen: SocketAddr,
    /// These are the files of the certificate chain and of the private key.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    /// This says whether it may listen beyond loopback without TLS.
    pub(crate) insecure: bool,
    /// This says how logs are written.
    pub(crate) log: LogFormat,
    /// This is the filter that says what is logged.
    pub(crate) log_filter: String,
    /// This is the most connections at once.
    pub(crate) max_connections: usize,
    /// This is how long a write waits for its answer, in seconds.
    pub(crate) write_wait_seconds: u64,
    /// How long a long read may take, in seconds.
    pub(crate) long_read_seconds: u64,
    /// These are the ledger's own accounts that clients may name; any, where there is no list.
    pub(crate) counter_accounts: Option<Vec<String>>,
    /// These are the payout providers, by name.
    pub(crate) providers: GivenProviders,
    /// This is the file that they come from, if they come from one.
    file: Option<PathBuf>,
}

/// A configuration error says why the settings can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file can't be read.
    #[error("the configuration file {0} can't be read")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// The file can't be understood.
    #[error("the configuration file {0} can't be understood")]
    Malformed(PathBuf, #[source] Box<toml::de::Error>),
    /// The settings of its destinations can't be used.
    #[error("the configuration file {0} can't be used")]
    Destinations(PathBuf, #[source] Box<SettingsError>),
    /// TLS was set up with a certificate or a key alone.
    #[error("TLS needs both a certificate and a key")]
    HalfTls,
    /// A limit of zero would serve nobody.
    #[error("{0} must be greater than zero")]
    Zero(&'static str),
}

impl Settings {
    /// Puts flags and environment (`given`) over the file over the defaults.
    ///
    /// # Errors
    /// Fails when the file can't be used or the settings contradict each other.
    pub(crate) fn gather(given: Given, file: Option<&Path>) -> Result<Self, ConfigError> {
        let (path, file) = (file.map(Path::to_owned), file.map(read).transpose()?.unwrap_or_default());
        let tls = match (given.tls_cert.or(file.tls_cert), given.tls_key.or(file.tls_key)) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err(ConfigError::HalfTls),
        };
        let data = given.data.or(file.data).unwrap_or_else(|| DATA.into());
        let settings = Self {
            store: given.store.or(file.store),
            keys: given.keys.or(file.keys).unwrap_or_else(|| data.clone()),
            data,
            listen: given.listen.or(file.listen).unwrap_or(LISTEN),
            tls,
            insecure: given.insecure.or(file.insecure).unwrap_or(false),
            log: given.log.or(file.log).unwrap_or_default(),
            log_filter: given.log_filter.or(file.log_filter).unwrap_or_else(|| "info".into()),
            max_connections: given.max_connections.or(file.max_connections).unwrap_or(8_192),
            write_wait_seconds: given.write_wait_seconds.or(file.write_wait_seconds).unwrap_or(10),
            long_read_seconds: given.long_read_seconds.or(file.long_read_seconds).unwrap_or(30),
            counter_accounts: given.counter_accounts.or(file.counter_accounts),
            providers: file.providers,
            file: path,
        };
        if settings.max_connections == 0 {
            return Err(ConfigError::Zero("max_connections"));
        }
        if settings.write_wait_seconds == 0 {
            return Err(ConfigError::Zero("write_wait_seconds"));
        }
        if settings.long_read_seconds == 0 {
            return Err(ConfigError::Zero("long_read_seconds"));
        }
        Ok(settings)
    }

    /// Reads the destinations of the file, with the files of their secrets. Only who sends needs them, and may read them.
    ///
    /// # Errors
    /// Fails with the first destination that can't be right, and its line.
    pub(crate) fn destinations(&self) -> Result<Vec<GivenDestination>, ConfigError> {
        let Some(path) = &self.file else { return Ok(Vec::new()) };
        destinations(&text(path)?).map_err(|error| ConfigError::Destinations(path.clone(), Box::new(error)))
    }

    /// Reads the generation of the settings of messages; `None` where the file has none.
    ///
    /// # Errors
    /// Fails when the file can't be read.
    pub(crate) fn generation(&self) -> Result<Option<u64>, ConfigError> {
        let Some(path) = &self.file else { return Ok(None) };
        Ok(generation(&text(path)?))
    }
}

fn read(path: &Path) -> Result<Given, ConfigError> {
    toml::from_str(&text(path)?).map_err(|error| ConfigError::Malformed(path.to_owned(), Box::new(error)))
}

fn text(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str, given: Given) -> Result<Settings, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bookonce.toml");
        std::fs::write(&file, text).unwrap();
        Settings::gather(given, Some(&file))
    }

    #[test]
    fn a_flag_goes_before_the_file_and_the_file_before_the_default() {
        let given = Given { listen: Some(([127, 0, 0, 1], 1).into()), ..Given::default() };
        let settings = with_file("listen = '127.0.0.1:2'\ndata = '/srv/ledger'", given).unwrap();
        assert_eq!(settings.listen.port(), 1);
        assert_eq!(settings.data, Path::new("/srv/ledger"));
        assert_eq!(settings.log, LogFormat::Text);
    }

    #[test]
    fn keys_are_in_the_data_folder_unless_they_are_put_elsewhere() {
        let data = || Given { data: Some("/srv/ledger".into()), ..Given::default() };
        assert_eq!(with_file("", data()).unwrap().keys, Path::new("/srv/ledger"));
        assert_eq!(with_file("keys = '/srv/keys'", data()).unwrap().keys, Path::new("/srv/keys"));
        let flag = Given { keys: Some("/srv/mine".into()), ..data() };
        let settings = with_file("keys = '/srv/keys'", flag).unwrap();
        assert_eq!(
            (settings.keys.as_path(), settings.data.as_path()),
            (Path::new("/srv/mine"), Path::new("/srv/ledger"))
        );
    }

    #[test]
    fn an_address_that_is_not_whole_is_refused_with_one_that_is() {
        for text in ["localhost:8080", ":8080", "8080"] {
            assert!(address(text).is_err_and(|problem| problem.contains("127.0.0.1:8080")), "{text}");
            let error = with_file(&format!("listen = '{text}'"), Given::default()).unwrap_err();
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(cause.contains("127.0.0.1:8080"), "{cause}");
        }
        assert_eq!(address("[::1]:8080").unwrap().port(), 8080);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(matches!(
            with_file("lisen = '127.0.0.1:2'", Given::default()),
            Err(ConfigError::Malformed(..))
        ));
        assert!(matches!(with_file("tls_cert = 'c.pem'", Given::default()), Err(ConfigError::HalfTls)));
        assert!(matches!(with_file("max_connections = 0", Given::default()), Err(ConfigError::Zero(_))));
    }
}
