//! Keys in PKCS#11 tokens: hardware security modules, smart cards, SoftHSM2.
//!
//! The token signs, we verify: ed25519 with CKM_EDDSA, P-256 with CKM_ECDSA over a SHA-256 digest,
//! turned to low s (K-5). A session that is lost is opened anew once for a signature; a PIN that
//! was refused is not tried again, because a token locks itself after a few.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as CryptokiError, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use fengni_core::{KeyAlgorithm, PublicKey, Signature};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::passphrase::{Passphrase, PassphraseError, Source};
use crate::signer::{SignError, Signer};

/// DER of the object identifier of P-256.
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// DER of the curve name `edwards25519`, as PKCS#11 3.0 and SoftHSM2 write it.
const EDWARDS: &[u8] = b"\x13\x0cedwards25519";

/// Which key in which token.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenKey {
    /// The maker's library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The key's label in it.
    pub label: String,
    /// The key's identifier in hexadecimal digits, where the label alone names several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where the PIN comes from; a file's path is seen from the key file's folder.
    pub pin: Source,
}

/// Why a token gives no key or no signature.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The library.
    #[error("PKCS#11 module {}: {reason}; next: name the library that came with the token", module.display())]
    Module {
        /// The library.
        module: PathBuf,
        /// What it says.
        reason: String,
    },
    /// No such token, or it is not in its slot.
    #[error("no token {token} in {}; next: plug it in, or look at its label", module.display())]
    Missing {
        /// The token's label.
        token: String,
        /// The library.
        module: PathBuf,
    },
    /// The PIN, which is not tried again.
    #[error(
        "token {token} refuses the PIN ({reason}); next: correct the PIN, it is not tried again because tokens lock \
         themselves"
    )]
    Pin {
        /// The token's label.
        token: String,
        /// What it says.
        reason: String,
    },
    /// Where the PIN should come from.
    #[error(transparent)]
    NoPin(#[from] PassphraseError),
    /// No such key in it, or several.
    #[error("token {token} holds {count} private keys {label}; next: look at its labels, or give the key's id")]
    Key {
        /// The token's label.
        token: String,
        /// The key's label.
        label: String,
        /// How many there are.
        count: usize,
    },
    /// Another key than the key file's.
    #[error("the key {label} of token {token} is not the one of the key file; next: fengni key new --existing")]
    Other {
        /// The token's label.
        token: String,
        /// The key's label.
        label: String,
    },
    /// No public half of a kind that the ledger takes.
    #[error("the key {label} of token {token} shows no public half for ed25519 or P-256; next: make a key in it")]
    Public {
        /// The token's label.
        token: String,
        /// The key's label.
        label: String,
    },
    /// Any other answer, after a second attempt in a new session.
    #[error("token {token}: {reason}; next: look whether it is plugged in, unlocked and reachable, and at its own log")]
    Failed {
        /// The token's label.
        token: String,
        /// What it says.
        reason: String,
    },
}

/// The libraries loaded: each once a process, and for good.
static MODULES: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

impl TokenKey {
    /// The same key with paths seen from a folder.
    pub(crate) fn seen_from(&self, folder: &Path) -> Self {
        Self { pin: self.pin.seen_from(folder), ..self.clone() }
    }

