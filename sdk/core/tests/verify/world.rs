//! A tiny register, built by hand: its lists and paths come from [`NumberedList`] and nothing else,
//! so that a mistake of the state machine cannot hide here.

use std::collections::BTreeMap;

use fengni_core::block::Header;
use fengni_core::book::{Book, Line, ListHead, Seal, Subject, Suspension, SuspensionCause, page_root};
use fengni_core::bytes::Bytes;
use fengni_core::certificate::{Certificate, CertificateFile, Grade, PagePath};
use fengni_core::finality::{CommitCertificate, CommitSignature, Validator, ValidatorSet, VoteStep, vote_bytes};
use fengni_core::id::{CertificateId, CreditCode, Division, TypeCode};
use fengni_core::list::{ListKind, NumberedList};
use fengni_core::proof::{BookList, Entry, Place, ShelfHead, StateProof};
use fengni_core::record::{
    Agreement, AgreementStatus, AgreementTerms, Authority, CertificateType, CodeSet, HolderKind, KeyPurpose, Member,
    MemberKey, MemberStatus, Parameters, Party, Record, Request, Resource, Role, Roles, ServiceItem, Term, Voting,
    Weights,
};
use fengni_core::shelf::{Shelf, state_root};
use fengni_core::standing::{Act, ActHeads, ActKind, ActKinds, Hold, Page, Standing, State};
use fengni_core::tree;
use fengni_core::{
    ActNumber, AgreementNumber, AuthorityNumber, BlockId, BookNumber, Day, Digest, Domain, Height, KeyAlgorithm,
    KeyNumber, LineNumber, LinePlace, MemberNumber, Millis, OrderNumber, PageNumber, PurposeCode, ReasonCode,
    SealNumber, SecretKey, TypeNumber,
};

use crate::sample::{self, day, key};

pub const GOV: MemberNumber = MemberNumber(0);
pub const PSB: MemberNumber = MemberNumber(1);
pub const AMR: MemberNumber = MemberNumber(2);
pub const YGOV: MemberNumber = MemberNumber(3);
pub const YHD: MemberNumber = MemberNumber(4);
/// A body of a third province, with no agreement at all.
pub const FAR: MemberNumber = MemberNumber(5);
/// An identity service: neither keeper nor verifier, nor above one.
pub const HRS: MemberNumber = MemberNumber(6);

pub const LICENCES: BookNumber = BookNumber(0);
pub const BUSINESSES: BookNumber = BookNumber(1);

/// 交通执法, 企业开办 and 住房补贴.
pub const TRAFFIC: PurposeCode = PurposeCode(2);
pub const OPENING: PurposeCode = PurposeCode(3);
pub const HOUSING: PurposeCode = PurposeCode(4);

/// 2026-03-05T08:31:10+08:00, when the holder of the journeys shows her licence.
pub const SHOWN_SECS: u64 = 1_772_670_670;

pub struct TestBook {
    pub record: Book,
    pub lines: Vec<Line>,
    pub seals: Vec<Seal>,
    pub acts: Vec<Act>,
    pub pages: Vec<Page>,
    pub heads: Vec<ActHeads>,
}

pub struct World {
    pub domain: Domain,
    pub parameters: Parameters,
    pub members: Vec<Member>,
    pub types: Vec<CertificateType>,
    pub authorities: Vec<Authority>,
    pub agreements: Vec<Agreement>,
    pub books: Vec<TestBook>,
    pub codes: Vec<CodeSet>,
    pub resources: Vec<Resource>,
    pub items: Vec<ServiceItem>,
    pub requests: Vec<Request>,
    pub time: Millis,
    pub validator: SecretKey,
}

