//! An audit: blocks from a source, checked to a level, from where a folder says it stands.

#[cfg(test)]
mod tests;

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use fengni_core::export::ExportedBlock;
use fengni_core::outcome::Outcome;
use fengni_core::record::Offence;
use fengni_core::transaction::{Transaction, TransactionId};
use fengni_core::{Block, BlockId, Digest, Header, Height, Millis};
use fengni_genesis::Genesis;
use fengni_state::{State, recovery_of};
use thiserror::Error;

use crate::ahead::{Members, Prepared, Verified, prepare};
use crate::chain::Chain;
use crate::fault::{Failure, Fault};
use crate::level::Level;
use crate::pipeline;
use crate::records::DiskRecords;
use crate::replay::{Ran, Replay};
use crate::source::{Source, SourceError};
use crate::work::{self, Figures, WorkError};

/// Entries in memory before the file is brought up to date.
const PENDING: usize = 1 << 16;
/// Blocks before the file is brought up to date, however little is in them.
const BLOCKS: u64 = 1024;
/// How long a replay that is killed has to do again, at most.
const INTERVAL: Duration = Duration::from_secs(30);

/// Why an audit came to no answer.
#[derive(Debug, Error)]
pub enum Trouble {
    /// A block cannot be had.
    #[error("block {height} cannot be had: {error}")]
    Source {
        /// Its height.
        height: Height,
        /// Why.
        error: SourceError,
    },
    /// The source ends before the height that was asked for.
    #[error("the blocks end at height {last}, {wanted} was asked for; next: name a lower height, or another source")]
    Ends {
        /// The last that there is.
        last: Height,
        /// The last that was asked for.
        wanted: Height,
    },
    /// The folder or the file.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// Whoever watches cannot go on.
    #[error(transparent)]
    Watch(#[from] io::Error),
}

/// What an audit found.
#[derive(Debug)]
pub struct Report {
    /// The last height that holds.
    pub height: Height,
    /// Its block.
    pub block: BlockId,
    /// Its block's time; nothing below [`Level::Headers`].
    pub time: Option<Millis>,
    /// The state root after it: computed anew at [`Level::Full`], else what a quorum signed; nothing
    /// below [`Level::Headers`].
    pub state_root: Option<Digest>,
    /// What was counted.
    pub figures: Figures,
    /// Offences on record; known at [`Level::Full`].
    pub offences: Vec<Offence>,
    /// The first block that does not hold, where there is one.
    pub failure: Option<Failure>,
}

/// A block that holds.
pub struct Step<'a> {
    /// Its header.
    pub header: &'a Header,
    /// Its id.
    pub id: BlockId,
    /// How many transactions it has.
    pub transactions: u64,
    /// What it did; known at [`Level::Full`].
    pub executed: Option<Executed<'a>>,
}

/// What a block did.
pub struct Executed<'a> {
    /// Its transactions with their ids, in order.
    pub transactions: &'a [(TransactionId, Transaction)],
    /// What became of each.
    pub outcomes: &'a [Outcome],
    /// The state after it.
    pub state: &'a State,
}

/// What is kept of the blocks so far.
enum Kept {
    /// The state and its records.
    State(Box<Replay<DiskRecords>>),
    /// The headers alone, in a folder or nowhere.
    Headers(Option<Box<DiskRecords>>),
}

/// An audit that has come to some height.
pub struct Audit<'a> {
    genesis: &'a Genesis,
    level: Level,
    chain: Chain,
    figures: Figures,
    kept: Kept,
    /// The height of the file.
    saved: Height,
    /// The first height of which the file has ids of transactions.
    stored: Height,
    saved_at: Instant,
}

