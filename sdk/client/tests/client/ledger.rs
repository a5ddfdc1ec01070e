//! A ledger in memory with the routes of a node, as far as these stories need it.
//!
//! It is written anew from the specification's rules, not with `fengni-state`: a client that
//! agrees with both has understood the rules and not the code. One transaction makes one block.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fengni_client::gateway::Gateway;
use fengni_client::keys::HeldKey;
use fengni_client::ledger::Ledger;
use fengni_client::submit::{Signers, Submitter};
use fengni_client::transport::{Request, Response, Transport};
use fengni_core::block::{BlockId, Header, PROTOCOL_VERSION, outcomes_digest, transactions_digest};
use fengni_core::book::{Book, Line, ListHead, Seal, Subject, Tag, page_root};
use fengni_core::bytes::Bytes;
use fengni_core::codec;
use fengni_core::finality::{CommitCertificate, CommitSignature, VoteStep, vote_bytes};
use fengni_core::history::Sealed;
use fengni_core::id::CertificateId;
use fengni_core::light::{Handover, LightClient, SignedCheckpoint};
use fengni_core::list::{ListKind, NumberedList};
use fengni_core::operation::Operation;
use fengni_core::outcome::{Decision, Effect, Outcome, Refusal};
use fengni_core::pack::{BookPart, Pack, RecordPart, SHELVES, ShelfPart, Subscription};
use fengni_core::proof::{BookList, Entry, OutcomeProof, Place, ShelfHead, StateProof};
use fengni_core::record::{KeyPurpose, Member, Record as _, ServiceItem};
use fengni_core::shelf::{Shelf, state_root};
use fengni_core::standing::{Act, ActHeads, Page, Standing, State};
use fengni_core::transaction::{Transaction, TransactionId};
use fengni_core::*;
use fengni_genesis::{Genesis, sample};

/// 2026-03-05T08:31:25+08:00, when the officer of journey J4 scans.
pub(crate) const NOW: Millis = Millis(1_772_670_685_000);
pub(crate) const PSB: &str = "PSB";
/// Who decides to begin with.
const FOUNDERS: [&str; 4] = ["GOV", PSB, "AMR", "HRS"];

pub(crate) fn genesis() -> Genesis {
    let founded = Millis(NOW.0 - 3_600_000);
    let text = sample::network(founded, &sample::test_key).to_toml();
    fengni_genesis::Document::parse(&text, fengni_genesis::Format::Toml)
        .and_then(|read| read.check())
        .expect("the sample")
}

/// How a node misbehaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Mood {
    #[default]
    Honest,
    /// Does not answer.
    Silent,
    /// Takes transactions, and its answers to those are lost.
    LosesAnswers,
    /// Changes a byte of every proof's first entry.
    Forges,
    /// Signs headers with keys of its own.
    OwnQuorum,
    /// Has a quorum that signs other headers for it.
    Splits,
    /// Names a set of its own in every handover.
    ForgesHandovers,
    /// Gives no handover.
    Withholds,
    /// Vouches for another block.
    VouchesOtherwise,
    /// Vouches in another member's name.
    VouchesForAnother,
    /// Vouches for nothing.
    Mute,
    /// Vouches for the founding, however late it is.
    VouchesForFounding,
    /// Gives its member's word of height 1, however late it is.
    RepeatsFirstWord,
    /// Leaves the first act out of histories.
    Forgets,
}

/// The book that all stories write in.
#[derive(Clone)]
struct BookOfLines {
    record: Book,
    lines: Vec<Line>,
    seals: Vec<Seal>,
    acts: Vec<Act>,
    standings: BTreeMap<u64, Standing>,
}

