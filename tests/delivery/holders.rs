//! A folder and its copies: which of them is the one that sent.

use std::path::Path;

use bookonce::delivery::holder::{Found, find, write};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(0x0193_5e8a_7c1d_7a30_8f7e_3f6b_2a1c_0d4e);
const OTHER: Uuid = Uuid::from_u128(0x0193_5e8a_7c1d_7a30_8f7e_3f6b_2a1c_0d4f);

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Guards against: a copy of a folder that sends everything once more.
#[test]
fn a_copied_folder_is_known_as_a_copy_and_a_moved_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name| dir.path().join(name);
    std::fs::create_dir(at("first")).unwrap();
    std::fs::write(at("first").join("journal.db"), "journal").unwrap();
    assert_eq!(find(&at("first")).unwrap(), Found::Nothing);
    write(&at("first"), ID).unwrap();
    assert_eq!(find(&at("first")).unwrap(), Found::Own(ID));
    copy(&at("first"), &at("copy"));
    assert_eq!(find(&at("copy")).unwrap(), Found::Copy(ID));
    std::fs::rename(at("first"), at("moved")).unwrap();
    assert_eq!(find(&at("moved")).unwrap(), Found::Own(ID));
    // A backup that is put back in the place of the original is a copy, too.
    std::fs::rename(at("copy"), at("first")).unwrap();
    assert_eq!(find(&at("first")).unwrap(), Found::Copy(ID));
    write(&at("first"), OTHER).unwrap();
    assert_eq!(
        (find(&at("first")).unwrap(), find(&at("moved")).unwrap()),
        (Found::Own(OTHER), Found::Own(ID))
    );
}

#[test]
fn a_file_that_says_something_else_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("journal.db"), "journal").unwrap();
    write(dir.path(), ID).unwrap();
    let file = dir.path().join("sending.json");
    let good = std::fs::read_to_string(&file).unwrap();
    for broken in
        ["", "{}", "null", &good.replace("holder", "owner"), &format!("{good}x"), &good[..good.len() / 2]]
    {
        std::fs::write(&file, broken).unwrap();
        assert!(find(dir.path()).is_err(), "{broken}");
    }
    std::fs::write(&file, good).unwrap();
    std::fs::remove_file(dir.path().join("journal.db")).unwrap();
    assert!(find(dir.path()).is_err() && write(dir.path(), ID).is_err());
}
