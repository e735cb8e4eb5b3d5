//! These tests show that clients which nobody here wrote understand the stand-in: PyPI `kurrentdbclient` and npm
//! `@kurrent/kurrentdb-client` append, read streams and `$all` both ways, subscribe and resume, meet a wrong version, a
//! missing stream, an idempotent repeat. What they expect is in `clients/`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use eventstore_standin::{Options, Running, Standin};

/// A folder of its own under `target`, with the clients' files in it: nothing is installed among the sources.
fn folder(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = target().join("eventstore-clients").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for file in std::fs::read_dir(here.join("tests/standin/clients")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    folder
}

/// The workspace's `target`.
fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

/// Says loudly that a test could not be run here, and leaves a line for `tests/all` to count.
fn skip(test: &str, why: &str) {
    eprintln!("SKIPPED {test}: {why}");
    let file = std::fs::OpenOptions::new().append(true).create(true).open(target().join("skipped-tests"));
    writeln!(file.unwrap(), "{test}: {why}").unwrap();
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
    let lock = include_str!("clients/package-lock.json");
    assert!(!lock.contains("\"resolved\"") && !lock.contains("://"));
}
