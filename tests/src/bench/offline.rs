//! Verification on one core: everything checked but the network, the header's quorum cached.

use std::time::Instant;

use fengni_core::book::Line;
use fengni_core::certificate::{Certificate, CertificateFile, Facts, Grade, PagePath, Salt};
use fengni_core::code::{Code, Terms};
use fengni_core::id::{CertificateId, Serial, Version};
use fengni_core::operation::Operation;
use fengni_core::proof::{Place, StateProof};
use fengni_core::verdict::VerdictCode;
use fengni_core::verify::{Context, Mode, Scene, verify_code, verify_code_in};
use fengni_core::{BookNumber, Day, Digest, KeyAlgorithm, LineNumber, LinePlace, Millis, SecretKey, tree};
use fengni_genesis::sample;
use fengni_state::{line_places, prove};

use super::register::{BLOCKS_SECS, Register};
use super::table::{Row, rate};

/// When the codes are shown, in seconds: five after the newest block.
const SHOWN_SECS: u64 = BLOCKS_SECS + 5;

/// Codes judged for one figure.
const CODES: usize = 20_000;
/// Different certificates among them.
const CERTIFICATES: usize = 1_000;

/// One full page of licences, and what is needed to show them.
pub(super) struct Licences {
    pub register: Register,
    files: Vec<CertificateFile>,
    holder: SecretKey,
}

/// Measures verification with both kinds of holder keys.
///
/// # Panics
/// When a code that should be valid is not: then the figure would mean nothing.
pub fn measure_verification() -> Vec<Row> {
    let mut rows = Vec::new();
    for (algorithm, name, aim) in
        [(KeyAlgorithm::Ed25519, "ed25519", "15,000/s"), (KeyAlgorithm::P256, "P-256", "4,000/s")]
    {
        let licences = Licences::new(algorithm);
        let domain = licences.register.domain;
        let codes = licences.codes();
        let context = licences.context();
        let proofs: Vec<Vec<u8>> = (0..CERTIFICATES).map(|place| licences.proof(place, false).encode()).collect();
        let lean: Vec<Vec<u8>> = (0..CERTIFICATES).map(|place| licences.proof(place, true).encode()).collect();
        let scene = {
            let proof = StateProof::decode(&proofs[0]).expect("our own proof");
            let proven = proof.verify_under_final_header(&domain).expect("our own proof");
            Scene::new(&proven, BookNumber(0), context.verifier).expect("our own proof")
        };
        let judged = |take: usize, with_scene: bool| {
            let begun = Instant::now();
            for number in 0..take {
                let place = number % CERTIFICATES;
                let code = Code::parse(&codes[place]).expect("our own code");
                let bytes = if with_scene { &lean[place] } else { &proofs[place] };
                let proof = StateProof::decode(bytes).expect("our own proof");
                let proven = proof.verify_under_final_header(&domain).expect("our own proof");
                let verdict = if with_scene {
                    verify_code_in(&scene, &code, &proven, &context)
                } else {
                    verify_code(&code, &proven, &context)
                };
                assert_eq!(verdict.code, VerdictCode::Valid, "{verdict:?}");
            }
            rate(take, begun.elapsed())
        };
        let cached = judged(CODES, true);
        let whole = judged(CODES / 10, false);
        rows.push(Row::new(
            format!("verify, {name} holder key, one core"),
            format!("{cached:.0}/s"),
            aim,
            "code text and proof decoded, path, standing, authority, recognition, holder signature; header and registries of the height cached",
        ));
        rows.push(Row::new(
            format!("verify, {name}, first code of a height"),
            format!("{whole:.0}/s"),
            "",
            "as above, with every registry record and its keys decoded and proven anew",
        ));
    }
    rows
}

