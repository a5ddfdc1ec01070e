//! The scene of these tests: 林晓禾 grants the housing department two questions about her insured
//! months (J6), and the human resources department is asked.

use fengni_core::book::{Book, ListHead, Subject};
use fengni_core::certificate::{CertificateFile, ClaimValue};
use fengni_core::id::{CreditCode, Division};
use fengni_core::record::*;
use fengni_core::sharing::*;
use fengni_core::*;

use crate::common::domain;
use crate::sample::{self, certificate, day, facts, key};
use crate::world::{LICENCES, TestBook, World};

pub const YHR: MemberNumber = MemberNumber(4);
pub const HRS: MemberNumber = MemberNumber(6);
pub const HOUSING: PurposeCode = PurposeCode(4);
pub const MONTHS: ResourceNumber = ResourceNumber(2);
pub const GRANTS: BookNumber = BookNumber(2);
pub const ITEM: &str = "11339900XN0200022E4000";
pub const CASE: &str = "YS20260309000317";
pub const SUBJECT: &str = "319901199003070029";
/// 2026-03-09T10:00:00+08:00.
pub const NOW: Millis = Millis(1_773_021_600_000);
/// Place of 证号 in the licence.
pub const NUMBER: u16 = 3;

pub fn holder() -> SecretKey {
    key(KeyAlgorithm::P256, 31)
}

pub fn application(member: MemberNumber) -> SecretKey {
    key(KeyAlgorithm::Ed25519, 100 + member.0 as u8)
}

pub fn value(text: &str) -> ClaimValue {
    ClaimValue::new(text).expect("a short text")
}

/// Everything that judging looks at. Tests change one thing.
#[derive(Clone)]
pub struct Scene {
    pub access: AccessTerms,
    /// Who signs the access.
    pub signer: SecretKey,
    pub question: usize,
    pub provider: MemberNumber,
    pub now: Millis,
    pub is_fresh: bool,
    pub requester: Option<Member>,
    pub request: Option<(Request, Resource, ServiceItem)>,
    pub line: Option<GrantLine>,
    pub person: Option<Person>,
    pub used: u32,
}

pub fn member(number: MemberNumber) -> Member {
    let key = |purpose, secret: SecretKey| MemberKey { purpose, key: secret.public(), from: Height(1), until: None };
    Member {
        version: 1,
        code: CreditCode::parse("11339900XN0200022E").expect("a code"),
        name: "云山省住房和城乡建设厅".into(),
        division: Division::parse("3399").expect("a division"),
        superior: None,
        roles: Roles::of(&[Role::Requester]),
        power: 0,
        status: MemberStatus::Active,
        keys: vec![
            key(KeyPurpose::Admin, sample::key(KeyAlgorithm::Ed25519, 20)),
            key(KeyPurpose::Application, application(number)),
        ],
        authorities: vec![],
        agreements: vec![],
        terminal_acts: (Day(0), 0),
    }
}

pub fn resource() -> Resource {
    let field = |name: &str, sensitive| Field { name: name.into(), sensitive };
    Resource {
        version: 2,
        provider: HRS,
        terms: ResourceTerms {
            name: "参保月数核验".into(),
            subject: DataSubject::Person,
            fields: vec![field("参保月数", false), field("参保地", false), field("待遇状态", true)],
            sharing: Sharing::Conditional,
            conditions: "仅限住房补贴".into(),
            basis: "示例条例第九条".into(),
            frequency: "每日".into(),
            modes: vec![Mode::Verify, Mode::Query, Mode::Batch],
            level: DataLevel::General,
        },
        replaces: None,
        proposed: Height(900),
        status: ResourceStatus::Published { by: MemberNumber(0), height: Height(905) },
    }
}

fn item() -> ServiceItem {
    ServiceItem {
        version: 1,
        department: YHR,
        terms: ItemTerms { code: ITEM.into(), name: "住房补贴申领".into(), purpose: HOUSING, needs: vec![] },
        replaces: None,
        put: Height(910),
        status: ItemStatus::Current,
    }
}

