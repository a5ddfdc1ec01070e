//! What the gateway reads: proofs, histories, outcomes.

use std::collections::BTreeSet;

use fengni_core::codec;
use fengni_core::light::{Checkpoint, FinalHeader, Handover, LightClient, LightError, Recovery};
use fengni_core::limits::{HANDOVERS, HANDOVERS_BYTES, RECOVERIES};
use fengni_core::proof::{OutcomeProof, Place, StateProof};
use fengni_core::transaction::TransactionId;
use fengni_core::tree;
use fengni_core::{BookNumber, Digest, Height, LinePlace, PageNumber};
use fengni_state::{ProveError, Records, line_places, prove};

use super::{FinalState, Ledger};

/// Acts a history follows at most: more than a certificate sees in its life.
const HISTORY_ACTS: usize = 4096;

impl Ledger {
    /// Proves entries under a final state.
    ///
    /// # Errors
    /// [`ProveError::NotThere`].
    pub fn prove(&self, at: &FinalState, places: Vec<Place>) -> Result<StateProof, ProveError> {
        prove(&at.state, &self.store, at.header.clone(), at.certificate.clone(), places)
    }

    /// Everything that says what happened to a line and to those that go on from it.
    pub fn history_places(&self, at: &FinalState, place: LinePlace) -> BTreeSet<Place> {
        let mut places = BTreeSet::new();
        let mut lines = vec![place];
        let mut seen = BTreeSet::new();
        while let Some(line) = lines.pop() {
            if !seen.insert(line) || seen.len() > HISTORY_ACTS {
                continue;
            }
            places.extend(line_places(&at.state, &self.store, line, None));
            let Some(book) = at.state.book(line.book).filter(|book| line.line.0 < book.record().lines) else {
                continue;
            };
            places.insert(Place::Heads(line.book, line.line.page()));
            let mut act = book.head(line.line);
            while let Some(number) = act.filter(|_| places.len() < HISTORY_ACTS) {
                places.insert(Place::Act(line.book, number));
                let record = self.store.act(line.book, number);
                lines.extend(record.as_ref().and_then(|record| record.successor));
                act = record.and_then(|record| record.previous);
            }
        }
        places
    }

    /// The lines of a page at a height, 48 bytes each.
    pub fn page_lines(&self, at: &FinalState, book: BookNumber, page: PageNumber) -> Option<Vec<u8>> {
        let count = usize::from(at.state.book(book)?.page(page)?.lines);
        let mut bytes = self.store.page_bytes(book, page);
        bytes.truncate(count * 48);
        Some(bytes)
    }

    /// What became of a transaction, with proof; `None` unless it is in a final block.
    pub fn outcome(&self, id: &TransactionId) -> Option<OutcomeProof> {
        let (height, place) = self.store.transaction(id)?;
        let outcomes = self.store.outcomes(height)?;
        let leaves: Vec<Digest> = outcomes.iter().map(|outcome| self.domain.suite.leaf(&outcome.encode())).collect();
        let path = tree::path(self.domain.suite, &leaves, usize::try_from(place).ok()?)?;
        let (header, certificate) = self.finality(height)?;
        let outcome = outcomes.get(usize::try_from(place).ok()?)?.clone();
        Some(OutcomeProof { header, certificate, outcome, place, size: u32::try_from(outcomes.len()).ok()?, path })
    }

    /// The first handovers above a height, as many as fit in one answer: a reader that knows the
    /// validators of the height after `since` can follow them.
    pub fn handovers(&self, since: Height) -> Vec<Handover> {
        let found = self.store.handovers(since).take(HANDOVERS).map_while(|(height, next)| {
            let (header, certificate) = self.finality(height)?;
            Some(Handover { header, certificate, next })
        });
        let mut room = HANDOVERS_BYTES - codec::encode(&Vec::<Handover>::new()).len();
        let fits = |handover: &Handover| {
            let left = room.checked_sub(codec::encode(handover).len());
            room = left.unwrap_or(room);
            left.is_some()
        };
        found.take_while(fits).collect()
    }

    /// The recoveries whose first block is above a height, rising.
    pub fn recoveries(&self, since: Height) -> Vec<Recovery> {
        let recovery = |(height, last, handover)| {
            let (header, certificate) = self.finality(height)?;
            Some(Recovery { last, handover, first: FinalHeader { header, certificate } })
        };
        self.store.recoveries(since).take(RECOVERIES).map_while(recovery).collect()
    }

    /// Checks that quorums lead from a checkpoint, such as the founding, to the last final block, and
    /// recoveries where quorums were lost.
    ///
    /// # Errors
    /// [`LightError`].
    pub fn verify_from(&self, checkpoint: Checkpoint) -> Result<(), LightError> {
        let Some(latest) = self.latest() else { return Ok(()) };
        let now = latest.header.time;
        let mut light = LightClient::of_the_past(checkpoint);
        loop {
            let handovers = self.handovers(light.handovers_since());
            let ended = handovers.is_empty();
            let mut followed = handovers.iter().try_for_each(|handover| light.follow(handover, now));
            if ended {
                followed = light.accept(&latest.header, &latest.certificate, now);
            }
            match followed {
                Ok(()) if ended => return Ok(()),
                Ok(()) => {}
                // Validators that a recovery named may have decided it.
                Err(error) => match self.recoveries(light.recoveries_since()).first() {
                    Some(recovery) => light.recover(recovery, now)?,
                    None => return Err(error),
                },
            }
        }
    }

    /// Header and certificate of a final height.
    pub fn finality(&self, height: Height) -> Option<(fengni_core::Header, fengni_core::CommitCertificate)> {
        if let Some(at) = self.at(height) {
            return Some((at.header.clone(), at.certificate.clone()));
        }
        Some((self.store.header(height)?, self.store.finality(height)?.certificate))
    }
}
