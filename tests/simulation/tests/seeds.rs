//! One seed is one run: the same steps in the same order, in every process and on any number of threads. And each planted bug
//! fits the sources, so that it can be tried.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::fs::File;
use std::path::Path;
use std::process::Command;

use simulation::run::run;

/// This is the number of seeds that a test runs. The program runs many more.
const SEEDS: u64 = 24;

/// Returns what the program prints for the first seeds.
fn printed(threads: &str) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_simulation"))
        .args(["--seeds", &SEEDS.to_string(), "--threads", threads, "--hashes", "--few"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    String::from_utf8(out.stdout).unwrap()
}

/// Guards against: a run that depends on anything but its seed.
#[test]
fn a_seed_is_one_run_in_every_process_and_on_any_number_of_threads() {
    let twice = [(); 2].map(|()| {
        let line = |seed| {
            let ended = run(seed, false);
            assert_eq!(ended.wrong, None, "seed {seed}");
            format!("{seed} {:016x}\n", ended.hash)
        };
        (1..=SEEDS).map(line).collect::<String>()
    });
    assert_eq!(twice[0], twice[1], "twice in one process");
    assert_eq!(printed("1"), twice[0], "in another process");
    assert_eq!(printed("2"), twice[0], "on two threads");
}

/// Guards against: a planted bug that was left behind by the sources, so that nobody can try whether it is found.
#[test]
fn every_planted_bug_fits_the_sources() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in std::fs::read_dir(here.join("planted")).unwrap() {
        let patch = entry.unwrap().path();
        if patch.extension().is_none_or(|extension| extension != "patch") {
            continue;
        }
        let mut command = Command::new("patch");
        command.args(["--dry-run", "--batch", "-p1", "-d"]).arg(here.join("../.."));
        let out = command.stdin(File::open(&patch).unwrap()).output().unwrap();
        assert!(out.status.success(), "{}: {}", patch.display(), String::from_utf8_lossy(&out.stdout));
    }
}
