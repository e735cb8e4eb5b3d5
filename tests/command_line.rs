//! These tests run the program as a user does, and compare what it says and its exit code: a command that could not do all
//! that it was asked says so, and ends with another code than 0.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should say where")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder with a whole export, and the bytes of it.
struct Kept {
    folder: tempfile::TempDir,
    export: String,
}

/// What a command ended with, and all that it said.
type Said = (Option<i32>, String);

impl Kept {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let history = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/histories/every-event.ndjson");
        Self { folder, export: fs::read_to_string(history).unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)], input: &[u8]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bookonce"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("BOOKONCE_DATA")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that does not read it may have ended.
        let _read_or_not = command.stdin.take().unwrap().write_all(input);
        let out = command.wait_with_output().unwrap();
        let said = [out.stdout, out.stderr].concat();
        (out.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    fn ends(&self, arguments: &[&str], code: i32, says: &str) -> String {
        let (ended, said) = self.run(arguments, &[], b"");
        assert!(ended == Some(code) && said.contains(says), "{arguments:?} ended with {ended:?}: {said}");
        said
    }

    /// Exports a part of the journal in a folder.
    fn part(&self, name: &str, range: &[&str]) -> String {
        let out = Command::new(env!("CARGO_BIN_EXE_bookonce"))
            .args(["export", "--data", self.path("whole").to_str().unwrap()])
            .args(range)
            .output()
            .unwrap();
        assert!(out.status.success(), "{out:?}");
        self.file(name, out.stdout)
    }
}

/// Seen failing while a file without a manifest was RIGHT and ended with 0.
#[test]
fn an_export_without_its_manifest_is_unfinished_and_a_part_is_a_part() {
    let kept = Kept::new();
    let whole = kept.file("whole.ndjson", &kept.export);
    kept.ends(&["verify", &whole], 0, "RIGHT");
    let end = kept.export.trim_end().rfind('\n').unwrap() + 1;
    let cut = kept.file("cut.ndjson", &kept.export[..end]);
    let said = kept.ends(&["verify", &cut], 4, "UNFINISHED");
    assert!(!said.contains("RIGHT"), "{said}");
    kept.ends(&["replay", "--data", &cut], 4, "no manifest");
    kept.ends(&["restore", &cut, "--data", "new"], 1, "no manifest");
    let changed =
        kept.file("changed.ndjson", kept.export[..end].replacen("\"amount\":\"", "\"amount\":\"1", 1));
    kept.ends(&["verify", &changed], 1, "BAD");
}

/// Seen failing while each of these was BAD, with the code of a journal that was tampered with.
#[test]
fn what_is_no_export_is_said_to_be_none() {
    let kept = Kept::new();
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    kept.ends(&["verify", readme], 3, "is not an export");
    for (name, bytes, says) in [
        ("crlf", kept.export.replace('\n', "\r\n"), "CRLF"),
        ("mark", format!("\u{feff}{}", kept.export), "byte-order mark"),
        ("blank", format!("{}\n", kept.export), "blank lines"),
        ("gzip", "\u{1f}".to_owned(), "is not an export"),
    ] {
        let file = kept.file(name, bytes);
        kept.ends(&["verify", &file], 3, says);
        kept.ends(&["restore", &file, "--data", "new"], 3, says);
    }
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0];
    kept.ends(&["verify", &kept.file("gz", gzip)], 3, "gzip");
    for command in [&["verify", "-"][..], &["restore", "-", "--data", "new"]] {
        let (code, said) = kept.run(command, &[], &gzip);
        assert!(code == Some(3) && said.starts_with("bookonce: standard input is compressed"), "{said}");
    }
    let (code, said) = kept.run(&["verify", "-"], &[], kept.export.as_bytes());
    assert!(code == Some(0) && said.contains("RIGHT"), "{said}");
}

