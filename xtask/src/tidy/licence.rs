//! Rules of licences: everything that we build on may be handed on under ours.

use super::Fault;
use super::tree::{Package, Tree};

/// Licences of SPDX that ask for no more than notice, or that bind only their own files.
const ALLOWED: [&str; 23] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC-BY-4.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    // Binds its own files only; we use them unmodified.
    "MPL-2.0",
    "MPL-2.0+",
    // Fonts.
    "OFL-1.1",
    "OpenSSL",
    "Python-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "WTFPL",
    "Zlib",
];

/// Every crate of the lock file has an allowed licence.
pub fn crates(tree: &Tree) -> Vec<Fault> {
    faults("Cargo.lock", &tree.crates)
}

/// Every installed package of the web client has an allowed licence.
pub fn packages(tree: &Tree) -> Vec<Fault> {
    faults("web/package-lock.json", &tree.packages)
}

fn faults(path: &str, packages: &[Package]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for package in packages.iter().filter(|package| !package.name.is_empty()) {
        let name = &package.name;
        match &package.licence {
            None => faults.push(Fault::new(path, 1, format!("`{name}` names no licence"))),
            Some(licence) if !allows(licence) => {
                let message = format!("`{name}` has licence `{licence}`, which is not allowed");
                faults.push(Fault::new(path, 1, message));
            }
            Some(_) => {}
        }
    }
    faults
}

/// Decides an SPDX expression; `AND` binds closer than `OR`, an old slash means `OR`.
fn allows(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words };
    reader.any() && reader.words.is_empty()
}

struct Reader<'a> {
    words: &'a [&'a str],
}

impl Reader<'_> {
    fn take(&mut self, word: &str) -> bool {
        match self.words {
            [first, rest @ ..] if *first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }

    fn any(&mut self) -> bool {
        let mut allowed = self.all();
        while self.take("OR") {
            allowed |= self.all();
        }
        allowed
    }

    fn all(&mut self) -> bool {
        let mut allowed = self.one();
        while self.take("AND") {
            allowed &= self.one();
        }
        allowed
    }

    fn one(&mut self) -> bool {
        if self.take("(") {
            let allowed = self.any();
            return self.take(")") && allowed;
        }
        let [name, rest @ ..] = self.words else { return false };
        let mut name = (*name).to_owned();
        self.words = rest;
        if let ["WITH", exception, rest @ ..] = rest {
            name = format!("{name} WITH {exception}");
            self.words = rest;
        }
        ALLOWED.contains(&name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_allowed_when_a_choice_of_it_is() {
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "GPL-3.0-only OR MIT",
            "ISC AND (Apache-2.0 OR ISC) AND OpenSSL",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
        ] {
            assert!(allows(good), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0-or-later",
            "AGPL-3.0-only",
            "LGPL-2.1",
            "MIT AND GPL-2.0",
            "(MIT OR Apache-2.0) AND AGPL-3.0-only",
            "(MIT",
            "MIT MIT",
            "GPL-2.0 WITH Classpath-exception-2.0",
            "SEE LICENSE IN LICENSE.md",
        ] {
            assert!(!allows(bad), "{bad}");
        }
    }

    #[test]
    fn a_package_without_a_licence_is_a_fault() {
        let package = |licence: Option<&str>| {
            let mut tree = Tree::of(&[]);
            let licence = licence.map(str::to_owned);
            tree.crates.push(Package { name: "x".to_owned(), licence });
            crates(&tree).len()
        };
        assert_eq!(package(Some("MIT")), 0);
        assert_eq!(package(None), 1);
        assert_eq!(package(Some("GPL-3.0")), 1);
    }
}
