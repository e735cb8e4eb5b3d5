//! [`Imports`] holds the paths that a file's product code names. They are read from its tokens, so that comments, texts
//! and `#[cfg(test)]` items are no part of them, and what a macro is given is read like everything else.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The words before a name that is defined.
const DEFINING: &[&str] = &["struct", "enum", "fn", "type", "const", "static", "trait"];

/// A path as it is written: `crate::store::Error` is `["crate", "store", "Error"]`.
pub type Written = Vec<String>;

/// The name of a `use` of all that is in a module.
pub const ALL: &str = "*";

/// What a `use` declaration brings into the module it stands in.
pub struct Use {
    pub module: Vec<String>,
    /// The name it has from then on.
    pub name: String,
    pub path: Written,
    /// It is `pub`, or `pub` to some: it shows the name to others.
    pub shows: bool,
}

/// A path of at least two names in the code itself, and the module it stands in.
pub struct Named {
    pub module: Vec<String>,
    pub path: Written,
}

/// The paths of one file.
#[derive(Default)]
pub struct Imports {
    pub uses: Vec<Use>,
    pub named: Vec<Named>,
    /// What else the code says: every word that begins a path.
    pub words: BTreeSet<String>,
    /// The names of its types, functions and constants.
    pub defined: BTreeSet<String>,
}

impl Imports {
    /// Reads the file that is the module of this path.
    pub fn of(text: &str, module: &[String]) -> Self {
        let tokens: TokenStream = text.parse().expect("the source is Rust");
        let mut imports = Self::default();
        imports.walk(tokens, module);
        imports
    }

    /// Every path there is, whichever way it is named, and the module it stands in.
    pub fn paths(&self) -> impl Iterator<Item = (&[String], &Written)> {
        let uses = self.uses.iter().map(|used| (used.module.as_slice(), &used.path));
        uses.chain(self.named.iter().map(|named| (named.module.as_slice(), &named.path)))
    }

    fn walk(&mut self, tokens: TokenStream, module: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at = match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' && tests(tokens.get(at + 1)) => {
                    after_item(&tokens, at + 2)
                }
                TokenTree::Ident(word) if word == "use" => self.declaration(&tokens, at + 1, module),
                TokenTree::Ident(word) if word == "mod" => self.inline(&tokens, at + 1, module),
                TokenTree::Ident(word) if DEFINING.contains(&word.to_string().as_str()) => {
                    self.defined.extend(names(&tokens, at + 1).0);
                    at + 1
                }
                TokenTree::Ident(_) => self.path(&tokens, at, module),
                TokenTree::Group(group) => {
                    self.walk(group.stream(), module);
                    at + 1
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => at + 1,
            };
        }
    }

    /// From behind `mod`: the module in this file, if it is one. Where to go on.
    fn inline(&mut self, tokens: &[TokenTree], at: usize, module: &[String]) -> usize {
        let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
            (tokens.get(at), tokens.get(at + 1))
        else {
            return at;
        };
        self.walk(body.stream(), &[module, &[name.to_string()]].concat());
        at + 2
    }

    /// From the first name of a path. Where to go on.
    fn path(&mut self, tokens: &[TokenTree], from: usize, module: &[String]) -> usize {
        let (path, at) = names(tokens, from);
        let inside = from > 0 && (is(tokens.get(from - 1), ':') || is(tokens.get(from - 1), '.'));
        if inside {
            return at;
        }
        self.words.extend(path.first().cloned());
        if path.len() > 1 {
            self.named.push(Named { module: module.to_vec(), path });
        }
        at
    }

    /// From behind `use`, to its semicolon. Where to go on.
    fn declaration(&mut self, tokens: &[TokenTree], from: usize, module: &[String]) -> usize {
        let end = (from..tokens.len()).find(|at| is(tokens.get(*at), ';')).unwrap_or(tokens.len());
        let shows = match from.checked_sub(2).and_then(|before| tokens.get(before)) {
            Some(TokenTree::Ident(word)) => word == "pub",
            // `pub(crate)`: nothing else stands in parentheses before a `use`.
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
            _ => false,
        };
        self.tree(&tokens[from..end], &[], module, shows);
        end + 1
    }

    /// One tree of a `use`: names, and perhaps a group of further trees or a new name behind them.
    fn tree(&mut self, tokens: &[TokenTree], before: &[String], module: &[String], shows: bool) {
        let (names, at) = names(tokens, 0);
        let mut path = [before, &names].concat();
        if let Some(TokenTree::Group(group)) = tokens.get(at) {
            for part in parts(group) {
                self.tree(&part, &path, module, shows);
            }
            return;
        }
        if is(tokens.get(at), '*') {
            self.uses.push(Use { module: module.to_vec(), name: ALL.to_owned(), path, shows });
            return;
        }
        // `use a::{self}` brings in `a`.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let renamed = match (tokens.get(at), tokens.get(at + 1)) {
            (Some(TokenTree::Ident(word)), Some(TokenTree::Ident(name))) if word == "as" => {
                Some(name.to_string())
            }
            _ => None,
        };
        if let Some(name) = renamed.or_else(|| path.last().cloned()) {
            self.uses.push(Use { module: module.to_vec(), name, path, shows });
        }
    }
}

/// The names from here on that `::` joins, and where they end. A `::` before something else than a name ends them, too.
fn names(tokens: &[TokenTree], mut at: usize) -> (Written, usize) {
    let mut names = Vec::new();
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        names.push(name.to_string());
        at += 1;
        if !(is(tokens.get(at), ':') && is(tokens.get(at + 1), ':')) {
            break;
        }
        at += 2;
    }
    (names, at)
}

fn is(token: Option<&TokenTree>, punct: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == punct)
}

/// The trees between a group's commas.
fn parts(group: &Group) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    tokens.split(|token| is(Some(token), ',')).filter(|part| !part.is_empty()).map(<[_]>::to_vec).collect()
}

/// Are these the brackets of `#[cfg(test)]`?
fn tests(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// Behind the item that begins here: behind its body, or behind its semicolon.
fn after_item(tokens: &[TokenTree], from: usize) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is(Some(token), ';'),
    };
    (from..tokens.len()).find(|at| ends(&tokens[*at])).map_or(tokens.len(), |at| at + 1)
}
