//! What stands on the ledger before anybody asks, put there at once: a resource, an item, a request by duty
//! and one by grant, and holders with their grants.

use fengni_client::keys::{HeldKey, Passphrases};
use fengni_core::book::Subject;
use fengni_core::certificate::{CertificateFile, ClaimValue, fill_derived};
use fengni_core::operation::{Operation, RequestDecision, ResourceDecision};
use fengni_core::outcome::Effect;
use fengni_core::record::{
    AccessBasis, DataLevel, DataSubject, Field, ItemTerms, Mode, RequestTerms, ResourceTerms, Schema, Sharing,
};
use fengni_core::sharing::{
    Access, AccessTerms, Comparison, GrantContent, GrantFile, GrantTerms, Granted, GrantedKind, Identity,
    MemberSignature, Question, Receipt, Secret, SignedAccess, Test, Warrant,
};
use fengni_core::{
    BookNumber, Day, Domain, ItemNumber, KeyAlgorithm, LineNumber, LinePlace, MemberNumber, Millis, PurposeCode,
    RequestNumber, ResourceNumber, SecretKey,
};
use fengni_genesis::{Genesis, sample};

use super::papers::CASE;
use crate::actors::{Actor, Paper, holder_key, issued, purpose_code, random};
use crate::network::Network;

/// The resource: 参保月数核验.
pub const RESOURCE: ResourceNumber = ResourceNumber(0);
/// The request on the basis *function*.
pub const REQUEST_BY_DUTY: RequestNumber = RequestNumber(0);
/// The request on the basis *authorisation*.
pub const REQUEST_BY_GRANT: RequestNumber = RequestNumber(1);
/// The resource in a gateway's configuration: `insured(id_number, months)`.
pub const TABLE: &str = "[resources.0]\ntable = \"insured\"\nsubject = \"id_number\"\n\
     fields = [{ column = \"months\", kind = \"number\" }]\n";

const ITEM: &str = "11339900XN0200022E400011";
/// Months that are asked for: who has fewer gets no subsidy.
const MONTHS: &str = "36";
const HOUR_MILLIS: u64 = 3_600_000;

/// What stands on the ledger, and how YHD asks.
pub struct Stage {
    /// The network and its rules.
    pub domain: Domain,
    /// HRS's book of receipts.
    pub receipts: BookNumber,
    purpose: PurposeCode,
    key: HeldKey,
}

/// Somebody whose data is asked for.
pub struct Holder {
    /// Signs for them.
    pub key: SecretKey,
    /// Their number (证件号码), as the data has it.
    pub subject: ClaimValue,
    /// What they granted.
    pub grant: GrantFile,
}

impl Stage {
    /// Sets it on a network.
    ///
    /// # Panics
    /// When the ledger refuses any of it.
    pub fn set(network: &Network) -> Self {
        let genesis = network.genesis();
        let purpose = purpose_code("住房补贴");
        let mut hrs = network.actor("hrs", "admin", 1, "hrs");
        let mut gov = network.actor("gov", "admin", 1, "gov");
        let mut yhd = network.actor("yhd", "admin", 1, "hrs");
        hrs.done(Operation::ProposeResource { terms: Box::new(resource()), replaces: None });
        let ground = gov.ground(201);
        gov.done(Operation::DecideResource { resource: RESOURCE, decision: ResourceDecision::Publish, ground });
        let item = ItemTerms { code: ITEM.into(), name: "住房补贴申领".into(), purpose, needs: vec![] };
        yhd.done(Operation::PutItem { terms: Box::new(item), replaces: None });
        for (number, basis) in
            [(REQUEST_BY_DUTY, AccessBasis::Function), (REQUEST_BY_GRANT, AccessBasis::Authorisation)]
        {
            let terms = Box::new(request(basis, Day::of(network.now())));
            yhd.done(Operation::FileRequest { terms, amends: None });
            for decision in [RequestDecision::Agree, RequestDecision::Provision] {
                let ground = hrs.ground(201);
                hrs.done(Operation::DecideRequest { request: number, decision, ground });
            }
        }
        let receipts = book_of(&mut network.actor("hrs", "application", 1, "hrs"), Subject::Receipts, &genesis);
        let key = network.home().join("members/yhd/keys/application-a.json");
        let key = HeldKey::load(&key, &Passphrases::asked()).expect("sample wrote it");
        Self { domain: genesis.domain(), receipts, purpose, key }
    }

