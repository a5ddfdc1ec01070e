//! The run: rows in, sealed certificates out, and nothing twice.

use std::collections::{HashMap, HashSet, VecDeque};

use fengni_core::certificate::{Certificate, CertificateError, Salt};
use fengni_core::id::CertificateId;
use fengni_core::limits::SEAL_LINES;
use fengni_core::operation::Operation;
use fengni_core::outcome::Refusal;
use fengni_core::record::KeyPurpose;
use fengni_core::transaction::TransactionId;
use fengni_core::{Day, Height, KeyAlgorithm, LineNumber, MemberNumber, SecretKey};
use serde::Serialize;
use thiserror::Error;

use super::archive::{Archive, ArchiveError, Archived, Status};
use super::progress::{Progress, Step};
use super::rows::{Row, RowFault, RowProblem, RowRules, Rows};
use crate::keys;
use crate::ledger::{Ledger, LedgerError};
use crate::random::{RandomError, random};
use crate::submit::{Prepared, Settlement, Signers, SubmitError, Submitter, Unsettled};

/// How an issuing run behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IssueOptions {
    /// Whether rows that hold are issued although others do not.
    pub partial: bool,
    /// Seals in flight at once.
    pub in_flight: usize,
    /// Algorithm of holder keys that are made here because a row names none.
    pub holder_keys: KeyAlgorithm,
    /// The day on which the certificates were granted, where they are sealed later (CRT-11).
    pub acted: Option<Day>,
}

impl Default for IssueOptions {
    fn default() -> Self {
        // 48 full seals are some 50,000 certificates, which fit in one block.
        Self { partial: false, in_flight: 48, holder_keys: KeyAlgorithm::P256, acted: None }
    }
}

/// One seal of a run, as the ledger recorded it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct SealReport {
    /// The transaction.
    pub id: TransactionId,
    /// The including height.
    pub height: Height,
    /// First line.
    pub first: LineNumber,
    /// Lines.
    pub count: u32,
}

/// What a run did. Every row of the file is counted once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IssueReport {
    /// Rows whose certificate this run brought on the ledger.
    pub new: u64,
    /// Rows that an interrupted run had sent, and whose outcome this run learnt or brought about.
    pub resumed: u64,
    /// Rows whose certificate was on the ledger before.
    pub already: u64,
    /// Rows that are not known to be on the ledger: run again.
    pub waiting: u64,
    /// Rows that were not issued and why.
    pub refused: Vec<RowProblem>,
    /// Seals whose outcome this run learnt.
    pub seals: Vec<SealReport>,
    /// Why seals are not known to be in a block, one reason each.
    pub unsettled: Vec<Unsettled>,
}

/// Why a run stopped. What it had sent is in the archive: the next run goes on from there.
#[derive(Debug, Error)]
pub enum IssueError {
    /// Rows do not hold, and the run was to issue all or none.
    #[error("{} rows do not hold, so that nothing was issued; the first: {}", .0.len(), .0.first().map_or_else(String::new, RowProblem::to_string))]
    Rows(Vec<RowProblem>),
    /// The archive is another book's.
    #[error("the archive is of another book")]
    OtherArchive,
    /// The keys are not the keeper's.
    #[error("the book is kept by member {keeper}, and the keys belong to member {member}")]
    OtherKeeper {
        /// Who keeps the book.
        keeper: MemberNumber,
        /// Whose keys they are.
        member: MemberNumber,
    },
    /// The keys are not for issuing.
    #[error("the keys are not for issuing")]
    KeyPurpose,
    /// A row makes no certificate.
    #[error("line {line}: {error}")]
    Certificate {
        /// Line of the file.
        line: u64,
        /// Why not.
        error: CertificateError,
    },
    /// The ledger refuses to take seals.
    #[error("the ledger refused at height {height}: {refusal}")]
    Refused {
        /// Which rule.
        refusal: Refusal,
        /// Where in the seal.
        detail: u64,
        /// At which height.
        height: Height,
    },
    /// A seal's outcome is none that a seal can have.
    #[error("the outcome of seal {0} is not that of a seal")]
    OtherEffect(TransactionId),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Sending.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Who issues, with what, into which book.
#[derive(Clone, Copy, Debug)]
pub struct Issuer<'a> {
    /// Where seals are sent.
    pub submitter: &'a Submitter,
    /// The keeper's keys.
    pub signers: &'a Signers,
    /// The book and its type.
    pub rules: &'a RowRules,
    /// How the run behaves.
    pub options: IssueOptions,
}

