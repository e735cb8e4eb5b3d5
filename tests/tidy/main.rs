//! Rules about the source itself: who may know whom, how long a file may get, and what every file says first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Who may use whom, in `src`. A folder not named here may use everybody.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("answers", &["domain", "store"]),
    ("store", &["domain"]),
    ("index", &["domain", "store"]),
    ("clerk", &["domain", "store", "index"]),
    ("ledger", &["domain", "store", "index", "clerk"]),
    ("audit", &[]),
    ("keys", &["domain"]),
    ("wire", &["domain"]),
    ("http", &["domain", "wire", "answers", "ledger", "keys", "store"]),
    ("client", &["domain"]),
];

/// Crates whose types stay in the folders that wrap them.
const WRAPPED: &[(&str, &[&str])] = &[
    ("rusqlite", &["store", "index", "audit"]),
    ("axum", &["http", "client", "cli"]),
    ("rust_decimal", &["domain"]),
    ("reqwest", &["client", "audit", "cli"]),
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

/// The part of a file that is built into the product.
fn product(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn dependencies_point_inward() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let room = room(&path);
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == room) else { continue };
        for line in product(&text).lines().filter(|line| !line.trim_start().starts_with("//")) {
            for used in line.split("crate::").skip(1) {
                let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                if !used.is_empty() && used != room && !allowed.contains(&used) {
                    wrong.push(format!("{}: {}", path.display(), line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these know whom they must not:\n{}", wrong.join("\n"));
}

/// Does the line name something of this crate? (`unix::` is not `nix::`.)
fn names(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let mut found = line.match_indices(&path).map(|(at, _)| &line[..at]);
    found.any(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[test]
fn types_of_a_crate_stay_where_it_is_wrapped() {
    let mut wrong = Vec::new();
    for (path, text) in
        sources("src").into_iter().filter(|(path, _)| !path.iter().any(|part| part == "tests"))
    {
        for (name, rooms) in WRAPPED {
            let uses =
                product(&text).lines().any(|line| !line.trim_start().starts_with("//") && names(line, name));
            if uses && !rooms.contains(&room(&path).as_str()) {
                wrong.push(format!("{} uses {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
