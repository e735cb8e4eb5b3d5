//! [`Node`] is an EventStoreDB node of a test's own, empty at first: the stand-in in this process, or a program of the
//! reader's.
//!
//! `BOOKONCE_TEST_NODE` names that program. It is called with a folder and a port, and runs a node on them in the foreground
//! until it is killed: without TLS, on 127.0.0.1, with the log in the folder. Every test that plants no fault in the
//! stand-in then runs over such nodes; the others stay with the stand-in. `standin_node`, a program of the stand-in's, is an
//! example.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bookonce::store::eventstoredb::Store;
use eventstore_standin::{Options, Running, Standin};

use super::store::{apart, runtime};

/// A real node takes this long to start at most.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program, its folder and all processes of its group go when this process does, however it ends: then its standard input
/// is closed.
const GUARDED: &str = r#""$0" "$@" </dev/null & node=$!; cat; kill -KILL $node; rm -rf "$1"; kill -KILL 0"#;

/// A node, which ends when this is dropped.
pub enum Node {
    /// It is the stand-in, in this process.
    Standin(Box<Running>),
    /// It is a program, in a process of its own.
    Program(Program),
}

/// A program that runs a node.
pub struct Program {
    path: PathBuf,
    folder: tempfile::TempDir,
    address: SocketAddr,
    child: Option<Child>,
}

impl Node {
    /// Starts a node that is empty.
    pub fn start_empty() -> Self {
        match Program::named() {
            Some(program) => Self::Program(program),
            None => Self::standin(),
        }
    }

    /// Starts the stand-in, whatever is named: for tests that plant faults in it.
    pub fn standin() -> Self {
        Self::Standin(Box::new(Standin::start(Options::default()).unwrap()))
    }

    /// Returns the stand-in, where it is that.
    pub fn as_standin(&mut self) -> Option<&mut Running> {
        match self {
            Self::Standin(running) => Some(running),
            Self::Program(_) => None,
        }
    }

    pub fn connection_string(&self) -> String {
        match self {
            Self::Standin(running) => running.connection_string(),
            Self::Program(program) => program.connection_string(),
        }
    }

    /// Stops it as a power cut does.
    pub fn stop(&mut self) {
        match self {
            Self::Standin(running) => running.stop().unwrap(),
            Self::Program(program) => program.kill(),
        }
    }

    /// Starts it again at the same address, with all that was answered.
    pub fn start(&mut self) {
        match self {
            Self::Standin(running) => running.start().unwrap(),
            Self::Program(program) => program.start(),
        }
    }
}

impl Program {
    /// Starts the program that is named, if one is.
    pub fn named() -> Option<Self> {
        let path = PathBuf::from(std::env::var_os("BOOKONCE_TEST_NODE").filter(|path| !path.is_empty())?);
        let address = address_for_a_program();
        let mut program = Self { path, folder: tempfile::tempdir().unwrap(), address, child: None };
        program.start();
        Some(program)
    }

    pub fn connection_string(&self) -> String {
        format!("esdb://{}?tls=false", self.address)
    }

    fn start(&mut self) {
        let child = Command::new("sh")
            .args(["-c", GUARDED])
            .args([self.path.as_os_str(), self.folder.path().as_os_str()])
            .arg(self.address.port().to_string())
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn();
        self.child = Some(child.unwrap());
        let connection = self.connection_string();
        let begun = Instant::now();
        apart(|| {
            runtime().block_on(async {
                let store = Store::new(&connection).await.unwrap();
                while let Err(error) = store.newest(u64::MAX).await {
                    assert!(begun.elapsed() < PATIENCE, "the node does not answer: {error}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        });
    }

    fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let group = format!("-{}", child.id());
        let _gone_already = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _reaped_already = child.wait();
    }
}

/// Returns an address that a program can be told to listen on, also after its end. Its port is below those that the system
/// gives to whoever asks for any: else another test would have it before the program does.
fn address_for_a_program() -> SocketAddr {
    const PORTS: u16 = 10_000;
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_add(ASKED.fetch_add(1, Ordering::Relaxed)) % u32::from(PORTS);
    let first = u16::try_from(first).unwrap();
    let mut ports = (first..PORTS).chain(0..first).map(|n| 20_000 + n);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = ports.find(free).expect("a free port");
    SocketAddr::from(([127, 0, 0, 1], port))
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
