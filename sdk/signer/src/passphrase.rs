//! Passphrases and PINs: where they come from, and how they stay secret.

use std::fmt;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::files::{self, FileError};

/// Bytes of a passphrase in a file.
const FILE_BYTES: u64 = 4096;

/// A passphrase or a PIN. Wiped when dropped; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// A passphrase; `None` where the text is empty.
    pub fn new(text: String) -> Option<Self> {
        let text = Zeroizing::new(text);
        (!text.is_empty()).then_some(Self(text))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase")
    }
}

/// Where a passphrase comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The first line of a file that only its owner reads.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// A question at the terminal.
    Prompt,
}

/// Why there is no passphrase, or not the right one.
#[derive(Debug, Error)]
pub enum PassphraseError {
    /// Nobody gave one, and there is no terminal to ask at.
    #[error(
        "{what} is encrypted and no passphrase was given; next: name a file that holds it (fengni: \
         --passphrase-file or FENGNI_PASSPHRASE_FILE, a node: keys.passphrase_file), or run at a terminal"
    )]
    NotGiven {
        /// What it should open.
        what: String,
    },
    /// It does not open the file.
    #[error("the passphrase does not open {what}; next: give the one it was encrypted with")]
    Wrong {
        /// What it should open.
        what: String,
    },
    /// The file that should hold it.
    #[error(transparent)]
    File(#[from] FileError),
    /// The environment variable that should hold it.
    #[error("the environment variable {name} holds no passphrase; next: set it, or name a file instead")]
    Env {
        /// The variable.
        name: String,
    },
    /// Nobody answers at a terminal.
    #[error("nobody can be asked for {what}: there is no terminal; next: name a file or an environment variable")]
    NoTerminal {
        /// What is asked for.
        what: String,
    },
    /// Two answers that should be the same.
    #[error("the two passphrases differ; next: type the same one twice")]
    Different,
}

impl Source {
    /// The passphrase.
    ///
    /// - `what`: what is asked for at a terminal, such as `PIN of token hsm`.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn read(&self, what: &str) -> Result<Passphrase, PassphraseError> {
        match self {
            Self::File(path) => from_file(path),
            Self::Env(name) => {
                let text = std::env::var(name).unwrap_or_default();
                Passphrase::new(text).ok_or_else(|| PassphraseError::Env { name: name.clone() })
            }
            Self::Prompt => ask(what),
        }
    }

    /// A file's path, seen from a folder.
    pub(crate) fn seen_from(&self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(folder.join(path)),
            other => other.clone(),
        }
    }
}

fn from_file(path: &Path) -> Result<Passphrase, PassphraseError> {
    let bytes = Zeroizing::new(files::read_private(path, FILE_BYTES)?);
    let text = std::str::from_utf8(&bytes).ok().and_then(|text| text.lines().next());
    text.and_then(|line| Passphrase::new(line.to_owned()))
        .ok_or_else(|| FileError::content(path, "the first line holds no passphrase").into())
}

/// Asks at the terminal, without showing what is typed.
fn ask(what: &str) -> Result<Passphrase, PassphraseError> {
    let none = || PassphraseError::NoTerminal { what: what.to_owned() };
    if !std::io::stdin().is_terminal() {
        return Err(none());
    }
    let answer = rpassword::prompt_password(format!("{what}: ")).map_err(|_| none())?;
    Passphrase::new(answer).ok_or_else(none)
}

/// Where to look for the passphrases of encrypted key files, in this order.
///
/// Each file is opened with the first that fits, so that two persons' files can have two. Where
/// none is named, whoever sits at the terminal is asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Passphrases {
    sources: Vec<Source>,
}

impl Passphrases {
    /// From these sources.
    pub fn new(sources: Vec<Source>) -> Self {
        Self { sources }
    }

    /// A question at the terminal for each file.
    pub fn asked() -> Self {
        Self::default()
    }

    /// Opens something with the first passphrase that fits.
    pub(crate) fn open<T>(
        &self,
        what: &str,
        mut open: impl FnMut(&Passphrase) -> Option<T>,
    ) -> Result<T, PassphraseError> {
        let asked = || match ask(&format!("passphrase of {what}")) {
            Err(PassphraseError::NoTerminal { .. }) => Err(PassphraseError::NotGiven { what: what.to_owned() }),
            answer => answer,
        };
        let wrong = || PassphraseError::Wrong { what: what.to_owned() };
        if self.sources.is_empty() {
            return open(&asked()?).ok_or_else(wrong);
        }
        for source in &self.sources {
            if let Some(opened) = open(&source.read(&format!("passphrase of {what}"))?) {
                return Ok(opened);
            }
        }
        Err(wrong())
    }

    /// The passphrase for a file that is being encrypted: the first source, or the same twice at
    /// the terminal.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn fresh(&self, what: &str) -> Result<Passphrase, PassphraseError> {
        if let Some(source) = self.sources.first() {
            return source.read(&format!("new passphrase of {what}"));
        }
        let first = match ask(&format!("new passphrase of {what}")) {
            Err(PassphraseError::NoTerminal { .. }) => {
                return Err(PassphraseError::NotGiven { what: what.to_owned() });
            }
            answer => answer?,
        };
        let second = ask("the same again")?;
        if first == second { Ok(first) } else { Err(PassphraseError::Different) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_the_first_line_of_a_private_file() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("passphrase");
        files::write_private(&path, "封泥 und mehr\nnot this\n".as_bytes()).expect("a writable folder");
        let read = Source::File(path.clone()).read("it").expect("a passphrase");
        assert_eq!(read.text(), "封泥 und mehr");
        assert!(!format!("{read:?}").contains("封泥"));
        files::write_private(&path, b"\n").expect("a writable folder");
        assert!(matches!(Source::File(path.clone()).read("it"), Err(PassphraseError::File(FileError::Content { .. }))));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("the test's own file");
            let open = Source::File(path).read("it");
            assert!(matches!(open, Err(PassphraseError::File(FileError::OpenToOthers { .. }))));
        }
        assert!(matches!(Source::Env("FENGNI_NO_SUCH".into()).read("it"), Err(PassphraseError::Env { .. })));
    }

    #[test]
    fn the_first_passphrase_that_fits_opens_a_file() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let sources = ["one", "two"].map(|text| {
            let path = folder.path().join(text);
            files::write_private(&path, text.as_bytes()).expect("a writable folder");
            Source::File(path)
        });
        let passphrases = Passphrases::new(sources.to_vec());
        let fits = |wanted: &'static str| move |it: &Passphrase| (it.text() == wanted).then_some(wanted);
        assert_eq!(passphrases.open("a.json", fits("two")).expect("the second fits"), "two");
        let wrong = passphrases.open("a.json", fits("three")).expect_err("none fits").to_string();
        assert_eq!(wrong, "the passphrase does not open a.json; next: give the one it was encrypted with");
    }
}