    /// People with a licence each, and a grant to YHD of so many uses: one seal of each.
    ///
    /// # Panics
    /// When the ledger refuses them.
    pub fn holders(&self, network: &Network, uses: &[u32]) -> Vec<Holder> {
        let genesis = network.genesis();
        let keys: Vec<SecretKey> = uses.iter().map(|_| holder_key(KeyAlgorithm::P256)).collect();
        let mut licences: Vec<CertificateFile> =
            (0..).zip(&keys).map(|(index, key)| licence(index, &genesis, key)).collect();
        let mut psb = network.actor("psb", "issuing", 1, "psb");
        let book = psb.open_book("T-DL", &genesis);
        psb.seal(book, &mut licences);

        let names = naming(&genesis);
        let mut yhd = network.actor("yhd", "application", 1, "hrs");
        let book = book_of(&mut yhd, Subject::Grants, &genesis);
        let contents: Vec<(GrantContent, Secret)> = keys
            .iter()
            .zip(uses)
            .map(|(key, uses)| (self.granted(network.now(), *uses, key), Secret(random())))
            .collect();
        let lines = contents
            .iter()
            .map(|(content, secret)| content.line(&self.domain, &secret.withdrawal(&self.domain)))
            .collect();
        let Effect::Sealed { first, .. } = yhd.done(Operation::Seal { book, lines }) else { panic!("another effect") };
        let holders = keys.into_iter().zip(licences).zip(contents).zip(first.0..);
        holders
            .map(|(((key, licence), (content, secret)), line)| Holder {
                subject: licence.certificate.claims()[usize::from(names)].value.clone().expect("it names its holder"),
                grant: GrantFile {
                    network: self.domain.network,
                    place: LinePlace { book, line: LineNumber(line) },
                    signature: content.sign(&self.domain, &secret.withdrawal(&self.domain), &key),
                    content,
                    identity: Identity::of(&self.domain, &licence, &[names]).expect("the licence has the claim"),
                    secret,
                },
                key,
            })
            .collect()
    }

    fn granted(&self, now: Millis, uses: u32, holder: &SecretKey) -> GrantContent {
        let what = Granted::Resource { resource: RESOURCE, fields: vec![0], mode: Mode::Verify };
        let terms = GrantTerms {
            grantee: member("YHD"),
            contact: "云山省住房和城乡建设厅 12345".into(),
            purpose: self.purpose,
            item: ITEM.into(),
            case: None,
            method: "逐件核验,不留存".into(),
            kinds: vec![GrantedKind { what, uses }],
            from: Millis(now.0 - 60_000),
            until: Millis(now.0 + HOUR_MILLIS),
            separate_consent: false,
            holder: holder.public(),
            salt: random(),
        };
        GrantContent::new(terms).expect("a whole notice")
    }

    /// Whether somebody was insured for three years (核验), to be signed and asked.
    ///
    /// - `basis`: by duty without the holder's grant, else with it.
    /// - `reply_key`: what the answer is sealed to.
    pub fn access(&self, holder: &Holder, basis: AccessBasis, reply_key: [u8; 32], time: Millis) -> AccessTerms {
        let (request, warrant) = if basis.needs_grant() {
            (REQUEST_BY_GRANT, Warrant::Grant(Box::new(holder.grant.present(&self.domain))))
        } else {
            (REQUEST_BY_DUTY, Warrant::None)
        };
        let test = Test { field: 0, is: Comparison::AtLeast, value: ClaimValue::new(MONTHS).expect("short") };
        AccessTerms {
            provider: member("HRS"),
            requester: member("YHD"),
            key: self.key.number,
            request,
            basis,
            item: ITEM.into(),
            case: CASE.into(),
            purpose: self.purpose,
            mode: Mode::Verify,
            fields: vec![0],
            questions: vec![Question { subject: holder.subject.clone(), tests: vec![test], warrant }],
            operator: [1; 16],
            reply_key,
            nonce: random(),
            time,
        }
    }