    /// The public half of the key that stands in the token.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn find(&self) -> Result<PublicKey, TokenError> {
        let session = self.log_in(&self.pin()?, false)?;
        self.private(&session)?;
        self.public(&session)?.ok_or_else(|| self.no_public())
    }

    /// Makes a new key in the token, which never leaves it.
    ///
    /// # Errors
    /// [`TokenError`]; in particular [`TokenError::Key`] where there is one of this label.
    pub fn make(&self, algorithm: KeyAlgorithm) -> Result<PublicKey, TokenError> {
        let session = self.log_in(&self.pin()?, true)?;
        let there =
            session.find_objects(&self.named(ObjectClass::PRIVATE_KEY)?).map_err(|error| self.failed(&error))?;
        if !there.is_empty() {
            return Err(self.not_one(there.len()));
        }
        let (mechanism, curve) = match algorithm {
            KeyAlgorithm::P256 => (Mechanism::EccKeyPairGen, P256),
            _ => (Mechanism::EccEdwardsKeyPairGen, EDWARDS),
        };
        let mut names = self.named(ObjectClass::PRIVATE_KEY)?;
        names.remove(0);
        let with = |more: &[Attribute]| [names.as_slice(), more].concat();
        let public = [
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Verify(true),
            Attribute::EcParams(curve.to_vec()),
        ];
        let private = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ];
        session.generate_key_pair(&mechanism, &with(&public), &with(&private)).map_err(|error| self.failed(&error))?;
        self.public(&session)?.ok_or_else(|| self.no_public())
    }

    fn pin(&self) -> Result<Passphrase, TokenError> {
        Ok(self.pin.read(&format!("PIN of token {}", self.token))?)
    }

    /// What finds the key: its class first, then its names.
    fn named(&self, class: ObjectClass) -> Result<Vec<Attribute>, TokenError> {
        let mut wanted = vec![Attribute::Class(class), Attribute::Label(self.label.as_bytes().to_vec())];
        if let Some(id) = &self.id {
            let id = hex::decode(id).map_err(|_| self.reason("the key's id is not hexadecimal digits"))?;
            wanted.push(Attribute::Id(id));
        }
        Ok(wanted)
    }

    fn module(&self) -> Result<Pkcs11, TokenError> {
        let wrong =
            |error: CryptokiError| TokenError::Module { module: self.module.clone(), reason: error.to_string() };
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        let module = match modules.get(&self.module) {
            Some(module) => module.clone(),
            None => {
                let module = Pkcs11::new(&self.module).map_err(wrong)?;
                modules.entry(self.module.clone()).or_insert(module).clone()
            }
        };
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(CryptokiError::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(module),
            Err(error) => Err(wrong(error)),
        }
    }

    fn slot(&self, module: &Pkcs11) -> Result<Slot, TokenError> {
        let slots = module.get_slots_with_token().map_err(|error| self.failed(&error))?;
        let is_it = |slot: &Slot| module.get_token_info(*slot).is_ok_and(|info| info.label() == self.token);
        let missing = || TokenError::Missing { token: self.token.clone(), module: self.module.clone() };
        slots.into_iter().find(is_it).ok_or_else(missing)
    }

    /// A session; `writes` where a key is to be made.
    fn log_in(&self, pin: &Passphrase, writes: bool) -> Result<Session, TokenError> {
        let module = self.module()?;
        let slot = self.slot(&module)?;
        let session = if writes { module.open_rw_session(slot) } else { module.open_ro_session(slot) };
        let session = session.map_err(|error| self.failed(&error))?;
        match session.login(UserType::User, Some(&AuthPin::new(pin.text().into()))) {
            // A token is logged in to once for all sessions of a process.
            Ok(()) | Err(CryptokiError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(CryptokiError::Pkcs11(
                refused @ (RvError::PinIncorrect
                | RvError::PinInvalid
                | RvError::PinLenRange
                | RvError::PinExpired
                | RvError::PinLocked),
                _,
            )) => Err(TokenError::Pin { token: self.token.clone(), reason: format!("{refused:?}") }),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn private(&self, session: &Session) -> Result<ObjectHandle, TokenError> {
        let found =
            session.find_objects(&self.named(ObjectClass::PRIVATE_KEY)?).map_err(|error| self.failed(&error))?;
        match found.as_slice() {
            [one] => Ok(*one),
            other => Err(self.not_one(other.len())),
        }
    }

    /// The public half beside the private one, where the token shows it.
    fn public(&self, session: &Session) -> Result<Option<PublicKey>, TokenError> {
        let failed = |error: CryptokiError| self.failed(&error);
        let found = session.find_objects(&self.named(ObjectClass::PUBLIC_KEY)?).map_err(failed)?;
        let [one] = found.as_slice() else { return Ok(None) };
        let wanted = [AttributeType::KeyType, AttributeType::EcPoint];
        let (mut kind, mut point) = (None, None);
        for attribute in session.get_attributes(*one, &wanted).map_err(failed)? {
            match attribute {
                Attribute::KeyType(it) => kind = Some(it),
                Attribute::EcPoint(it) => point = Some(it),
                _ => (),
            }
        }
        Ok(kind.zip(point).and_then(|(kind, point)| public_key(kind, &point)))
    }

    fn not_one(&self, count: usize) -> TokenError {
        TokenError::Key { token: self.token.clone(), label: self.label.clone(), count }
    }

    fn no_public(&self) -> TokenError {
        TokenError::Public { token: self.token.clone(), label: self.label.clone() }
    }

    fn failed(&self, error: &CryptokiError) -> TokenError {
        self.reason(&error.to_string())
    }

    fn reason(&self, reason: &str) -> TokenError {
        TokenError::Failed { token: self.token.clone(), reason: reason.to_owned() }
    }
}

/// The public key of an EC point: makers write it bare or as DER, of either string type.
fn public_key(kind: KeyType, point: &[u8]) -> Option<PublicKey> {
    match kind {
        KeyType::EC_EDWARDS => {
            let bare = match point {
                [0x04, 0x20, rest @ ..] | [0x03, 0x21, 0x00, rest @ ..] if rest.len() == 32 => rest,
                other => other,
            };
            PublicKey::new(KeyAlgorithm::Ed25519, bare).ok()
        }
        KeyType::EC => {
            let bare = match point {
                [0x04, 0x41, rest @ ..] if rest.len() == 65 => rest,
                other => other,
            };
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(bare).ok()?;
            PublicKey::new(KeyAlgorithm::P256, key.to_sec1_point(true).as_bytes()).ok()
        }
        _ => None,
    }
}

/// A key in a token, logged in to.
pub struct Token {
    key: TokenKey,
    public: PublicKey,
    pin: Passphrase,
    state: Mutex<State>,
}

struct State {
    open: Option<(Session, ObjectHandle)>,
    pin_refused: Option<String>,
}

impl Token {
    /// Logs in to a token and finds the key of a public half.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn open(key: &TokenKey, public: PublicKey) -> Result<Self, TokenError> {
        let pin = key.pin()?;
        let token = Self { key: key.clone(), public, pin, state: Mutex::new(State { open: None, pin_refused: None }) };
        let session = token.enter(&mut token.state())?;
        token.state().open = Some(session);
        Ok(token)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session with the key in it.
    fn enter(&self, state: &mut State) -> Result<(Session, ObjectHandle), TokenError> {
        if let Some(reason) = &state.pin_refused {
            return Err(TokenError::Pin { token: self.key.token.clone(), reason: reason.clone() });
        }
        let entered = self.key.log_in(&self.pin, false).and_then(|session| {
            let handle = self.key.private(&session)?;
            // Where the token shows no public half, every signature tells.
            if self.key.public(&session)?.is_some_and(|found| found != self.public) {
                let TokenKey { token, label, .. } = self.key.clone();
                return Err(TokenError::Other { token, label });
            }
            Ok((session, handle))
        });
        if let Err(TokenError::Pin { reason, .. }) = &entered {
            state.pin_refused = Some(reason.clone());
        }
        entered
    }

    /// The 64 bytes that the token gives.
    fn raw(&self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        let digest = Sha256::digest(message);
        let (mechanism, data) = match self.public.algorithm() {
            KeyAlgorithm::P256 => (Mechanism::Ecdsa, digest.as_slice()),
            _ => (Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)), message),
        };
        let mut state = self.state();
        if let Some((session, key)) = state.open.take()
            && let Ok(raw) = session.sign(&mechanism, key, data)
        {
            state.open = Some((session, key));
            return Ok(raw);
        }
        let (session, key) = self.enter(&mut state)?;
        let raw = session.sign(&mechanism, key, data).map_err(|error| self.key.failed(&error))?;
        state.open = Some((session, key));
        Ok(raw)
    }
}

impl Signer for Token {
    fn public(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let raw = self.raw(message)?;
        let algorithm = self.public.algorithm();
        let low = match algorithm {
            KeyAlgorithm::P256 => p256::ecdsa::Signature::from_slice(&raw).ok().map(|it| it.normalize_s().to_vec()),
            _ => Some(raw),
        };
        let signature = low.and_then(|raw| Signature::new(algorithm, &raw).ok());
        let verified = signature.filter(|signature| self.public.verify(message, signature));
        verified.ok_or(SignError::Unverified { key: Box::new(self.public) })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} of {}, {})", self.key.label, self.key.token, self.public)
    }
}
