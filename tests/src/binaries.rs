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
    // Beside the programs: target/debug/fengni, target/web.
    let folder = binary("fengni").ancestors().nth(2)?.join("web");
    folder.join("fengni/index.js").is_file().then_some(folder)
}

/// The Python that has other people's readers of our formats: `tests/python/requirements.txt`.
///
/// # Panics
/// When it was not set up: the message names the command.
pub fn python() -> PathBuf {
    // Beside the programs, as the pages are.
    let found = binary("fengni").ancestors().nth(2).map(|folder| folder.join("python/bin/python"));
    found.filter(|path| path.is_file()).unwrap_or_else(|| panic!("no readers are set up; next: make readers"))
}
