//! Verification on one core: everything checked but the network, the header's quorum cached.

use std::time::Instant;

use fengni_core::book::{Line, Subject};
use fengni_core::certificate::{Certificate, CertificateFile, ClaimValue, Facts, Grade, PagePath, Salt};
use fengni_core::code::{Code, Terms};
use fengni_core::id::{CertificateId, Serial, Version};
use fengni_core::operation::Operation;
use fengni_core::proof::{Place, StateProof};
use fengni_core::record::KeyPurpose;
use fengni_core::transaction::TransactionBody;
use fengni_core::verdict::VerdictCode;
use fengni_core::verify::{Context, Mode, Scene, verify_code, verify_code_in};
use fengni_core::{
    BookNumber, CommitCertificate, CommitSignature, Day, Domain, Header, Height, KeyAlgorithm, KeyNumber, LineNumber,
    LinePlace, MemberNumber, Millis, SecretKey, VoteStep, vote_bytes,
};
use fengni_genesis::{Genesis, sample};
use fengni_state::{MemoryRecords, Proposal, RecentIds, State, assemble, line_places, prove};

use super::table::{Row, rate};

const FOUNDED: Millis = Millis(1_767_196_800_000);
const NOW_SECS: u64 = 1_772_670_670;

/// Codes judged for one figure.
const CODES: usize = 20_000;
/// Different certificates among them.
const CERTIFICATES: usize = 1_000;

