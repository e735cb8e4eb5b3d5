//! A rolling upgrade is done here with two programs: the one that is tested, and a build of the same sources that writes its
//! accounts' events in version 2 and reads both versions.
//!
//! The second program is built by the test, from a copy of the sources in which some lines are replaced. That takes a minute or
//! more, so the test is a long one.

use std::path::{Path, PathBuf};
use std::process::Command;

use eventstore_standin::{Options, Standin};

use super::support::process::{Process, send};
use super::support::store::until;
use super::{ask, deposit, get, open, ready, start, the_auditor_must_be_upgraded};

/// This is what the newer program does differently: where, what stands there, and what stands there in its place.
const DIFFERENT: [(&str, &str, &str); 5] = [
    ("src/domain/account/event.rs", "pub const VERSION: u32 = 1;", "pub const VERSION: u32 = 2;"),
    (
        "src/store/codec/decode.rs",
        "if self.version == VERSION {",
        "if (1..=VERSION).contains(&self.version) {",
    ),
    ("src/audit/parse/event_line.rs", "if version != VERSION {", "if !(1..=2).contains(&version) {"),
    ("Cargo.toml", "[package]\nname = \"bookonce\"\n", "[package]\nname = \"bookonce\"\nautobins = false\n"),
    ("Cargo.toml", "default-run = \"bookonce\"\n", "default-run = \"bookonce-newer\"\n"),
];
/// The newer program has a name of its own, so that the one that is tested stays where it is.
const BIN: &str = "\n[[bin]]\nname = \"bookonce-newer\"\npath = \"src/main.rs\"\n";

/// Builds the newer program beside the one that is tested, with the dependencies that are built there.
fn newer_program() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = Path::new(env!("CARGO_BIN_EXE_bookonce")).parent().unwrap();
    let target = built.parent().unwrap();
    let copy = target.join("newer-version");
    let listed = Command::new("git").args(["ls-files"]).current_dir(root).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    if copy.exists() {
        std::fs::remove_dir_all(&copy).unwrap();
    }
    for file in String::from_utf8(listed.stdout).unwrap().lines() {
        let to = copy.join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(root.join(file), to).unwrap();
    }
    for (file, from, to) in DIFFERENT {
        let path = copy.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from} in {file}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }
    let manifest = copy.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(manifest, text + BIN).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--quiet", "--bin", "bookonce-newer"]).current_dir(&copy);
    if built.ends_with("release") {
        cargo.arg("--release");
    }
    let done = cargo.env("CARGO_TARGET_DIR", target).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    built.join("bookonce-newer")
}

/// Guards against: an upgrade that has to be done on all instances at once, an older instance that books an ID which a newer
/// one has booked, and a first answer that the upgrade changes.
#[test]
#[ignore = "long: builds the program a second time"]
fn instances_of_two_versions_write_one_store_while_they_are_upgraded() {
    let newer = newer_program();
    let older = Path::new(env!("CARGO_BIN_EXE_bookonce"));
    let node = Standin::start(Options::default()).unwrap();
    let store = node.connection_string();
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let upgraded = |at: usize| {
        let started = Process::start_program(&newer, folders[at].path(), &["--store", &store], &[]);
        started.unwrap_or_else(|said| panic!("{said}"))
    };
    let id = |n: u32| format!("20000000-0000-4000-8000-{n:012}");
    let [mut first, second] = [0, 1].map(|at| start(&node, folders[at].path()));
    [&first, &second].into_iter().for_each(ready);
    for (account, n) in [("alice", 1), ("bob", 2)] {
        open(&first, account, n);
    }
    let early: Vec<_> = (1..=4).map(|n| deposit(&first, ["alice", "bob"][n as usize % 2], &id(n))).collect();
    until("the other has them", || get(&second, &format!("/v1/transactions/{}", id(4))).status == 200);

    // The first instance is upgraded, and books: from then on the other one waits for its own upgrade.
    assert_eq!(first.stop(), Some(0));
    first = upgraded(0);
    ready(&first);
    let late = deposit(&first, "alice", &id(5));
    assert_eq!(late.status, 201, "{}", late.body);
    until("the older one says that it must be upgraded", || {
        get(&second, "/metrics").body.contains("bookonce_not_ready{cause=\"upgrade\"} 1\n")
    });
    for account in ["alice", "bob"] {
        let said = deposit(&second, account, &id(5));
        assert!(said.status == 503 && said.body.contains("store_unavailable"), "{account}: {}", said.body);
    }
    assert!(get(&second, "/metrics").body.contains("bookonce_store_damaged_accounts 0\n"));
    the_auditor_must_be_upgraded(older, &node);
    let (code, said) = ask(&newer, "verify", &node);
    assert!(code == Some(0) && said.contains("\nRIGHT "), "{code:?}: {said}");

    // It is upgraded, too. Both give every first answer, of either version.
    let mut second = second;
    assert_eq!(second.stop(), Some(0));
    let second = upgraded(1);
    ready(&second);
    for instance in [&first, &second] {
        for (n, answer) in (1..).zip(early.iter().chain([&late])) {
            let account = if n == 5 { "alice" } else { ["alice", "bob"][n as usize % 2] };
            let again = deposit(instance, account, &id(n));
            assert_eq!((again.status, &again.body), (201, &answer.body));
        }
        let page = send(instance.address, "GET", "/v1/journal?limit=1000", "").unwrap();
        assert_eq!(
            (page.body.matches("\"version\":1").count(), page.body.matches("\"version\":2").count()),
            (6, 1)
        );
    }
}