/// Seen failing while `export --from` made files that nothing could read together.
#[test]
fn an_export_and_its_parts_are_verified_and_restored_as_one() {
    let kept = Kept::new();
    let whole = kept.file("whole.ndjson", &kept.export);
    kept.ends(&["restore", &whole, "--data", "whole"], 0, "It has no API keys");
    let full = kept.part("full.ndjson", &["--to", "10"]);
    let (monday, tuesday) =
        (kept.part("monday", &["--from", "11", "--to", "20"]), kept.part("tuesday", &["--from", "21"]));
    kept.ends(&["verify", &monday], 5, "PART");
    kept.ends(&["verify", &full, &monday, &tuesday], 0, "RIGHT");
    kept.ends(&["verify", &monday, &tuesday], 5, "PART");
    kept.ends(&["verify", &full, &tuesday], 3, "is not the part that comes next");
    kept.ends(&["restore", &full, &tuesday, "--data", "new"], 3, "is not the part that comes next");
    kept.ends(&["restore", &monday, &tuesday, "--data", "new"], 1, "begins at position 11");
    assert!(!kept.path("new").exists());
    kept.ends(&["restore", &full, &monday, &tuesday, "--data", "new"], 0, "restored");
    let (_, again) = kept.run(&["export", "--data", "new"], &[], b"");
    assert!(again.starts_with(&kept.export), "the parts restored are not the whole");
    let changed = fs::read_to_string(&tuesday).unwrap().replacen("\"balance\":\"", "\"balance\":\"1", 1);
    let changed = kept.file("changed", changed);
    kept.ends(&["verify", &full, &monday, &changed], 1, "BAD");
    kept.ends(&["restore", &full, &monday, &changed, "--data", "other"], 1, "can't be restored");
}

/// Seen failing while `verify` said RIGHT of `./bookonce-data`, whatever the environment named.
#[test]
fn every_command_looks_at_the_folder_that_the_environment_names() {
    let kept = Kept::new();
    let whole = kept.file("whole.ndjson", &kept.export);
    kept.ends(&["restore", &whole, "--data", "ledger"], 0, "restored");
    let first = kept.export.lines().next().unwrap();
    let data = ("BOOKONCE_DATA", "ledger");
    for command in ["verify", "replay", "export"] {
        let (code, said) = kept.run(&[command], &[data], b"");
        assert_eq!(code, Some(0), "{command}: {said}");
        assert!(command != "export" || said.starts_with(first), "{said}");
        let (code, said) = kept.run(&[command], &[("BOOKONCE_DATA", "")], b"");
        assert!(code == Some(3) && said.contains("bookonce-data"), "{command}: {said}");
    }
    let (code, said) = kept.run(&["verify", &whole], &[("BOOKONCE_DATA", "nowhere")], b"");
    assert!(code == Some(0) && said.contains("RIGHT"), "{said}");
}

/// Seen failing while an empty variable was a value that could not be read, and stopped the start.
#[test]
fn an_empty_variable_is_one_that_is_not_set() {
    let kept = Kept::new();
    let names =
        ["LISTEN", "STORE", "KEYS", "LOG", "LOG_FORMAT", "MAX_CONNECTIONS", "INSECURE", "TLS_CERT", "CONFIG"];
    let names = names.map(|name| format!("BOOKONCE_{name}"));
    let empty: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    let (code, said) = kept.run(&["serve", "--log-filter", "inof"], &empty, b"");
    assert!(code == Some(3) && said.contains("\"inof\" is no level"), "{code:?}: {said}");
    let (code, said) = kept.run(&["health"], &[("BOOKONCE_URL", "")], b"");
    assert!(code.is_some_and(|code| code < 2), "{code:?}: {said}");
}

#[test]
fn an_address_that_is_not_whole_is_refused_with_an_example() {
    let kept = Kept::new();
    for address in ["localhost:8080", ":8080", "8080"] {
        kept.ends(&["serve", "--listen", address], 2, "127.0.0.1:8080");
    }
}

