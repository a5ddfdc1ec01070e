//! Handovers over a network: from the validators a reader knows to those of today.
//!
//! A header that the last known validators did not make final may be one that later ones decided.
//! The node that gave it is asked for the handovers in between, or else two others; what a quorum
//! signed is followed, and the header is judged once more. Rules F-7 and N-23.

use fengni_core::block::Header;
use fengni_core::finality::CommitCertificate;
use fengni_core::light::{Handover, LightClient, LightError, Recovery};
use fengni_core::trust::TrustStore;
use fengni_core::{Height, Millis};

use crate::gateway::{Gateway, Trouble};
use crate::ledger::judged;
use crate::node::Node;

/// How often one node is asked for more handovers at a time.
const ANSWERS: usize = 64;
/// How many nodes one question asks for handovers besides those that answer it.
const OTHERS: usize = 2;

/// Whose trust grows by headers and handovers.
pub(crate) trait Reader {
    /// What it believes.
    fn light(&self) -> &LightClient;

    /// Believes a header that a quorum signed.
    fn accept(&mut self, header: &Header, certificate: &CommitCertificate, now: Millis) -> Result<(), LightError>;

    /// Follows a handover.
    fn follow(&mut self, handover: &Handover, now: Millis) -> Result<(), LightError>;

    /// Follows a recovery.
    fn recover(&mut self, recovery: &Recovery, now: Millis) -> Result<(), LightError>;
}

impl Reader for LightClient {
    fn light(&self) -> &LightClient {
        self
    }

    fn accept(&mut self, header: &Header, certificate: &CommitCertificate, now: Millis) -> Result<(), LightError> {
        self.accept(header, certificate, now)
    }

    fn follow(&mut self, handover: &Handover, now: Millis) -> Result<(), LightError> {
        self.follow(handover, now)
    }

    fn recover(&mut self, recovery: &Recovery, now: Millis) -> Result<(), LightError> {
        self.recover(recovery, now)
    }
}

impl Reader for TrustStore {
    fn light(&self) -> &LightClient {
        self.light()
    }

    fn accept(&mut self, header: &Header, certificate: &CommitCertificate, now: Millis) -> Result<(), LightError> {
        self.hear(header, certificate, now)
    }

    fn follow(&mut self, handover: &Handover, now: Millis) -> Result<(), LightError> {
        self.follow(handover, now)
    }

    fn recover(&mut self, recovery: &Recovery, now: Millis) -> Result<(), LightError> {
        self.recover(recovery, now)
    }
}

/// A light client that notes which handovers it followed: whoever begins where it began needs them.
pub(crate) struct Trail {
    pub(crate) light: LightClient,
    pub(crate) followed: Vec<Handover>,
}

impl Reader for Trail {
    fn light(&self) -> &LightClient {
        &self.light
    }

    fn accept(&mut self, header: &Header, certificate: &CommitCertificate, now: Millis) -> Result<(), LightError> {
        self.light.accept(header, certificate, now)
    }

    fn follow(&mut self, handover: &Handover, now: Millis) -> Result<(), LightError> {
        self.light.follow(handover, now)?;
        self.followed.push(handover.clone());
        Ok(())
    }

    fn recover(&mut self, recovery: &Recovery, now: Millis) -> Result<(), LightError> {
        self.light.recover(recovery, now)
    }
}

/// Whom one question asks for handovers, besides the node whose answer is in doubt.
///
/// However many nodes lie or are silent, a question costs each that answers it one request more, and
/// two in all besides: whoever answers next is asked next anyway.
pub(crate) struct Others<'a> {
    nodes: &'a [Node],
    left: usize,
    /// Who was asked for handovers above which height.
    asked: Vec<(String, Height)>,
}

impl<'a> Others<'a> {
    /// For one question to the nodes of a gateway.
    pub(crate) fn of(gateway: &'a Gateway) -> Self {
        Self::among(gateway.nodes())
    }

    /// For one question to these nodes.
    pub(crate) fn among(nodes: &'a [Node]) -> Self {
        Self { nodes, left: OTHERS, asked: Vec::new() }
    }

    fn note(&mut self, node: &Node, since: Height) {
        self.asked.push((node.name().to_owned(), since));
    }

