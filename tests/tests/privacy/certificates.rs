//! Certificates: the sample people's are issued, shown, verified and suspended. CAT-03.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use fengni_client::clock;
use fengni_client::standing::suspend;
use fengni_client::wallet::{Disclose, Show, Wallet};
use fengni_core::ReasonCode;
use fengni_core::verdict::VerdictCode;
use fengni_genesis::sample::{self, SampleCertificate};
use fengni_tests::{Network, fengni, purpose_code};

use super::search::{Search, metrics, secrets};

const ISSUERS: [(&str, &str); 4] = [("T-DL", "psb"), ("T-BL", "amr"), ("T-CL", "ciq"), ("T-RE", "res")];

/// Runs `fengni` and returns all it wrote. A failure shows only the exit code.
fn run(arguments: &[&str], expected: i32) -> String {
    let answer = fengni(arguments, b"");
    let subcommand = arguments[0];
    assert_eq!(answer.code, expected, "exit code of {subcommand}");
    format!("{}{}", answer.out, answer.err)
}

/// Issues the sample's certificates as an operator does, and returns the bundles for the holders.
fn issue(network: &Network, said: &mut String) -> Vec<PathBuf> {
    let mut bundles = Vec::new();
    for (kind, member) in ISSUERS {
        let own: Vec<&SampleCertificate> =
            sample::certificates().iter().filter(|certificate| certificate.certificate_type == kind).collect();
        let labels: Vec<&str> = own[0].claims.iter().map(|(label, _)| *label).collect();
        let mut rows = format!("identifier,issued,from,until,{}\n", labels.join(","));
        for certificate in own {
            let SampleCertificate { identifier, from, until, claims, .. } = certificate;
            let values: Vec<&str> = claims.iter().map(|(_, value)| *value).collect();
            writeln!(rows, "{identifier},{from},{from},{},{}", until.unwrap_or_default(), values.join(","))
                .expect("text");
        }
        let rows_file = network.scratch().join(format!("{kind}.csv"));
        std::fs::write(&rows_file, rows).expect("the test's own folder");
        let bundle = network.scratch().join(format!("{kind}.bundle"));
        let home = network.home().join("members").join(member);
        let [rows_file, home, to] = [&rows_file, &home, &bundle].map(|path| path.display().to_string());
        said.push_str(&run(&["issue", "--home", &home, "--type", kind, "--bundle", &to, &rows_file], 0));
        bundles.push(bundle);
    }
    bundles
}

/// Shows and scans every certificate, with all its fields where they fit, and by its identifier.
fn verify(network: &Network, bundles: &[PathBuf], said: &mut String) {
    let mut ledger = network.ledger(&["gov"]);
    let mut wallet = Wallet::new(ledger.domain());
    for bundle in bundles {
        wallet.import(bundle).expect("bundles of this network");
    }
    wallet.refresh(&mut ledger).expect("the ledger answers");
    assert_eq!(wallet.certificates().count(), sample::certificates().len());
    let height = ledger.sync().expect("the ledger answers").value.height;
    for node in network.nodes() {
        network.wait_height(&node.name, height.0);
    }
    let nodes: Vec<&str> = network.nodes().iter().map(|node| node.name.as_str()).collect();
    for certificate in sample::certificates() {
        for node in &nodes {
            let mut clerk = network.verifier("HRS", "入境通关", &[node]);
            let everyday = Show::everyday(purpose_code("入境通关"), clock::now()).expect("randomness");
            let most =
                Disclose::Labels(certificate.claims[2..4].iter().map(|(label, _)| (*label).to_owned()).collect());
            for show in [everyday.clone(), Show { disclose: most, nonce: [1; 8], ..everyday }] {
                let code = wallet.show(&certificate.id(), &show).expect("the wallet holds it");
                let checked = clerk.verify_code(&code, None);
                // Some are out of their dates by now: what matters is that the node was asked.
                assert!(checked.node.is_some(), "{} was judged by {node}", certificate.key);
                assert_ne!(checked.verdict.code, VerdictCode::LedgerUnreachable, "{}", certificate.key);
            }
            let recorded = clerk.verify_identifier(&certificate.id()).verdict.code;
            assert_eq!(recorded, VerdictCode::DocumentStatusOnly, "{}", certificate.key);
        }
    }
    // The typed identifier at the command line, whose answer also must not repeat anything.
    let map = network.map();
    let identifier = sample::certificates()[0].identifier;
    said.push_str(&run(&["verify", "--identifier", identifier, "--network", &map, "--as", "HRS"], 2));
}

