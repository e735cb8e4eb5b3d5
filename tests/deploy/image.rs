//! These tests check what the image is made of.

use std::process::Command;

use super::{file, run, text};

/// The instructions: continued lines joined, comments gone.
fn instructions() -> Vec<String> {
    let dockerfile = text("Dockerfile");
    let lines: Vec<&str> = dockerfile.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    joined.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn all(name: &str) -> Vec<String> {
    let start = format!("{name} ");
    instructions().iter().filter_map(|line| line.strip_prefix(&start).map(str::to_owned)).collect()
}

#[test]
fn it_is_built_from_pinned_images_and_the_lock_file() {
    let from = all("FROM");
    assert_eq!(from.len(), 2, "{from:?}");
    let rust = env!("CARGO_PKG_RUST_VERSION");
    assert!(
        from[0].starts_with(&format!("rust:{rust}.")) && from[0].ends_with("-bookworm AS build"),
        "{}",
        from[0]
    );
    // The same Debian, by its number: 12 is bookworm.
    assert!(from[1].starts_with("debian:12.") && from[1].ends_with("-slim"), "{}", from[1]);
    assert!(all("RUN").iter().any(|line| line.contains("cargo build --release --locked")));
}

#[test]
fn it_runs_as_nobody_in_particular_and_says_how_it_is() {
    let last_user = all("USER").pop().unwrap();
    let (user, group) = last_user.split_once(':').unwrap();
    assert!(user.parse::<u32>().unwrap() > 0 && group.parse::<u32>().unwrap() > 0);
    let user_at = instructions().iter().position(|line| line.starts_with("USER ")).unwrap();
    let owned = format!("install -d -m 0700 -o {user} -g {group} /data /keys /operator");
    assert!(instructions()[..user_at].iter().any(|line| line.contains(&owned)));
    assert!(all("HEALTHCHECK")[0].ends_with("CMD [\"bookonce\", \"health\"]"));
    assert_eq!((all("ENTRYPOINT"), all("CMD")), (vec!["[\"bookonce\"]".into()], vec!["[\"serve\"]".into()]));
}

/// Cargo finds all that the manifest names in what the build is given, and the lock file fits.
#[test]
fn the_build_is_given_all_that_it_needs_and_little_else() {
    let given = tempfile::tempdir().unwrap();
    let ignore = text(".dockerignore");
    let mut rules = ignore.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(rules.next(), Some("*"), "everything is left out that is not named");
    for kept in rules.map(|line| line.strip_prefix('!').unwrap()) {
        let to = given.path().join(kept);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        run(Command::new("cp").arg("-r").arg(file(kept)).arg(&to)).unwrap();
    }
    // For this machine alone: crates of other platforms were never downloaded.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--locked", "--filter-platform", "host-tuple", "--format-version", "1"]);
    run(cargo.arg("--manifest-path").arg(given.path().join("Cargo.toml"))).unwrap();
    for (name, secret_or_large) in [("keys", "keys.json"), ("builds", "target"), ("history", ".git")] {
        assert!(!given.path().join(secret_or_large).exists(), "{name}");
    }
}