    /// Another node to ask for handovers above a height, once.
    fn next(&mut self, since: Height) -> Option<&'a Node> {
        let asked = &self.asked;
        let is_new = |node: &&Node| !asked.iter().any(|(name, at)| name == node.name() && *at == since);
        let node = self.nodes.iter().find(is_new).filter(|_| self.left > 0)?;
        self.left -= 1;
        self.note(node, since);
        Some(node)
    }
}

/// Judges a node's answer, after following what handovers there are if it cannot be judged without.
///
/// # Errors
/// [`Trouble`] of that node: its answer or a handover of its own does not hold, or it cannot be
/// judged because nobody gives the handovers it takes.
pub(crate) fn believe<R: Reader, T>(
    reader: &mut R,
    asked: &Node,
    others: &mut Others<'_>,
    now: Millis,
    mut judge: impl FnMut(&mut R) -> Result<T, LightError>,
) -> Result<T, Trouble> {
    match judge(reader) {
        Err(error) if catch_up(reader, &error, asked, others, now)? => judge(reader),
        answer => answer,
    }
    .map_err(judged)
}

/// Whether handovers were followed, so that what is wrong with an answer is worth another look.
///
/// # Errors
/// [`Trouble`] of the node asked, where it gives handovers that do not hold.
pub(crate) fn catch_up(
    reader: &mut impl Reader,
    error: &LightError,
    asked: &Node,
    others: &mut Others<'_>,
    now: Millis,
) -> Result<bool, Trouble> {
    let since = reader.light().handovers_since();
    if !error.asks_for_handovers(since) {
        return Ok(false);
    }
    others.note(asked, since);
    match follow_all(reader, asked, now) {
        (_, Some(trouble @ (Trouble::Lied(_) | Trouble::Malformed(_)))) => return Err(trouble),
        (true, _) => return Ok(true),
        // It has none, or gives none: others may.
        (false, _) => (),
    }
    while let Some(node) = others.next(since) {
        if follow_all(reader, node, now).0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Follows a node's handovers as far as they hold: whether that led on, and why it ended early.
pub(crate) fn follow_all(reader: &mut impl Reader, node: &Node, now: Millis) -> (bool, Option<Trouble>) {
    let mut led_on = false;
    for _ in 0..ANSWERS {
        match follow_some(reader, node, now, &mut led_on) {
            Ok(true) => (),
            Ok(false) => break,
            Err(trouble) => return (led_on, Some(trouble)),
        }
    }
    (led_on, None)
}

/// One answer of handovers, or a recovery where they end or lead no further: whether there was any.
fn follow_some(reader: &mut impl Reader, node: &Node, now: Millis, led_on: &mut bool) -> Result<bool, Trouble> {
    let handovers = node.handovers(reader.light().handovers_since())?;
    for handover in &handovers {
        if let Err(error) = reader.follow(handover, now) {
            // Validators of a recovery may have decided it.
            let recovered = error.is_fault_of_answer() && recover_once(reader, node, now, led_on)?;
            return if recovered { Ok(true) } else { Err(broken(&error)) };
        }
        *led_on = true;
    }
    if handovers.is_empty() { recover_once(reader, node, now, led_on) } else { Ok(true) }
}

/// Follows the next recovery, if the node knows one.
fn recover_once(reader: &mut impl Reader, node: &Node, now: Millis, led_on: &mut bool) -> Result<bool, Trouble> {
    let recoveries = match node.recoveries(reader.light().recoveries_since()) {
        Err(Trouble::Refused(problem)) if problem.is_not_found() => Vec::new(),
        answer => answer?,
    };
    let Some(recovery) = recoveries.first() else { return Ok(false) };
    reader.recover(recovery, now).map_err(|error| broken(&error))?;
    *led_on = true;
    Ok(true)
}

/// What is no fault of the node that shows it: quorums that contradict one another, and what this
/// reader is too old to judge.
fn broken(error: &LightError) -> Trouble {
    match error {
        LightError::Contradiction(_) | LightError::TooOld { .. } | LightError::LaterVersion(_) => {
            Trouble::Unjudged(error.to_string())
        }
        // Neither is a recovery whose time has not come.
        LightError::Recovery(_) if !error.is_fault_of_answer() => Trouble::Unjudged(error.to_string()),
        _ => Trouble::Lied(format!("a handover that does not hold: {error}")),
    }
}
