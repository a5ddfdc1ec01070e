//! The ledger as a client sees it: any node is asked, and only what a quorum proves is believed.

use std::fmt;
use std::time::Duration;

use fengni_core::block::{Block, Header};
use fengni_core::book::{Book, Line, Tag, page_root};
use fengni_core::certificate::PagePath;
use fengni_core::event::{Directory, Event, block_events};
use fengni_core::finality::CommitCertificate;
use fengni_core::history::History;
use fengni_core::id::CertificateId;
use fengni_core::outcome::Outcome;
use fengni_core::proof::{OutcomeProof, Place, ProofError, Proven, StateProof};
use fengni_core::record::{CertificateType, Parameters, Record};
use fengni_core::shelf::Shelf;
use fengni_core::standing::Page;
use fengni_core::transaction::TransactionId;
use fengni_core::{
    BookNumber, Digest, Domain, Height, LineNumber, LinePlace, MemberNumber, Millis, PageNumber, Suite, tree,
};
use thiserror::Error;

use crate::clock;
use crate::gateway::{Answer, Gateway, GatewayError, NodeTrouble, Trouble};
use crate::handovers::{Others, Trail, believe, follow_all};

use crate::node::Node;
use fengni_core::light::{Checkpoint, FinalHeader, Handover, LightClient, LightError};

/// Registry records asked for at once: so many fit in a URL.
const RECORDS_AT_ONCE: u32 = 128;

/// Why the ledger gave no answer.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum LedgerError {
    /// No node gave an answer that holds.
    #[error("{0}")]
    Gateway(#[from] GatewayError),
    /// This client cannot judge what it was given.
    #[error(transparent)]
    Light(#[from] LightError),
    /// What was proven cannot be read, such as a record of a later version.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl LedgerError {
    /// Whether every node that answered knows nothing of what was asked. Proves no absence.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Gateway(error) if error.is_not_found())
    }

    /// Whether asking again later may help: nodes are away, behind or not to be believed.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Gateway(error) if !error.is_not_found())
    }
}

/// A light client and the nodes it asks.
pub struct Ledger {
    light: LightClient,
    gateway: Gateway,
    clock: Box<dyn Fn() -> Millis + Send + Sync>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ledger({}, {} nodes)", self.light.domain().network, self.gateway.nodes().len())
    }
}

/// What a light client makes of an answer, in the terms of the node that gave it.
pub(crate) fn judged(error: LightError) -> Trouble {
    if error.is_fault_of_answer() { Trouble::Lied(error.to_string()) } else { Trouble::Unjudged(error.to_string()) }
}

fn lied(error: impl ToString) -> Trouble {
    Trouble::Lied(error.to_string())
}

impl Ledger {
    /// A ledger behind these nodes, by the system's clock.
    pub fn new(light: LightClient, gateway: Gateway) -> Self {
        Self { light, gateway, clock: Box::new(clock::now) }
    }

