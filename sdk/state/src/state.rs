//! The state: every registry and book after a block, as one value.

use std::sync::Arc;

use fengni_core::block::{BlockId, Header};
use fengni_core::book::{Book, Line, Seal};
use fengni_core::event::Directory;
use fengni_core::limits::SUPERIORS;
use fengni_core::list::{ListKind, NumberedList};
use fengni_core::record::{
    Agreement, Authority, CertificateType, CodeSet, Measure, Member, ObjectionStatus, Parameters, ProposalStatus,
    Record as _, Role,
};
use fengni_core::recovery::RecoveryHandover;
use fengni_core::shelf::{Shelf, state_root};
use fengni_core::standing::{Act, ActHeads, Page};
use fengni_core::{
    BookNumber, Day, Digest, Domain, Height, LinePlace, MemberNumber, Millis, ObjectionNumber, ProposalNumber,
    TypeNumber, ValidatorSet,
};
use rpds::{RedBlackTreeMapSync, VectorSync};
use thiserror::Error;

use crate::book::BookState;
use crate::records::Write;
use crate::registries::{Registries, registry};
use crate::registry::Registry;

/// What a network begins with.
#[derive(Clone, Debug)]
pub struct Founding {
    /// When it was founded: earlier than every block.
    pub time: Millis,
    /// Parameters.
    pub parameters: Parameters,
    /// Members.
    pub members: Vec<Member>,
    /// Certificate types.
    pub types: Vec<CertificateType>,
    /// Issuing authorities.
    pub authorities: Vec<Authority>,
    /// Agreements.
    pub agreements: Vec<Agreement>,
    /// Reference codes.
    pub codes: Vec<CodeSet>,
}

/// The register after a block. Copies share what they have in common.
#[derive(Clone)]
pub struct State {
    pub(crate) domain: Domain,
    pub(crate) height: Height,
    pub(crate) time: Millis,
    pub(crate) last: BlockId,
    pub(crate) registries: Registries,
    /// Proposals that are open or wait for their height, rising.
    pub(crate) live: Vec<ProposalNumber>,
    pub(crate) books: VectorSync<Arc<BookState>>,
    pub(crate) book_list: NumberedList,
    /// The open objection to a certificate, by where it stands.
    pub(crate) objections: RedBlackTreeMapSync<LinePlace, ObjectionNumber>,
    /// Whether seals and acts can be proven.
    pub(crate) proves: bool,
    /// What names the validators of the next block, where a person has handed it in.
    pub(crate) recovery: Option<Arc<RecoveryHandover>>,
}

impl State {
    /// The state before the first block.
    pub fn found(domain: Domain, founding: Founding) -> Self {
        let suite = domain.suite;
        Self {
            domain,
            height: Height(0),
            time: founding.time,
            last: BlockId::default(),
            registries: Registries::of(suite, founding),
            live: Vec::new(),
            books: VectorSync::new_sync(),
            book_list: NumberedList::new(suite, ListKind::Shelf),
            objections: RedBlackTreeMapSync::new_sync(),
            proves: true,
            recovery: None,
        }
    }

    /// The same state without what proves seals and acts, for whoever runs blocks and answers nobody:
    /// what is left in memory does not grow with them.
    #[must_use]
    pub fn without_proofs(mut self) -> Self {
        self.proves = false;
        let bare = |book: &Arc<BookState>| {
            let mut book = book.as_ref().clone();
            book.let_go();
            Arc::new(book)
        };
        self.books = self.books.iter().map(bare).collect();
        self
    }

    /// Suite and network.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Height of the last block; 0 before the first.
    pub fn height(&self) -> Height {
        self.height
    }

    /// Time of the last block.
    pub fn time(&self) -> Millis {
        self.time
    }

    /// Id of the last block.
    pub fn last(&self) -> BlockId {
        self.last
    }

    /// The parameters in force.
    pub fn parameters(&self) -> &Parameters {
        self.registries.parameters.get(0).expect("a network is founded with parameters")
    }

    /// The version of the protocol that members have voted for and that no block speaks yet, with its
    /// first height.
    pub fn coming_version(&self) -> Option<(Height, u16)> {
        let waiting = self.live.iter().filter_map(|number| self.registries.proposals.get(number.0));
        let passed = waiting.filter(|proposal| matches!(proposal.status, ProposalStatus::Passed { .. }));
        let upgrades = passed.filter_map(|proposal| match proposal.measure {
            Measure::Upgrade { protocol } => Some((proposal.effective, protocol)),
            _ => None,
        });
        upgrades.min()
    }