impl World {
    pub fn new(domain: Domain) -> Self {
        let agreement = Agreement {
            version: 1,
            terms: AgreementTerms {
                label: "RA-2026-001".into(),
                parties: vec![GOV, YGOV],
                terms: vec![
                    Term { certificate_type: TypeNumber(0), purposes: vec![TRAFFIC] },
                    Term { certificate_type: TypeNumber(1), purposes: vec![OPENING] },
                ],
                divisions: vec![],
                min_grade: Grade::A,
                from: day("2026-01-01"),
                until: day("2027-12-31"),
            },
            parties: [GOV, YGOV].map(|member| Party { member, signed: Some(Height(900)) }).to_vec(),
            status: AgreementStatus::InForce,
        };
        let mut members = vec![
            member("11319900XN0100013M", "东海省数据局", "3199", None),
            member("11319900XN0100021G", "东海省公安厅交通管理局", "3199", Some(GOV)),
            member("11319900XN010003X8", "东海省市场监督管理局", "3199", Some(GOV)),
            member("11339900XN02000309", "云山省大数据管理局", "3399", None),
            member("11339900XN0200022E", "云山省住房和城乡建设厅", "3399", Some(YGOV)),
            member("11339900XN0200014K", "第三方省厅(虚构)", "3599", None),
            member("11319900XN01000563", "东海省人力资源和社会保障厅", "3199", Some(GOV)),
        ];
        members[6].roles = Roles::of(&[Role::Identity]);
        members[6].keys.push(MemberKey {
            purpose: KeyPurpose::Application,
            key: key(KeyAlgorithm::Ed25519, sample::SERVICE_SEED).public(),
            from: Height(1),
            until: None,
        });
        members[1].authorities = vec![AuthorityNumber(0)];
        members[2].authorities = vec![AuthorityNumber(1)];
        members[0].agreements = vec![AgreementNumber(0)];
        members[3].agreements = vec![AgreementNumber(0)];
        Self {
            domain,
            parameters: parameters(),
            members,
            types: vec![
                certificate_type("11100000XN0000012G001", "机动车驾驶证", &sample::LICENCE),
                certificate_type("11100000XN0000020B001", "营业执照", &sample::BUSINESS),
            ],
            authorities: vec![authority(PSB, 0), authority(AMR, 1)],
            agreements: vec![agreement],
            books: vec![book(PSB, 0, "11319900XN0100021G"), book(AMR, 1, "11319900XN010003X8")],
            codes: vec![],
            resources: vec![],
            items: vec![],
            requests: vec![],
            time: Millis::from_secs(SHOWN_SECS + 10),
            validator: key(KeyAlgorithm::Ed25519, 77),
        }
    }

    pub fn code_of(&self, book: BookNumber) -> TypeCode {
        let record = &self.books[book.0 as usize].record;
        self.types[record.certificate_type().expect("certificates").0 as usize].code
    }

    /// Seals a line and gives its place.
    pub fn seal(&mut self, book: BookNumber, line: Line) -> LinePlace {
        self.seal_all(book, &[line])
    }

    pub fn seal_all(&mut self, number: BookNumber, lines: &[Line]) -> LinePlace {
        let book = &mut self.books[number.0 as usize];
        let first = LineNumber(book.lines.len() as u64);
        book.lines.extend_from_slice(lines);
        book.seals.push(Seal { first, count: lines.len() as u32, height: Height(1250), keys: vec![KeyNumber(0)] });
        for page in book.pages.len()..book.lines.len().div_ceil(1024) {
            book.pages.push(Page { lines: 0, root: Digest([page as u8; 32]), exceptions: vec![] });
            book.heads.push(ActHeads::default());
        }
        for (page, lines) in book.pages.iter_mut().zip(book.lines.chunks(1024)) {
            if usize::from(page.lines) != lines.len() {
                page.lines = lines.len() as u16;
                page.root = page_root(&self.domain, lines);
            }
        }
        LinePlace { book: number, line: first }
    }

    /// Seals a certificate and gives the file its holder gets.
    pub fn issue(&mut self, book: BookNumber, certificate: Certificate) -> CertificateFile {
        let issuer = self.books[book.0 as usize].record.issuer;
        let facts = &certificate.header().facts;
        let identifier = CertificateId::new(self.code_of(book), issuer, facts.serial, facts.version);
        let place = self.seal(book, certificate.header().line(&self.domain, &identifier));
        let mut file = CertificateFile {
            network: self.domain.network,
            certificate_type: self.code_of(book),
            issuer,
            certificate,
            place,
            path: PagePath::UNKNOWN,
        };
        file.path = self.path(place);
        file
    }

    pub fn path(&self, place: LinePlace) -> PagePath {
        let book = &self.books[place.book.0 as usize];
        let lines = book.lines.chunks(1024).nth(place.line.page().0 as usize).expect("the page is there");
        let leaves: Vec<Digest> = lines.iter().map(|line| line.digest(&self.domain)).collect();
        let hashes = tree::path(self.domain.suite, &leaves, usize::from(place.line.place()));
        PagePath { lines: lines.len() as u16, hashes: hashes.expect("the line is there") }
    }

    pub fn set(&mut self, place: LinePlace, standing: Standing, holds: Vec<Hold>) {
        let page = place.line.page().0 as usize;
        self.books[place.book.0 as usize].pages[page].set(place.line.place(), standing, holds);
    }

    pub fn state(&mut self, place: LinePlace, state: State) {
        self.set(place, Standing::ACTIVE.with(state), vec![]);
    }

    /// Suspends lines of a book for the revocation of a key, and leaves the keeper's record alone.
    pub fn suspend(&mut self, place: LinePlace, first: u64, last: u64) {
        self.suspend_for(SuspensionCause::Key { key: KeyNumber(0) }, place, first, last);
    }

