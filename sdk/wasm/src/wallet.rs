//! The wallet of the holder's demo page: certificates, their keys, and the codes they make.
//!
//! The key is in the page's memory, which no phone's wallet would do: it keeps keys in hardware.

use std::collections::BTreeMap;

use fengni_core::certificate::CertificateFile;
use fengni_core::code::{Code, CodeError, Terms, everyday};
use fengni_core::id::{CertificateId, TypeCode};
use fengni_core::record::{CertificateType, Record as _, Schema};
use fengni_core::sharing::GrantFile;
use fengni_core::{Domain, KeyAlgorithm, LinePlace, PublicKey, PurposeCode, SecretKey, Suite};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroizing;

use crate::answer::{self, Answer, digest, json, moment, thrown};

/// A certificate, as its holder sees it.
#[derive(Serialize)]
struct Held<'a> {
    identifier: String,
    place: LinePlace,
    certificate_type: Option<&'a str>,
    type_code: String,
    issuer: String,
    from: String,
    until: Option<String>,
    has_key: bool,
    lifetime_secs: Option<u32>,
    purposes: &'a [PurposeCode],
    fields: Vec<Field<'a>>,
}

#[derive(Serialize)]
struct Field<'a> {
    label: &'a str,
    value: Option<&'a str>,
    everyday: bool,
    sensitive: bool,
}

/// A code that was made.
#[derive(Serialize)]
struct Made {
    text: String,
    issued_secs: u64,
    expires_secs: u64,
    bytes: usize,
    with_path: bool,
}

/// A holder's certificates, keys and grants.
#[wasm_bindgen]
pub struct Wallet {
    pub(crate) domain: Domain,
    keys: Vec<SecretKey>,
    files: BTreeMap<CertificateId, CertificateFile>,
    types: BTreeMap<TypeCode, CertificateType>,
    pub(crate) grants: Vec<GrantFile>,
}

#[wasm_bindgen]
impl Wallet {
    /// An empty wallet for a network.
    ///
    /// # Errors
    /// Where the network's id is none.
    #[wasm_bindgen(constructor)]
    pub fn new(network: &str) -> Answer<Wallet> {
        let domain = Domain { suite: Suite::Standard, network: answer::network(network)? };
        Ok(Self { domain, keys: Vec::new(), files: BTreeMap::new(), types: BTreeMap::new(), grants: Vec::new() })
    }

    /// Takes in a certificate file.
    ///
    /// # Errors
    /// Where it is none, or of another network.
    pub fn add(&mut self, certificate: &[u8]) -> Answer<()> {
        let file = CertificateFile::decode(&self.domain, certificate).map_err(thrown)?;
        self.files.insert(file.identifier(), file);
        Ok(())
    }

    /// Takes in a holder's key: `ed25519` or `p256`, and the 64 hexadecimal digits of its seed.
    ///
    /// # Errors
    /// Where it is none. No message repeats a digit.
    #[wasm_bindgen(js_name = addKey)]
    pub fn add_key(&mut self, algorithm: &str, seed: &str) -> Answer<()> {
        let algorithm = match algorithm {
            "ed25519" => KeyAlgorithm::Ed25519,
            "p256" => KeyAlgorithm::P256,
            _ => return Err(thrown("unknown key algorithm")),
        };
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(seed, bytes.as_mut_slice()).map_err(|_| thrown("a seed has 64 hexadecimal digits"))?;
        let key = SecretKey::from_seed(algorithm, &bytes).ok_or_else(|| thrown("the seed is no key"))?;
        self.keys.push(key);
        Ok(())
    }

    /// Learns the fields of a type, from the encoding that a proof gives.
    ///
    /// # Errors
    /// Where it is no type's record.
    pub fn learn(&mut self, certificate_type: &[u8]) -> Answer<()> {
        let found = CertificateType::decode(certificate_type).map_err(thrown)?;
        self.types.insert(found.code, found);
        Ok(())
    }

    /// The certificates with their fields.
    pub fn list(&self) -> String {
        json(&self.files.values().map(|file| self.held(file)).collect::<Vec<_>>())
    }

