//! These tests hold the rules about the source itself: who may know whom, how long a file may get, and what every file
//! says first.

mod graph;
mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use graph::Graph;

/// Who may use whom, in `src`. A folder not named here may use everybody.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("wire", &["domain"]),
    ("answers", &["domain", "store"]),
    ("store", &["domain", "tasks"]),
    ("index", &["domain", "store", "still"]),
    ("clerk", &["domain", "store", "index", "seldom", "tasks", "with_causes"]),
    ("ledger", &["domain", "store", "index", "clerk", "patient", "pause_mark", "tasks"]),
    ("payouts", &["domain", "tasks"]),
    ("sagas", &["domain", "ledger", "client", "payouts", "tasks"]),
    ("delivery", &["domain", "store", "ledger", "client", "seldom", "signature", "tasks"]),
    ("audit", &["pause_mark", "still"]),
    ("keys", &["domain"]),
    (
        "http",
        &[
            "domain",
            "wire",
            "answers",
            "ledger",
            "payouts",
            "sagas",
            "delivery",
            "keys",
            "patient",
            "store",
            "seldom",
            "with_causes",
        ],
    ),
    ("client", &["domain", "signature", "wire", "tasks", "with_causes"]),
    ("clock", &["domain"]),
    ("config", &["delivery", "payouts", "telemetry"]),
    ("patient", &[]),
    ("pause_mark", &[]),
    ("seldom", &[]),
    ("signature", &["domain"]),
    ("still", &[]),
    ("tasks", &[]),
    ("with_causes", &[]),
    ("telemetry", &[]),
];

/// Crates whose types stay in the folders that wrap them.
const WRAPPED: &[(&str, &[&str])] = &[
    ("rusqlite", &["store", "index", "audit", "still", "client", "cli"]),
    ("axum", &["http", "client", "cli"]),
    ("rust_decimal", &["domain"]),
    ("reqwest", &["client", "audit", "cli", "store", "payouts", "delivery"]),
    ("eventstore", &["store"]),
    ("nix", &["store"]),
];

const MOST_LINES: usize = 420;
const WIDEST_LINE: usize = 128;

fn sources(dir: &str) -> BTreeMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeMap::new();
    let mut folders = vec![root.join(dir)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(root).unwrap().to_owned(), text);
            }
        }
    }
    found
}

/// The folder (or file) directly under `src` that a file belongs to.
fn room(path: &Path) -> String {
    let name = path.components().nth(1).unwrap().as_os_str().to_string_lossy();
    name.trim_end_matches(".rs").to_owned()
}

#[test]
fn dependencies_point_inward() {
    let sources = sources("src");
    let graph = Graph::of(&sources);
    let mut wrong = BTreeSet::new();
    for (file, path) in graph.paths() {
        let room = room(file);
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == room) else { continue };
        let [from, used, ..] = path.as_slice() else { continue };
        if from == "crate" && *used != room && !allowed.contains(&used.as_str()) {
            wrong.insert(format!("{}: {}", file.display(), path.join("::")));
        }
    }
    assert!(wrong.is_empty(), "these know whom they must not: {wrong:#?}");
}

/// Catches: a file that is understood only with another one that is understood only with it. What counts as an edge is
/// said, and tried on planted circles, in [`graph`].
#[test]
fn files_know_each_other_in_no_circle() {
    let sources = sources("src");
    let graph = Graph::of(&sources);
    let circles = graph.circles();
    assert!(circles.is_empty(), "these files know each other in a circle: {circles:#?}");
}

#[test]
fn types_of_a_crate_stay_where_it_is_wrapped() {
    let sources = sources("src");
    let graph = Graph::of(&sources);
    let mut wrong = BTreeSet::new();
    for (file, path) in graph.paths() {
        let wrapped = WRAPPED.iter().find(|(name, _)| path.first().is_some_and(|first| first == name));
        if wrapped.is_some_and(|(_, rooms)| !rooms.contains(&room(file).as_str())) {
            wrong.insert(format!("{} uses {}", file.display(), path.join("::")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_says_first_why_it_is_there() {
    for dir in ["src", "tests"] {
        for (path, text) in sources(dir) {
            assert!(text.starts_with("//!"), "{} does not begin with //!", path.display());
        }
    }
}

#[test]
fn files_are_short_and_lines_are_not_wide() {
    let mut wrong = Vec::new();
    for dir in ["src", "tests"] {
        for (path, text) in sources(dir) {
            let count = text.lines().count();
            if count > MOST_LINES {
                wrong.push(format!("{} has {count} lines", path.display()));
            }
            for (number, line) in
                text.lines().enumerate().filter(|(_, line)| line.chars().count() > WIDEST_LINE)
            {
                if !line.contains("r#\"") && !line.contains("\"{") {
                    wrong.push(format!("{}:{} is {} wide", path.display(), number + 1, line.chars().count()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_for_later() {
    for (path, text) in sources("src") {
        for word in ["todo!(", "unimplemented!(", concat!("TO", "DO"), concat!("FIX", "ME"), "dbg!("] {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
}

/// A licence that is named and not there is a question for whoever wants to use the program.
#[test]
fn each_licence_that_is_named_is_there() {
    let text = |name: &str| {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap_or_default()
    };
    let named = env!("CARGO_PKG_LICENSE");
    assert_eq!(named, "MIT OR Apache-2.0");
    assert!(text("LICENSE-MIT").contains("Permission is hereby granted, free of charge"));
    let apache = text("LICENSE-APACHE");
    assert!(apache.contains("Version 2.0, January 2004") && apache.contains("END OF TERMS AND CONDITIONS"));
}

/// A file that no `mod` names is not compiled, and rots.
#[test]
fn no_file_is_dead() {
    let all = sources("src");
    let text: String = all.values().cloned().collect();
    for path in all.keys() {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let name = if stem == "mod" {
            path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned()
        } else {
            stem
        };
        let named = text.contains(&format!("mod {name};"));
        assert!(named || ["lib", "main"].contains(&name.as_str()), "{} is dead", path.display());
    }
}