impl Licences {
    pub fn new(algorithm: KeyAlgorithm) -> Self {
        let mut register = Register::founded();
        let holder = SecretKey::from_seed(algorithm, &[7; 32]).expect("a fixed seed that is a key");
        let record = register.state.certificate_type(register.kind).expect("the sample has it").clone();
        let schema = record.schema(1).expect("a type has a first schema");
        let issuer = register.genesis.members[register.issuer.0 as usize].code;
        let (domain, book) = (register.domain, BookNumber(0));
        let issued = Day::from_ymd(2026, 3, 2).expect("a real day");
        let until = Day::from_ymd(2032, 3, 1);
        let mut lines: Vec<Line> = Vec::new();
        let mut files = Vec::new();
        for number in 0..1024u64 {
            let serial = Serial::parse(&format!("20260302{number:012}")).expect("a serial");
            let facts = Facts {
                schema: 1,
                serial,
                version: Version::FIRST,
                issued,
                from: issued,
                until,
                grade: Grade::A,
                holder: holder.public(),
            };
            let values = sample::values(schema, issued);
            let salts: Vec<Salt> = (0..schema.claims.len()).map(|field| salt(number, field)).collect();
            let certificate = Certificate::new(&domain, schema, facts, values, &salts).expect("made by the rules");
            let identifier = CertificateId::new(record.code, issuer, serial, Version::FIRST);
            lines.push(certificate.header().line(&domain, &identifier));
            files.push(CertificateFile {
                network: domain.network,
                certificate_type: record.code,
                issuer,
                certificate,
                place: LinePlace { book, line: LineNumber(number) },
                path: PagePath::UNKNOWN,
            });
        }
        // As a wallet knows it once the page is full.
        let leaves: Vec<Digest> = lines.iter().map(|line| line.digest(&domain)).collect();
        for (file, place) in files.iter_mut().zip(0..) {
            let hashes = tree::path(domain.suite, &leaves, place).expect("a line of the page");
            file.path = PagePath { lines: 1024, hashes };
        }
        let seal = register.sign(Operation::Seal { book, lines }, [1; 16]);
        register.block(&(), vec![seal]);
        Self { register, files, holder }
    }

    /// The proof for one certificate; `lean` leaves out what a scene already holds.
    fn proof(&self, place: usize, lean: bool) -> StateProof {
        let place = self.files[place].place;
        let verifier = self.context().verifier;
        let Register { state, records, .. } = &self.register;
        let mut places = line_places(state, records, place, Some(verifier));
        if lean {
            places.retain(|place| !matches!(place, Place::Record(..)));
        }
        let (header, certificate) = self.register.last();
        prove(state, records, header, certificate, places).expect("it is there")
    }

    /// Codes as scanners give them.
    pub fn codes(&self) -> Vec<String> {
        let show = |(number, file): (u8, &CertificateFile)| {
            let terms = Terms {
                assertion: None,
                issued_secs: SHOWN_SECS,
                lifetime_secs: 120,
                nonce: [number; 8],
                purpose: self.context().purpose,
                challenge: None,
            };
            Code::show(&self.register.domain, file, &self.holder, &[0, 1], true, terms)
                .expect("an everyday code")
                .to_text()
        };
        (0..u8::MAX).cycle().zip(&self.files).map(show).collect()
    }

    /// An officer of the same province.
    pub fn context(&self) -> Context {
        Context {
            domain: self.register.domain,
            verifier: sample::member("GOV").expect("the sample has it"),
            purpose: sample::purpose("交通执法").expect("the sample has it"),
            now: Millis::from_secs(SHOWN_SECS + 5),
            checkpoint_age_secs: 60,
            min_grade: None,
            min_assurance: None,
            challenge: None,
            mode: Mode::Online,
        }
    }
}

/// A salt that is different for each certificate and field; a real issuer draws it at random.
fn salt(number: u64, field: usize) -> Salt {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&number.to_be_bytes());
    salt[8..].copy_from_slice(&(field as u64).to_be_bytes());
    Salt(salt)
}
