//! The run: rows in, sealed certificates out, and nothing twice.

use std::collections::{HashMap, VecDeque};

use fengni_core::certificate::{Certificate, CertificateError, Salt};
use fengni_core::limits::SEAL_LINES;
use fengni_core::operation::Operation;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::KeyPurpose;
use fengni_core::transaction::TransactionId;
use fengni_core::{Height, KeyAlgorithm, LineNumber, MemberNumber, SecretKey};
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
}

impl Default for IssueOptions {
    fn default() -> Self {
        // 48 full seals are some 50,000 certificates, which fit in one block.
        Self { partial: false, in_flight: 48, holder_keys: KeyAlgorithm::P256 }
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

/// What a run did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IssueReport {
    /// Rows in the file that hold.
    pub rows: u64,
    /// Certificates that this run brought on the ledger.
    pub new: u64,
    /// Rows whose certificate was on the ledger before.
    pub already: u64,
    /// Rows whose seal was sent and is not known to be in a block: run again.
    pub waiting: u64,
    /// Rows that were not issued and why.
    pub refused: Vec<RowProblem>,
    /// Seals of this run.
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

/// Issues the rows of a file, once, however often it is run.
///
/// First it finishes what an earlier run left open: the same signed seals are sent again, and the
/// ledger takes each once. Rows whose certificate is on the ledger are counted and left alone.
///
/// # Errors
/// [`IssueError`]. In strict mode nothing is sent unless every row holds.
pub fn issue(
    ledger: &mut Ledger,
    submitter: &Submitter,
    signers: &Signers,
    archive: &mut Archive,
    rules: &RowRules,
    rows: Rows,
    options: &IssueOptions,
    progress: &mut dyn Progress,
) -> Result<IssueReport, IssueError> {
    if archive.book() != rules.book {
        return Err(IssueError::OtherArchive);
    }
    if rules.record.keeper != signers.member() {
        return Err(IssueError::OtherKeeper { keeper: rules.record.keeper, member: signers.member() });
    }
    if signers.purpose() != KeyPurpose::Issuing {
        return Err(IssueError::KeyPurpose);
    }
    let Rows { rows, problems } = rows;
    if !options.partial && !problems.is_empty() {
        return Err(IssueError::Rows(problems));
    }
    let report = IssueReport { rows: rows.len() as u64, refused: problems, ..IssueReport::default() };
    let mut run = Run { ledger, submitter, signers, archive, rules, options, progress, report, lines: HashMap::new() };
    run.resume()?;
    let plan = run.plan(rows)?;
    run.seal(plan)?;
    Ok(run.report)
}

/// A certificate that is to be sealed: drawn already, or to be drawn from its row.
enum Due {
    Archived(usize),
    New(Row),
}

struct Run<'a> {
    ledger: &'a mut Ledger,
    submitter: &'a Submitter,
    signers: &'a Signers,
    archive: &'a mut Archive,
    rules: &'a RowRules,
    options: &'a IssueOptions,
    progress: &'a mut dyn Progress,
    report: IssueReport,
    /// Lines of the file by number of the archived certificate.
    lines: HashMap<usize, u64>,
}

/// Seals that the ledger refused because a certificate in them is there already.
struct Doubled {
    certificates: Vec<usize>,
}

impl Run<'_> {
    /// Sends again what an earlier run left open.
    fn resume(&mut self) -> Result<(), IssueError> {
        if self.archive.open_seals() == 0 {
            return Ok(());
        }
        self.progress.step(Step::Resuming, 0, self.archive.open_seals() as u64);
        let doubled = self.send_open(Step::Resuming)?;
        for Doubled { certificates } in doubled {
            // The rows of this file decide whether they are tried again.
            self.find_doubles(&certificates)?;
        }
        Ok(())
    }