impl Issuer<'_> {
    /// Issues the rows of a file, once, however often it is run.
    ///
    /// First it finishes what an earlier run left open: the same signed seals are sent again, and
    /// the ledger takes each once. Rows whose certificate is on the ledger are counted and left
    /// alone.
    ///
    /// # Errors
    /// [`IssueError`]. In strict mode nothing new is sent unless every row holds.
    pub fn issue(
        &self,
        ledger: &mut Ledger,
        archive: &mut Archive,
        rows: Rows,
        progress: &mut dyn Progress,
    ) -> Result<IssueReport, IssueError> {
        let (keeper, member) = (self.rules.record.keeper, self.signers.member());
        if archive.book() != self.rules.book {
            return Err(IssueError::OtherArchive);
        }
        if keeper != member {
            return Err(IssueError::OtherKeeper { keeper, member });
        }
        if self.signers.purpose() != KeyPurpose::Issuing {
            return Err(IssueError::KeyPurpose);
        }
        let Rows { rows, problems } = rows;
        if !self.options.partial && !problems.is_empty() {
            return Err(IssueError::Rows(problems));
        }
        let asked: Vec<(CertificateId, u64)> = rows.iter().map(|row| (row.identifier.clone(), row.line)).collect();
        let report = IssueReport { refused: problems, ..IssueReport::default() };
        let mut run = Run {
            ledger,
            issuer: self,
            archive,
            progress,
            report,
            lines: HashMap::new(),
            new: HashSet::new(),
            resumed: HashSet::new(),
        };
        run.resume()?;
        let due = run.plan(rows)?;
        run.seal(due)?;
        Ok(run.tally(&asked))
    }
}

/// A certificate that is to be sealed: drawn already, or to be drawn from its row.
enum Due {
    Archived(usize),
    New(Box<Row>),
}

struct Run<'a> {
    ledger: &'a mut Ledger,
    issuer: &'a Issuer<'a>,
    archive: &'a mut Archive,
    progress: &'a mut dyn Progress,
    report: IssueReport,
    /// Lines of the file by number of the archived certificate.
    lines: HashMap<usize, u64>,
    /// Certificates that this run brought on the ledger.
    new: HashSet<usize>,
    /// Certificates whose seal an earlier run had sent.
    resumed: HashSet<usize>,
}

/// A seal that is not on the ledger by itself, although certificates in it may be.
struct Doubtful {
    certificates: Vec<usize>,
    /// The certificate that the ledger says it has already.
    taken: Option<usize>,
}

