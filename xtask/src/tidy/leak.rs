//! Rules of what must not leak into the tree: where it was written and what it was fetched from.

use super::Fault;
use super::lex::line_at;
use super::tree::Tree;

/// Cargo writes its own registry's address there, the same on every machine.
const CARGO_LOCK: &str = "Cargo.lock";
/// Folders that exist on the machine of whoever wrote a file, and on no other.
const FOLDERS: [&str; 3] = [concat!("/", "work/"), concat!("/", "root/"), concat!("/", "home/")];
const HOSTS: [&str; 5] = ["registry.", "index.", "static.", "files.", "deb."];

/// No file names a folder of a machine or the address of a registry.
pub fn machine(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in tree.files().filter(|file| file.path != CARGO_LOCK) {
        for folder in FOLDERS {
            for (at, _) in file.text.match_indices(folder) {
                let before = file.text.get(..at).and_then(|text| text.chars().next_back());
                let joined = |c: char| c.is_ascii_alphanumeric() || "_./-}".contains(c);
                if !before.is_some_and(joined) {
                    let message = format!("a path of a machine: {folder}");
                    faults.push(Fault::new(&file.path, line_at(&file.text, at), message));
                }
            }
        }
        for (at, scheme) in file.text.match_indices("://") {
            let host = file.text.get(at + scheme.len()..).unwrap_or("");
            let named = HOSTS.iter().find(|name| {
                let rest = host.strip_prefix(**name);
                rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
            });
            let web =
                file.text.get(..at).is_some_and(|t| t.ends_with("http") || t.ends_with("https"));
            if let (Some(name), true) = (named, web) {
                let message = format!("an address of a registry: {name}…");
                faults.push(Fault::new(&file.path, line_at(&file.text, at), message));
            }
        }
    }
    faults
}

/// The client's lock file records no addresses: they are those of whoever last wrote it.
pub fn lock_file(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in tree.files().filter(|file| file.path.ends_with("package-lock.json")) {
        if let Some(at) = file.text.find("\"resolved\": \"http") {
            let message = "records addresses; set omit-lockfile-registry-resolved=true in .npmrc";
            faults.push(Fault::new(&file.path, line_at(&file.text, at), message));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_machine_is_found() {
        let faults = |text: &str| machine(&Tree::of(&[("docs/x.md", text)])).len();
        for bad in [
            concat!("see /", "work/main"),
            concat!("\"/", "root/x\""),
            concat!("(/", "home/someone/)"),
        ] {
            assert_eq!(faults(bad), 1, "{bad}");
        }
        for good in ["network/", "a/work/b", "./work/x", "/var/lib/muster/", "crates/root/x"] {
            assert_eq!(faults(good), 0, "{good}");
        }
    }

    #[test]
    fn an_address_of_a_registry_is_found() {
        let faults = |path, text| machine(&Tree::of(&[(path, text)])).len();
        let bad = concat!("https", "://registry.", "example.org/x");
        assert_eq!(faults("docs/x.md", bad), 1);
        assert_eq!(faults("Cargo.lock", bad), 0);
        assert_eq!(faults("docs/x.md", "https://www.rfc-editor.org/rfc/rfc9162"), 0);
        assert_eq!(faults("docs/x.md", "registry.example.org"), 0);
    }

    #[test]
    fn a_lock_file_records_no_addresses() {
        let faults = |text| lock_file(&Tree::of(&[("web/package-lock.json", text)])).len();
        assert_eq!(faults(concat!("{\"resolved\": \"htt", "ps://x\"}")), 1);
        assert_eq!(faults("{\"version\": \"1.0.0\"}"), 0);
    }
}
