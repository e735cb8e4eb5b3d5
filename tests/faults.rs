//! These tests let the disk be full, or fail: what is told to whom, what goes on, and what comes back.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::process::{Process, Reply, send, skip};
use support::teller::id;

fn open_account(service: &Process, name: &str, n: u64) {
    let body = format!(r#"{{"transaction_id":"{}","account":"{name}","currency":"EUR"}}"#, id(1, n));
    assert_eq!(send(service.address, "POST", "/v1/accounts", &body).unwrap().status, 201);
}

fn deposit(service: &Process, name: &str, n: u64, note: &str) -> Reply {
    let body = format!(
        r#"{{"transaction_id":"{}","amount":"1.00","metadata":{{"a":"{note}","b":"{note}","c":"{note}","d":"{note}"}}}}"#,
        id(1, n)
    );
    send(service.address, "POST", &format!("/v1/accounts/{name}/deposits"), &body).unwrap()
}

struct Tmpfs(PathBuf);

impl Tmpfs {
    fn mount(at: &Path, size: &str) -> Result<Self, String> {
        std::fs::create_dir(at).map_err(|error| error.to_string())?;
        let out = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(at)
            .output()
            .map_err(|error| error.to_string())?;
        if out.status.success() {
            Ok(Self(at.to_owned()))
        } else {
            Err(String::from_utf8_lossy(&out.stderr).into())
        }
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _not_mounted = Command::new("umount").arg(&self.0).status();
    }
}

/// Catches: a full disk taken for a broken one; state of a failed commit that is decided on; a recovery that needs a
/// restart.
#[test]
fn a_full_disk_refuses_writes_goes_on_reading_and_recovers_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let disk = match Tmpfs::mount(&dir.path().join("small"), "4m") {
        Ok(disk) => disk,
        Err(why) => return skip("full disk", &why),
    };
    let filler = disk.0.join("filler");
    let mut service = Process::start(&disk.0.join("data"));
    open_account(&service, "alice", 1);
    std::fs::write(&filler, vec![0; 2 << 20]).unwrap();
    let note = "x".repeat(256);
    let mut booked = 0;
    let full = (2..10_000)
        .find(|n| {
            let reply = deposit(&service, "alice", *n, &note);
            assert!(matches!(reply.status, 201 | 503), "{reply:?}");
            booked += u64::from(reply.status == 201);
            reply.status == 503
        })
        .expect("the disk never was full");
    let refused = deposit(&service, "alice", full, &note);
    assert!(refused.body.contains(r#""code":"storage_full""#), "{refused:?}");
    let balance = format!(r#""balance":"{booked}.00""#);
    let account = send(service.address, "GET", "/v1/accounts/alice", "").unwrap();
    assert!(account.status == 200 && account.body.contains(&balance), "reads go on: {account:?}");
    std::fs::remove_file(&filler).unwrap();
    let recovered = deposit(&service, "alice", full, &note);
    assert_eq!((recovered.status, recovered.replayed), (201, false), "{recovered:?}");
    assert!(recovered.body.contains(&format!(r#""balance":"{}.00""#, booked + 1)), "{recovered:?}");
    assert_eq!(service.stop(), Some(0));
}

/// A library that makes `fdatasync` and `fsync` fail on the journal's WAL while a file says so.
const FAILING_SYNC: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int fails(int fd) {
    char link[64], path[4096];
    const char *switch_file = getenv("FAIL_SYNC_WHILE");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return switch_file && access(switch_file, F_OK) == 0 && strstr(path, "journal.db-wal");
}
int fdatasync(int fd) {
    if (fails(fd)) { errno = EIO; return -1; }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return real(fd);
}
int fsync(int fd) {
    if (fails(fd)) { errno = EIO; return -1; }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return real(fd);
}
"#;

/// Catches: a sync that is tried again after it failed, when the kernel has already forgotten the pages.
#[test]
fn an_error_on_making_a_commit_durable_is_final_for_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let (source, library) = (dir.path().join("sync.c"), dir.path().join("sync.so"));
    std::fs::write(&source, FAILING_SYNC).unwrap();
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl").status();
    if !built.is_ok_and(|status| status.success()) {
        return skip("failing fsync", "there is no C compiler");
    }
    let broken = dir.path().join("broken");
    let environment =
        [("LD_PRELOAD", library.to_str().unwrap()), ("FAIL_SYNC_WHILE", broken.to_str().unwrap())];
    let data = dir.path().join("data");
    let mut service = Process::start_with(&data, &[], &environment).unwrap();
    open_account(&service, "alice", 1);
    assert_eq!(deposit(&service, "alice", 2, "").status, 201);
    std::fs::write(&broken, "").unwrap();
    let unknown = deposit(&service, "alice", 3, "");
    assert_eq!(unknown.status, 503);
    assert!(unknown.body.contains(r#""code":"outcome_unknown""#), "{unknown:?}");
    std::fs::remove_file(&broken).unwrap();
    let what_became_of = |service: &Process, n: u64| {
        send(service.address, "GET", &format!("/v1/transactions/{}", id(1, n)), "").unwrap()
    };
    let asked = what_became_of(&service, 3);
    assert!(asked.status == 503 && asked.body.contains(r#""code":"outcome_unknown""#), "{asked:?}");
    assert_eq!((what_became_of(&service, 2).status, what_became_of(&service, 4).status), (200, 404));
    for n in [2, 3, 4] {
        let refused = deposit(&service, "alice", n, "");
        assert!(
            refused.body.contains(r#""code":"store_unavailable""#),
            "acknowledged after the error: {refused:?}"
        );
    }
    assert_eq!(send(service.address, "GET", "/readyz", "").unwrap().status, 503);
    service.kill();
    service = Process::start(&data);
    assert!(deposit(&service, "alice", 2, "").replayed);
    assert_eq!(deposit(&service, "alice", 3, "").status, 201, "the same ID learns the truth");
    assert_eq!(what_became_of(&service, 3).status, 200);
    let account = send(service.address, "GET", "/v1/accounts/alice", "").unwrap();
    assert!(account.body.contains(r#""balance":"2.00""#), "{account:?}");
}