impl Run<'_> {
    /// Sends again what an earlier run left open.
    fn resume(&mut self) -> Result<(), IssueError> {
        if self.archive.open_seals() == 0 {
            return Ok(());
        }
        self.progress.step(Step::Resuming, 0, self.archive.open_seals() as u64);
        let (doubtful, _) = self.send_open(Step::Resuming)?;
        for seal in doubtful {
            // The rows of this file decide whether what is not found is tried again.
            self.look_for(&seal)?;
        }
        Ok(())
    }

    /// What is to be sealed, after a look at the archive.
    fn plan(&mut self, rows: Vec<Row>) -> Result<VecDeque<Due>, IssueError> {
        let mut due = VecDeque::new();
        let mut changed = Vec::new();
        for row in rows {
            let Some(archived) = self.archive.certificate(&row.identifier)? else {
                due.push_back(Due::New(Box::new(row)));
                continue;
            };
            match (archived.status, is_row(&archived, &row)) {
                (Status::Sealed(_) | Status::Waiting, true) => (),
                (Status::Sealed(_) | Status::Waiting, false) => {
                    changed.push(RowProblem::new(row.line, None, RowFault::IssuedOtherwise));
                }
                // Drawn before and never sealed: the same salts will do, unless the row changed.
                (Status::Loose, true) => {
                    if let Some(&number) = self.archive.numbers(&row.identifier).last() {
                        self.lines.insert(number, row.line);
                        due.push_back(Due::Archived(number));
                    }
                }
                (Status::Loose, false) => due.push_back(Due::New(Box::new(row))),
            }
        }
        if !changed.is_empty() && !self.issuer.options.partial {
            return Err(IssueError::Rows(changed));
        }
        self.report.refused.extend(changed);
        Ok(due)
    }

    /// Draws, archives, signs and sends, as many seals at once as are allowed in flight.
    fn seal(&mut self, mut due: VecDeque<Due>) -> Result<(), IssueError> {
        if due.is_empty() {
            return Ok(());
        }
        let total = due.len() as u64;
        let solo = usize::try_from(self.ledger.parameters()?.solo_seal_lines).unwrap_or(usize::MAX);
        let two = self.issuer.signers.are_two_persons();
        let in_a_seal = if two { SEAL_LINES } else { solo.clamp(1, SEAL_LINES) };
        let in_flight = self.issuer.options.in_flight.max(1);
        let mut drawn = 0;
        while !due.is_empty() && self.archive.open_seals() < in_flight {
            let valid_until = self.issuer.submitter.valid_until(self.ledger)?;
            while !due.is_empty() && self.archive.open_seals() < in_flight {
                let batch: Vec<Due> = due.drain(..in_a_seal.min(due.len())).collect();
                drawn += batch.len() as u64;
                self.prepare(batch, valid_until)?;
                self.progress.step(Step::Preparing, drawn.min(total), total);
            }
            // Salts and signed seals are durable before the ledger hears of them.
            self.archive.sync()?;
            let (doubtful, stuck) = self.send_open(Step::Sealing)?;
            for seal in doubtful {
                due.extend(self.look_for(&seal)?.into_iter().map(Due::Archived));
            }
            if stuck {
                // What is not drawn yet stays in the file for the next run.
                break;
            }
        }
        Ok(())
    }

    /// Draws what is new, and signs a seal of it all.
    fn prepare(&mut self, batch: Vec<Due>, valid_until: Height) -> Result<(), IssueError> {
        let domain = self.ledger.domain();
        let mut numbers = Vec::with_capacity(batch.len());
        let mut lines = Vec::with_capacity(batch.len());
        for due in batch {
            let (number, identifier, certificate) = match due {
                Due::Archived(number) => {
                    let Archived { identifier, certificate, .. } = self.archive.read(number)?;
                    (number, identifier, certificate)
                }
                Due::New(row) => {
                    let (certificate, key) = self.draw(&row)?;
                    let number = self.archive.add(&row.identifier, &certificate, key.as_ref())?;
                    self.lines.insert(number, row.line);
                    (number, row.identifier, certificate)
                }
            };
            numbers.push(number);
            lines.push(certificate.header().line(&domain, &identifier));
        }
        let book = self.issuer.rules.book;
        let operation = match self.issuer.options.acted {
            None => Operation::Seal { book, lines },
            Some(acted) => Operation::DatedSeal { book, acted, lines },
        };
        let prepared = Prepared::sign(&domain, self.issuer.signers, operation, valid_until, random()?);
        Ok(self.archive.add_seal(prepared.map_err(SubmitError::from)?, numbers)?)
    }

    /// A certificate of a row, with fresh salts, and a holder key where the row names none.
    fn draw(&self, row: &Row) -> Result<(Certificate, Option<SecretKey>), IssueError> {
        let (holder, key) = match row.holder {
            Some(holder) => (holder, None),
            None => {
                let key = keys::generate(self.issuer.options.holder_keys)?;
                (key.public(), Some(key))
            }
        };
        let salts = row.values.iter().map(|_| Ok(Salt(random()?))).collect::<Result<Vec<_>, RandomError>>()?;
        let wrong = |error| IssueError::Certificate { line: row.line, error };
        let fields = CertificateError::Fields { values: row.values.len(), salts: salts.len(), fields: 0 };
        let schema = self.issuer.rules.certificate_type.schema(row.schema).ok_or_else(|| wrong(fields))?;
        let certificate =
            Certificate::new(&self.ledger.domain(), schema, row.facts(holder), row.values.clone(), &salts);
        Ok((certificate.map_err(wrong)?, key))
    }

    /// Sends every open seal and notes what became of each.
    ///
    /// Returns seals whose certificates have to be looked for, and whether any is still open.
    fn send_open(&mut self, step: Step) -> Result<(Vec<Doubtful>, bool), IssueError> {
        let resuming = step == Step::Resuming;
        let open = self.archive.open_list();
        let prepared: Vec<Prepared> = open.iter().map(|open| open.prepared.clone()).collect();
        let lines = open.iter().map(|open| open.certificates.len() as u64).sum();
        let total = if resuming { open.len() as u64 } else { lines };
        let mut done = 0;
        let mut doubtful = Vec::new();
        let mut refused = None;
        let Self { ledger, issuer, archive, progress, report, new, resumed, .. } = self;
        let unsettled = issuer.submitter.send_all::<IssueError>(ledger, &prepared, |_, settlement| {
            let id = settlement.id();
            let held = archive.settle(&settlement)?;
            archive.sync()?;
            done += if resuming { 1 } else { held.len() as u64 };
            match settlement {
                Settlement::Done { effect, height, .. } => {
                    let sealed = effect.sealed().filter(|(book, _, count)| {
                        *book == issuer.rules.book && usize::try_from(*count).is_ok_and(|count| count == held.len())
                    });
                    let (_, first, count) = sealed.ok_or(IssueError::OtherEffect(id))?;
                    report.seals.push(SealReport { id, height, first, count });
                    if resuming { resumed.extend(held) } else { new.extend(held) }
                }
                Settlement::Refused { refusal: Refusal::DuplicateTag, detail, .. } => {
                    let taken = usize::try_from(detail).ok().and_then(|place| held.get(place).copied());
                    doubtful.push(Doubtful { certificates: held, taken });
                }
                Settlement::Refused { refusal, detail, height, .. } => {
                    refused.get_or_insert(IssueError::Refused { refusal, detail, height });
                }
                Settlement::Undecided { .. } => (),
            }
            progress.step(step, done, total);
            Ok(())
        })?;
        let mut stuck = false;
        for (place, reason) in unsettled {
            // A seal that is late, or that a relay finds wrong, is given up: it is signed again
            // with the same salts. Should it be in a block all the same, then its tags are taken,
            // and its certificates are found there.
            if matches!(reason, Unsettled::Late(_) | Unsettled::Declined(_)) {
                let id = prepared[place].id;
                let certificates = self.archive.settle(&Settlement::Undecided { id, reason: reason.clone() })?;
                self.archive.sync()?;
                doubtful.push(Doubtful { certificates, taken: None });
            }
            if !matches!(reason, Unsettled::Late(_)) {
                stuck = true;
                self.report.unsettled.push(reason);
            }
        }
        refused.map_or(Ok((doubtful, stuck)), Err)
    }

    /// Looks for the certificates of a seal on the ledger: notes those that are ours, refuses
    /// those that are not, and returns the rest, which may be tried again.
    fn look_for(&mut self, seal: &Doubtful) -> Result<Vec<usize>, IssueError> {
        let domain = self.ledger.domain();
        let mut rest = Vec::new();
        for &number in &seal.certificates {
            let identifier = self.archive.read(number)?.identifier;
            let found = self.ledger.find(&identifier)?;
            if found.is_none() && seal.taken != Some(number) {
                rest.push(number);
                continue;
            }
            let mut ours = None;
            if let Some((place, line)) = found.filter(|(place, _)| place.book == self.issuer.rules.book) {
                for &entry in self.archive.numbers(&identifier) {
                    if self.archive.read(entry)?.certificate.header().commitment(&domain) == line.commitment {
                        ours = Some((entry, place.line));
                    }
                }
            }
            if let Some((entry, line)) = ours {
                self.archive.found(entry, line)?;
            } else if let Some(&line) = self.lines.get(&number) {
                let fault = RowFault::OnLedger { place: found.map(|(place, _)| place) };
                self.report.refused.push(RowProblem::new(line, None, fault));
            }
        }
        self.archive.sync()?;
        Ok(rest)
    }

    /// Counts every row that was asked for.
    fn tally(self, asked: &[(CertificateId, u64)]) -> IssueReport {
        let Self { archive, mut report, new, resumed, .. } = self;
        let refused: HashSet<u64> = report.refused.iter().map(|problem| problem.line).collect();
        for (identifier, line) in asked {
            let numbers = archive.numbers(identifier);
            let sealed = numbers.iter().find(|number| matches!(archive.status_of(**number), Status::Sealed(_)));
            match sealed {
                _ if refused.contains(line) => (),
                Some(number) if new.contains(number) => report.new += 1,
                Some(number) if resumed.contains(number) => report.resumed += 1,
                Some(_) => report.already += 1,
                None => report.waiting += 1,
            }
        }
        report
    }
}

/// Whether an archived certificate says what a row says. A key that was made here stands for none.
fn is_row(archived: &Archived, row: &Row) -> bool {
    let header = archived.certificate.header();
    let holder = row.holder.unwrap_or(header.facts.holder);
    let made_here = archived.key.is_some() || row.holder.is_some();
    let values = archived.certificate.claims().iter().map(|claim| &claim.value);
    made_here && header.facts == row.facts(holder) && values.eq(&row.values)
}