/// A register with one full page of licences, and what is needed to show them.
struct Register {
    domain: Domain,
    state: State,
    records: MemoryRecords,
    header: Header,
    certificate: CommitCertificate,
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
        let register = Register::new(algorithm);
        let codes = register.codes();
        let context = register.context();
        let proofs: Vec<Vec<u8>> = (0..CERTIFICATES).map(|place| register.proof(place, false).encode()).collect();
        let lean: Vec<Vec<u8>> = (0..CERTIFICATES).map(|place| register.proof(place, true).encode()).collect();
        let scene = {
            let proof = StateProof::decode(&proofs[0]).expect("our own proof");
            let proven = proof.verify_under_final_header(&register.domain).expect("our own proof");
            Scene::new(&proven, BookNumber(0), context.verifier).expect("our own proof")
        };
        let judged = |take: usize, with_scene: bool| {
            let begun = Instant::now();
            for number in 0..take {
                let place = number % CERTIFICATES;
                let code = Code::parse(&codes[place]).expect("our own code");
                let bytes = if with_scene { &lean[place] } else { &proofs[place] };
                let proof = StateProof::decode(bytes).expect("our own proof");
                let proven = proof.verify_under_final_header(&register.domain).expect("our own proof");
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

impl Register {
    fn new(algorithm: KeyAlgorithm) -> Self {
        let genesis = sample::network(FOUNDED, &sample::test_key).check().expect("the sample holds");
        let domain = genesis.domain();
        let mut state = State::found(domain, genesis.founding());
        let mut records = MemoryRecords::default();
        let psb = sample::member("PSB").expect("the sample has it");
        let kind = sample::certificate_type("T-DL").expect("the sample has it");
        let holder = SecretKey::from_seed(algorithm, &[7; 32]).expect("a fixed seed that is a key");
        let record = state.certificate_type(kind).expect("the sample has it").clone();
        let schema = record.schema(1).expect("a type has a first schema");
        let division = genesis.authorities.iter().find(|a| a.member == psb).expect("it may issue").division;
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
            let values = schema.claims.iter().map(|claim| ClaimValue::new(claim.label.clone()).ok()).collect();
            let salts: Vec<Salt> = (0..schema.claims.len()).map(|field| salt(number, field)).collect();
            let certificate = Certificate::new(&domain, schema, facts, values, &salts).expect("made by the rules");
            let issuer = genesis.members[psb.0 as usize].code;
            let identifier = CertificateId::new(record.code, issuer, serial, Version::FIRST);
            lines.push(certificate.header().line(&domain, &identifier));
            let place = LinePlace { book: BookNumber(0), line: LineNumber(number) };
            files.push(CertificateFile {
                network: domain.network,
                certificate_type: record.code,
                issuer,
                certificate,
                place,
                path: PagePath::UNKNOWN,
            });
        }
        let keys = issuing_keys(&genesis, psb);
        let signers: Vec<(KeyNumber, &SecretKey)> = keys.iter().map(|(number, key)| (*number, key)).collect();
        let mut recent = RecentIds::default();
        let mut parent: Option<(Header, CommitCertificate)> = None;
        for operation in [
            Operation::OpenBook { subject: Subject::Certificates { certificate_type: kind }, division },
            Operation::Seal { book: BookNumber(0), lines },
        ] {
            let valid_until = Height(100);
            let body = TransactionBody { network: domain.network, member: psb, valid_until, salt: [1; 16], operation };
            let bytes = fengni_core::bytes::Bytes(body.sign(&domain, &signers).encode());
            let proposal = Proposal {
                clock: Millis::from_secs(NOW_SECS - 5),
                proposer: MemberNumber(0),
                parent_certificate: parent.take().map(|(_, certificate)| certificate),
            };
            let (checked, applied) = assemble(&state, &records, &recent, &(), proposal, [bytes]);
            let decision = &applied.outcomes[0].decision;
            assert!(matches!(decision, fengni_core::outcome::Decision::Done(_)), "{decision:?}");
            records.write(&applied.writes);
            recent.push(checked.ids(), 10);
            let header = checked.block.header;
            parent = Some((header.clone(), certify(&state, &header)));
            state = applied.state;
        }
        let (header, certificate) = parent.expect("two blocks were made");
        Self { domain, state, records, header, certificate, files, holder }
    }

    /// The proof for one certificate; `lean` leaves out what a scene already holds.
    fn proof(&self, place: usize, lean: bool) -> StateProof {
        let place = self.files[place].place;
        let verifier = self.context().verifier;
        let mut places = line_places(&self.state, &self.records, place, Some(verifier));
        if lean {
            places.retain(|place| !matches!(place, Place::Record(..)));
        }
        prove(&self.state, &self.records, self.header.clone(), self.certificate.clone(), places).expect("it is there")
    }

    /// Codes as scanners give them.
    fn codes(&self) -> Vec<String> {
        let show = |(number, file): (u8, &CertificateFile)| {
            let terms = Terms {
                issued_secs: NOW_SECS,
                lifetime_secs: 120,
                nonce: [number; 8],
                purpose: self.context().purpose,
                challenge: None,
            };
            Code::show(&self.domain, file, &self.holder, &[0, 1], true, terms).expect("an everyday code").to_text()
        };
        (0..u8::MAX).cycle().zip(&self.files).map(show).collect()
    }

    /// An officer of the same province.
    fn context(&self) -> Context {
        Context {
            domain: self.domain,
            verifier: sample::member("GOV").expect("the sample has it"),
            purpose: sample::purpose("交通执法").expect("the sample has it"),
            now: Millis::from_secs(NOW_SECS + 5),
            checkpoint_age_secs: 60,
            min_grade: None,
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

fn issuing_keys(genesis: &Genesis, member: MemberNumber) -> Vec<(KeyNumber, SecretKey)> {
    let keys = &genesis.members[member.0 as usize].keys;
    let issuing = (0..).zip(keys).filter(|(_, key)| key.purpose == KeyPurpose::Issuing);
    issuing
        .zip(0..)
        .map(|((number, _), index)| (KeyNumber(number), sample::test_secret("PSB", KeyPurpose::Issuing, index)))
        .collect()
}

/// The precommits of all validators.
fn certify(state: &State, header: &Header) -> CommitCertificate {
    let domain = *state.domain();
    let (height, block) = (header.height, header.id(&domain));
    let validators = state.next_validators();
    let signatures = validators.iter().map(|validator| {
        let member = validator.member;
        let message = vote_bytes(&domain, VoteStep::Precommit, height, 0, Some(block), member);
        let name = ["GOV", "PSB", "AMR", "CIQ", "HRS"].into_iter().find(|name| sample::member(name) == Some(member));
        let key = sample::test_secret(name.expect("a sample validator"), KeyPurpose::Consensus, 0);
        CommitSignature { member, signature: key.sign(&message) }
    });
    CommitCertificate { height, round: 0, block, signatures: signatures.collect() }
}
