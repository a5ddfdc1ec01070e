//! Keys in a token: SoftHSM2, which behaves as hardware does.
//!
//! A process has one PKCS#11 library with one configuration, so that each test runs in a process
//! of its own: it starts this program anew with a token made for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use fengni_core::bytes::Bytes;
use fengni_core::operation::Operation;
use fengni_core::record::KeyPurpose;
use fengni_core::transaction::TransactionBody;
use fengni_core::{Height, KeyAlgorithm, KeyNumber, MemberNumber, Millis, PublicKey};
use fengni_genesis::sample;
use fengni_signer::{
    HeldKey, Keeping, KeyFile, OpenError, Passphrases, SignError, Signer as _, Source, Token, TokenError, TokenKey,
};
use fengni_state::{RecentIds, State};

/// Says to a process that its token is made, and where.
const MADE: &str = "FENGNI_TEST_TOKEN";
const PIN: &str = "2468";

fn module() -> PathBuf {
    let places = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];
    let found = places.into_iter().map(PathBuf::from).find(|path| path.exists());
    found.expect("SoftHSM2 is not installed; next: make setup, or apt-get install softhsm2")
}

/// Runs a test in a process of its own, with a fresh token.
fn with_token(name: &str, test: impl FnOnce(&Path)) {
    if let Some(folder) = std::env::var_os(MADE) {
        return test(Path::new(&folder));
    }
    let folder = tempfile::tempdir().expect("a folder for the test");
    let home = folder.path();
    std::fs::create_dir(home.join("tokens")).expect("a writable folder");
    let text = format!("directories.tokendir = {}\nobjectstore.backend = file\n", home.join("tokens").display());
    std::fs::write(home.join("softhsm2.conf"), text).expect("a writable folder");
    module();
    let mut make = Command::new("softhsm2-util");
    make.args(["--init-token", "--free", "--label", "hsm", "--so-pin", "1357", "--pin", PIN]);
    let made = make.env("SOFTHSM2_CONF", home.join("softhsm2.conf")).output();
    let made = made.expect("softhsm2-util is not installed; next: make setup, or apt-get install softhsm2");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fengni_signer::files::write_private(&home.join("pin"), PIN.as_bytes()).expect("a writable folder");
    let ended = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", name, "--nocapture"])
        .env(MADE, home)
        .env("SOFTHSM2_CONF", home.join("softhsm2.conf"))
        .output()
        .expect("this program starts again");
    let said = [ended.stdout, ended.stderr].concat();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&said));
}

fn key(folder: &Path, label: &str) -> TokenKey {
    let pin = Source::File(folder.join("pin"));
    TokenKey { module: module(), token: "hsm".into(), label: label.into(), id: None, pin }
}

fn made(folder: &Path, algorithm: KeyAlgorithm) -> (TokenKey, PublicKey) {
    let key = key(folder, &format!("{algorithm:?}"));
    let public = key.make(algorithm).expect("the token makes a key");
    (key, public)
}

const BOTH: [KeyAlgorithm; 2] = [KeyAlgorithm::Ed25519, KeyAlgorithm::P256];

#[test]
fn k9_a_token_signs_what_the_ledger_verifies() {
    with_token("k9_a_token_signs_what_the_ledger_verifies", |folder| {
        for algorithm in BOTH {
            let (key, public) = made(folder, algorithm);
            assert_eq!(key.find().expect("it stands there"), public);
            let path = folder.join("key.json");
            let pin = Source::File("pin".into());
            let file = KeyFile::token(KeyPurpose::Issuing, public, TokenKey { pin, ..key.clone() });
            file.save(&path).expect("a writable folder");
            let file = KeyFile::load(&path).expect("its own file");
            assert_eq!(file.keeping(), Keeping::Token);
            let signer = file.open(&Passphrases::asked()).expect("the PIN stands beside the file");
            // Half of the signatures of P-256 come with a high s, which would be refused.
            for number in 0..24u8 {
                let signature = signer.sign(&[number]).expect("the token signs");
                assert!(public.verify(&[number], &signature) && !public.verify(b"other", &signature));
            }
            assert!(matches!(file.secret(&Passphrases::asked()), Err(OpenError::InToken { .. })));
            assert!(matches!(key.make(algorithm), Err(TokenError::Key { count: 1, .. })), "one key a label");
        }
    });
}