    /// A member.
    pub fn member(&self, number: MemberNumber) -> Option<&Arc<Member>> {
        self.registries.members.get(number.0)
    }

    /// Every member.
    pub fn members(&self) -> &Registry<Member> {
        &self.registries.members
    }

    /// Every certificate type.
    pub fn types(&self) -> &Registry<CertificateType> {
        &self.registries.types
    }

    /// A certificate type.
    pub fn certificate_type(&self, number: TypeNumber) -> Option<&Arc<CertificateType>> {
        self.registries.types.get(number.0)
    }

    /// Every issuing authority.
    pub fn authorities(&self) -> &Registry<Authority> {
        &self.registries.authorities
    }

    /// Every agreement.
    pub fn agreements(&self) -> &Registry<Agreement> {
        &self.registries.agreements
    }

    /// Every set of reference codes.
    pub fn codes(&self) -> &Registry<CodeSet> {
        &self.registries.codes
    }

    /// Every registry.
    pub fn registries(&self) -> &Registries {
        &self.registries
    }

    /// A set of reference codes by name.
    pub fn code_set(&self, name: &str) -> Option<&Arc<CodeSet>> {
        self.registries.codes.iter().find(|set| set.name == name)
    }

    /// A book.
    pub fn book(&self, number: BookNumber) -> Option<&Arc<BookState>> {
        self.books.get(usize::try_from(number.0).ok()?)
    }

    /// Every book with its number.
    pub fn books(&self) -> impl Iterator<Item = (BookNumber, &Arc<BookState>)> {
        (0..).map(BookNumber).zip(self.books.iter())
    }

    /// Which type and region each book is of: what events are told with.
    pub fn directory(&self) -> Directory {
        let mut directory = Directory::default();
        self.books().for_each(|(number, book)| directory.note(number, book.record()));
        directory
    }

    /// The books that a member keeps or kept, rising.
    pub(crate) fn books_of(&self, keeper: MemberNumber) -> impl Iterator<Item = BookNumber> {
        self.books().filter(move |(_, book)| book.record().was_kept_by(keeper)).map(|(number, _)| number)
    }

    /// A member and those above it, lowest first.
    pub fn chain(&self, member: MemberNumber) -> Vec<MemberNumber> {
        let mut chain = vec![member];
        let mut at = self.member(member);
        while let Some(above) = at.and_then(|record| record.superior).filter(|_| chain.len() <= SUPERIORS) {
            chain.push(above);
            at = self.member(above);
        }
        chain
    }

    /// Whether `upper` stands above `lower`.
    pub fn is_above(&self, upper: MemberNumber, lower: MemberNumber) -> bool {
        self.chain(lower)[1..].contains(&upper)
    }

    /// Whether a member is the competent authority (主管部门) over another: a regulator above it, or any
    /// other regulator where nobody is above it. Rule Z-1.
    pub(crate) fn is_competent(&self, member: MemberNumber, over: MemberNumber) -> bool {
        let role = |number| self.member(number).is_some_and(|member| member.roles.has(Role::Regulator));
        let top = self.member(over).is_some_and(|over| over.superior.is_none());
        role(member) && member != over && (self.is_above(member, over) || top)
    }

    /// Whether `member` may issue this type for `division` on `day`, by its own list of authorities.
    pub(crate) fn is_authorised(&self, member: MemberNumber, book: &Book, day: Day) -> bool {
        self.registries.is_authorised(member, book, day)
    }

    /// Digests of all shelves, in the order of [`Shelf::ALL`].
    pub fn shelf_lists(&self) -> [&NumberedList; Shelf::ALL.len()] {
        Shelf::ALL.map(|shelf| self.registries.list(shelf).unwrap_or(&self.book_list))
    }

    /// A registry record's encoding.
    pub fn record_bytes(&self, shelf: Shelf, number: u32) -> Option<Vec<u8>> {
        match shelf {
            Shelf::Books => self.book(BookNumber(number)).map(|book| book.record().encode()),
            _ => self.registries.record_bytes(shelf, number),
        }
    }

    /// Every registry record, as it is stored: of a founded state, what a store begins with.
    pub fn founding_writes(&self) -> Vec<Write> {
        let of_shelf = |shelf| {
            (0..).map_while(move |number| {
                self.record_bytes(shelf, number).map(|bytes| Write::Record { shelf, number, bytes })
            })
        };
        Shelf::ALL.into_iter().flat_map(of_shelf).collect()
    }

