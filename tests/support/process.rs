//! [`Process`] is the real service as a process of its own. A client over one socket is beside it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bookonce::store::codec;

use super::store;

/// This is how long an answer may take that a test waits for. Answers that wait by themselves wait for a minute at most.
const PATIENCE: Duration = Duration::from_secs(120);

/// A `Process` is a running `bookonce serve`. It is killed when it is dropped.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    /// This is the time from the start of the process until it took commands.
    pub started_in: Duration,
}

impl Process {
    /// Starts the service on a folder and a free port, and waits until it takes commands.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[], &[]).unwrap_or_else(|said| panic!("the service did not start: {said}"))
    }

    /// Starts the same with more arguments and environment, and returns what it said on standard error if it does not
    /// start.
    pub fn start_with(data: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Self, String> {
        Self::start_program(Path::new(env!("CARGO_BIN_EXE_bookonce")), data, arguments, environment)
    }

    /// Starts the service of another build of the program.
    pub fn start_program(
        program: &Path,
        data: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self, String> {
        let begun = Instant::now();
        let kept = if arguments.contains(&"--store") { Vec::new() } else { store::arguments(data) };
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(kept)
            .args(arguments)
            .env_remove("BOOKONCE_LOG")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some((_, rest)) = line.split_once("://") else {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            child.wait().unwrap();
            return Err(said);
        };
        let address = rest.split([',', '\n']).next().unwrap().parse().unwrap();
        let mut errors = child.stderr.take().unwrap();
        // Drained, so that a full pipe never stops the service.
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        if store::is_eventstoredb() {
            // It listens before it has reached its store and the index has caught up with it.
            let ready = || send(address, "GET", "/readyz", "").is_ok_and(|reply| reply.status == 200);
            store::until("the service is ready", ready);
        }
        Ok(Self { child, address, started_in: begun.elapsed() })
    }

    /// Returns the whole journal, an event a line.
    pub fn journal(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        loop {
            let after = lines.last().map_or(0, |line| codec::decode(line.as_bytes()).unwrap().position);
            let path = format!("/v1/journal?after={after}&limit=1000");
            let reply =
                send_with(self.address, "GET", &path, "accept: application/x-ndjson\r\n", "").unwrap();
            assert_eq!(reply.status, 200, "{}", reply.body);
            if reply.body.is_empty() {
                return lines;
            }
            lines.extend(reply.body.lines().map(str::to_owned));
        }
    }

    /// Returns the position of the journal's last event.
    pub fn head(&self) -> u64 {
        let head = send(self.address, "GET", "/v1/journal/head", "").unwrap();
        let head: serde_json::Value = serde_json::from_str(&head.body).unwrap();
        head["position"].as_u64().unwrap()
    }

    /// Lets the service open no more files (EMFILE) until the result is dropped.
    pub fn no_more_files(&self) -> NoMoreFiles {
        let pid = self.child.id();
        let mut before = (0, 0);
        rlimit::prlimit(
            pid.cast_signed(),
            rlimit::Resource::NOFILE,
            None,
            Some((&mut before.0, &mut before.1)),
        )
        .unwrap();
        rlimit::prlimit(pid.cast_signed(), rlimit::Resource::NOFILE, Some((3, before.1)), None).unwrap();
        NoMoreFiles { pid, before }
    }

    /// Ends the process with SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal to the process, by its name: `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Sends SIGTERM, waits until the process has stopped by itself, and returns its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

/// `NoMoreFiles` is a service that can open no more files.
pub struct NoMoreFiles {
    pid: u32,
    before: (u64, u64),
}

impl Drop for NoMoreFiles {
    fn drop(&mut self) {
        rlimit::prlimit(self.pid.cast_signed(), rlimit::Resource::NOFILE, Some(self.before), None).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

/// A `Reply` is an answer, as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub replayed: bool,
    pub body: String,
}

/// Sends one request on a connection of its own and reads the answer.
pub fn send(address: SocketAddr, method: &str, path: &str, body: &str) -> std::io::Result<Reply> {
    send_with(address, method, path, "", body)
}

/// Does the same with more header lines, each with its end.
pub fn send_with(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> std::io::Result<Reply> {
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_nodelay(true)?;
    let media_type =
        if headers.contains("content-type: ") { "" } else { "content-type: application/json\r\n" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{media_type}\
         {headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let torn = || std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "half an answer");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(torn)?;
    let head = head.to_ascii_lowercase();
    let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(torn)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    if length.is_some_and(|length: usize| length != body.len()) {
        return Err(torn());
    }
    Ok(Reply { status, replayed: head.contains("idempotent-replayed: true"), body: body.to_owned() })
}

/// Runs `bookonce` with these arguments, and returns the exit code, standard output, standard error.
pub fn bookonce(arguments: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_bookonce")).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code().unwrap_or(-1), text(&out.stdout), text(&out.stderr))
}

/// Checks that the auditor finds the ledger of this folder right.
pub fn verify(data: &Path) {
    let folder = [data.to_str().unwrap().to_owned()];
    let place = store::of(data).map_or_else(|| folder.to_vec(), |store| vec!["--store".to_owned(), store]);
    let arguments: Vec<&str> = std::iter::once("verify").chain(place.iter().map(String::as_str)).collect();
    let (code, said, complaint) = bookonce(&arguments);
    assert_eq!(code, 0, "{said}{complaint}");
}

/// Returns the state digest that `bookonce replay` finds for the ledger of this folder.
pub fn replayed_digest(data: &Path) -> String {
    let folder = ["--data".to_owned(), data.to_str().unwrap().to_owned()];
    let place = store::of(data).map_or_else(|| folder.to_vec(), |store| vec!["--store".to_owned(), store]);
    let arguments = ["replay", "--json"].into_iter().chain(place.iter().map(String::as_str));
    let (code, said, complaint) = bookonce(&arguments.collect::<Vec<_>>());
    assert_eq!(code, 0, "{said}{complaint}");
    let books: serde_json::Value = serde_json::from_str(&said).unwrap();
    books["digest"].as_str().unwrap().to_owned()
}

/// Says loudly that a test could not be run here, and leaves a line for `tests/all` to count.
pub fn skip(test: &str, why: &str) {
    eprintln!("SKIPPED {test}: {why}");
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/skipped-tests");
    let file = std::fs::OpenOptions::new().append(true).create(true).open(list);
    writeln!(file.unwrap(), "{test}: {why}").unwrap();
}
