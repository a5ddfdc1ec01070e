//! Nodes: the ledger as several of them show it, and never behind the newest that any of them shows.
//!
//! A node that is behind, or keeps a block back, proves what was so: a withdrawal that another node has
//! would not be seen. So each node is asked for its newest final header beside the polls.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use fengni_client::gateway::Trouble;
use fengni_client::ledger::Ledger;
use fengni_core::proof::{Place, ProofError};

use super::{Looked, RegisterTrouble, Source};

/// A ledger whose nodes are watched.
pub(crate) struct Nodes {
    ledger: Ledger,
    /// The newest height that a quorum was seen to have decided.
    newest: Arc<AtomicU64>,
}

impl Nodes {
    /// Watches every node of a ledger, each by a thread that ends with this.
    pub(crate) fn watched(ledger: Ledger, every: Duration) -> Self {
        let newest = Arc::new(AtomicU64::new(0));
        // One that is alone is ahead of itself never.
        if ledger.gateway().nodes().len() > 1 {
            for node in ledger.each() {
                let newest = Arc::downgrade(&newest);
                std::thread::spawn(move || watch(node, &newest, every));
            }
        }
        Self { ledger, newest }
    }
}

fn watch(mut node: Ledger, newest: &Weak<AtomicU64>, every: Duration) {
    while let Some(newest) = newest.upgrade() {
        if let Ok(found) = node.sync() {
            newest.fetch_max(found.value.height.0, Ordering::Relaxed);
        }
        drop(newest);
        std::thread::sleep(every);
    }
}

impl Source for Nodes {
    fn look(&mut self, places: &[Place]) -> Result<Looked, RegisterTrouble> {
        let newest = self.newest.load(Ordering::Relaxed);
        let answer = self.ledger.ask(
            |node| match node.proof(places, None)? {
                proof if proof.header.height.0 < newest => {
                    Err(Trouble::Behind(format!("height {}, and another node has {newest}", proof.header.height)))
                }
                proof => Ok(proof),
            },
            |proof, proven| match places.iter().find(|place| !proven.places().any(|found| found == *place)) {
                Some(missing) => Err(ProofError::Missing(*missing)),
                None => Ok((proof.shelves.clone(), proven)),
            },
        );
        Ok(answer?.value)
    }
}

#[cfg(test)]
mod tests {
    use fengni_client::gateway::Gateway;
    use fengni_client::transport::{Request, Response, Transport};
    use fengni_core::light::{Checkpoint, LightClient};
    use fengni_core::proof::StateProof;
    use fengni_core::shelf::Shelf;
    use fengni_core::{Height, codec};

    use super::*;
    use crate::double::{Double, until};
    use crate::scene::{NOW, Scene};

    const PARAMETERS: [Place; 1] = [Place::Record(Shelf::Parameters, 0)];

    /// A node that shows one state.
    struct Shows(StateProof);

    impl Transport for Shows {
        fn name(&self) -> &str {
            "node"
        }

        fn exchange(&self, request: &Request<'_>) -> Result<Response, String> {
            let body = match request.path.starts_with("/v1/headers/latest") {
                true => codec::encode(&(self.0.header.clone(), self.0.certificate.clone())),
                false => self.0.encode(),
            };
            Ok(Response { status: 200, body })
        }
    }

    fn ledger(nodes: usize) -> (Ledger, Height) {
        let double = Double::of(&Scene::new());
        let (proof, validators) = {
            let world = &double.lock().world;
            (world.prove(&[]), world.validators())
        };
        let header = proof.header.clone();
        let checkpoint = Checkpoint {
            network: header.network,
            suite: header.suite,
            height: Height(0),
            time: NOW,
            block: None,
            validators,
            trusting_period_secs: u64::MAX,
        };
        let node = Arc::new(Shows(proof)) as Arc<dyn Transport>;
        let gateway = Gateway::new(vec![node; nodes]);
        (Ledger::new(LightClient::of_the_past(checkpoint), gateway).with_clock(|| NOW), header.height)
    }

    #[test]
    fn i24_a_node_that_is_behind_another_is_passed_over() {
        let (ledger, height) = ledger(1);
        let newest = Arc::new(AtomicU64::new(height.0));
        let mut nodes = Nodes { ledger, newest: Arc::clone(&newest) };
        assert!(nodes.look(&PARAMETERS).is_ok());
        newest.store(height.0 + 1, Ordering::Relaxed);
        let Err(RegisterTrouble::Ledger(why)) = nodes.look(&PARAMETERS) else { panic!("it is behind") };
        assert!(why.contains("behind"), "{why}");
    }

    #[tokio::test]
    async fn i24_every_node_is_asked_for_its_newest_header() {
        let (ledger, height) = ledger(2);
        let nodes = Nodes::watched(ledger, Duration::from_millis(10));
        until("a header of some node", || nodes.newest.load(Ordering::Relaxed) == height.0).await;
        let newest = Arc::downgrade(&nodes.newest);
        drop(nodes);
        until("the end of its threads", || newest.upgrade().is_none()).await;
    }
}