/// The chain behind all nodes of a story.
pub(crate) struct Chain {
    pub(crate) domain: Domain,
    genesis: Genesis,
    books: Vec<BookOfLines>,
    items: Vec<ServiceItem>,
    headers: Vec<(Header, CommitCertificate)>,
    /// Who decides from which height on.
    sets: Vec<(Height, Vec<&'static str>)>,
    outcomes: HashMap<TransactionId, OutcomeProof>,
    /// Transactions that were posted, as often as they were.
    pub(crate) posted: u64,
    /// Time of the newest block.
    time: Millis,
    /// Transactions are taken and put in no block.
    pub(crate) stalled: bool,
    window: u64,
}

impl Chain {
    pub(crate) fn new() -> Self {
        let genesis = genesis();
        let psb = sample::member(PSB).expect("a sample member");
        let member = &genesis.members[psb.0 as usize];
        let record = Book {
            version: 1,
            subject: Subject::Certificates {
                certificate_type: sample::certificate_type("T-DL").expect("a sample type"),
            },
            division: member.division,
            issuer: member.code,
            keeper: psb,
            opened: Height(1),
            changed: Height(1),
            lines: 0,
            pages: ListHead { size: 0, digest: Digest::default() },
            seals: ListHead { size: 0, digest: Digest::default() },
            acts: ListHead { size: 0, digest: Digest::default() },
            heads: ListHead { size: 0, digest: Digest::default() },
            suspended: vec![],
            former: vec![],
        };
        let book = BookOfLines { record, lines: vec![], seals: vec![], acts: vec![], standings: BTreeMap::new() };
        let mut chain = Self {
            domain: genesis.domain(),
            window: genesis.parameters.window,
            genesis,
            books: vec![book],
            items: Vec::new(),
            headers: Vec::new(),
            sets: vec![(Height(1), FOUNDERS.to_vec())],
            outcomes: HashMap::new(),
            posted: 0,
            time: Millis(NOW.0 - 1000),
            stalled: false,
        };
        assert_eq!(chain.validators(Height(1)), chain.genesis.validators());
        chain.block(&[], &[]);
        chain
    }

    pub(crate) fn height(&self) -> Height {
        Height(self.headers.len() as u64)
    }

    pub(crate) fn lines(&self) -> usize {
        self.books[0].lines.len()
    }

    pub(crate) fn header(&self, height: Height) -> (Header, CommitCertificate) {
        self.headers[usize::try_from(height.0 - 1).expect("a height")].clone()
    }

    /// The members that decide a height.
    fn deciders(&self, height: Height) -> &[&'static str] {
        &self.sets.iter().rev().find(|(from, _)| *from <= height).expect("a set from height 1 on").1
    }

    fn validators(&self, height: Height) -> ValidatorSet {
        let validator = |name: &&str| Validator {
            member: sample::member(name).expect("a sample member"),
            key: sample::test_secret(name, KeyPurpose::Consensus, 0).public(),
            power: 1,
        };
        ValidatorSet::new(self.deciders(height).iter().map(validator).collect()).expect("members in their order")
    }