/// PSB suspends the first licence for a reason that its own decision document names.
fn suspend_one(network: &Network) {
    let mut psb = network.actor("psb", "issuing", 1, "psb");
    let (place, _) =
        psb.ledger.find(&sample::certificates()[0].id()).expect("the ledger answers").expect("it was issued");
    let decision = format!("{}: {}", sample::people()[0].name, sample::people()[0].number);
    let domain = psb.ledger.domain();
    let decision = fengni_client::decision::Decision::of(&domain, decision.as_bytes()).expect("randomness");
    psb.done(suspend(place, None, decision.ground(ReasonCode(201))));
}

/// Callers that do not know better send people's data to every route that takes anything.
fn careless_callers(network: &Network) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    for (person, certificate) in sample::people().iter().zip(sample::certificates()) {
        let body = format!("{} {} {:?}", person.name, person.number, certificate.claims);
        let percent: String = person.name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for node in network.nodes() {
            let listeners = [Some(&node.gateway), node.relay.as_ref(), Some(&node.admin)];
            for url in listeners.into_iter().flatten() {
                let paths = [
                    format!("/v1/proofs/identifier/{}", person.number),
                    format!("/v1/proofs/identifier/{percent}"),
                    format!("/v1/proofs?places={percent}"),
                    format!("/v1/proofs/line?book=0&line=0&verifier={}", person.number),
                    format!("/v1/headers/{}", person.number),
                    format!("/v1/transactions/{percent}"),
                    format!("/people/{percent}/{}?name={percent}", person.number),
                ];
                for path in paths {
                    let answer = agent
                        .get(format!("{url}{path}"))
                        .header("user-agent", person.number)
                        .header("x-request-id", person.number)
                        .header("referer", format!("https://example.invalid/{percent}"))
                        .call()
                        .expect("the listener answers");
                    assert!(answer.status().as_u16() >= 400, "a careless question is refused");
                }
                for path in ["/v1/transactions", "/v1/transactions/batch", "/v1/nothing"] {
                    for kind in ["application/octet-stream", "application/json"] {
                        let answer = agent
                            .post(format!("{url}{path}"))
                            .header("content-type", kind)
                            .send(body.as_bytes())
                            .expect("the listener answers");
                        assert!(answer.status().as_u16() >= 400, "a careless call is refused");
                    }
                }
            }
        }
    }
}

#[test]
fn cat03_no_personal_data_is_on_a_node_in_its_logs_or_in_its_metrics() {
    let network = Network::start();
    let mut said = String::new();
    let bundles = issue(&network, &mut said);
    verify(&network, &bundles, &mut said);
    suspend_one(&network);
    verify(&network, &bundles, &mut said);
    careless_callers(&network);

    let metrics = metrics(&network);

    let genesis = std::fs::read(network.home().join("genesis.bin")).expect("sample wrote the genesis");
    let search = Search::of(&secrets(&genesis));
    let mut found = BTreeSet::new();
    search.look("what fengni said", said.as_bytes(), &mut found);
    metrics.iter().for_each(|(place, text)| search.look(place, text, &mut found));
    search.look_in_nodes(&network, &mut found);
    assert!(found.is_empty(), "personal data is where it must not be: {found:#?}");

    // The holders' bundles do hold it: the search sees what is there.
    let mut found = BTreeSet::new();
    for bundle in &bundles {
        search.look("a bundle", &std::fs::read(bundle).expect("issue wrote it"), &mut found);
    }
    assert!(!found.is_empty(), "a holder's bundle holds the holder's data");
}