/// Seen failing while only a folder that could be renamed into its place was restored.
#[test]
fn a_journal_is_restored_into_any_folder_that_is_empty() {
    let kept = Kept::new();
    let whole = kept.file("whole.ndjson", &kept.export);
    for empty in ["volume", "behind", "here"] {
        fs::create_dir(kept.path(empty)).unwrap();
    }
    fs::create_dir(kept.path("volume/lost+found")).unwrap();
    std::os::unix::fs::symlink(kept.path("behind"), kept.path("link")).unwrap();
    for folder in ["volume", "link"] {
        kept.ends(&["restore", &whole, "--data", folder], 0, "restored");
        kept.ends(&["verify", folder], 0, "RIGHT");
        kept.ends(&["restore", &whole, "--data", folder], 3, "not empty");
    }
    assert!(kept.path("behind/FORMAT").exists() && kept.path("link").is_symlink());
    let here = Command::new(env!("CARGO_BIN_EXE_bookonce"))
        .args(["restore", &whole, "--data", "."])
        .current_dir(kept.path("here"))
        .output()
        .unwrap();
    assert!(here.status.success(), "{here:?}");
    let mut left: Vec<_> =
        fs::read_dir(kept.path("here")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["FORMAT", "journal.db", "transfers.json"]);
}

/// Seen failing while the auditor refused what the service took.
#[test]
fn a_format_file_with_another_line_end_is_taken_by_all() {
    let kept = Kept::new();
    let whole = kept.file("whole.ndjson", &kept.export);
    kept.ends(&["restore", &whole, "--data", "ledger"], 0, "restored");
    let format = fs::read_to_string(kept.path("ledger/FORMAT")).unwrap();
    fs::write(kept.path("ledger/FORMAT"), format.replace('\n', "\r\n")).unwrap();
    kept.ends(&["verify", "ledger"], 0, "RIGHT");
    kept.ends(&["rebuild", "--data", "ledger"], 0, "The index knows all");
}

/// Everything in a folder, with its bytes.
fn all_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            all.extend(all_of(&entry));
        } else {
            all.push((entry.clone(), fs::read(&entry).unwrap()));
        }
    }
    all.sort();
    all
}

/// Seen failing with `verify`, which left `-wal` and `-shm` files in the folder. Guards against the same by the other two.
#[test]
fn a_folder_that_is_looked_at_stays_as_it_is() {
    let kept = Kept::new();
    let whole = kept.file("whole.ndjson", &kept.export);
    kept.ends(&["restore", &whole, "--data", "ledger"], 0, "restored");
    kept.ends(&["rebuild", "--data", "ledger"], 0, "The index knows all");
    let before = all_of(&kept.path("ledger"));
    for command in
        [&["verify", "ledger"][..], &["replay", "--data", "ledger"], &["export", "--data", "ledger"]]
    {
        kept.ends(command, 0, "");
        assert_eq!(all_of(&kept.path("ledger")), before, "{command:?}");
    }
    kept.ends(&["replay", "--data", "ledger"], 0, "the index agrees");
}

/// Seen failing while the demonstration made its folders in a ledger's.
#[test]
fn a_demonstration_writes_into_no_ledger() {
    let kept = Kept::new();
    let whole = kept.file("whole.ndjson", &kept.export);
    kept.ends(&["restore", &whole, "--data", "ledger"], 0, "restored");
    kept.ends(&["demo", "--seconds", "2", "--data", "ledger"], 3, "is already there");
    assert_eq!(fs::read_dir(kept.path("ledger")).unwrap().count(), 3);
}

/// Seen failing while an export whose reader had gone ended with 0.
#[test]
fn an_export_that_nobody_reads_to_its_end_is_no_success() {
    let kept = Kept::new();
    let whole = kept.file("whole.ndjson", &kept.export);
    kept.ends(&["restore", &whole, "--data", "ledger"], 0, "restored");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let export = Command::new(env!("CARGO_BIN_EXE_bookonce"))
        .args(["export", "--data", kept.path("ledger").to_str().unwrap()])
        .stdout(writer)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&export.stderr).into_owned();
    assert!(export.status.code() == Some(3) && said.contains("can't write the export"), "{said}");
}