fn request() -> Request {
    Request {
        version: 3,
        requester: YHR,
        terms: RequestTerms {
            resource: MONTHS,
            item: ItemNumber(1),
            basis: AccessBasis::Authorisation,
            law: "示例条例第九条".into(),
            fields: vec![0, 1, 2],
            modes: vec![Mode::Verify, Mode::Query, Mode::Batch],
            population: "申请人".into(),
            frequency: "每件一次".into(),
            measures: "专网".into(),
            from: day("2026-03-06"),
            until: day("2026-12-31"),
        },
        amends: None,
        filed: Height(1000),
        filed_on: day("2026-03-02"),
        answer: Clock { due: Some(day("2026-03-16")), done: Some(day("2026-03-05")) },
        extension: None,
        provision: Clock { due: Some(day("2026-04-02")), done: Some(day("2026-03-06")) },
        ground: None,
        refused_by: String::new(),
        status: RequestStatus::Provisioned,
    }
}

pub fn grant_terms() -> GrantTerms {
    let of = |fields, mode| Granted::Resource { resource: MONTHS, fields, mode };
    GrantTerms {
        grantee: YHR,
        contact: "云山省住房和城乡建设厅 0990-1234567".into(),
        purpose: HOUSING,
        item: ITEM.into(),
        case: Some(CASE.into()),
        method: "逐件核验，不留存".into(),
        kinds: vec![
            GrantedKind { what: Granted::Showing { certificate_type: TypeNumber(0) }, uses: 1 },
            GrantedKind { what: of(vec![0, 2], Mode::Verify), uses: 3 },
            GrantedKind { what: of(vec![0], Mode::Batch), uses: 1 },
        ],
        from: Millis(NOW.0 - 3_600_000),
        until: Millis(NOW.0 + 31 * 86_400_000),
        separate_consent: true,
        holder: holder().public(),
        salt: [0x5a; 32],
    }
}

/// The licence on a small register, whose book of grants is still empty.
pub fn register() -> (World, CertificateFile) {
    let mut world = World::new(domain());
    let content = certificate(&domain(), &sample::LICENCE, facts("20260302000000000001", &holder()), 9);
    world.seal_all(LICENCES, &sample::filler(&domain(), 5));
    let file = world.issue(LICENCES, content);
    let empty = ListHead { size: 0, digest: Digest::default() };
    let record = Book { subject: Subject::Grants, keeper: YHR, pages: empty, ..world.books[0].record.clone() };
    world.books.push(TestBook { record, lines: vec![], seals: vec![], acts: vec![], pages: vec![], heads: vec![] });
    world.seal_all(GRANTS, &sample::filler(&domain(), 2));
    world.time = NOW;
    (world, file)
}

pub fn grant_file(terms: GrantTerms) -> GrantFile {
    let (_, file) = register();
    let content = GrantContent::new(terms).expect("a whole notice");
    let secret = Secret([0x5e; 32]);
    GrantFile {
        network: domain().network,
        place: LinePlace { book: GRANTS, line: LineNumber(2) },
        signature: content.sign(&domain(), &secret.withdrawal(&domain()), &holder()),
        content,
        identity: Identity::of(&domain(), &file, &[NUMBER]).expect("the file has the claim"),
        secret,
    }
}

pub fn use_terms() -> UseTerms {
    let (_, file) = register();
    UseTerms {
        grantee: YHR,
        resource: MONTHS,
        fields: vec![0, 2],
        mode: Mode::Verify,
        item: ITEM.into(),
        case: CASE.into(),
        purpose: HOUSING,
        certificate: file.place,
        issued_secs: NOW.secs() - 20,
        lifetime_secs: 120,
        nonce: [0x11; 16],
        holder: holder().public(),
    }
}

pub fn use_code(terms: UseTerms) -> Warrant {
    let (_, file) = register();
    let code = terms.sign(&domain(), &holder()).expect("right terms");
    let identity = Identity::of(&domain(), &file, &[NUMBER]).expect("the file has the claim");
    Warrant::UseCode { code: Box::new(code), identity: Box::new(identity) }
}

pub fn granted(terms: GrantTerms) -> Warrant {
    Warrant::Grant(Box::new(grant_file(terms).present(&domain())))
}

pub fn line_of(warrant: &Warrant) -> Option<GrantLine> {
    let Warrant::Grant(grant) = warrant else { return None };
    let (line, opener) = (grant_line(&domain(), grant.commitment(&domain())), grant.content.terms().grantee);
    Some(GrantLine { line, opener, is_withdrawn: false, is_suspended: false })
}