#[test]
fn k9_what_is_wrong_with_a_token_is_said_and_a_pin_is_tried_once() {
    with_token("k9_what_is_wrong_with_a_token_is_said_and_a_pin_is_tried_once", |folder| {
        // First, while nobody is logged in: a token is logged in to for a whole process.
        let wrong_pin = folder.join("wrong");
        fengni_signer::files::write_private(&wrong_pin, b"9999").expect("a writable folder");
        let right = key(folder, "Ed25519");
        let refused = TokenKey { pin: Source::File(wrong_pin), ..right.clone() }.find().expect_err("another PIN");
        assert!(matches!(refused, TokenError::Pin { .. }), "{refused}");
        assert!(!refused.to_string().contains("9999"), "{refused}");

        let (right, public) = made(folder, KeyAlgorithm::Ed25519);
        let (_, other) = made(folder, KeyAlgorithm::P256);
        let missing = TokenKey { token: "gone".into(), ..right.clone() }.find().expect_err("no such token");
        assert!(missing.to_string().starts_with("no token gone in "), "{missing}");
        let missing = TokenKey { label: "none".into(), ..right.clone() }.find().expect_err("no such key");
        assert!(matches!(missing, TokenError::Key { count: 0, .. }), "{missing}");
        let missing = TokenKey { module: folder.join("no.so"), ..right.clone() }.find().expect_err("no such library");
        assert!(matches!(missing, TokenError::Module { .. }), "{missing}");
        assert!(matches!(Token::open(&right, other), Err(TokenError::Other { .. })), "another public half");
        assert!(Token::open(&right, public).is_ok());
    });
}

#[test]
fn k9_a_token_that_goes_away_ends_in_an_error_that_says_where_to_look() {
    with_token("k9_a_token_that_goes_away_ends_in_an_error_that_says_where_to_look", |folder| {
        let (key, public) = made(folder, KeyAlgorithm::Ed25519);
        let token = Token::open(&key, public).expect("it stands there");
        token.sign(b"before").expect("the token signs");
        for entry in std::fs::read_dir(folder.join("tokens")).expect("the folder is there") {
            std::fs::remove_dir_all(entry.expect("an entry").path()).expect("the test's own files");
        }
        let gone = token.sign(b"after").expect_err("the token is gone");
        assert!(matches!(gone, SignError::Token(_)), "{gone}");
        assert!(gone.to_string().contains("next: "), "{gone}");
        assert!(!gone.to_string().contains(PIN), "{gone}");
    });
}

#[test]
fn k9_a_session_that_is_lost_is_opened_anew() {
    with_token("k9_a_session_that_is_lost_is_opened_anew", |folder| {
        let (key, public) = made(folder, KeyAlgorithm::Ed25519);
        let token = Token::open(&key, public).expect("it stands there");
        for message in [b"one", b"two"] {
            let signature = token.sign(message).expect("a new session takes the place of the lost one");
            assert!(public.verify(message, &signature));
            // The library forgets every session and every login, as after a break of the line.
            let library = cryptoki::context::Pkcs11::new(module()).expect("the same library");
            library.finalize().expect("it was initialised");
        }
    });
}

/// A department keeps its key in a token, and the ledger takes what it signs.
#[test]
fn sec10_a_transaction_signed_by_a_token_is_taken() {
    with_token("sec10_a_transaction_signed_by_a_token_is_taken", |folder| {
        for algorithm in BOTH {
            let (key, public) = made(folder, algorithm);
            let token = Token::open(&key, public).expect("it stands there");
            let mut document = sample::network(Millis(1_772_000_000_000), &sample::test_key);
            let keys = &mut document.members[0].keys;
            let place = keys.iter().position(|key| key.purpose == KeyPurpose::Admin).expect("an admin key");
            keys[place].key = public.to_string();
            let number = KeyNumber(u16::try_from(place).expect("few keys"));
            let held = HeldKey::new(KeyPurpose::Admin, MemberNumber(0), number, token);
            let genesis = document.check().expect("the sample holds");
            let (domain, state) = (genesis.domain(), State::found(genesis.domain(), genesis.founding()));
            let operation = Operation::ProposeAgreement { terms: sample::agreement_terms() };
            let (network, member) = (domain.network, held.member);
            let body = TransactionBody { network, member, valid_until: Height(40), salt: [7; 16], operation };
            let signature = held.sign(&body.message(&domain)).expect("the token signs");
            let bytes = Bytes(body.signed(vec![(number, signature)]).encode());
            let taken = state.check_transaction(&RecentIds::default(), &bytes);
            assert!(taken.is_ok(), "{algorithm:?}: {taken:?}");
        }
    });
}