    /// What is to be sealed, after a look at the archive.
    fn plan(&mut self, rows: Vec<Row>) -> Result<VecDeque<Due>, IssueError> {
        let mut due = VecDeque::new();
        let mut changed = Vec::new();
        for row in rows {
            let Some(archived) = self.archive.certificate(&row.identifier)? else {
                due.push_back(Due::New(row));
                continue;
            };
            match (archived.status, is_row(&archived, &row)) {
                (Status::Sealed(_), true) => self.report.already += 1,
                (Status::Waiting, true) => self.report.waiting += 1,
                (Status::Sealed(_) | Status::Waiting, false) => {
                    changed.push(RowProblem::new(row.line, None, RowFault::IssuedOtherwise));
                }
                // Drawn before and never sealed: the same salts will do, unless the row changed.
                (Status::Loose, true) => {
                    let number = self.archive.numbers(&row.identifier).last().copied();
                    due.extend(number.map(|number| {
                        self.lines.insert(number, row.line);
                        Due::Archived(number)
                    }));
                }
                (Status::Loose, false) => due.push_back(Due::New(row)),
            }
        }
        if !changed.is_empty() && !self.options.partial {
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
        let parameters = self.ledger.parameters()?;
        let solo = usize::try_from(parameters.solo_seal_lines).unwrap_or(usize::MAX);
        let in_a_seal = if self.signers.are_two_persons() { SEAL_LINES } else { SEAL_LINES.min(solo).max(1) };
        let in_flight = self.options.in_flight.max(1);
        let mut prepared = 0;
        while !due.is_empty() {
            let valid_until = self.submitter.valid_until(self.ledger)?;
            while !due.is_empty() && self.archive.open_seals() < in_flight {
                let batch: Vec<Due> = due.drain(..in_a_seal.min(due.len())).collect();
                prepared += batch.len() as u64;
                self.prepare(batch, valid_until)?;
                self.progress.step(Step::Preparing, prepared.min(total), total);
            }
            // Salts and signed seals are durable before the ledger hears of them.
            self.archive.sync()?;
            let doubled = self.send_open(Step::Sealing)?;
            for Doubled { certificates } in doubled {
                due.extend(self.find_doubles(&certificates)?.into_iter().map(Due::Archived));
            }
            if self.archive.open_seals() >= in_flight {
                // The ledger takes none: what is not drawn yet stays in the file for the next run.
                self.report.waiting += due.len() as u64;
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
        let operation = Operation::Seal { book: self.rules.book, lines };
        let prepared = Prepared::sign(&domain, self.signers, operation, valid_until, random()?);
        Ok(self.archive.add_seal(prepared, numbers)?)
    }

    /// A certificate of a row, with fresh salts, and a holder key where the row names none.
    fn draw(&self, row: &Row) -> Result<(Certificate, Option<SecretKey>), IssueError> {
        let key = match row.holder {
            Some(_) => None,
            None => Some(keys::generate(self.options.holder_keys)?),
        };
        let holder = row.holder.or_else(|| key.as_ref().map(SecretKey::public)).expect("one of the two is there");
        let salts = row.values.iter().map(|_| Ok(Salt(random()?))).collect::<Result<Vec<_>, RandomError>>()?;
        let wrong = |error| IssueError::Certificate { line: row.line, error };
        let schema = self.rules.certificate_type.schema(row.schema).ok_or(wrong(CertificateError::Claims))?;
        let certificate = Certificate::new(&self.ledger.domain(), schema, row.facts(holder), row.values.clone(), &salts);
        Ok((certificate.map_err(wrong)?, key))
    }

    /// Sends every open seal and notes what became of each.
    ///
    /// Returns the seals that hold certificates which are on the ledger already.
    fn send_open(&mut self, step: Step) -> Result<Vec<Doubled>, IssueError> {
        let prepared: Vec<Prepared> = self.archive.open_list().iter().map(|open| open.prepared.clone()).collect();
        let certificates: HashMap<TransactionId, Vec<usize>> =
            self.archive.open_list().iter().map(|open| (open.prepared.id, open.certificates.clone())).collect();
        let resuming = step == Step::Resuming;
        let total = if resuming { prepared.len() as u64 } else { certificates.values().map(|held| held.len() as u64).sum() };
        let mut done = 0;
        let mut doubled = Vec::new();
        let mut stop = None;
        let Self { ledger, submitter, archive, progress, report, rules, .. } = self;
        let unsettled = submitter.send_all::<IssueError>(ledger, &prepared, |_, settlement| {
            let id = settlement.id();
            let held = archive.settle(&settlement)?;
            archive.sync()?;
            match settlement {
                Settlement::Done { effect: Effect::Sealed { book, first, count, .. }, height, .. }
                    if book == rules.book && count as usize == held.len() =>
                {
                    report.seals.push(SealReport { id, height, first, count });
                    if !resuming {
                        report.new += held.len() as u64;
                    }
                }
                Settlement::Done { .. } => return Err(IssueError::OtherEffect(id)),
                Settlement::Refused { refusal: Refusal::DuplicateTag, .. } => doubled.push(Doubled { certificates: held.clone() }),
                Settlement::Refused { refusal, detail, height, .. } => {
                    stop = stop.take().or(Some(IssueError::Refused { refusal, detail, height }));
                }
                Settlement::Undecided { .. } => (),
            }
            done += if resuming { 1 } else { held.len() as u64 };
            progress.step(step, done, total);
            Ok(())
        })?;
        for (place, reason) in unsettled {
            let id = prepared[place].id;
            if let Unsettled::Late(_) = reason {
                // It can be in no block any more unless a node hides it, in which case its tags
                // are taken and its certificates are found there.
                let held = self.archive.settle(&Settlement::Undecided { id, reason })?;
                self.archive.sync()?;
                doubled.push(Doubled { certificates: held });
            } else {
                if !resuming {
                    self.report.waiting += certificates.get(&id).map_or(0, |held| held.len() as u64);
                }
                self.report.unsettled.push(reason);
            }
        }
        stop.map_or(Ok(doubled), Err)
    }

    /// Looks for certificates on the ledger: notes those that are ours, refuses those that are
    /// not, and returns the rest, which may be tried again.
    fn find_doubles(&mut self, certificates: &[usize]) -> Result<Vec<usize>, IssueError> {
        let domain = self.ledger.domain();
        let mut rest = Vec::new();
        for &number in certificates {
            let identifier = self.archive.read(number)?.identifier;
            let Some((place, line)) = self.ledger.find(&identifier)? else {
                rest.push(number);
                continue;
            };
            let mut ours = None;
            for &entry in self.archive.numbers(&identifier) {
                if self.archive.read(entry)?.certificate.header().commitment(&domain) == line.commitment {
                    ours = Some(entry).filter(|_| place.book == self.rules.book);
                }
            }
            let row = self.lines.get(&number).copied();
            match ours {
                Some(entry) if self.archive.status_of(entry) == Status::Loose => {
                    self.archive.found(entry, place.line)?;
                    self.report.already += u64::from(row.is_some());
                }
                Some(_) => self.report.already += u64::from(row.is_some()),
                None => {
                    let fault = RowFault::OnLedger { place: Some(place) };
                    self.report.refused.extend(row.map(|line| RowProblem::new(line, None, fault)));
                }
            }
        }
        self.archive.sync()?;
        Ok(rest)
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