    /// An access with YHD's signature.
    ///
    /// # Panics
    /// When it is no access.
    pub fn sign(&self, terms: AccessTerms) -> SignedAccess {
        let access = Access::new(terms).expect("an access");
        let signature = self.key.sign(&access.message(&self.domain)).expect("a key in a file");
        SignedAccess { access, signature }
    }

    /// YHD's signature over a receipt.
    ///
    /// # Panics
    /// Never: the key is in a file.
    pub fn countersign(&self, receipt: &Receipt) -> MemberSignature {
        let signature = self.key.sign(&receipt.taken_message(&self.domain)).expect("a key in a file");
        MemberSignature { key: self.key.number, signature }
    }
}

fn member(key: &str) -> MemberNumber {
    sample::member(key).expect("a sample member")
}

/// Opens a member's book for its own region.
pub(super) fn book_of(actor: &mut Actor, subject: Subject, genesis: &Genesis) -> BookNumber {
    let division = genesis.members[actor.signers.member().0 as usize].division;
    match actor.done(Operation::OpenBook { subject, division }) {
        Effect::BookOpened { book } => book,
        other => panic!("another effect: {other:?}"),
    }
}

/// What a licence says.
fn licence_schema(genesis: &Genesis) -> &Schema {
    let kind = sample::certificate_type("T-DL").expect("a sample type");
    genesis.types[kind.0 as usize].schema(1).expect("a first schema")
}

/// The place of the claim that names the holder of a licence.
fn naming(genesis: &Genesis) -> u16 {
    let schema = licence_schema(genesis);
    let place = schema.claims.iter().position(|claim| claim.label == "证件号码").expect("it names its holder");
    u16::try_from(place).expect("few claims")
}

/// The licence of somebody of the sample's many, with a claim each for their own.
fn licence(index: u64, genesis: &Genesis, holder: &SecretKey) -> CertificateFile {
    let schema = licence_schema(genesis);
    let row = sample::licence(index);
    let value = |label: &str| row.claims.iter().find(|(of, _)| *of == label).map(|(_, value)| value);
    let values = schema.claims.iter().map(|claim| value(&claim.label).map(|it| ClaimValue::new(it).expect("short")));
    let mut values: Vec<Option<ClaimValue>> = values.collect();
    fill_derived(schema, issued(), &mut values).expect("the sources are dates");
    Paper::licence(index).certify_with(issued(), values, genesis, &genesis.domain(), holder)
}

fn resource() -> ResourceTerms {
    ResourceTerms {
        name: "参保月数核验".into(),
        subject: DataSubject::Person,
        fields: vec![Field { name: "参保月数".into(), sensitive: false }],
        sharing: Sharing::Conditional,
        conditions: "仅限住房补贴".into(),
        basis: "示例条例第九条".into(),
        frequency: "每日".into(),
        modes: vec![Mode::Verify],
        level: DataLevel::General,
    }
}

fn request(basis: AccessBasis, today: Day) -> RequestTerms {
    RequestTerms {
        resource: RESOURCE,
        item: ItemNumber(0),
        basis,
        law: "示例条例第九条".into(),
        fields: vec![0],
        modes: vec![Mode::Verify],
        population: "申请人".into(),
        frequency: "每件一次".into(),
        measures: "专网".into(),
        from: Day(today.0 - 1),
        until: Day(today.0 + 30),
    }
}
