//! Clients that nobody here wrote understand the stand-in: PyPI `kurrentdbclient` and npm `@kurrent/kurrentdb-client`
//! append, read streams and `$all` both ways, subscribe and resume, meet a wrong version, a missing stream, an
//! idempotent repeat. What they expect is in `eventstore_standin/clients`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::process::skip;
use support::store::standin::{Options, Running, Standin};

/// A folder of its own under `target`, with the clients' files in it: nothing is installed among the sources.
fn folder(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/eventstore-clients").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for file in std::fs::read_dir(root.join("tests/eventstore_standin/clients")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    folder
}

/// Runs a command; `Err` says why it could not be, or what it said.
fn run(program: impl AsRef<Path>, arguments: &[&str], folder: &Path) -> Result<String, String> {
    let program = program.as_ref();
    let done = Command::new(program).args(arguments).current_dir(folder).output();
    let Output { status, stdout, stderr } =
        done.map_err(|error| format!("{}: {error}", program.display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if status.success() { Ok(text(&stdout)) } else { Err(format!("{}\n{}", text(&stdout), text(&stderr))) }
}

fn node(folder: &Path) -> Running {
    let data = folder.join("log");
    drop(std::fs::remove_file(&data));
    Standin::start(Options { data: Some(data), ..Options::default() }).unwrap()
}

#[test]
fn a_python_client_understands_it() {
    let folder = folder("python");
    let installed = || {
        if !folder.join("environment/bin/python").exists() {
            run("python3", &["-m", "venv", "environment"], &folder)?;
        }
        let pip =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"];
        run(folder.join("environment/bin/python"), &pip, &folder)
    };
    if let Err(why) = installed() {
        return skip("a_python_client_understands_it", &why);
    }
    let running = node(&folder);
    let uri = format!("kdb://{}?tls=false", running.address());
    let said = run(folder.join("environment/bin/python"), &["kurrentdb.py", &uri], &folder);
    assert_eq!(said.as_deref(), Ok("python: all as expected"), "{}", said.clone().unwrap_err());
}

#[test]
fn a_node_client_understands_it() {
    let folder = folder("node");
    let install = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    if let Err(why) = run("npm", &install, &folder) {
        return skip("a_node_client_understands_it", &why);
    }
    let running = node(&folder);
    let uri = format!("kurrentdb://{}?tls=false", running.address());
    let said = run("node", &["kurrentdb.mjs", &uri], &folder);
    assert_eq!(said.as_deref(), Ok("node: all as expected"), "{}", said.clone().unwrap_err());
}

/// A lock that named where its packages come from would bind whoever installs them to that place.
#[test]
fn the_lock_names_no_place() {
    let lock = include_str!("eventstore_standin/clients/package-lock.json");
    assert!(!lock.contains("\"resolved\"") && !lock.contains("://"));
}
