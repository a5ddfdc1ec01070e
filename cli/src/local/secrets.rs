//! Key files of nodes, in the form a node reads. Those of people are the client's.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use fengni_core::record::KeyPurpose;
use fengni_core::{KeyNumber, SecretKey};
use serde::Serialize;

/// A key file (密钥文件): whoever reads it signs as the member.
#[derive(Serialize)]
struct KeyFile<'a> {
    format: u16,
    purpose: KeyPurpose,
    algorithm: u8,
    member: &'a str,
    number: KeyNumber,
    public: String,
    seed: String,
}

/// Writes a key into a file that only its owner reads.
pub(super) fn save(path: &Path, key: &SecretKey, purpose: KeyPurpose, member: &str, number: KeyNumber) -> Result<()> {
    let file = KeyFile {
        format: 1,
        purpose,
        algorithm: key.algorithm().number(),
        member,
        number,
        public: key.public().to_string(),
        seed: hex::encode(*key.seed()),
    };
    super::layout::create_folder(path)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut out| {
        out.write_all((serde_json::to_string_pretty(&file).map_err(std::io::Error::other)? + "\n").as_bytes())
    });
    written.with_context(|| path.display().to_string())
}