    /// The same by another clock: for tests and replays.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), ..self }
    }

    /// What time it is.
    pub fn now(&self) -> Millis {
        (self.clock)()
    }

    /// Whose rules digests and signatures follow.
    pub fn domain(&self) -> Domain {
        *self.light.domain()
    }

    /// The light client, to be saved when the work is done.
    pub fn light(&self) -> &LightClient {
        &self.light
    }

    /// The light client, to pin a checkpoint or follow a handover.
    pub fn light_mut(&mut self) -> &mut LightClient {
        &mut self.light
    }

    /// The nodes it asks.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// A ledger for each node, which asks it alone and believes what this one does.
    pub fn each(&self) -> impl Iterator<Item = Self> + '_ {
        self.gateway.each().map(|gateway| Self::new(self.light.clone(), gateway))
    }

    /// Asks for the newest final header.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn sync(&mut self) -> Result<Answer<Header>, LedgerError> {
        Ok(self.header_of(Node::latest_header)?.map(|found| found.header))
    }

    /// Follows the handovers that nodes know, so that every header is judged by the set of its height.
    ///
    /// # Errors
    /// [`LedgerError`] where handovers do not hold; that there are none to be had is no error.
    pub fn follow(&mut self) -> Result<(), LedgerError> {
        let now = self.now();
        let (light, gateway) = (&mut self.light, &self.gateway);
        let answer = gateway.ask(|node| match follow_all(light, node, now) {
            (_, Some(trouble @ (Trouble::Lied(_) | Trouble::Malformed(_) | Trouble::Unreachable(_)))) => Err(trouble),
            // A node that is behind this client has none to give; where none leads on, headers tell.
            _ => Ok(()),
        });
        self.settled(answer).map(|_| ())
    }

    /// Asks every node for its newest final header: the highest of those that hold, and how many held.
    ///
    /// # Errors
    /// [`LedgerError`] where none does.
    pub fn highest(&mut self) -> Result<(Header, usize), LedgerError> {
        let now = self.now();
        let mut highest: Option<Header> = None;
        let (light, gateway) = (&mut self.light, &self.gateway);
        let mut others = Others::of(gateway);
        let mut held = 0;
        for node in gateway.nodes() {
            let Ok((header, certificate)) = node.latest_header() else { continue };
            let believed = believe(light, node, &mut others, now, |light| light.accept(&header, &certificate, now));
            if let Err(trouble) = believed {
                gateway.note(&NodeTrouble { node: node.name().to_owned(), trouble });
                continue;
            }
            held += 1;
            if highest.as_ref().is_none_or(|highest| header.height > highest.height) {
                highest = Some(header);
            }
        }
        self.uncontradicted()?;
        match highest {
            Some(highest) => Ok((highest, held)),
            // Asking once more says why none held.
            None => Ok((self.sync()?.value, 1)),
        }
    }

    /// Asks for the final header of a height.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn header(&mut self, height: Height) -> Result<Answer<FinalHeader>, LedgerError> {
        self.header_of(|node| match node.header(height)? {
            found if found.0.height == height => Ok(found),
            _ => Err(lied("the header is of another height")),
        })
    }

    /// What the block of a height did, all of it.
    ///
    /// - `directory`: the books opened before; takes note of those that the block opens.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn events(&mut self, height: Height, directory: &mut Directory) -> Result<Answer<Vec<Event>>, LedgerError> {
        let (now, domain) = (self.now(), self.domain());
        let (light, gateway) = (&mut self.light, &self.gateway);
        let mut others = Others::of(gateway);
        let answer = gateway.ask(|node| {
            let (bytes, certificate) = node.block(height)?;
            let block = Block::decode(&bytes.0).map_err(lied)?;
            if block.header.height != height {
                return Err(lied("the block is of another height"));
            }
            believe(light, node, &mut others, now, |light| light.accept(&block.header, &certificate, now))?;
            block_events(&domain, &block, &node.outcomes(height)?, directory).map_err(lied)
        });
        self.settled(answer)
    }

    fn header_of(
        &mut self,
        question: impl Fn(&Node) -> Result<(Header, CommitCertificate), Trouble>,
    ) -> Result<Answer<FinalHeader>, LedgerError> {
        let now = self.now();
        let (light, gateway) = (&mut self.light, &self.gateway);
        let mut others = Others::of(gateway);
        let answer = gateway.ask(|node| {
            let (header, certificate) = question(node)?;
            believe(light, node, &mut others, now, |light| light.accept(&header, &certificate, now))?;
            Ok(FinalHeader { header, certificate })
        });
        self.settled(answer)
    }

    /// The handovers between a checkpoint and a final header: what a reader needs who pins that
    /// checkpoint and asks nobody.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn handovers(&self, checkpoint: &Checkpoint, found: &FinalHeader) -> Result<Vec<Handover>, LedgerError> {
        let now = self.now();
        let FinalHeader { header, certificate } = found;
        let answer = self.gateway.ask(|node| {
            let mut trail = Trail { light: LightClient::of_the_past(checkpoint.clone()), followed: Vec::new() };
            if let (_, Some(trouble @ (Trouble::Lied(_) | Trouble::Malformed(_)))) = follow_all(&mut trail, node, now) {
                return Err(trouble);
            }
            // Where it gives none, there may have been none.
            trail.light.accept(header, certificate, now).map_err(judged)?;
            Ok(trail.followed)
        });
        let mut followed = self.settled(answer)?.value;
        followed.retain(|handover| handover.header.height < header.height);
        Ok(followed)
    }

    /// Asks for a state proof and reads it, passing over nodes whose answer does not hold.
    ///
    /// - `question`: the route to ask.
    /// - `read`: what is wanted of the entries; an entry that is missing is the node's fault.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn ask<T>(
        &mut self,
        question: impl Fn(&Node) -> Result<StateProof, Trouble>,
        mut read: impl FnMut(&StateProof, Proven) -> Result<T, ProofError>,
    ) -> Result<Answer<T>, LedgerError> {
        let now = self.now();
        let (light, gateway) = (&mut self.light, &self.gateway);
        let mut others = Others::of(gateway);
        let answer = gateway.ask(|node| {
            let mut proof = question(node)?;
            let proven = believe(light, node, &mut others, now, |light| light.prove(&proof, now))?;
            certify(light, &mut proof);
            read(&proof, proven).map_err(lied)
        });
        self.settled(answer)
    }

    /// A contradiction among final headers outweighs whatever the nodes said.
    fn settled<T>(&self, answer: Result<Answer<T>, GatewayError>) -> Result<Answer<T>, LedgerError> {
        self.uncontradicted()?;
        Ok(answer?)
    }

    fn uncontradicted(&self) -> Result<(), LedgerError> {
        match self.light.evidence().first() {
            Some(evidence) => Err(LightError::Contradiction(evidence.second.header.height).into()),
            None => Ok(()),
        }
    }

    /// Entries at these places, all of them, as of one height.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn prove(&mut self, places: &[Place]) -> Result<Answer<Proven>, LedgerError> {
        Ok(self.state_proof(places, None)?.map(|(_, proven)| proven))
    }

    /// The same as of a named height, one of the newest 1,024, with the proof itself.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn prove_at(&mut self, places: &[Place], height: Height) -> Result<Answer<(StateProof, Proven)>, LedgerError> {
        self.state_proof(places, Some(height))
    }

    fn state_proof(
        &mut self,
        places: &[Place],
        height: Option<Height>,
    ) -> Result<Answer<(StateProof, Proven)>, LedgerError> {
        let now = self.now();
        let (light, gateway) = (&mut self.light, &self.gateway);
        let mut others = Others::of(gateway);
        let answer = gateway.ask(|node| {
            let mut proof = node.proof(places, height)?;
            let proven = believe(light, node, &mut others, now, |light| light.prove(&proof, now))?;
            certify(light, &mut proof);
            if height.is_some_and(|height| proof.header.height != height) {
                return Err(lied(format!("a proof of height {} in place of another", proof.header.height)));
            }
            match places.iter().find(|place| !proven.places().any(|found| found == *place)) {
                Some(missing) => Err(lied(ProofError::Missing(*missing))),
                None => Ok((proof, proven)),
            }
        });
        self.settled(answer)
    }

    /// A registry record.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn record<R: Record>(&mut self, number: u32) -> Result<R, LedgerError> {
        let proven = self.prove(&[Place::Record(R::SHELF, number)])?.value;
        Ok(proven.record(number)?)
    }

    /// The certificate type that a book is about.
    ///
    /// # Errors
    /// [`LedgerError`]; of a book of cases [`ProofError::NoCertificates`].
    pub fn type_of(&mut self, book: &Book) -> Result<CertificateType, LedgerError> {
        self.record(book.certificate_type().ok_or(ProofError::NoCertificates)?.0)
    }

    /// The network's parameters as they are now.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn parameters(&mut self) -> Result<Parameters, LedgerError> {
        self.record(0)
    }

    /// Every record of a registry, in the order of their numbers.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn shelf<R: Record>(&mut self) -> Result<Vec<R>, LedgerError> {
        self.shelf_of(None)
    }

    /// The same as of a named height, one of the newest 1,024: none is left out that stood there.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn shelf_at<R: Record>(&mut self, height: Height) -> Result<Vec<R>, LedgerError> {
        self.shelf_of(Some(height))
    }

    fn shelf_of<R: Record>(&mut self, height: Option<Height>) -> Result<Vec<R>, LedgerError> {
        let any = Place::Record(Shelf::Parameters, 0);
        let size = self.state_proof(&[any], height)?.value.1.size(R::SHELF);
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        let mut records = Vec::new();
        while let Some(first) = u32::try_from(records.len()).ok().filter(|first| *first < size) {
            let numbers = first..size.min(first.saturating_add(RECORDS_AT_ONCE));
            let places: Vec<Place> = numbers.clone().map(|number| Place::Record(R::SHELF, number)).collect();
            let (_, proven) = self.state_proof(&places, height)?.value;
            for number in numbers {
                records.push(proven.record(number)?);
            }
        }
        Ok(records)
    }

    /// All that a verifier needs to judge a line: see rule V-2 of `sdk/spec/verdicts.md`.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn line(&mut self, place: LinePlace, verifier: Option<MemberNumber>) -> Result<Answer<Proven>, LedgerError> {
        self.ask(
            |node| node.line_proof(place, verifier, None, None),
            |_, proven| {
                let book: Book = proven.record(place.book.0)?;
                // A line beyond the book's count is proven not to be by the count alone.
                if place.line.0 < book.lines {
                    proven.line(place)?;
                }
                Ok(proven)
            },
        )
    }

    /// As [`Ledger::line`] for the current line of an identifier, with its place.
    ///
    /// # Errors
    /// [`LedgerError`]; [`LedgerError::is_not_found`] where no node finds one.
    pub fn identifier(
        &mut self,
        identifier: &CertificateId,
        verifier: Option<MemberNumber>,
    ) -> Result<Answer<(LinePlace, Proven)>, LedgerError> {
        let tag = Tag::of(&self.domain(), identifier);
        self.ask(
            |node| node.identifier_proof(identifier, verifier),
            |_, proven| {
                let place =
                    found_line(&proven, tag).ok_or(ProofError::Missing(Place::Line(BookNumber(0), LineNumber(0))))?;
                Ok((place, proven))
            },
        )
    }

    /// Where the current line of an identifier stands, and the line; `None` where no node finds
    /// one, which proves nothing.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn find(&mut self, identifier: &CertificateId) -> Result<Option<(LinePlace, Line)>, LedgerError> {
        match self.identifier(identifier, None) {
            Ok(Answer { value: (place, proven), .. }) => Ok(Some((place, proven.line(place)?))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The history of a line and of the lines that took its place.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn history(&mut self, place: LinePlace) -> Result<Answer<History>, LedgerError> {
        self.ask(|node| node.history(place, None), |_, proven| History::read(&proven, place))
    }

    /// A page record and the lines on the page, checked against it.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn page(&mut self, book: BookNumber, page: PageNumber) -> Result<Answer<(Page, Vec<Line>)>, LedgerError> {
        let (now, domain) = (self.now(), self.domain());
        let (light, gateway) = (&mut self.light, &self.gateway);
        let mut others = Others::of(gateway);
        let answer = gateway.ask(|node| {
            let proof = node.proof(&[Place::Page(book, page)], None)?;
            let proven = believe(light, node, &mut others, now, |light| light.prove(&proof, now))?;
            let record = proven.page(book, page).map_err(lied)?;
            let lines = lines_of(node, &domain, book, page, &record)?;
            Ok((record, lines))
        });
        self.settled(answer)
    }

    /// All lines of a page whose record was proven.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn lines(
        &mut self,
        book: BookNumber,
        page: PageNumber,
        record: &Page,
    ) -> Result<Answer<Vec<Line>>, LedgerError> {
        let domain = self.domain();
        let answer = self.gateway.ask(|node| lines_of(node, &domain, book, page, record));
        self.settled(answer)
    }

    /// The path from a line to its page's root, computed here from the lines of the page.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn path(&mut self, place: LinePlace) -> Result<PagePath, LedgerError> {
        let (record, lines) = self.page(place.book, place.line.page())?.value;
        let missing = ProofError::Missing(Place::Line(place.book, place.line));
        Ok(PagePaths::new(&self.domain(), &record, &lines).path(place.line).ok_or(missing)?)
    }

    /// What became of a transaction; `None` while no node knows.
    ///
    /// The first node may hold the question open for `wait`; the others answer at once.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn transaction(&mut self, id: TransactionId, wait: Duration) -> Result<Option<(Outcome, Header)>, LedgerError> {
        let now = self.now();
        let (light, gateway) = (&mut self.light, &self.gateway);
        let mut others = Others::of(gateway);
        let mut wait = wait;
        let mut waits = false;
        let answer = gateway.ask(|node| match node.transaction(id, std::mem::take(&mut wait))? {
            Some(proof) => outcome_of(light, node, &mut others, id, &proof, now),
            None => {
                waits = true;
                Err(Trouble::Behind("no block has the transaction yet".into()))
            }
        });
        match self.settled(answer) {
            Ok(answer) => Ok(Some(answer.value)),
            Err(LedgerError::Gateway(error)) if waits || error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Believes what a node gave, also one that is not among those it asks, such as a relay.
    pub(crate) fn believe<T>(
        &mut self,
        node: &Node,
        others: &mut Others<'_>,
        mut judge: impl FnMut(&mut LightClient, Millis) -> Result<T, LightError>,
    ) -> Result<T, Trouble> {
        let now = self.now();
        believe(&mut self.light, node, others, now, |light| judge(light, now))
    }

    /// The outcome of this transaction and no other, by a node's proof.
    pub(crate) fn outcome(
        &mut self,
        node: &Node,
        id: TransactionId,
        proof: &OutcomeProof,
    ) -> Result<(Outcome, Header), Trouble> {
        let now = self.now();
        outcome_of(&mut self.light, node, &mut Others::of(&self.gateway), id, proof, now)
    }
}