pub fn person() -> Person {
    let (world, file) = register();
    let proven = world.prove(&[file.place]).verify(&domain(), &world.validators()).expect("a proof");
    let identity = Identity::of(&domain(), &file, &[NUMBER]).expect("the file has the claim");
    identity.open(&domain(), &proven, Some(&naming()), NOW).expect("in force")
}

/// A licence's holder is named by this claim.
pub fn naming_code(label: &str) -> Code {
    Code { code: "11100000XN0000012G001".into(), name: label.into() }
}

pub fn naming() -> CodeSet {
    CodeSet { version: 1, name: NAMING.into(), codes: vec![naming_code("证号")] }
}

fn test(field: u16, is: Comparison, text: &str) -> Test {
    Test { field, is, value: value(text) }
}

pub fn question(warrant: Warrant) -> Question {
    Question { subject: value(SUBJECT), tests: vec![test(0, Comparison::AtLeast, "36")], warrant }
}

impl Scene {
    /// 核验 of at least 36 months, by the grant's second kind.
    pub fn new() -> Self {
        let warrant = granted(grant_terms());
        let line = line_of(&warrant);
        Self {
            access: AccessTerms {
                provider: HRS,
                requester: YHR,
                key: KeyNumber(1),
                request: RequestNumber(7),
                basis: AccessBasis::Authorisation,
                item: ITEM.into(),
                case: CASE.into(),
                purpose: HOUSING,
                mode: Mode::Verify,
                fields: vec![0],
                questions: vec![question(warrant)],
                operator: [0x0b; 16],
                reply_key: [0x2e; 32],
                nonce: [0x4c; 16],
                time: Millis(NOW.0 - 1_000),
            },
            signer: application(YHR),
            question: 0,
            provider: HRS,
            now: NOW,
            is_fresh: true,
            requester: Some(member(YHR)),
            request: Some((request(), resource(), item())),
            line,
            person: Some(person()),
            used: 0,
        }
    }

    /// The same by a use code.
    pub fn with_code() -> Self {
        let mut scene = Self::new();
        scene.access.questions[0].warrant = use_code(use_terms());
        scene.line = None;
        scene
    }

    /// The same by a duty.
    pub fn by_function() -> Self {
        let mut scene = Self::new();
        scene.access.basis = AccessBasis::Function;
        scene.access.questions[0].warrant = Warrant::None;
        scene.cited().0.terms.basis = AccessBasis::Function;
        (scene.line, scene.person) = (None, None);
        scene
    }

    /// Puts another grant in, with its line.
    pub fn grant(&mut self, change: impl FnOnce(&mut GrantTerms)) {
        let mut terms = grant_terms();
        change(&mut terms);
        let warrant = granted(terms);
        self.line = line_of(&warrant);
        self.access.questions[0].warrant = warrant;
    }

    /// Puts another use code in.
    pub fn code(&mut self, change: impl FnOnce(&mut UseTerms)) {
        let mut terms = use_terms();
        change(&mut terms);
        self.access.questions[0].warrant = use_code(terms);
    }

    /// The grant in hand.
    pub fn presented(&mut self) -> &mut PresentedGrant {
        match &mut self.access.questions[0].warrant {
            Warrant::Grant(grant) => grant,
            _ => panic!("no grant in this scene"),
        }
    }

    pub fn cited(&mut self) -> &mut (Request, Resource, ServiceItem) {
        self.request.as_mut().expect("a request")
    }

    pub fn signed(&self) -> SignedAccess {
        Access::new(self.access.clone()).expect("an access").sign(&domain(), &self.signer)
    }

    /// What becomes of it: what is counted and the number of this use, or the refusal.
    pub fn outcome(&self) -> Result<Option<(Counter, u32)>, AccessRefusal> {
        let request = self.request.as_ref();
        let known = Known {
            domain: domain(),
            provider: self.provider,
            now: self.now,
            height: Height(1300),
            is_fresh: self.is_fresh,
            requester: self.requester.as_ref(),
            request: request.map(|(request, resource, item)| CitedRequest { request, resource, item }),
        };
        let holder = Holder { line: self.line.as_ref(), person: self.person.as_ref() };
        let counter = judge(&self.signed(), self.question, &known, &holder)?;
        counter.map(|counter| Ok((counter, counter.next(self.used)?))).transpose()
    }
}
