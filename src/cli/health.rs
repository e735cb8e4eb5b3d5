//! `bookonce health` asks a running service whether it takes commands. It is made for containers, which have no curl.

use std::time::Duration;

use super::out;
use super::outcome::{Exit, Outcome};

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
    /// Where the service is
    #[arg(long, default_value = "http://127.0.0.1:7070", env = "BOOKONCE_URL")]
    url: reqwest::Url,
    /// Ask over https whatever the certificate says: nothing secret is sent
    #[arg(long)]
    any_certificate: bool,
}

/// Runs the command.
///
/// # Errors
/// Fails when there is no client to ask with, or the output can't be written.
pub(crate) fn run(args: &Args) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // A proxy would answer for the service; a redirection is no answer of its own.
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .tls_danger_accept_invalid_certs(args.any_certificate)
        .build()?;
    match runtime.block_on(ask(&client, args.url.clone())) {
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
