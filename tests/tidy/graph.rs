//! The graph says which file of `src` knows which: an edge goes from the file that names something to the file that
//! defines it.
//!
//! A path leads to the file of the deepest module that it names. Where that module only shows the name (`pub use
//! append::Appended`), the way goes on to the file that it shows it from; so nobody depends on a folder's front page for
//! what it merely shows. To declare a module is no edge, nor is to show something of it and not to use it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::imports::{ALL, Imports, Use};

/// No chain of modules that show a name is longer.
const MOST_STEPS: usize = 16;

type Module = Vec<String>;

struct File {
    path: PathBuf,
    imports: Imports,
}

/// The modules of the crate that have a file of their own.
pub struct Graph(BTreeMap<Module, File>);

impl Graph {
    /// Reads the files, named as from the crate's own folder (`src/lib.rs`). `main.rs` and tests are left out.
    pub fn of(sources: &BTreeMap<PathBuf, String>) -> Self {
        let files = sources.iter().filter_map(|(path, text)| {
            let module = module(path)?;
            let imports = Imports::of(text, &module);
            Some((module, File { path: path.clone(), imports }))
        });
        Self(files.collect())
    }

    /// Each path of each file, as it leads from the crate's root; another crate's is left as it is written.
    pub fn paths(&self) -> impl Iterator<Item = (&Path, Vec<String>)> {
        self.0.values().flat_map(|file| {
            file.imports.paths().map(|(module, path)| {
                let from_root = from_root(module, path).map(|path| [vec!["crate".to_owned()], path].concat());
                (file.path.as_path(), from_root.unwrap_or_else(|| path.clone()))
            })
        })
    }

    /// For each file the others that it names something of.
    pub fn edges(&self) -> Edges<'_> {
        let known = |file: &File| {
            let merely_shown = |used: &Use| used.shows && !file.imports.words.contains(&used.name);
            let shown = file.imports.uses.iter().filter(|used| merely_shown(used)).map(|used| &used.path);
            let shown: BTreeSet<_> = shown.collect();
            let paths = file.imports.paths().filter(|(_, path)| !shown.contains(path));
            let found = paths.filter_map(|(module, path)| self.definer(module, path, MOST_STEPS));
            found.filter(|found| *found != file.path).collect()
        };
        self.0.values().map(|file| (file.path.as_path(), known(file))).collect()
    }

    /// The groups of files of which each leads to every other.
    pub fn circles(&self) -> Vec<BTreeSet<&Path>> {
        let edges = self.edges();
        let reach: BTreeMap<&Path, _> = edges.keys().map(|file| (*file, reached(&edges, file))).collect();
        let mut circles = BTreeSet::new();
        for (file, reached) in &reach {
            let back = reached.iter().copied().filter(|other| reach[other].contains(file));
            circles.insert(back.collect::<BTreeSet<_>>());
        }
        circles.into_iter().filter(|circle| !circle.is_empty()).collect()
    }

    /// The file that defines what a path names; `None` for another crate's, and for a module named as such.
    fn definer(&self, module: &[String], path: &[String], steps: usize) -> Option<&Path> {
        let steps = steps.checked_sub(1)?;
        let Some(path) = from_root(module, path) else {
            return self.by_first_name(module, path, steps);
        };
        let deepest = (0..=path.len()).rev().find(|length| self.0.contains_key(&path[..*length]))?;
        let (at, rest) = path.split_at(deepest);
        let name = rest.first()?;
        let file = self.0.get(at)?;
        let uses = || file.imports.uses.iter().filter(|used| used.module == at);
        if let Some(used) = uses().find(|used| used.name == *name) {
            return self.definer(at, &[&used.path, &rest[1..]].concat(), steps);
        }
        let defines = |path: &&Path| self.file(path).is_some_and(|file| file.imports.defined.contains(name));
        let all = uses().filter(|used| used.name == ALL);
        let mut all = all.filter_map(|used| self.definer(at, &[&used.path, rest].concat(), steps));
        all.find(defines).or(Some(&file.path))
    }

    fn file(&self, path: &Path) -> Option<&File> {
        self.0.get(&module(path)?)
    }

    /// A path that begins with a name of its own module: one that a `use` brought in, or a module below.
    fn by_first_name(&self, module: &[String], path: &[String], steps: usize) -> Option<&Path> {
        let (first, rest) = path.split_first()?;
        let root = vec!["crate".to_owned()];
        let below = [module, std::slice::from_ref(first)].concat();
        if self.0.contains_key(&below) {
            return self.definer(module, &[root.as_slice(), &below, rest].concat(), steps);
        }
        let file = (0..=module.len()).rev().find_map(|length| self.0.get(&module[..length]))?;
        let used = file.imports.uses.iter().find(|used| used.module == module && used.name == *first)?;
        // `use serde::Serialize` says nothing further of this crate.
        (used.path.first() != Some(first))
            .then(|| self.definer(module, &[&used.path, rest].concat(), steps))?
    }
}

