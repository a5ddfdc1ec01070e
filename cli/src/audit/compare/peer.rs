//! One of the nodes that are compared: what it shows, judged by quorum and by nobody else's word.

use fengni_client::gateway::{Gateway, Trouble};
use fengni_client::ledger::{Ledger, LedgerError};
use fengni_client::node::Node;
use fengni_core::book::Line;
use fengni_core::light::{FinalHeader, LightClient};
use fengni_core::proof::{Place, ProofError, StateProof};
use fengni_core::{BookNumber, Domain, Height, PageNumber};
use fengni_genesis::Genesis;

/// A node and what is believed of it.
pub(super) struct Peer {
    /// As it was named.
    pub(super) name: String,
    domain: Domain,
    ledger: Ledger,
}

/// Entries as a node serves them.
pub(super) struct Served {
    /// The proof, whether or not it proves anything.
    pub(super) proof: StateProof,
    /// Why it is not of the state of the node's header, if it is not.
    pub(super) fault: Option<ProofError>,
}

impl Peer {
    /// A node that is judged from the founding on, however old that is.
    pub(super) fn new(name: String, genesis: &Genesis, gateway: Gateway) -> Self {
        let light = LightClient::of_the_past(genesis.checkpoint());
        Self { name, domain: genesis.domain(), ledger: Ledger::new(light, gateway) }
    }

    fn node(&self) -> Result<&Node, Trouble> {
        self.ledger.gateway().nodes().first().ok_or_else(|| Trouble::Unreachable("no node is named".to_owned()))
    }

    /// Its newest final header.
    ///
    /// # Errors
    /// [`Trouble`]; [`Trouble::Lied`] where no quorum made it final.
    pub(super) fn newest(&mut self) -> Result<FinalHeader, Trouble> {
        let header = self.ledger.sync().map_err(trouble)?.value;
        self.header(header.height)
    }

    /// Its final header of a height.
    ///
    /// # Errors
    /// As [`Peer::newest`].
    pub(super) fn header(&mut self, height: Height) -> Result<FinalHeader, Trouble> {
        Ok(self.ledger.header(height).map_err(trouble)?.value)
    }

    /// Entries of the state under a header that is final.
    ///
    /// # Errors
    /// [`Trouble`] where it gives no proof, or one under another header.
    pub(super) fn entries(&self, under: &FinalHeader, places: &[Place]) -> Result<Served, Trouble> {
        let proof = self.node()?.proof(places, Some(under.header.height))?;
        if proof.header != under.header {
            return Err(Trouble::Lied("its proof is under another header than it shows".to_owned()));
        }
        let fault = match proof.verify_under_final_header(&self.domain) {
            Ok(proven) => places
                .iter()
                .find(|place| !proven.places().any(|found| found == *place))
                .map(|missing| ProofError::Missing(*missing)),
            Err(fault) => Some(fault),
        };
        Ok(Served { proof, fault })
    }

    /// The lines of a page, as many as there are.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) fn lines(&self, book: BookNumber, page: PageNumber) -> Result<Vec<Line>, Trouble> {
        self.node()?.page_lines(book, page)
    }
}

/// Why one node gave nothing that holds.
fn trouble(error: LedgerError) -> Trouble {
    match error {
        LedgerError::Gateway(error) => {
            let none = Trouble::Unreachable("no node is named".to_owned());
            error.troubles.into_iter().next().map_or(none, |found| found.trouble)
        }
        other => Trouble::Lied(other.to_string()),
    }
}