fn outcome_of(
    light: &mut LightClient,
    node: &Node,
    others: &mut Others<'_>,
    id: TransactionId,
    proof: &OutcomeProof,
    now: Millis,
) -> Result<(Outcome, Header), Trouble> {
    let outcome = believe(light, node, others, now, |light| light.outcome(proof, now))?;
    if outcome.transaction != id {
        return Err(lied("the outcome is of another transaction"));
    }
    Ok((outcome, proof.header.clone()))
}

/// Gives a proof the certificate that was judged: of a header that is believed already, another is not
/// looked at, and whoever keeps the proof needs one that holds.
pub(crate) fn certify(light: &LightClient, proof: &mut StateProof) {
    if let Some(found) = light.header_at(proof.header.height).filter(|found| found.header == proof.header) {
        proof.certificate = found.certificate.clone();
    }
}

/// The lines of a page as its record has them.
fn lines_of(
    node: &Node,
    domain: &Domain,
    book: BookNumber,
    page: PageNumber,
    record: &Page,
) -> Result<Vec<Line>, Trouble> {
    // The page may have grown since its record was proven: its lines never change.
    let mut lines = node.page_lines(book, page)?;
    lines.truncate(usize::from(record.lines));
    if lines.len() < usize::from(record.lines) || page_root(domain, &lines) != record.root {
        return Err(lied(format!("the lines of page {page} of book {book} are not those of its root")));
    }
    Ok(lines)
}

/// The line with a tag among proven entries: the latest, where one took the place of another.
fn found_line(proven: &Proven, tag: Tag) -> Option<LinePlace> {
    let mut found = None;
    for place in proven.places() {
        if let Place::Line(book, line) = *place {
            let place = LinePlace { book, line };
            if proven.line(place).is_ok_and(|line| line.tag == tag) {
                found = Some(place);
            }
        }
    }
    found
}

/// Paths of the lines of one page.
pub(crate) struct PagePaths {
    suite: Suite,
    lines: u16,
    leaves: Vec<Digest>,
}

impl PagePaths {
    pub(crate) fn new(domain: &Domain, record: &Page, lines: &[Line]) -> Self {
        let leaves = lines.iter().map(|line| line.digest(domain)).collect();
        Self { suite: domain.suite, lines: record.lines, leaves }
    }

    pub(crate) fn path(&self, line: LineNumber) -> Option<PagePath> {
        let hashes = tree::path(self.suite, &self.leaves, usize::from(line.place()))?;
        Some(PagePath { lines: self.lines, hashes })
    }
}
