//! `bookonce health` asks a running service whether it takes commands. It is made for containers, which have no curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::out;
use super::outcome::{Exit, Outcome};
use crate::config::{Given, Settings};

/// The answer may take this long.
const PATIENCE: Duration = Duration::from_secs(3);
/// This many characters of an answer are shown.
const SHOWN: usize = 300;

/// Ask a running service whether it takes commands
///
/// Gets /readyz, for which no key is needed, and says what it heard. A service that can't be reached in 3 seconds is not
/// ready.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  bookonce health
  bookonce health --url https://ledger.example
  bookonce health --url https://127.0.0.1:7443 --any-certificate

Exit codes: 0 it takes commands; 1 it does not, or there is no answer; 2 wrong usage.")]
pub struct Args {
    /// Where the service is [default: where one with the same environment and file of settings listens, on this machine]
    #[arg(long, env = "BOOKONCE_URL")]
    url: Option<reqwest::Url>,
    /// Ask over https whatever the certificate says: nothing secret is sent
    #[arg(long)]
    any_certificate: bool,
    #[command(flatten)]
    settings: Shared,
}

/// `Shared` is what a service with the same environment takes from it to listen.
#[derive(Debug, clap::Args)]
struct Shared {
    #[arg(long, env = "BOOKONCE_LISTEN", hide = true)]
    listen: Option<SocketAddr>,
    #[arg(long, env = "BOOKONCE_TLS_CERT", hide = true)]
    tls_cert: Option<PathBuf>,
    #[arg(long, env = "BOOKONCE_TLS_KEY", hide = true)]
    tls_key: Option<PathBuf>,
    #[arg(long, env = "BOOKONCE_CONFIG", hide = true)]
    config: Option<PathBuf>,
}

impl Shared {
    /// Returns where a service with these settings is found from this machine.
    fn url(&self) -> Result<reqwest::Url, super::outcome::Error> {
        let given = Given {
            listen: self.listen,
            tls_cert: self.tls_cert.clone(),
            tls_key: self.tls_key.clone(),
            ..Given::default()
        };
        let settings = Settings::gather(given, self.config.as_deref())?;
        let mut address = settings.listen;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            IpAddr::V4(_) | IpAddr::V6(_) => {}
        }
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{address}").parse()?)
    }
}

/// Runs the command.
///
/// # Errors
/// Fails when there is no client to ask with, or the output can't be written.
pub(crate) fn run(args: &Args) -> Outcome {
    // The service's own address is in no certificate; nothing secret is sent there.
    let (url, any_certificate) = match &args.url {
        Some(url) => (url.clone(), args.any_certificate),
        None => (args.settings.url()?, true),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // A proxy would answer for the service; a redirection is no answer of its own.
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .tls_danger_accept_invalid_certs(any_certificate)
        .build()?;
    match runtime.block_on(ask(&client, url)) {
        Ok(()) => out::line("ready").map(|()| Exit::Ok),
        Err(why) => {
            super::outcome::complain(why.as_ref());
            Ok(Exit::Found)
        }
    }
}

async fn ask(client: &reqwest::Client, mut url: reqwest::Url) -> Result<(), super::outcome::Error> {
    url.set_path("/readyz");
    let answer = client.get(url).send().await?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let body = answer.text().await?;
    let shown: String = body.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    Err(format!("not ready: {status}: {shown}").into())
}