    /// Makes a block that hands over to other members, named in the order of their numbers.
    pub(crate) fn hand_over(&mut self, to: &[&'static str]) {
        self.sets.push((Height(self.height().0 + 2), to.to_vec()));
        self.block(&[], &[]);
    }

    /// Puts up a service item, by no transaction.
    pub(crate) fn put_item(&mut self, item: ServiceItem) {
        self.items.push(item);
        self.block(&[], &[]);
    }

    pub(crate) fn empty_block(&mut self) {
        self.block(&[], &[]);
    }

    /// Handovers above a height, two at a time.
    fn handovers(&self, since: Height) -> Vec<Handover> {
        let changes = self.sets[1..].iter().map(|(from, _)| Height(from.0 - 1)).filter(|height| *height > since);
        let handover = |height: Height| {
            let (header, certificate) = self.header(height);
            Handover { header, certificate, next: self.validators(height.next()) }
        };
        changes.take(2).map(handover).collect()
    }

    /// A pack without pages.
    fn pack(&self, subscription: Subscription) -> Pack {
        let (header, certificate) = self.headers.last().expect("a first block").clone();
        let whole = |shelf: &Shelf| ShelfPart::Whole(self.records(*shelf).into_iter().map(Bytes).collect());
        let books = u32::try_from(self.books.len()).expect("few books");
        let book = |number: u32| {
            let record = RecordPart::Whole(Bytes(self.book(number as usize).encode()));
            BookPart { number: BookNumber(number), record, pages: Bytes::default() }
        };
        let (shelves, changed) = (SHELVES.iter().map(whole).collect(), (0..books).map(book).collect());
        let digest = |shelf: &Shelf| self.list(ListKind::Shelf, &self.records(*shelf)).digest(&self.domain);
        let others = Shelf::ALL[SHELVES.len() + 1..].iter().map(digest).collect();
        Pack::new(header, certificate, subscription, None, shelves, others, books, changed)
    }

    /// The newest block in the word of a member.
    fn word(&self, member: &str, mood: Mood) -> SignedCheckpoint {
        let mut checkpoint = genesis().checkpoint();
        let height = if mood == Mood::RepeatsFirstWord { Height(1) } else { self.height() };
        if mood != Mood::VouchesForFounding {
            let header = self.header(height).0;
            (checkpoint.height, checkpoint.time) = (header.height, header.time);
            checkpoint.block = Some(header.id(&self.domain));
            checkpoint.validators = self.validators(header.height.next());
        }
        if mood == Mood::VouchesOtherwise {
            checkpoint.block = Some(BlockId(Digest([0xee; 32])));
        }
        let mut slots = sample::key_slots().into_iter();
        let slot = slots.find(|slot| slot.member == member && slot.purpose == KeyPurpose::Peer).expect("it has a node");
        let name = if mood == Mood::VouchesForAnother { "AMR" } else { member };
        let secret = sample::test_secret(member, KeyPurpose::Peer, slot.index);
        SignedCheckpoint::sign(checkpoint, sample::member(name).expect("a sample member"), slot.number, &secret)
    }

    /// Empty blocks, as many as let every transaction grow too old.
    pub(crate) fn let_the_window_pass(&mut self) {
        for _ in 0..=self.window + 1 {
            self.block(&[], &[]);
        }
    }

    fn records(&self, shelf: Shelf) -> Vec<Vec<u8>> {
        match shelf {
            Shelf::Parameters => vec![self.genesis.parameters.encode()],
            Shelf::Members => self.genesis.members.iter().map(Member::encode).collect(),
            Shelf::Types => self.genesis.types.iter().map(|record| record.encode()).collect(),
            Shelf::Authorities => self.genesis.authorities.iter().map(|record| record.encode()).collect(),
            Shelf::Agreements => self.genesis.agreements.iter().map(|record| record.encode()).collect(),
            Shelf::Books => (0..self.books.len()).map(|number| self.book(number).encode()).collect(),
            Shelf::Codes => self.genesis.codes.iter().map(|record| record.encode()).collect(),
            Shelf::Items => self.items.iter().map(|record| record.encode()).collect(),
            Shelf::Applications
            | Shelf::Proposals
            | Shelf::Orders
            | Shelf::Offences
            | Shelf::Resources
            | Shelf::Requests
            | Shelf::Objections => Vec::new(),
        }
    }

    fn book(&self, number: usize) -> Book {
        let book = &self.books[number];
        let head = |list| {
            let list = self.book_list(number, list);
            ListHead { size: list.len(), digest: list.digest(&self.domain) }
        };
        Book {
            lines: book.lines.len() as u64,
            pages: head(BookList::Pages),
            seals: head(BookList::Seals),
            acts: head(BookList::Acts),
            heads: head(BookList::Heads),
            ..book.record.clone()
        }
    }

    fn pages(&self, number: usize) -> Vec<Page> {
        let book = &self.books[number];
        let page = |(place, lines): (usize, &[Line])| {
            let count = u16::try_from(lines.len()).expect("1,024 at most");
            let mut page = Page { lines: count, root: page_root(&self.domain, lines), exceptions: vec![] };
            for (line, standing) in &book.standings {
                if LineNumber(*line).page().0 == place as u64 {
                    page.set(LineNumber(*line).place(), *standing, vec![]);
                }
            }
            page
        };
        book.lines.chunks(1024).enumerate().map(page).collect()
    }

    fn heads(&self, number: usize) -> Vec<ActHeads> {
        let book = &self.books[number];
        let mut heads = vec![ActHeads::default(); book.lines.len().div_ceil(1024)];
        for (act, number) in book.acts.iter().zip(0..) {
            heads[usize::try_from(act.line.page().0).expect("few pages")].set(act.line.place(), ActNumber(number));
        }
        heads
    }

    fn book_entries(&self, number: usize, list: BookList) -> Vec<Vec<u8>> {
        let book = &self.books[number];
        match list {
            BookList::Pages => self.pages(number).iter().map(Page::encode).collect(),
            BookList::Seals => book.seals.iter().map(Seal::encode).collect(),
            BookList::Acts => book.acts.iter().map(Act::encode).collect(),
            BookList::Heads => self.heads(number).iter().map(ActHeads::encode).collect(),
        }
    }

    fn book_list(&self, number: usize, list: BookList) -> NumberedList {
        self.list(list.kind(), &self.book_entries(number, list))
    }

    fn list(&self, kind: ListKind, entries: &[Vec<u8>]) -> NumberedList {
        let mut list = NumberedList::new(self.domain.suite, kind);
        for entry in entries {
            list.append(entry);
        }
        list
    }

    /// Makes the next block final.
    fn block(&mut self, transactions: &[Bytes], outcomes: &[Outcome]) {
        let shelves: Vec<Digest> = Shelf::ALL
            .iter()
            .map(|shelf| self.list(ListKind::Shelf, &self.records(*shelf)).digest(&self.domain))
            .collect();
        let next_validators = self.validators(Height(self.height().0 + 2)).digest(&self.domain);
        let before = self.headers.last();
        self.time = Millis(self.time.0 + 1);
        let header = Header {
            version: PROTOCOL_VERSION,
            suite: self.domain.suite,
            network: self.domain.network,
            height: self.height().next(),
            time: self.time,
            parent: before.map_or(BlockId::default(), |(header, _)| header.id(&self.domain)),
            proposer: MemberNumber(0),
            transactions: transactions_digest(&self.domain, transactions),
            outcomes: outcomes_digest(&self.domain, outcomes),
            parent_certificate: before.map_or(Digest::default(), |(_, certificate)| certificate.digest(&self.domain)),
            state_root: state_root(&self.domain, &shelves),
            next_validators,
        };
        let deciders = self.deciders(header.height);
        // One of them is asleep.
        let certificate = certificate(&self.domain, &header, &deciders[..deciders.len() - 1], 0);
        for outcome in outcomes {
            let proof = OutcomeProof {
                header: header.clone(),
                certificate: certificate.clone(),
                outcome: outcome.clone(),
                place: 0,
                size: 1,
                path: vec![],
            };
            self.outcomes.insert(outcome.transaction, proof);
        }
        self.headers.push((header, certificate));
    }

    /// What the ledger does with a transaction: the rules of a seal, and of nothing else.
    fn take(&mut self, bytes: &Bytes) -> Result<TransactionId, String> {
        self.posted += 1;
        let transaction = Transaction::decode(&bytes.0).map_err(|error| error.to_string())?;
        let id = transaction.body.id(&self.domain);
        if self.outcomes.contains_key(&id) || self.stalled {
            return Ok(id);
        }
        let height = self.height().next();
        transaction.check_window(&self.domain, height, self.window).map_err(|error| error.to_string())?;
        let member = &self.genesis.members[transaction.body.member.0 as usize];
        transaction.check_signatures(&self.domain, id, member, height).map_err(|error| error.to_string())?;
        let Operation::Seal { book, lines } = &transaction.body.operation else { return Err("only seals".into()) };
        let decision = self.seal(*book, lines, transaction.keys(), height);
        self.block(std::slice::from_ref(bytes), &[Outcome { transaction: id, decision }]);
        Ok(id)
    }

    fn seal(&mut self, number: BookNumber, lines: &[Line], keys: Vec<KeyNumber>, height: Height) -> Decision {
        let book = &mut self.books[number.0 as usize];
        let refuse = |refusal, detail| Decision::Refused { refusal, detail };
        if lines.len() > self.genesis.parameters.solo_seal_lines as usize && keys.len() < 2 {
            return refuse(Refusal::SecondPersonMissing, 0);
        }
        let mut tags: BTreeSet<Tag> = book.lines.iter().map(|line| line.tag).collect();
        for (line, detail) in lines.iter().zip(0..) {
            if !tags.insert(line.tag) {
                return refuse(Refusal::DuplicateTag, detail);
            }
        }
        let (first, seal) = (LineNumber(book.lines.len() as u64), SealNumber(book.seals.len() as u64));
        let count = u32::try_from(lines.len()).expect("1,024 at most");
        book.lines.extend(lines);
        book.seals.push(Seal { first, count, height, keys });
        Decision::Done(Effect::Sealed { book: number, seal, first, count })
    }

    /// Puts a line on the ledger that nobody here has the salts of.
    pub(crate) fn seal_for_another(&mut self, identifier: &CertificateId) {
        let line = Line { tag: Tag::of(&self.domain, identifier), commitment: Digest([7; 32]) };
        let height = self.height().next();
        self.seal(BookNumber(0), &[line], vec![KeyNumber(4)], height);
        self.block(&[], &[]);
    }

    /// Replaces a line by another, in one block, and returns where it goes on.
    pub(crate) fn supersede(&mut self, line: LineNumber, identifier: &CertificateId) -> LinePlace {
        let new = Line { tag: Tag::of(&self.domain, identifier), commitment: Digest([8; 32]) };
        let successor = LinePlace { book: BookNumber(0), line: LineNumber(self.lines() as u64) };
        let height = self.height().next();
        self.seal(BookNumber(0), &[new], vec![KeyNumber(4)], height);
        self.act(line, |act| Act {
            kind: fengni_core::standing::ActKind::Change,
            to: act.from.with(State::Superseded),
            successor: Some(successor),
            ..act
        });
        successor
    }

    /// An act on a line, as the book records it.
    pub(crate) fn act(&mut self, line: LineNumber, change: impl FnOnce(Act) -> Act) {
        let height = self.height().next();
        let book = &mut self.books[0];
        let previous =
            (0..).map(ActNumber).zip(&book.acts).filter(|(_, act)| act.line == line).last().map(|(number, _)| number);
        let from = book.standings.get(&line.0).copied().unwrap_or(Standing::ACTIVE);
        let act = change(Act {
            line,
            kind: fengni_core::standing::ActKind::Cancel,
            from,
            to: from.with(State::Cancelled),
            reason: ReasonCode(1),
            decision: Digest([1; 32]),
            height,
            by: sample::member(PSB).expect("a sample member"),
            keys: vec![KeyNumber(4), KeyNumber(5)],
            hold: None,
            until: None,
            target: None,
            successor: None,
            previous,
        });
        book.standings.insert(line.0, act.to);
        book.acts.push(act);
        self.block(&[], &[]);
    }

    pub(crate) fn prove(&self, places: impl IntoIterator<Item = Place>) -> Option<StateProof> {
        let mut wanted = BTreeSet::new();
        for place in places {
            if let Place::Page(book, _)
            | Place::Seal(book, _)
            | Place::Act(book, _)
            | Place::Heads(book, _)
            | Place::Line(book, _) = place
            {
                wanted.insert(Place::Record(Shelf::Books, book.0));
            }
            if let Place::Line(book, line) = place {
                wanted.insert(Place::Page(book, line.page()));
            }
            wanted.insert(place);
        }
        let mut roots = BTreeMap::new();
        let mut entries = Vec::new();
        for place in wanted {
            let mut in_book = |book: BookNumber, list, number: u64| {
                let tree = self.book_list(book.0 as usize, list);
                roots.insert((book, list), tree.root());
                let bytes = self.book_entries(book.0 as usize, list).get(usize::try_from(number).ok()?)?.clone();
                Some((bytes, tree.path(number)?))
            };
            let (bytes, path) = match place {
                Place::Record(shelf, number) => {
                    let records = self.records(shelf);
                    let path = self.list(ListKind::Shelf, &records).path(u64::from(number))?;
                    (records[number as usize].clone(), path)
                }
                Place::Page(book, page) => in_book(book, BookList::Pages, page.0)?,
                Place::Seal(book, seal) => in_book(book, BookList::Seals, seal.0)?,
                Place::Act(book, act) => in_book(book, BookList::Acts, act.0)?,
                Place::Heads(book, page) => in_book(book, BookList::Heads, page.0)?,
                Place::Line(book, line) => {
                    let lines = &self.books[book.0 as usize].lines;
                    let page = lines.chunks(1024).nth(usize::try_from(line.page().0).ok()?)?;
                    let leaves: Vec<Digest> = page.iter().map(|line| line.digest(&self.domain)).collect();
                    let path = tree::path(self.domain.suite, &leaves, usize::from(line.place()))?;
                    (page[usize::from(line.place())].bytes().to_vec(), path)
                }
            };
            entries.push(Entry { place, bytes: Bytes(bytes), path });
        }
        let shelves = Shelf::ALL.iter().map(|shelf| {
            let list = self.list(ListKind::Shelf, &self.records(*shelf));
            ShelfHead { size: list.len(), root: list.root() }
        });
        let (header, certificate) = self.headers.last().expect("a first block").clone();
        Some(StateProof {
            header,
            certificate,
            shelves: shelves.collect(),
            roots: roots.into_iter().collect(),
            entries,
        })
    }

    /// Rule V-2. The other province's bureau comes along only where it is asked for.
    fn line_proof(
        &self,
        place: LinePlace,
        verifier: Option<MemberNumber>,
        service: Option<MemberNumber>,
    ) -> Option<StateProof> {
        let bureau = sample::member("YGOV").expect("a sample member");
        let bureau = Some(bureau).filter(|bureau| service != Some(*bureau)).map(|bureau| bureau.0);
        let all = |shelf: Shelf| {
            (0..self.records(shelf).len()).map(move |number| Place::Record(shelf, u32::try_from(number).expect("few")))
        };
        let mut places: Vec<Place> =
            [Shelf::Parameters, Shelf::Types, Shelf::Authorities, Shelf::Books].into_iter().flat_map(all).collect();
        if verifier.is_some() {
            places.extend(all(Shelf::Members).chain(all(Shelf::Agreements)));
        } else {
            places.extend(all(Shelf::Members));
        }
        places.retain(|place| !matches!(place, Place::Record(Shelf::Members, member) if Some(*member) == bureau));
        if place.line.0 < self.lines() as u64 {
            places.extend(self.places_of(place));
        }
        self.prove(places)
    }

    fn places_of(&self, place: LinePlace) -> Vec<Place> {
        let book = &self.books[place.book.0 as usize];
        let mut places = vec![Place::Line(place.book, place.line), Place::Heads(place.book, place.line.page())];
        let seals = (0..).map(SealNumber).zip(&book.seals);
        places.extend(
            seals.filter(|(_, seal)| seal.covers(place.line)).map(|(number, _)| Place::Seal(place.book, number)),
        );
        let acts = (0..).map(ActNumber).zip(&book.acts);
        places.extend(acts.filter(|(_, act)| act.line == place.line).map(|(number, _)| Place::Act(place.book, number)));
        places
    }

    /// The seal of a line.
    pub(crate) fn sealed(&self, place: LinePlace) -> Sealed {
        let seal = self.books[0].seals.iter().find(|seal| seal.covers(place.line)).expect("it is sealed");
        Sealed { height: seal.height, keys: seal.keys.clone(), count: seal.count }
    }

    pub(crate) fn history(&self, place: LinePlace) -> Option<StateProof> {
        let mut places = vec![];
        let mut next = Some(place);
        while let Some(place) = next {
            places.extend(self.places_of(place));
            let mut acts = self.books[0].acts.iter().rev().filter(|act| act.line == place.line);
            next = acts.next().and_then(|act| act.successor);
        }
        places.extend((0..8).map(|number| Place::Record(Shelf::Members, number)));
        places.extend(
            (0..self.genesis.codes.len())
                .map(|number| Place::Record(Shelf::Codes, u32::try_from(number).expect("few"))),
        );
        self.prove(places)
    }

    fn find(&self, identifier: &CertificateId) -> Option<LinePlace> {
        let tag = Tag::of(&self.domain, identifier);
        let line = self.books[0].lines.iter().position(|line| line.tag == tag)?;
        Some(LinePlace { book: BookNumber(0), line: LineNumber(line as u64) })
    }
}

/// A certificate by some members, with their known test keys.
pub(crate) fn certificate(domain: &Domain, header: &Header, members: &[&str], index: usize) -> CommitCertificate {
    let block = header.id(domain);
    let sign = |name: &&str| {
        let member = sample::member(name).expect("a sample member");
        let message = vote_bytes(domain, VoteStep::Precommit, header.height, 0, Some(block), member);
        CommitSignature { member, signature: sample::test_secret(name, KeyPurpose::Consensus, index).sign(&message) }
    };
    CommitCertificate { height: header.height, round: 0, block, signatures: members.iter().map(sign).collect() }
}

/// A node of the chain.
pub(crate) struct FakeNode {
    name: String,
    /// Whose node it is.
    member: &'static str,
    chain: Arc<Mutex<Chain>>,
    pub(crate) mood: Mutex<Mood>,
    /// How often it was asked for handovers.
    handovers: AtomicUsize,
}

impl FakeNode {
    fn answer(&self, request: &Request<'_>, mood: Mood) -> Option<(u16, Vec<u8>)> {
        let mut chain = self.chain.lock().expect("no test thread panics with the lock");
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        let field = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        let number = |text: &str| text.parse::<u64>().ok();
        let small = |text: &str| text.parse::<u32>().ok();
        let state = |proof: StateProof| Some((200, forged(&chain.domain, proof, mood).encode()));
        let verifier = field("verifier").and_then(small).map(MemberNumber);
        match (parts.as_slice(), request.body) {
            (["genesis"], None) => Some((200, chain.genesis.encode())),
            (["handovers"], None) if mood == Mood::Withholds => None,
            (["handovers"], None) => {
                let mut handovers = chain.handovers(Height(number(field("since")?)?));
                if mood == Mood::ForgesHandovers {
                    handovers.iter_mut().for_each(|handover| handover.next = chain.validators(Height(1)));
                }
                Some((200, codec::encode(&handovers)))
            }
            (["checkpoint"], None) if mood == Mood::Mute => None,
            (["checkpoint"], None) => Some((200, codec::encode(&chain.word(self.member, mood)))),
            (["packs"], None) => {
                let types = field("types")?.split(',').map(|text| small(text).map(TypeNumber));
                Some((200, chain.pack(Subscription::new(types.collect::<Option<_>>()?, vec![])).encode()))
            }
            (["headers", "latest"], None) => Some((200, codec::encode(chain.headers.last()?))),
            (["headers", height], None) => {
                let height = Height(number(height)?);
                let known = (1..=chain.height().0).contains(&height.0);
                known.then(|| (200, codec::encode(&chain.header(height))))
            }
            (["proofs"], None) => {
                let places: Option<Vec<Place>> = field("places")?.split(',').map(Place::parse).collect();
                state(chain.prove(places?)?)
            }
            (["proofs", "line"], None) => {
                let place =
                    LinePlace { book: BookNumber(small(field("book")?)?), line: LineNumber(number(field("line")?)?) };
                state(chain.line_proof(place, verifier, field("service").and_then(small).map(MemberNumber))?)
            }
            (["proofs", "identifier", identifier], None) => {
                state(chain.line_proof(chain.find(&CertificateId::parse(identifier).ok()?)?, verifier, None)?)
            }
            (["history", book, line], None) => {
                let place = LinePlace { book: BookNumber(small(book)?), line: LineNumber(number(line)?) };
                let mut proof = chain.history(place)?;
                if mood == Mood::Forgets {
                    proof.entries.retain(|entry| entry.place != Place::Act(BookNumber(0), ActNumber(0)));
                }
                state(proof)
            }
            (["pages", book, page], None) => {
                let page = usize::try_from(number(page)?).ok()?;
                let lines = chain.books.get(small(book)? as usize)?.lines.chunks(1024).nth(page)?;
                Some((200, lines.iter().flat_map(|line| line.bytes()).collect()))
            }
            (["transactions", id], None) => {
                let proof = chain.outcomes.get(&TransactionId(Digest::from_hex(id)?))?;
                Some((200, proof.encode()))
            }
            (["transactions"], Some(body)) => {
                let id = chain.take(&Bytes(body.to_vec())).ok()?;
                Some(chain.outcomes.get(&id).map_or((202, vec![]), |proof| (200, proof.encode())))
            }
            (["transactions", "batch"], Some(body)) => {
                let batch: Vec<Bytes> = codec::decode(body, 1 << 24).ok()?;
                let take = |bytes: &Bytes| match chain.take(bytes) {
                    Ok(id) => serde_json::json!({ "id": id }),
                    Err(error) => serde_json::json!({ "error": { "title": error, "status": 422 } }),
                };
                let answers: Vec<serde_json::Value> = batch.iter().map(take).collect();
                Some((200, serde_json::to_vec(&answers).expect("plain JSON")))
            }
            _ => None,
        }
    }
}

fn forged(domain: &Domain, mut proof: StateProof, mood: Mood) -> StateProof {
    match mood {
        Mood::Forges => proof.entries[0].bytes.0[0] ^= 1,
        Mood::OwnQuorum | Mood::Splits => {
            let index = if mood == Mood::Splits { 0 } else { 9 };
            proof.header.time = Millis(proof.header.time.0 + 1);
            proof.certificate = certificate(domain, &proof.header, &["GOV", PSB, "AMR"], index);
        }
        _ => (),
    }
    proof
}

impl Transport for FakeNode {
    fn name(&self) -> &str {
        &self.name
    }

