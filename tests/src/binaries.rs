//! Where the programs under test are: beside the test program, in the same build folder.

use std::path::PathBuf;

/// The path of one of our programs.
///
/// # Panics
/// When it was not built: the message names the command.
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a running program has a path");
    let found = own.ancestors().skip(1).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not built; next: cargo build --workspace --bins"))
}

/// The pages that `make web` has built, if it has.
pub fn pages() -> Option<PathBuf> {
    let folder = build_folder().join("web");
    folder.join("fengni/index.js").is_file().then_some(folder)
}

/// The Python that has other people's readers of our formats: `tests/python/requirements.txt`.
///
/// # Panics
/// When it was not set up: the message names the command.
pub fn python() -> PathBuf {
    let found = build_folder().join("python/bin/python");
    assert!(found.is_file(), "no readers are set up; next: make readers");
    found
}

/// Where `make` puts what it builds: the programs are in `debug` of it.
fn build_folder() -> PathBuf {
    let program = binary("fengni");
    program.ancestors().nth(2).expect("programs are two folders below").to_owned()
}
