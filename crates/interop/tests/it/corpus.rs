//! Inputs that once were, or could have been, a crash: each is read again.

use std::path::Path;

use crate::hold::hold;

#[test]
fn every_file_of_the_corpus_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus is there") {
        let path = entry.expect("a file").path();
        hold(&std::fs::read(&path).expect("the file is read"));
        files += 1;
    }
    assert!(files >= 13, "the corpus has lost files");
}
