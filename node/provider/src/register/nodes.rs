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

/// Time between two questions for a node's newest header, however often the ledger is polled: a withdrawal is to
/// be known of within a second.
pub(crate) const WATCH: Duration = Duration::from_secs(1);

/// A ledger whose nodes are watched.
pub(crate) struct Nodes {
    ledger: Ledger,
    /// The newest height that a quorum was seen to have decided, in a header or in a state that was taken.
    newest: Arc<AtomicU64>,
}

impl Nodes {
    /// Watches every node of a ledger, each by a thread that ends with this.
    pub(crate) fn watched(ledger: Ledger, every: Duration) -> Self {
        let newest = Arc::new(AtomicU64::new(0));
        // One that is alone shows its newest with each answer.
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
        let looked = self.ledger.ask(
            |node| match node.proof(places, None)? {
                proof if proof.header.height.0 < newest => {
                    Err(Trouble::Behind(format!("height {}, and {newest} was seen before", proof.header.height)))
                }
                proof => Ok(proof),
            },
            |proof, proven| match places.iter().find(|place| !proven.places().any(|found| found == *place)) {
                Some(missing) => Err(ProofError::Missing(*missing)),
                None => Ok((proof.shelves.clone(), proven)),
            },
        );
        let looked = looked?.value;
        // A node that goes back, or another that is behind this one, would bring back what was withdrawn.
        self.newest.fetch_max(looked.1.header().height.0, Ordering::Relaxed);
        Ok(looked)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

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

    /// A node that shows one state at a time.
    struct Shows {
        name: &'static str,
        state: Mutex<StateProof>,
    }

    impl Shows {
        fn new(name: &'static str, state: &StateProof) -> Arc<Self> {
            Arc::new(Self { name, state: Mutex::new(state.clone()) })
        }

        fn show(&self, state: &StateProof) {
            *self.state.lock().expect("one test") = state.clone();
        }
    }

    impl Transport for Shows {
        fn name(&self) -> &str {
            self.name
        }

        fn exchange(&self, request: &Request<'_>) -> Result<Response, String> {
            let state = self.state.lock().expect("one test");
            let body = match request.path.starts_with("/v1/headers/latest") {
                true => codec::encode(&(state.header.clone(), state.certificate.clone())),
                false => state.encode(),
            };
            Ok(Response { status: 200, body })
        }
    }

    /// A state, and the same one at the next height.
    fn states() -> [StateProof; 2] {
        let double = Double::of(&Scene::new());
        let world = &double.lock().world;
        let before = world.prove(&[]);
        let mut after = before.clone();
        after.header.height = Height(before.header.height.0 + 1);
        after.header.parent = before.header.id(&world.domain);
        after.certificate = world.certificate(&after.header);
        [before, after]
    }

    fn ledger(nodes: &[Arc<Shows>]) -> Ledger {
        let validators = Double::of(&Scene::new()).lock().world.validators();
        let header = nodes[0].state.lock().expect("one test").header.clone();
        let checkpoint = Checkpoint {
            network: header.network,
            suite: header.suite,
            height: Height(0),
            time: NOW,
            block: None,
            validators,
            trusting_period_secs: u64::MAX,
        };
        let nodes = nodes.iter().map(|node| Arc::clone(node) as Arc<dyn Transport>);
        Ledger::new(LightClient::of_the_past(checkpoint), Gateway::new(nodes.collect())).with_clock(|| NOW)
    }

    fn unwatched(nodes: &[Arc<Shows>]) -> Nodes {
        Nodes { ledger: ledger(nodes), newest: Arc::default() }
    }

    fn height(looked: &Result<Looked, RegisterTrouble>) -> Option<Height> {
        looked.as_ref().ok().map(|(_, proven)| proven.header().height)
    }

    #[test]
    fn i24_a_node_that_is_behind_another_is_passed_over() {
        let [before, after] = states();
        let mut nodes = unwatched(&[Shows::new("first", &before), Shows::new("second", &after)]);
        assert_eq!(height(&nodes.look(&PARAMETERS)), Some(before.header.height));
        // A header of the second was seen.
        nodes.newest.store(after.header.height.0, Ordering::Relaxed);
        assert_eq!(height(&nodes.look(&PARAMETERS)), Some(after.header.height));
    }

    #[test]
    fn i24_nothing_older_is_taken_than_what_was_taken() {
        let [before, after] = states();
        let node = Shows::new("node", &after);
        let mut nodes = unwatched(&[Arc::clone(&node)]);
        assert_eq!(height(&nodes.look(&PARAMETERS)), Some(after.header.height));
        node.show(&before);
        let Err(RegisterTrouble::Ledger(why)) = nodes.look(&PARAMETERS) else { panic!("it went back") };
        assert!(why.contains("behind"), "{why}");
        node.show(&after);
        assert_eq!(height(&nodes.look(&PARAMETERS)), Some(after.header.height));
    }

    #[tokio::test]
    async fn i24_every_node_is_asked_for_its_newest_header() {
        let [before, after] = states();
        let ledger = ledger(&[Shows::new("first", &before), Shows::new("second", &after)]);
        let nodes = Nodes::watched(ledger, Duration::from_millis(10));
        until("the newest header", || nodes.newest.load(Ordering::Relaxed) == after.header.height.0).await;
        let newest = Arc::downgrade(&nodes.newest);
        drop(nodes);
        until("the end of its threads", || newest.upgrade().is_none()).await;
    }
}
