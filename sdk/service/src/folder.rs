//! The private folder of a service.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// A folder that only its owner reads, by its full path.
///
/// - `next`: what to do where there is none.
///
/// # Errors
/// What is wrong, with the next step.
pub fn private(path: &Path, next: &str) -> Result<PathBuf> {
    let system = || format!("{}; next: {next}", path.display());
    let mode = std::fs::metadata(path).with_context(system)?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("{}: others can look into this folder of secrets; next: chmod 700", path.display());
    }
    path.canonicalize().with_context(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_can_look_into_is_not_opened() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let mode = |bits| {
            let bits = std::fs::Permissions::from_mode(bits);
            std::fs::set_permissions(folder.path(), bits).expect("its own");
        };
        mode(0o700);
        private(folder.path(), "make it").expect("private");
        for open in [0o710, 0o701, 0o755] {
            mode(open);
            assert!(private(folder.path(), "make it").expect_err("open to others").to_string().contains("chmod 700"));
        }
        let missing = private(&folder.path().join("none"), "make it").expect_err("it is not there");
        assert!(missing.to_string().contains("next: make it"));
    }
}
