//! The audit of a book by nodes that withhold and alter. Rules U-1 to U-6; AUD-02.

use std::sync::Arc;

use fengni_client::audit::{self, Audit};
use fengni_client::gateway::{Gateway, Trouble};
use fengni_client::ledger::{Ledger, LedgerError};
use fengni_client::transport::{Request, Response, Transport};
use fengni_core::audit::{Counts, Defect, Heights};
use fengni_core::light::LightClient;
use fengni_core::proof::{Place, StateProof};
use fengni_core::{ActNumber, BookNumber, Height, LineNumber};
use fengni_genesis::sample;

use crate::ledger::{Chain, Mood, NOW, Network, genesis};

const BOOK: BookNumber = BookNumber(0);

/// Four lines, and acts on two of them.
fn story(chain: &mut Chain) {
    let ids: Vec<_> = sample::certificates().iter().map(|sample| sample.id()).collect();
    for place in [0, 5, 1, 2] {
        chain.seal_for_another(&ids[place]);
    }
    for line in [0, 1, 0] {
        chain.act(LineNumber(line), |act| act);
    }
}

/// A node in front of which somebody withholds or alters.
struct Crooked {
    inner: Arc<dyn Transport>,
    does: fn(&str, Response) -> Response,
}

impl Transport for Crooked {
    fn name(&self) -> &str {
        "crooked"
    }

    fn exchange(&self, request: &Request<'_>) -> Result<Response, String> {
        Ok((self.does)(&request.path, self.inner.exchange(request)?))
    }
}

fn nothing() -> Response {
    Response { status: 404, body: br#"{"title":"not there"}"#.to_vec() }
}

/// Reads through a crooked node, and an honest one behind it where there is one.
fn ledger(network: &Network, does: fn(&str, Response) -> Response, honest: bool) -> Ledger {
    let inner = network.nodes[0].clone() as Arc<dyn Transport>;
    let mut nodes = vec![Arc::new(Crooked { inner, does }) as Arc<dyn Transport>];
    if honest {
        nodes.push(network.nodes[1].clone());
    }
    Ledger::new(LightClient::from_checkpoint(genesis().checkpoint()), Gateway::new(nodes)).with_clock(|| NOW)
}

fn audited(ledger: &mut Ledger, heights: Heights) -> Result<Audit, LedgerError> {
    let at = ledger.highest()?.0.height;
    audit::book(ledger, BOOK, heights, at, &mut |_, _| ())
}

#[test]
fn aud02_an_honest_node_shows_a_complete_book() {
    let network = Network::new();
    story(&mut network.chain());
    let mut reads = network.ledger(0);
    let audit = audited(&mut reads, Heights::ALL).expect("an honest node");
    assert_eq!(audit.audited.defects, []);
    assert_eq!((audit.audited.seals, audit.audited.lines, audit.audited.acts), (4, 4, 3));
    assert_eq!(audit.audited.counter, Some((1, 7)));
    assert_eq!(reads.gateway().troubles(), []);
    // The first block is empty, then comes a block for each.
    let heights = Heights { from: Height(3), to: Height(6) };
    let part = audited(&mut network.ledger(0), heights).expect("an honest node");
    assert_eq!(part.audited.defects, []);
    assert_eq!((part.audited.seals, part.audited.acts), (3, 1));
    // What proves the counts without the network says the same.
    let proof = part.proof.expect("given");
    let proven = network.ledger(0).light_mut().prove(&proof, NOW).expect("final");
    let counts = Counts::read(&proven, BOOK, heights).expect("with its edges");
    assert_eq!((counts.seals, counts.lines, counts.acts), (1..4, 1..4, 0..1));
}

/// What a node does, and which defect an auditor finds who has no other.
type Row = (fn(&str, Response) -> Response, &'static str);

const TABLE: [Row; 7] = [
    (|path, said| if path.contains("act/0/1") { nothing() } else { said }, "act 1 is withheld or altered"),
    (|path, said| if path.contains("seal/0/2") { nothing() } else { said }, "seal 2 is withheld or altered"),
    (|path, said| if path.contains("page/0/0") { nothing() } else { said }, "page 0 is withheld or altered"),
    (
        |path, said| if path.contains("heads/0/0") { nothing() } else { said },
        "the list of heads of page 0 is withheld or altered",
    ),
    (
        |path, said| if path.contains("/pages/") { nothing() } else { said },
        "the lines of page 0 are withheld or altered",
    ),
    (
        |path, said| match path.contains("/pages/") {
            true => Response { body: said.body[..48].to_vec(), ..said },
            false => said,
        },
        "the lines of page 0 are withheld or altered",
    ),
    (
        |path, said| match StateProof::decode(&said.body) {
            Ok(mut proof) if path.contains("act/") => {
                let act = proof.entries.iter_mut().find(|entry| entry.place == Place::Act(BOOK, ActNumber(2)));
                act.into_iter().for_each(|entry| entry.bytes.0[9] ^= 1);
                Response { body: proof.encode(), ..said }
            }
            _ => said,
        },
        "act 2 is withheld or altered",
    ),
];

#[test]
fn aud02_what_one_node_withholds_is_named_and_another_gives_it() {
    let network = Network::new();
    story(&mut network.chain());
    for (does, says) in TABLE {
        let mut reads = ledger(&network, does, false);
        let alone = audited(&mut reads, Heights::ALL).expect("its record is given");
        let said: Vec<String> = alone.audited.defects.iter().map(ToString::to_string).collect();
        assert_eq!(said, [says]);
        let troubles = reads.gateway().troubles();
        assert!(!troubles.is_empty() && troubles.iter().all(|found| found.node == "crooked"));
        let mut reads = ledger(&network, does, true);
        let both = audited(&mut reads, Heights::ALL).expect("one of them is honest");
        assert_eq!((both.audited.defects.as_slice(), both.audited.counter), (&[] as &[Defect], Some((1, 7))), "{says}");
        assert!(reads.gateway().troubles().iter().any(|found| found.node == "crooked"), "{says}");
    }
}

#[test]
fn aud02_a_node_that_shows_an_older_state_is_behind_anothers_header() {
    let network = Network::new();
    story(&mut network.chain());
    // The other node gives a header and nothing else.
    network.set(1, Mood::Mute);
    fn old(path: &str, said: Response) -> Response {
        if path.contains("height=") {
            Response { status: 404, body: br#"{"type":"urn:fengni:problem:height-not-reached"}"#.to_vec() }
        } else {
            said
        }
    }
    let mut reads = ledger(&network, old, false);
    let refused = audit::book(&mut reads, BOOK, Heights::ALL, Height(8), &mut |_, _| ());
    let Err(LedgerError::Gateway(error)) = refused else { panic!("{refused:?}") };
    assert!(error.troubles.iter().all(|found| matches!(found.trouble, Trouble::Refused(_))));
}

#[test]
fn aud02_an_audit_ends_where_too_much_is_withheld() {
    let network = Network::new();
    let ids: Vec<_> = sample::certificates().iter().map(|sample| sample.id()).collect();
    network.chain().seal_for_another(&ids[0]);
    (0..100).for_each(|_| network.chain().act(LineNumber(0), |act| act));
    let mut reads = ledger(&network, |path, said| if path.contains("act/0/") { nothing() } else { said }, false);
    let audit = audited(&mut reads, Heights::ALL).expect("its record is given");
    assert!(audit.ended_early);
    assert_eq!(
        audit.audited.defects.iter().filter(|found| matches!(found, Defect::Withheld { .. })).count(),
        audit::WITHHELD
    );
}