type Edges<'a> = BTreeMap<&'a Path, BTreeSet<&'a Path>>;

/// The files that a file leads to, over however many others; itself, too, when one of them leads back.
fn reached<'a>(edges: &Edges<'a>, from: &'a Path) -> BTreeSet<&'a Path> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(file) = next.pop() {
        next.extend(edges[file].iter().copied().filter(|known| reached.insert(*known)));
    }
    reached
}

/// The module that a file is; `None` for what is no part of the product's library.
fn module(path: &Path) -> Option<Module> {
    let path = path.strip_prefix("src").ok()?.with_extension("");
    let mut names: Module = path.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let root = names == ["lib"];
    if root || names.last().is_some_and(|last| last == "mod") {
        names.pop();
    }
    (names != ["main"] && !names.iter().any(|name| name == "tests")).then_some(names)
}

/// The path from the crate's root, if it says where it begins.
fn from_root(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let mut at = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "self" | "super" => module.to_vec(),
        _ => return None,
    };
    let first = path.iter().position(|name| name != "super" && name != "self" && name != "crate");
    let (begin, rest) = path.split_at(first.unwrap_or(path.len()));
    let up = begin.iter().filter(|name| *name == "super").count();
    at.truncate(at.len().checked_sub(up)?);
    Some([at, rest.to_vec()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The circles of a crate of these files, as the names of their members.
    fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let sources = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
        let graph = Graph::of(&sources);
        let names = |circle: &BTreeSet<&Path>| circle.iter().map(|file| file.display().to_string()).collect();
        graph.circles().iter().map(names).collect()
    }

    fn found(files: &[(&str, &str)], wanted: &[&str]) {
        assert_eq!(circles(files), [wanted]);
    }

    #[test]
    fn a_circle_is_found_however_the_paths_are_written() {
        let shelf = "pub struct Shelf;";
        let ways = [
            "use crate::room::shelf::Shelf;",
            "use super::shelf::{Book, Shelf as Board};",
            "fn f() -> super::shelf::Shelf { todo() }",
            "fn f() { println!(\"{}\", crate::room::shelf::count()) }",
            "use super::shelf; fn f() { shelf::count() }",
            "mod inner { use super::super::shelf::Shelf; }",
        ];
        for way in ways {
            let back = format!("{shelf} use super::door::Door;");
            let files = [
                ("src/lib.rs", "mod room;"),
                ("src/room/mod.rs", "mod door; mod shelf;"),
                ("src/room/door.rs", way),
                ("src/room/shelf.rs", back.as_str()),
            ];
            found(&files, &["src/room/door.rs", "src/room/shelf.rs"]);
        }
    }

    #[test]
    fn a_circle_is_found_behind_the_pages_that_show_its_files() {
        let files = [
            ("src/a/mod.rs", "mod x; pub use x::X;"),
            ("src/a/x.rs", "use crate::b::Y; pub struct X;"),
            ("src/b/mod.rs", "mod y; pub(crate) use y::*;"),
            ("src/b/y.rs", "pub struct Y(crate::a::X);"),
        ];
        found(&files, &["src/a/x.rs", "src/b/y.rs"]);
    }

    #[test]
    fn a_page_and_what_it_calls_are_a_circle_when_that_knows_the_page() {
        let page = ("src/a/mod.rs", "mod x; pub struct A; pub fn f() { x::g(A) }");
        found(&[page, ("src/a/x.rs", "use super::A;")], &["src/a/mod.rs", "src/a/x.rs"]);
    }

    #[test]
    fn what_is_no_use_is_no_edge() {
        let page = ("src/a/mod.rs", "mod x; pub use x::X; pub struct A;");
        let others = [
            "use super::A; pub struct X;",
            "pub struct X; #[cfg(test)] mod tests { use super::super::y::Y; }",
            "/// See [`crate::a::y::Y`].\npub struct X; // crate::a::y::Y",
            "pub(in crate::a) struct X; const TEXT: &str = \"crate::a::y::Y\";",
        ];
        for other in others {
            let y = ("src/a/y.rs", "use super::X; pub struct Y;");
            assert_eq!(circles(&[page, ("src/a/x.rs", other), y]), Vec::<Vec<String>>::new(), "{other}");
        }
    }
}
