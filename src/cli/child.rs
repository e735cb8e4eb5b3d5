//! A child is another process of this program: the service of a demonstration or a measurement. It is killed when it is
//! dropped.

use std::ffi::OsStr;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::config::ConnectionString;

/// A child may take this long until it listens, and until it has stopped.
const PATIENCE: Duration = Duration::from_secs(120);

/// An error says why a child is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The child could not be started, asked to stop, or waited for.
    #[error("can't run {0}")]
    Process(&'static str, #[source] std::io::Error),
    /// The child ended, or said nothing for too long, before it listened.
    #[error("{0} did not begin to listen; its log: {1}")]
    Silent(&'static str, String),
    /// The child did not stop in time.
    #[error("{0} did not stop when it was told to")]
    Endless(&'static str),
}

/// A service is a child that listens.
#[derive(Debug)]
pub(crate) struct Service {
    /// This is the address that it listens on.
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Service {
    /// Starts `bookonce serve` on this folder, over a store if one is named, and waits until it listens. Its log is in
    /// `<data>.log`.
    ///
    /// # Errors
    /// Fails when it can't be started or does not come up.
    pub(crate) async fn serve(
        data: &Path,
        listen: &str,
        store: Option<&ConnectionString>,
    ) -> Result<Self, Error> {
        Self::serve_with(data, listen, store, None).await
    }

    /// Does what [`serve`](Self::serve) does, with a settings file.
    ///
    /// # Errors
    /// Fails as `serve` does.
    pub(crate) async fn serve_with(
        data: &Path,
        listen: &str,
        store: Option<&ConnectionString>,
        settings: Option<&Path>,
    ) -> Result<Self, Error> {
        let arguments =
            ["serve".as_ref(), "--data".as_ref(), data.as_os_str(), "--listen".as_ref(), listen.as_ref()];
        let mut program = this_program(&arguments).map_err(process)?;
        if let Some(settings) = settings {
            program.arg("--config").arg(settings);
        }
        if let Some(store) = store {
            // Not as an argument, which is shown to whoever lists processes.
            program.env("BOOKONCE_STORE", store.reveal());
        }
        Self::start(program, &data.with_extension("log")).await
    }

    /// Starts this program with these arguments and waits for the line that says where it listens.
    ///
    /// # Errors
    /// Fails when it can't be started or does not come up.
    pub(crate) async fn listening(arguments: &[&OsStr], log: &Path) -> Result<Self, Error> {
        Self::start(this_program(arguments).map_err(process)?, log).await
    }

    async fn start(mut program: Command, log: &Path) -> Result<Self, Error> {
        let log_file = File::options().create(true).append(true).open(log).map_err(process)?;
        let mut child = program.stdout(Stdio::piped()).stderr(log_file).spawn().map_err(process)?;
        let out = child.stdout.take().ok_or_else(|| process(std::io::ErrorKind::BrokenPipe.into()))?;
        let mut lines = BufReader::new(out).lines();
        match tokio::time::timeout(PATIENCE, address(&mut lines)).await {
            Ok(Some(address)) => {
                // Whatever else it prints must not fill the pipe.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                Ok(Self { address, child })
            }
            _ => Err(Error::Silent(NAME, last_line(log))),
        }
    }

    /// Gives its process id.
    #[must_use]
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills it on the spot (SIGKILL), as a crash would.
    ///
    /// # Errors
    /// Fails when it can't be killed.
    pub(crate) async fn kill(&mut self) -> Result<(), Error> {
        self.child.kill().await.map_err(|error| Error::Process("kill", error))
    }

    /// Tells it to stop (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// Fails when it can't be told, or does not stop.
    pub(crate) async fn stop(mut self) -> Result<ExitStatus, Error> {
        let process = |error| Error::Process("the end of bookonce serve", error);
        self.tell(Signal::TERM)?;
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(status) => status.map_err(process),
            Err(_) => Err(Error::Endless("bookonce serve")),
        }
    }

    /// Makes it stand still (SIGSTOP), as if it were not there, until it is [resumed](Self::resume).
    ///
    /// # Errors
    /// Fails when it can't be told.
    pub(crate) fn suspend(&self) -> Result<(), Error> {
        self.tell(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// Fails when it can't be told.
    pub(crate) fn resume(&self) -> Result<(), Error> {
        self.tell(Signal::CONT)
    }

    fn tell(&self, signal: Signal) -> Result<(), Error> {
        let pid = self.pid().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        let told = pid.map_or(Ok(()), |pid| kill_process(pid, signal));
        told.map_err(|error| Error::Process("a signal for bookonce serve", error.into()))
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// Fails when it can't be waited for.
    pub(crate) async fn ended(&mut self) -> Result<ExitStatus, Error> {
        self.child.wait().await.map_err(|error| Error::Process("bookonce serve", error))
    }
}

const NAME: &str = "bookonce serve";

fn process(error: std::io::Error) -> Error {
    Error::Process(NAME, error)
}

/// Runs `bookonce verify` on a folder, or on the store if one is named. Gives whether all was right, and what it printed.
///
/// # Errors
/// Fails when it can't be started.
pub(crate) async fn verify(data: &Path, store: Option<&ConnectionString>) -> Result<(bool, String), Error> {
    let process = |error| Error::Process("bookonce verify", error);
    let arguments: [&OsStr; 3] = match store {
        Some(store) => ["verify".as_ref(), "--store".as_ref(), store.reveal().as_ref()],
        None => ["verify".as_ref(), "--".as_ref(), data.as_os_str()],
    };
    let output = this_program(&arguments).map_err(process)?.output().await.map_err(process)?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

/// Makes a command of this program with these arguments. The settings in our environment and our terminal's Ctrl-C do not
/// reach it.
fn this_program(arguments: &[&OsStr]) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BOOKONCE_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    Ok(command)
}

async fn address(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<SocketAddr> {
    while let Ok(Some(line)) = lines.next_line().await {
        let found = line.split_once("listening on http://").and_then(|(_, rest)| {
            rest.split(|end: char| end == ',' || end.is_whitespace()).next()?.parse().ok()
        });
        if found.is_some() {
            return found;
        }
    }
    None
}

fn last_line(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().last().unwrap_or("nothing").to_owned()
}
