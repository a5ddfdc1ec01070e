//! Where the passphrases of encrypted key files come from.

use std::path::PathBuf;

use clap::Args;
use fengni_client::keys::{Passphrases, Source};

const FILE: &str = "FENGNI_PASSPHRASE_FILE";
const TEXT: &str = "FENGNI_PASSPHRASE";

/// Who opens encrypted key files.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PassphraseArgs {
    /// File with the passphrase of encrypted keys, once for each; else FENGNI_PASSPHRASE_FILE, FENGNI_PASSPHRASE, or a question
    #[arg(long = "passphrase-file", value_name = "FILE")]
    pub(crate) passphrase_files: Vec<PathBuf>,
}

impl PassphraseArgs {
    /// Files that were named, else the environment's, else whoever sits at the terminal.
    pub(crate) fn passphrases(&self) -> Passphrases {
        let named: Vec<Source> = self.passphrase_files.iter().cloned().map(Source::File).collect();
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Passphrases::new(match named {
            named if !named.is_empty() => named,
            _ if is_set(FILE) => std::env::var_os(FILE).map(PathBuf::from).map(Source::File).into_iter().collect(),
            _ if is_set(TEXT) => vec![Source::Env(TEXT.to_owned())],
            _ => Vec::new(),
        })
    }
}