    /// Suspends lines of a book by order 3.
    pub fn order(&mut self, place: LinePlace, first: u64, last: u64) {
        self.suspend_for(SuspensionCause::Order { order: OrderNumber(3) }, place, first, last);
    }

    fn suspend_for(&mut self, cause: SuspensionCause, place: LinePlace, first: u64, last: u64) {
        let run = Suspension { cause, first: LineNumber(first), last: LineNumber(last) };
        self.books[place.book.0 as usize].record.suspended.push(run);
    }

    /// Closes a line in favour of another, as an act of this kind does.
    pub fn succeed(&mut self, old: LinePlace, kind: ActKind, state: State, new: LinePlace) {
        self.state(old, state);
        let book = &mut self.books[old.book.0 as usize];
        let number = ActNumber(book.acts.len() as u64);
        book.acts.push(Act {
            line: old.line,
            kind,
            from: Standing::ACTIVE,
            to: Standing::ACTIVE.with(state),
            reason: ReasonCode(1),
            decision: Digest([1; 32]),
            height: Height(1900),
            by: book.record.keeper,
            keys: vec![KeyNumber(0)],
            hold: None,
            until: None,
            target: None,
            successor: Some(new),
            previous: None,
        });
        book.heads[old.line.page().0 as usize].set(old.line.place(), number);
    }

    pub fn validators(&self) -> ValidatorSet {
        let key = self.validator.public();
        ValidatorSet::new(vec![Validator { member: GOV, key, power: 1 }]).expect("one validator")
    }

    /// A proof of every record and of these lines, as a gateway gives it.
    pub fn prove(&self, lines: &[LinePlace]) -> StateProof {
        let domain = &self.domain;
        let mut entries: BTreeMap<Place, (Vec<u8>, Vec<Digest>)> = BTreeMap::new();
        let mut roots = BTreeMap::new();
        let mut list = |kind: ListKind, bytes: Vec<Vec<u8>>, place: &dyn Fn(u64) -> Place| {
            let mut list = NumberedList::new(domain.suite, kind);
            for entry in &bytes {
                list.append(entry);
            }
            for (number, entry) in (0..).zip(bytes) {
                entries.insert(place(number), (entry, list.path(number).expect("just appended")));
            }
            list
        };
        let mut books = Vec::new();
        for (number, book) in (0..).map(BookNumber).zip(&self.books) {
            let mut record = book.record.clone();
            record.lines = book.lines.len() as u64;
            let pages = book.pages.iter().map(Page::encode).collect();
            let seals = book.seals.iter().map(Seal::encode).collect();
            let acts = book.acts.iter().map(Act::encode).collect();
            let heads = book.heads.iter().map(ActHeads::encode).collect();
            let lists = [
                (BookList::Pages, list(ListKind::Pages, pages, &|n| Place::Page(number, PageNumber(n)))),
                (BookList::Seals, list(ListKind::Seals, seals, &|n| Place::Seal(number, SealNumber(n)))),
                (BookList::Acts, list(ListKind::Acts, acts, &|n| Place::Act(number, ActNumber(n)))),
                (BookList::Heads, list(ListKind::Heads, heads, &|n| Place::Heads(number, PageNumber(n)))),
            ];
            let mut head = |at: usize| {
                let (kind, list) = &lists[at];
                // A proof names the roots of those lists alone from which it has entries.
                if !list.is_empty() {
                    roots.insert((number, *kind), list.root());
                }
                ListHead { size: list.len(), digest: list.digest(domain) }
            };
            (record.pages, record.seals, record.acts, record.heads) = (head(0), head(1), head(2), head(3));
            books.push(record);
        }
        fn records<R: Record>(records: &[R]) -> Vec<Vec<u8>> {
            records.iter().map(Record::encode).collect()
        }
        let shelves = [
            (Shelf::Parameters, records(std::slice::from_ref(&self.parameters))),
            (Shelf::Members, records(&self.members)),
            (Shelf::Types, records(&self.types)),
            (Shelf::Authorities, records(&self.authorities)),
            (Shelf::Agreements, records(&self.agreements)),
            (Shelf::Books, records(&books)),
            (Shelf::Codes, records(&self.codes)),
            (Shelf::Applications, vec![]),
            (Shelf::Proposals, vec![]),
            (Shelf::Orders, vec![]),
            (Shelf::Offences, vec![]),
            (Shelf::Resources, records(&self.resources)),
            (Shelf::Items, records(&self.items)),
            (Shelf::Requests, records(&self.requests)),
            (Shelf::Objections, vec![]),
        ]
        .map(|(shelf, bytes)| list(ListKind::Shelf, bytes, &|n| Place::Record(shelf, n as u32)));
        for place in lines {
            let book = self.books.get(place.book.0 as usize);
            if let Some(line) = book.and_then(|book| book.lines.get(place.line.0 as usize)) {
                entries.insert(Place::Line(place.book, place.line), (line.bytes().to_vec(), self.path(*place).hashes));
            }
        }
        let digests: Vec<Digest> = shelves.iter().map(|list| list.digest(domain)).collect();
        let header = self.header(state_root(domain, &digests));
        StateProof {
            certificate: self.certificate(&header),
            header,
            shelves: shelves.iter().map(|list| ShelfHead { size: list.len(), root: list.root() }).collect(),
            roots: roots.into_iter().collect(),
            entries: entries
                .into_iter()
                .map(|(place, (bytes, path))| Entry { place, bytes: Bytes(bytes), path })
                .collect(),
        }
    }

