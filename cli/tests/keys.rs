//! `fengni key`: files that keep keys, as a person meets them, without any node.

use std::path::Path;
use std::process::{Command, Stdio};

use fengni_client::keys::{HeldKey, KeyFile, Passphrases, Source, files};
use serde_json::Value;

/// Exit code, answer and progress of a command, with nobody at a terminal.
fn fengni(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fengni"));
    for name in ["FENGNI_PASSPHRASE", "FENGNI_PASSPHRASE_FILE"] {
        command.env_remove(name);
    }
    let output = command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::null()).output();
    let output = output.expect("fengni starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code().expect("no signal"), text(&output.stdout), text(&output.stderr))
}

fn secret_file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    files::write_private(&path, text.as_bytes()).expect("a writable folder");
    path.display().to_string()
}

/// What a secret could look like where it must not be: digits, base64, bytes in a list.
fn scan(said: &str, secrets: &[&str]) {
    for secret in secrets {
        for piece in secret.as_bytes().windows(8).map(|piece| String::from_utf8_lossy(piece).into_owned()) {
            assert!(!said.contains(&piece), "a piece of a secret in: {said}");
        }
    }
}

#[test]
fn sec10_a_key_is_encrypted_by_default_and_a_wrong_passphrase_leaks_nothing() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("issuing.json").display().to_string();
    let right = secret_file(folder.path(), "right", "correct-horse-1");
    let wrong = secret_file(folder.path(), "wrong", "battery-staple-2");
    let new = ["key", "new", &path, "--purpose", "issuing", "--algorithm", "p256"];

    let (code, out, err) = fengni(&new, &[]);
    assert_eq!(code, 3, "{out}{err}");
    assert!(err.contains("no passphrase was given") && err.contains("next:"), "{err}");
    let (code, out, err) = fengni(&new, &[("FENGNI_PASSPHRASE_FILE", &right)]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("encrypted with a passphrase"), "{out}");
    assert_eq!(fengni(&new, &[("FENGNI_PASSPHRASE_FILE", &right)]).0, 3, "a file is never replaced");

    let opened = KeyFile::load(Path::new(&path)).expect("a key file");
    let secret = opened.secret(&Passphrases::new(vec![Source::File(right.clone().into())])).expect("it opens");
    let digits = hex::encode(*secret.seed());
    let text = std::fs::read_to_string(&path).expect("the file");
    let pem = text.split("PRIVATE KEY-----").nth(1).expect("a PEM");
    let change = ["key", "passphrase", &path, "--passphrase-file", &wrong, "--new-passphrase-file", &right];
    for json in [false, true] {
        let arguments = [&change[..], if json { &["--json"] } else { &[] }].concat();
        let (code, out, err) = fengni(&arguments, &[]);
        assert_eq!(code, 3, "{out}{err}");
        assert!(err.contains("the passphrase does not open") && err.contains("next:"), "{err}");
        scan(&format!("{out}{err}"), &[&digits, "correct-horse-1", "battery-staple-2", pem.trim()]);
    }
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), text, "the file is as it was");

    let change = ["key", "passphrase", &path, "--passphrase-file", &right, "--new-passphrase-file", &wrong];
    let (code, out, err) = fengni(&change, &[]);
    assert_eq!(code, 0, "{out}{err}");
    let (_, out, _) = fengni(&["key", "inspect", &path, "--json"], &[]);
    let said: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (&said["kept"], &said["algorithm"], &said["purpose"]),
        (&"encrypted".into(), &"p256".into(), &"issuing".into())
    );
    scan(&out, &[&digits, pem.trim()]);
    let file = KeyFile::load(Path::new(&path)).expect("a key file");
    assert_eq!(
        file.secret(&Passphrases::new(vec![Source::File(wrong.into())])).expect("the new one").seed(),
        secret.seed()
    );
}

#[test]
fn a_plain_key_says_that_it_is_not_encrypted_and_can_be() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("admin.json").display().to_string();
    let new = ["key", "new", &path, "--purpose", "admin", "--plain", "--member", "3", "--number", "2"];
    let (code, out, err) = fengni(&new, &[]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("not encrypted") && out.contains("member 3, key 2"), "{out}");
    let key = HeldKey::load(Path::new(&path), &Passphrases::asked()).expect("it needs no passphrase");
    let new = secret_file(folder.path(), "new", "a passphrase");
    assert_eq!(fengni(&["key", "passphrase", &path, "--new-passphrase-file", &new], &[]).0, 0);
    let passphrases = Passphrases::new(vec![Source::File(new.into())]);
    assert_eq!(HeldKey::load(Path::new(&path), &passphrases).expect("it opens").public(), key.public());
    let refused: [&[&str]; 3] = [
        &["--purpose", "consensus", "--algorithm", "p256", "--plain"],
        &["--purpose", "everything", "--plain"],
        &["--purpose", "issuing", "--token", "hsm"],
    ];
    for more in refused {
        let other = folder.path().join("other.json").display().to_string();
        let (code, out, err) = fengni(&[&["key", "new", &other], more].concat(), &[]);
        assert_eq!(code, 3, "{out}{err}");
        assert!(!Path::new(&other).exists());
    }
}

/// A token made for the test: the configuration that the library reads, and the file with its PIN.
fn token(folder: &Path) -> (String, String) {
    std::fs::create_dir(folder.join("tokens")).expect("a writable folder");
    let configuration = folder.join("softhsm2.conf").display().to_string();
    let text = format!("directories.tokendir = {}\n", folder.join("tokens").display());
    std::fs::write(&configuration, text).expect("a writable folder");
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "hsm", "--so-pin", "1357", "--pin", "24681012"])
        .env("SOFTHSM2_CONF", &configuration)
        .output()
        .expect("softhsm2-util is not installed; next: make setup, or apt-get install softhsm2");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (configuration, secret_file(folder, "pin", "24681012"))
}

#[test]
fn sec10_a_key_is_made_in_a_token_and_a_wrong_pin_leaks_nothing() {
    let places = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];
    let module = places.into_iter().find(|path| Path::new(path).exists());
    let module = module.expect("SoftHSM2 is not installed; next: make setup, or apt-get install softhsm2");
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (configuration, pin) = token(folder.path());
    let wrong = secret_file(folder.path(), "wrong", "97531864");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let new = |name: &str, purpose: &str, pin: &str, more: &[&str]| {
        let key = ["--token", "hsm", "--module", module, "--label", "key-a", "--pin-file", pin];
        let file = path(name);
        fengni(
            &[&["key", "new", &file, "--purpose", purpose], &key[..], more].concat(),
            &[("SOFTHSM2_CONF", &configuration)],
        )
    };
    let (code, out, err) = new("refused.json", "issuing", &wrong, &[]);
    assert_eq!(code, 3, "{out}{err}");
    assert!(err.contains("refuses the PIN") && err.contains("next:"), "{err}");
    scan(&format!("{out}{err}"), &["97531864", "24681012"]);
    assert_eq!(new("refused.json", "peer", &pin, &[]).0, 3, "connections need the secret");
    assert!(!Path::new(&path("refused.json")).exists());

    let (code, out, err) = new("made.json", "issuing", &pin, &[]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("in token hsm, key key-a"), "{out}");
    let (code, out, err) = new("found.json", "consensus", &pin, &["--existing"]);
    assert_eq!(code, 0, "{out}{err}");
    let key = |name: &str| KeyFile::load(Path::new(&path(name))).expect("a key file").public();
    assert_eq!(key("made.json"), key("found.json"), "the same key, named twice");
}