impl<'a> Audit<'a> {
    /// Begins an audit, or goes on with the one in a folder.
    ///
    /// - `work`: the folder; without one, nothing is left behind.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn open(genesis: &'a Genesis, level: Level, work: Option<&Path>) -> Result<Self, WorkError> {
        let domain = genesis.domain();
        let records = match work {
            Some(folder) => Some(DiskRecords::open(folder)?),
            None if level == Level::Full => Some(DiskRecords::temporary()?),
            None => None,
        };
        let found = records.as_ref().map(|records| work::find(records, &domain, level)).transpose()?.flatten();
        let (chain, figures, recent) = match found {
            Some(found) => (found.chain, found.figures, found.recent),
            None => (Chain::begin(genesis), Figures::default(), Vec::new()),
        };
        let saved = chain.height();
        let stored = Height(saved.0.saturating_sub(recent.len() as u64) + 1);
        let kept = match records {
            Some(records) if level == Level::Full => Kept::State(Box::new(match &chain.last {
                Some(header) => Replay::load(genesis, records, header, chain.deciders.clone(), recent)?,
                None => Replay::new(genesis, records),
            })),
            records => Kept::Headers(records.map(Box::new)),
        };
        Ok(Self { genesis, level, chain, figures, kept, saved, stored, saved_at: Instant::now() })
    }

    /// The height that it has come to.
    pub fn height(&self) -> Height {
        self.chain.height()
    }

    /// Transactions so far.
    pub fn transactions(&self) -> u64 {
        self.figures.transactions
    }

    /// Checks the blocks of a source, which begins after [`Audit::height`].
    ///
    /// - `to`: the last height; else as many as there are.
    /// - `watch`: told of every block that holds.
    ///
    /// # Errors
    /// [`Trouble`]. A block that does not hold is an answer: [`Report::failure`].
    pub fn run(
        mut self,
        source: impl Source,
        to: Option<Height>,
        mut watch: impl FnMut(&Step<'_>) -> io::Result<()>,
    ) -> Result<Report, Trouble> {
        let members: Members = RwLock::new(None);
        self.publish(&members);
        let (domain, level) = (self.genesis.domain(), self.level);
        let stopped = if to.is_some_and(|to| self.height() >= to) {
            Ok(None)
        } else {
            pipeline::run(
                source,
                |exported| prepare(&domain, level, &members, exported),
                |prepared| match self.step(prepared, &mut watch) {
                    Ok(()) => {
                        self.publish(&members);
                        if to == Some(self.height()) { ControlFlow::Break(Ok(())) } else { ControlFlow::Continue(()) }
                    }
                    Err(stop) => ControlFlow::Break(Err(stop)),
                },
            )
        };
        let height = self.height().next();
        let failure = match stopped {
            Ok(None | Some(Ok(()))) => None,
            Ok(Some(Err(Stop::Fault(fault)))) => Some(Failure { height, fault }),
            Ok(Some(Err(Stop::Trouble(trouble)))) => return Err(trouble),
            Err(SourceError::Stream(error)) if !error.is_trouble() => {
                Some(Failure { height, fault: Fault::Stream(error) })
            }
            Err(error) => {
                // What holds so far is not checked again, once the block can be had.
                self.save()?;
                return Err(Trouble::Source { height, error });
            }
        };
        self.save()?;
        if let Some(wanted) = to.filter(|to| failure.is_none() && *to > self.height()) {
            return Err(Trouble::Ends { last: self.height(), wanted });
        }
        Ok(self.report(failure))
    }

    fn report(self, failure: Option<Failure>) -> Report {
        let signed = self.chain.last.as_ref().filter(|_| self.level >= Level::Headers);
        let time = signed.map(|header| header.time);
        let (state_root, offences) = match &self.kept {
            Kept::State(replay) => (Some(replay.root()), replay.offences()),
            Kept::Headers(_) => (signed.map(|header| header.state_root), Vec::new()),
        };
        Report {
            height: self.height(),
            block: self.chain.id(),
            time,
            state_root,
            figures: self.figures,
            offences,
            failure,
        }
    }

    /// Lets signatures be checked ahead by the keys of now.
    fn publish(&self, members: &Members) {
        if let Kept::State(replay) = &self.kept {
            let now = Some(Arc::new(replay.state().members().clone()));
            *members.write().unwrap_or_else(PoisonError::into_inner) = now;
        }
    }

    /// Checks one block and goes on from it.
    fn step(&mut self, prepared: Prepared, watch: &mut impl FnMut(&Step<'_>) -> io::Result<()>) -> Result<(), Stop> {
        let Prepared { exported, block, body, verified } = prepared;
        let (block, id) = block?;
        self.chain.check_height(&block.header)?;
        let (header, count) = (block.header.clone(), block.transactions.len() as u64);
        let recovery = recovery_of(&block).map(|handover| handover.plan.height);
        let mut ran = None;
        if self.level == Level::Offsets {
            self.chain.pass(header.clone());
        } else {
            ran = self.check(&exported, block, id, body, &verified)?;
        }
        self.figures.transactions = self.figures.transactions.saturating_add(count);
        self.figures.refused = self.figures.refused.saturating_add(ran.as_ref().map_or(0, Ran::refused));
        self.figures.recoveries.extend(recovery);
        let executed = match (&ran, &self.kept) {
            (Some(ran), Kept::State(replay)) => {
                Some(Executed { transactions: ran.transactions(), outcomes: &ran.outcomes, state: replay.state() })
            }
            _ => None,
        };
        watch(&Step { header: &header, id, transactions: count, executed }).map_err(Trouble::from)?;
        let pending = match &self.kept {
            Kept::State(replay) => replay.records().pending(),
            Kept::Headers(_) => 0,
        };
        let blocks = self.height().0 - self.saved.0;
        if pending >= PENDING || blocks >= BLOCKS || self.saved_at.elapsed() >= INTERVAL {
            self.save()?;
        }
        Ok(())
    }

    /// The levels above offsets, lowest first.
    fn check(
        &mut self,
        exported: &ExportedBlock,
        block: Block,
        id: BlockId,
        body: Result<(), Fault>,
        verified: &Verified,
    ) -> Result<Option<Ran>, Fault> {
        let header = block.header.clone();
        let deciders = match &mut self.kept {
            Kept::State(replay) => {
                if exported.terms.is_some() {
                    self.chain.deciders_of(exported, &block)?;
                }
                replay.adopt(&block)?;
                replay.state().next_validators()
            }
            Kept::Headers(_) => self.chain.deciders_of(exported, &block)?,
        };
        self.chain.judge(&header, id, &exported.certificate, &deciders)?;
        self.chain.judge_next(exported, &header)?;
        body?;
        let (ran, next) = match &mut self.kept {
            Kept::State(replay) => {
                let ran = replay.run(verified, block)?;
                (Some(ran), replay.state().next_validators())
            }
            Kept::Headers(_) => {
                if self.level >= Level::Trees {
                    self.chain.check_parent(block.parent_certificate.as_ref())?;
                }
                (None, self.chain.successors(exported, &header, &deciders)?)
            }
        };
        self.chain.advance(header, deciders, next);
        Ok(ran)
    }

    /// Brings the file up to date, if there is one.
    fn save(&mut self) -> Result<(), WorkError> {
        let height = self.height();
        if height == self.saved {
            return Ok(());
        }
        let progress = work::progress(self.genesis.domain(), self.level, &self.chain, &self.figures);
        match &mut self.kept {
            Kept::State(replay) => {
                let mut rows = work::recent(replay.recent(), height, self.saved, &mut self.stored);
                rows.push(progress);
                replay.records_mut().commit(&rows)?;
            }
            Kept::Headers(Some(records)) => records.commit(&[progress])?,
            Kept::Headers(None) => (),
        }
        self.saved = height;
        self.saved_at = Instant::now();
        Ok(())
    }
}

/// Why a block is the last.
enum Stop {
    Fault(Fault),
    Trouble(Trouble),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<WorkError> for Stop {
    fn from(error: WorkError) -> Self {
        Self::Trouble(error.into())
    }
}