    /// Makes a code (亮证).
    ///
    /// - `fields`: labels of what to disclose; those of the everyday code where there are none.
    /// - `lifetime_secs`: what the type allows, where it is left out.
    /// - `nonce`: 8 fresh random bytes.
    /// - `challenge`: hash of the verifier's challenge, if it answers one.
    ///
    /// # Errors
    /// Why no code can be made.
    #[allow(clippy::too_many_arguments)]
    pub fn show(
        &self,
        identifier: &str,
        fields: Option<Vec<String>>,
        purpose: u16,
        lifetime_secs: Option<u32>,
        nonce: &[u8],
        challenge: Option<String>,
        now: f64,
    ) -> Answer<String> {
        let file = self.file(identifier)?;
        let key = self.key_of(file)?;
        let (kind, schema) = self.known_schema(file)?;
        let disclose = fields.as_deref().map_or_else(|| everyday(schema), |labels| indexes(schema, labels));
        let terms = Terms {
            assertion: None,
            issued_secs: moment(now).secs(),
            lifetime_secs: lifetime_secs.unwrap_or(kind.code_lifetime_secs),
            nonce: nonce.try_into().map_err(|_| thrown("a nonce has 8 bytes"))?,
            purpose: PurposeCode(purpose),
            challenge: challenge.map(|hash| digest("a challenge's hash", &hash)).transpose()?,
        };
        let code = match Code::show(&self.domain, file, key, &disclose, true, terms) {
            // Where there is a network, the path can be left out.
            Err(CodeError::TooLarge { .. }) => Code::show(&self.domain, file, key, &disclose, false, terms),
            other => other,
        };
        let code = code.map_err(thrown)?;
        Ok(json(&Made {
            text: code.to_text(),
            issued_secs: code.terms.issued_secs,
            expires_secs: code.expires_secs(),
            bytes: code.encode().len(),
            with_path: code.shown.path.is_known(),
        }))
    }
}

impl Wallet {
    /// A certificate that the wallet holds.
    pub(crate) fn file(&self, identifier: &str) -> Answer<&CertificateFile> {
        let identifier = CertificateId::parse(identifier).map_err(thrown)?;
        self.files.get(&identifier).ok_or_else(|| thrown("the wallet holds no such certificate"))
    }

    /// The key in a certificate.
    pub(crate) fn key_of(&self, file: &CertificateFile) -> Answer<&SecretKey> {
        self.key(&holder(file)).ok_or_else(|| thrown("the wallet does not hold the certificate's key"))
    }

    /// A certificate's type, and the schema of its fields.
    pub(crate) fn known_schema(&self, file: &CertificateFile) -> Answer<(&CertificateType, &Schema)> {
        self.schema(file).ok_or_else(|| thrown("the fields of this type are not known yet"))
    }

    fn key(&self, public: &PublicKey) -> Option<&SecretKey> {
        self.keys.iter().find(|key| key.public() == *public)
    }

    fn schema(&self, file: &CertificateFile) -> Option<(&CertificateType, &Schema)> {
        let kind = self.types.get(&file.certificate_type)?;
        Some((kind, kind.schema(file.certificate.header().facts.schema)?))
    }

    fn held<'a>(&'a self, file: &'a CertificateFile) -> Held<'a> {
        let facts = &file.certificate.header().facts;
        let known = self.schema(file);
        let fields = known.iter().flat_map(|(_, schema)| schema.claims.iter().zip(file.certificate.claims()));
        Held {
            identifier: file.identifier().to_string(),
            place: file.place,
            certificate_type: known.map(|(kind, _)| kind.name.as_str()),
            type_code: file.certificate_type.to_string(),
            issuer: file.issuer.to_string(),
            from: facts.from.to_string(),
            until: facts.until.map(|day| day.to_string()),
            has_key: self.key(&facts.holder).is_some(),
            lifetime_secs: known.map(|(kind, _)| kind.code_lifetime_secs),
            purposes: known.map_or(&[], |(kind, _)| &kind.purposes),
            fields: fields
                .map(|(spec, claim)| Field {
                    label: &spec.label,
                    value: claim.value.as_ref().map(|value| value.as_str()),
                    everyday: spec.everyday,
                    sensitive: spec.sensitive,
                })
                .collect(),
        }
    }
}

fn holder(file: &CertificateFile) -> PublicKey {
    file.certificate.header().facts.holder
}

/// Rising numbers of the fields with these labels.
pub(crate) fn indexes(schema: &Schema, labels: &[String]) -> Vec<u16> {
    let named = (0u16..).zip(&schema.claims).filter(|(_, spec)| labels.contains(&spec.label));
    named.map(|(index, _)| index).collect()
}