    fn exchange(&self, request: &Request<'_>) -> Result<Response, String> {
        let mood = *self.mood.lock().expect("no test thread panics with the lock");
        if request.path.starts_with("/v1/handovers") {
            self.handovers.fetch_add(1, Ordering::Relaxed);
        }
        if mood == Mood::Silent {
            return Err("connection refused".into());
        }
        let answer = self.answer(request, mood);
        if mood == Mood::LosesAnswers && (request.body.is_some() || request.path.contains("transactions")) {
            return Err("connection reset".into());
        }
        let (status, body) =
            answer.unwrap_or((404, br#"{"title":"not found","detail":"nothing like that here"}"#.to_vec()));
        Ok(Response { status, body })
    }
}

/// A network of nodes, and what a client needs to talk to it.
pub(crate) struct Network {
    chain: Arc<Mutex<Chain>>,
    pub(crate) nodes: Vec<Arc<FakeNode>>,
}

impl Network {
    /// Of two nodes.
    pub(crate) fn new() -> Self {
        Self::of(&["GOV", PSB])
    }

    /// Of the nodes of these members: node-a, node-b and so on.
    pub(crate) fn of(members: &[&'static str]) -> Self {
        let chain = Arc::new(Mutex::new(Chain::new()));
        let node = |(letter, member): (char, &&'static str)| {
            let name = format!("node-{letter}");
            Arc::new(FakeNode {
                name,
                member,
                chain: chain.clone(),
                mood: Mutex::default(),
                handovers: AtomicUsize::default(),
            })
        };
        Self { nodes: ('a'..).zip(members).map(node).collect(), chain }
    }

    /// How often its nodes were asked for handovers since this was asked last.
    pub(crate) fn handovers_asked(&self) -> usize {
        self.nodes.iter().map(|node| node.handovers.swap(0, Ordering::Relaxed)).sum()
    }

    pub(crate) fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().expect("no test thread panics with the lock")
    }

    pub(crate) fn set(&self, node: usize, mood: Mood) {
        *self.nodes[node].mood.lock().expect("no test thread panics with the lock") = mood;
    }

    pub(crate) fn set_all(&self, mood: Mood) {
        (0..self.nodes.len()).for_each(|node| self.set(node, mood));
    }

    pub(crate) fn gateway(&self) -> Gateway {
        Gateway::new(self.nodes.iter().map(|node| node.clone() as Arc<dyn Transport>).collect())
    }

    /// A client whose clock stands at [`NOW`] plus some seconds.
    pub(crate) fn ledger(&self, plus_secs: u64) -> Ledger {
        let now = Millis(NOW.0 + plus_secs * 1000);
        Ledger::new(LightClient::from_checkpoint(genesis().checkpoint()), self.gateway()).with_clock(move || now)
    }

    pub(crate) fn submitter(&self) -> Submitter {
        Submitter::new(self.gateway()).with_wait(Duration::from_millis(1), Duration::from_millis(30))
    }
}

/// The two issuing keys of PSB.
pub(crate) fn held_keys() -> Vec<HeldKey> {
    let slots =
        sample::key_slots().into_iter().filter(|slot| slot.member == PSB && slot.purpose == KeyPurpose::Issuing);
    let file = |slot: sample::KeySlot| {
        let secret = sample::test_secret(PSB, KeyPurpose::Issuing, slot.index);
        HeldKey::new(KeyPurpose::Issuing, sample::member(PSB).expect("a sample member"), slot.number, secret)
    };
    slots.map(file).collect()
}

pub(crate) fn two_persons() -> Signers {
    Signers::new(&held_keys()).expect("two keys of one member")
}