    /// The state root. Rule R-1.
    pub fn root(&self) -> Digest {
        let digests = self.shelf_lists().map(|list| list.digest(&self.domain));
        state_root(&self.domain, &digests)
    }

    /// The validators of the next block: those of a recovery that was adopted (F-10), else derived
    /// from the members (F-1).
    ///
    /// # Panics
    /// Never after a checked founding: votes that would leave no validator are refused.
    pub fn next_validators(&self) -> ValidatorSet {
        if let Some(recovery) = self.recovery() {
            return recovery.plan.validators().expect("a set: checked in State::adopt");
        }
        let height = self.height.next();
        self.registries.validators(height).expect("the founding is checked: there is a validator with a key")
    }
}

/// Why stored parts make no state.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum LoadError {
    /// A stored record is not the encoding of one.
    #[error("record {number} of {shelf:?} is damaged")]
    Record {
        /// The shelf.
        shelf: Shelf,
        /// The record.
        number: u32,
    },
    /// The lines of a book's last page are not those of its page record.
    #[error("the open lines of book {book} are damaged")]
    OpenLines {
        /// The book.
        book: BookNumber,
    },
    /// The rebuilt state has another root than the last final header.
    #[error("the stored state of height {height} has root {found}, its header says {expected}")]
    Root {
        /// The height.
        height: Height,
        /// Root of the rebuilt state.
        found: Digest,
        /// Root in the header.
        expected: Digest,
    },
}

/// Reads of a stored state, for [`State::load`].
pub trait StateParts {
    /// Encodings of a shelf's records, by number.
    fn records(&self, shelf: Shelf) -> Vec<Vec<u8>>;
    /// Page records of a book, by number.
    fn pages(&self, book: BookNumber) -> Vec<Page>;
    /// Act heads of a book, a page each.
    fn heads(&self, book: BookNumber) -> Vec<ActHeads>;
    /// Seals of a book, by number.
    fn seals(&self, book: BookNumber) -> Vec<Seal>;
    /// Acts of a book, by number.
    fn acts(&self, book: BookNumber) -> Vec<Act>;
    /// Lines of the book's last page if it is not full, else nothing.
    fn open_lines(&self, book: BookNumber) -> Vec<Line>;
}

impl State {
    /// Rebuilds the state from what was stored, and checks it against the last final header.
    ///
    /// # Errors
    /// [`LoadError`] when anything stored is not what the header commits to.
    pub fn load(domain: Domain, header: &Header, parts: &impl StateParts) -> Result<Self, LoadError> {
        let registries = Registries::load(domain.suite, |shelf| parts.records(shelf))?;
        let records: Registry<Book> = registry(domain.suite, &parts.records(Shelf::Books))?;
        let mut state = Self {
            domain,
            height: header.height,
            time: header.time,
            last: header.id(&domain),
            registries,
            live: Vec::new(),
            books: VectorSync::new_sync(),
            book_list: NumberedList::new(domain.suite, ListKind::Shelf),
            objections: RedBlackTreeMapSync::new_sync(),
            proves: true,
            recovery: None,
        };
        let numbered = (0..).map(ProposalNumber).zip(state.registries.proposals.iter());
        state.live = numbered.filter(|(_, proposal)| proposal.is_live()).map(|(number, _)| number).collect();
        for (objection, number) in state.registries.objections.iter().zip(0..) {
            if objection.status == ObjectionStatus::Open {
                state.objections.insert_mut(objection.place, ObjectionNumber(number));
            }
        }
        for (record, number) in records.iter().zip(0..) {
            let book = BookNumber(number);
            let space = state.tag_space(record).unwrap_or(book);
            let loaded = BookState::load(&domain, space, record, book, parts);
            if loaded.record() != record.as_ref() {
                return Err(LoadError::Record { shelf: Shelf::Books, number });
            }
            // The next seal hashes these lines again: a wrong one would part this node from the others.
            if !loaded.holds_open_lines(&domain) {
                return Err(LoadError::OpenLines { book });
            }
            state.book_list.append(&loaded.record().encode());
            state.books.push_back_mut(Arc::new(loaded));
        }
        let (found, expected) = (state.root(), header.state_root);
        if found == expected { Ok(state) } else { Err(LoadError::Root { height: header.height, found, expected }) }
    }

    /// The first book of the same issuer and subject, if there is one: a tag stands once among them.
    pub(crate) fn tag_space(&self, record: &Book) -> Option<BookNumber> {
        self.books()
            .find(|(_, book)| book.record().issuer == record.issuer && book.record().subject == record.subject)
            .map(|(number, _)| number)
    }
}