    fn header(&self, state_root: Digest) -> Header {
        Header {
            version: 1,
            suite: self.domain.suite,
            network: self.domain.network,
            height: Height(1300),
            time: self.time,
            parent: BlockId::default(),
            proposer: GOV,
            transactions: Digest::default(),
            outcomes: Digest::default(),
            parent_certificate: Digest::default(),
            state_root,
            next_validators: self.validators().digest(&self.domain),
        }
    }

    pub fn certificate(&self, header: &Header) -> CommitCertificate {
        let block = header.id(&self.domain);
        let message = vote_bytes(&self.domain, VoteStep::Precommit, header.height, 0, Some(block), GOV);
        let signature = self.validator.sign(&message);
        let signatures = vec![CommitSignature { member: GOV, signature }];
        CommitCertificate { height: header.height, round: 0, block, signatures }
    }
}

fn division(text: &str) -> Division {
    Division::parse(text).expect("a division")
}

fn member(code: &str, name: &str, region: &str, superior: Option<MemberNumber>) -> Member {
    let issuing = MemberKey {
        purpose: KeyPurpose::Issuing,
        key: key(KeyAlgorithm::Ed25519, 11).public(),
        from: Height(1),
        until: None,
    };
    Member {
        version: 1,
        code: CreditCode::parse(code).expect("a sample code"),
        name: name.into(),
        division: division(region),
        superior,
        roles: Roles::default(),
        status: MemberStatus::Active,
        keys: vec![issuing],
        authorities: vec![],
        agreements: vec![],
        terminal_acts: (Day(0), 0),
        power: 0,
    }
}

fn authority(member: MemberNumber, kind: u32) -> Authority {
    Authority {
        version: 1,
        member,
        certificate_type: TypeNumber(kind),
        division: division("3199"),
        from: day("2026-01-01"),
        until: day("2030-12-31"),
        basis: "示例条例第三条".into(),
        suspended: None,
    }
}

fn certificate_type(code: &str, name: &str, fields: &[(&str, &str)]) -> CertificateType {
    CertificateType {
        version: 1,
        code: TypeCode::parse(code).expect("a sample code"),
        name: name.into(),
        holder: HolderKind::Person,
        enabled: true,
        sensitive: false,
        schemas: vec![sample::schema(fields)],
        acts: ActKinds::all(),
        code_lifetime_secs: 120,
        offline_age_secs: 86_400,
        suspenders: vec![],
        revokers: vec![],
        consumers: vec![],
        purposes: vec![TRAFFIC, OPENING],
        grant_purposes: vec![],
        assurance: None,
    }
}

fn book(keeper: MemberNumber, kind: u32, issuer: &str) -> TestBook {
    let empty = ListHead { size: 0, digest: Digest::default() };
    let record = Book {
        version: 1,
        subject: Subject::Certificates { certificate_type: TypeNumber(kind) },
        division: division("3199"),
        issuer: CreditCode::parse(issuer).expect("a sample code"),
        keeper,
        opened: Height(1000),
        changed: Height(1000),
        lines: 0,
        pages: empty,
        seals: empty,
        acts: empty,
        heads: empty,
        suspended: vec![],
        former: vec![],
    };
    TestBook { record, lines: vec![], seals: vec![], acts: vec![], pages: vec![], heads: vec![] }
}

fn parameters() -> Parameters {
    Parameters {
        version: 1,
        window: 1024,
        clock_ahead_millis: 2000,
        online_age_secs: 15,
        trusting_period_secs: 14 * 86_400,
        block_weight: 1_000_000,
        member_weight: 500_000,
        weights: Weights { transaction: 1, line: 1, act: 1, record: 1 },
        solo_seal_lines: 1024,
        terminal_acts_per_day: 100,
        validators_min: 4,
        voting: Voting { numerator: 2, denominator: 3, notice: 2, horizon: 1_000 },
        protocol: 1,
        recovery: None.into(),
    }
}
