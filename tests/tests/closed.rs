//! Closed: who has another founding, no place on the list, or no network key gets nothing, and
//! a node speaks only where its configuration says. GOV-02, SEC-01, SEC-03, SEC-05; invariant 8.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use fengni_client::keys::{HeldKey, KeyFile, Passphrases};
use fengni_client::submit::{Settlement, Signers};
use fengni_core::KeyAlgorithm;
use fengni_core::operation::Operation;
use fengni_core::outcome::Refusal;
use fengni_core::record::KeyPurpose;
use fengni_genesis::{Genesis, sample};
use fengni_tests::{Deadline, Load, Network, Node, until};
use serde_json::Value;

const REST: [&str; 3] = ["gov", "psb", "amr"];
const REFUSED: &str = "fengni_network_refused_total";
const FAILED: &str = "fengni_network_failed_total";
const RECEIVED: [&str; 2] = ["fengni_network_frames_received_total", "fengni_network_received_bytes_total"];

/// Changes a file; every change must hit.
fn edit(path: &Path, changes: &[(&str, &str)]) {
    let mut text = std::fs::read_to_string(path).expect("the file is there");
    for (from, to) in changes {
        assert!(text.contains(from), "{} has no {from}", path.display());
        text = text.replace(from, to);
    }
    std::fs::write(path, text).expect("the file is writable");
}

fn configuration(network: &Network, name: &str) -> PathBuf {
    network.node(name).home.join("node.toml")
}

/// While the network makes blocks, an outsider gets not a byte of them.
fn assert_left_out(network: &Network, load: &Load, outsider: &str) {
    let from = network.height("gov");
    load.wait_more(5);
    network.wait_height("gov", from + 5);
    assert!(network.is_running(outsider), "{outsider} ended: {}", network.log_end(outsider));
    // Whoever dials believes for a moment that it is connected.
    let status = until(&format!("{outsider} has nobody"), Deadline::default(), || {
        network.status(outsider).filter(|status| (status.peers, status.transaction_peers) == (0, 0))
    });
    assert_eq!(status.height, 0, "{outsider}");
    assert_eq!(status.pool_transactions, 0, "{outsider} was given a transaction");
    for counter in RECEIVED {
        assert_eq!(network.count(outsider, counter, ""), 0, "{outsider}: {counter}");
    }
}

fn wait_count(network: &Network, name: &str, counter: &str) {
    until(&format!("{name} counts {counter}"), Deadline::default(), || {
        (network.count(name, counter, "") > 0).then_some(())
    });
}

#[test]
fn gov02_a_node_of_another_founding_gets_nothing() {
    let network = Network::made();
    // HRS with its own keys at its own place, but for one parameter of the founding.
    let mut contents = network.genesis().into_contents();
    contents.parameters.window += 1;
    let other = Genesis::new(contents).expect("the change breaks no rule");
    assert_ne!(other.network(), network.genesis().network());
    std::fs::write(network.home().join("other.bin"), other.encode()).expect("the folder is writable");
    edit(&configuration(&network, "hrs"), &[("genesis.bin", "other.bin")]);

    [&REST[..], &["hrs", "observer"]].concat().iter().for_each(|name| network.run(name));
    REST.iter().for_each(|name| network.wait_ready(name));
    let load = Load::start(&network, 1);
    // Both sides notice that the handshake fails.
    wait_count(&network, "hrs", FAILED);
    wait_count(&network, "gov", FAILED);
    assert_left_out(&network, &load, "hrs");
    // The same keys with the right founding belong, but not with what was stored meanwhile.
    assert_eq!(network.terminate("hrs"), Some(0));
    edit(&configuration(&network, "hrs"), &[("other.bin", "genesis.bin")]);
    network.run("hrs");
    assert_eq!(network.wait_end("hrs"), Some(3));
    assert!(network.log_end("hrs").contains("the store belongs to network"), "{}", network.log_end("hrs"));
    std::fs::remove_dir_all(network.node("hrs").home.join("data")).expect("the folder is ours");
    network.run("hrs");
    network.wait_height("hrs", network.height("gov"));
    load.stop().assert_kept(&network, &["gov", "psb", "amr", "hrs", "observer"]);
}

#[test]
fn sec05_only_listed_peers_with_the_network_key_get_in() {
    let network = Network::made_with(&["--observer", "YHD", "--observer", "YGOV"]);
    let observers: Vec<&Node> = network.nodes().iter().filter(|node| node.role == "observer").collect();
    let [listed, unlisted] = observers[..] else { panic!("two observers were asked for") };
    // All have one key, but HRS another.
    for node in network.nodes() {
        let digit = if node.name == "hrs" { "8" } else { "7" };
        std::fs::write(node.home.join("keys/network.key"), digit.repeat(64)).expect("the folder is writable");
        edit(&node.home.join("node.toml"), &[("peer = ", "network = \"keys/network.key\"\npeer = ")]);
    }
    // Nobody's configuration names the first observer: its key is registered, which is all it takes.
    // The second one is named, under a key of its own making that no register lists.
    let entry = |node: &Node| format!("[[network.peers]]\nkey = \"{}\"\n", node.peer_key());
    let (known, own) = (entry(listed), entry(unlisted));
    let registered = std::fs::read(unlisted.home.join("keys/peer.json")).expect("the key is there");
    make_peer_key(unlisted);
    let (made, mut sources) = (entry(unlisted), 0);
    for name in ["gov", "psb", "amr", "hrs"] {
        let path = configuration(&network, name);
        let text = std::fs::read_to_string(&path).expect("the file is there");
        sources += usize::from(text.contains(&known) && text.contains(&own));
        std::fs::write(&path, text.replace(&known, "").replace(&own, &made)).expect("the file is writable");
    }
    assert!(sources > 0, "observers have sources");
    network.nodes().iter().for_each(|node| network.run(&node.name));
    REST.iter().for_each(|name| network.wait_ready(name));
    network.wait_ready(&listed.name);
    let load = Load::start(&network, 1);
    wait_count(&network, "gov", REFUSED);
    wait_count(&network, "gov", FAILED);
    wait_count(&network, "hrs", FAILED);
    assert_left_out(&network, &load, &unlisted.name);
    assert_left_out(&network, &load, "hrs");
    assert!(network.log("gov").contains("is not on the roster"), "the operator is told who was refused");

    // It knows why, and says so.
    // While it believes that it is connected it has another reason.
    until("it says that peers refuse its key", Deadline::default(), || {
        let (status, said) = network.readiness(&unlisted.name)?;
        let refused = said["reason"].as_str().is_some_and(|it| it.contains("peers refuse this node's key"));
        (status == 503 && refused).then_some(())
    });

    // The right key is all that HRS lacked, and all that the observer lacks.
    network.kill("hrs");
    std::fs::write(network.node("hrs").home.join("keys/network.key"), "7".repeat(64)).expect("the folder is writable");
    network.run("hrs");
    network.wait_height("hrs", network.height("gov"));
    load.stop().assert_kept(&network, &["gov", "psb", "amr", "hrs", &listed.name]);
    assert_eq!(network.height(&unlisted.name), 0);

    network.kill(&unlisted.name);
    std::fs::write(unlisted.home.join("keys/peer.json"), registered).expect("the key can be replaced");
    network.run(&unlisted.name);
    network.wait_height(&unlisted.name, network.height("gov"));
    network.wait_ready(&unlisted.name);
}

/// Gives a node a peer key that nobody knows.
fn make_peer_key(node: &Node) {
    let stranger = fengni_tests::holder_key(KeyAlgorithm::Ed25519);
    let file = node.home.join("keys/peer.json");
    KeyFile::plain(KeyPurpose::Peer, stranger).save(&file).expect("the key can be replaced");
}

#[test]
fn sec01_sec03_the_observer_reads_and_nobody_writes_through_a_gateway() {
    let network = Network::start();
    let observer = network.node("observer");
    assert_eq!(observer.relay, None);
    let keys = std::fs::read_dir(observer.home.join("keys")).expect("the folder is there");
    let keys: Vec<String> = keys.map(|key| key.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(keys, ["peer.json"], "an observer holds the key of its connection and no other");

    // Every route that any listener has, at every gateway and operator's listener.
    let routes = routes(&observer.gateway);
    let routes: BTreeSet<String> = routes
        .into_iter()
        .chain(["/v1/transactions", "/v1/transactions/batch", "/", "/metrics"].map(str::to_owned))
        .collect();
    assert!(routes.len() > 15, "{routes:?}");
    for node in network.nodes() {
        for base in [&node.gateway, &node.admin] {
            for route in &routes {
                for verb in ["POST", "PUT", "PATCH", "DELETE"] {
                    let status = status_of(verb, &format!("{base}{route}"));
                    // A gateway has no verb that writes; the operator's listener does not even
                    // have the routes of the others.
                    let expected: &[u16] = if *base == node.gateway { &[405] } else { &[404, 405] };
                    assert!(expected.contains(&status), "{verb} {route} at {}: {status}", node.name);
                }
            }
        }
    }

    // What its only key signs is no transaction that counts.
    let member = sample::member("YHD").expect("a sample member");
    let slot = sample::key_slots().into_iter().find(|slot| slot.member == "YHD" && slot.purpose == KeyPurpose::Peer);
    let file = KeyFile::load(&observer.home.join("keys/peer.json")).expect("sample wrote it");
    assert_eq!((file.member, file.number), (Some(member), slot.map(|slot| slot.number)));
    let key = HeldKey::open(&file, &Passphrases::asked()).expect("it is not encrypted");
    let signers = Signers::new(&[key]).expect("one key");
    let before = network.height("gov");
    let mut ledger = network.ledger(&["gov"]);
    let terms = sample::agreement_terms();
    let submitted = network.submitter(&["gov"]).submit(&mut ledger, &signers, Operation::ProposeAgreement { terms });
    match submitted.expect("the relay answers") {
        Settlement::Refused { refusal: Refusal::KeyPurpose, .. } => {}
        other => panic!("a peer key acted: {other:?}"),
    }
    // The chain is unaffected.
    network.wait_height("observer", before + 1);
    network.wait_agreed(&["gov", "psb", "amr", "hrs", "observer"]);
}

/// The addresses of a gateway's routes, with 1 for each parameter.
fn routes(gateway: &str) -> Vec<String> {
    let text = ureq::get(&format!("{gateway}/openapi.json")).call().expect("the gateway describes itself");
    let text = text.into_body().read_to_string().expect("the description has a body");
    let described: Value = serde_json::from_str(&text).expect("the description is JSON");
    let paths = described["paths"].as_object().expect("the description has paths");
    let filled = |path: &String| {
        let parts: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect();
        parts.join("/")
    };
    paths.keys().map(filled).collect()
}

fn status_of(verb: &str, url: &str) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = ureq::http::Request::builder().method(verb).uri(url).body("x").expect("a request");
    agent.run(request).expect("the listener answers").status().as_u16()
}

#[test]
fn inv8_a_node_listens_and_dials_only_where_its_configuration_says() {
    let network = Network::start();
    let load = Load::start(&network, 1);
    load.wait_more(5);
    let listeners = |node: &Node| {
        let http = [Some(&node.gateway), node.relay.as_ref(), Some(&node.admin)];
        let http = http.into_iter().flatten().map(|url| url.trim_start_matches("http://").to_owned());
        let peers = [&node.consensus, &node.transactions].into_iter().flatten().cloned();
        let all = http.chain(peers).map(|address| address.parse().expect("the map names addresses"));
        all.collect::<BTreeSet<SocketAddr>>()
    };
    let mesh = |node: &Node| {
        let all = [&node.consensus, &node.transactions].into_iter().flatten();
        all.map(|address| address.parse().expect("the map names addresses")).collect::<Vec<SocketAddr>>()
    };
    let peers: BTreeSet<SocketAddr> = network.nodes().iter().flat_map(mesh).collect();
    for node in network.nodes() {
        let own = listeners(node);
        let sockets = sockets(network.pid(&node.name));
        let listening: BTreeSet<SocketAddr> = sockets.iter().filter(|s| s.listens).map(|s| s.local).collect();
        assert_eq!(listening, own, "{}", node.name);
        for socket in sockets.iter().filter(|socket| !socket.listens) {
            assert!(socket.is_tcp, "{} speaks by datagrams from {}", node.name, socket.local);
            let came = own.contains(&socket.local);
            assert!(came || peers.contains(&socket.remote), "{} dialled {}", node.name, socket.remote);
        }
    }
    let _ = load.stop();
}

/// A socket of a process.
struct Socket {
    local: SocketAddr,
    remote: SocketAddr,
    listens: bool,
    is_tcp: bool,
}

/// The internet sockets of a process, from `/proc`.
fn sockets(pid: u32) -> Vec<Socket> {
    let handles = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("our own child");
    let targets = handles.filter_map(|handle| std::fs::read_link(handle.ok()?.path()).ok());
    let inodes: BTreeSet<String> = targets
        .filter_map(|target| Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut sockets = Vec::new();
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let rows = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for row in rows.lines().skip(1) {
            let columns: Vec<&str> = row.split_whitespace().collect();
            if !inodes.contains(columns[9]) {
                continue;
            }
            let is_tcp = table.starts_with("tcp");
            let (local, remote) = (address(columns[1]), address(columns[2]));
            sockets.push(Socket { local, remote, listens: is_tcp && columns[3] == "0A", is_tcp });
        }
    }
    sockets
}

/// An address as the kernel writes it: words of the machine's byte order, in hexadecimal.
fn address(text: &str) -> SocketAddr {
    let (ip, port) = text.split_once(':').expect("address and port");
    let words = ip.as_bytes().chunks(8).flat_map(|word| {
        let word = std::str::from_utf8(word).expect("digits");
        u32::from_str_radix(word, 16).expect("hexadecimal digits").to_ne_bytes()
    });
    let bytes: Vec<u8> = words.collect();
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::from(four),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(bytes.as_slice()).expect("four or sixteen bytes")),
    };
    SocketAddr::new(ip.to_canonical(), u16::from_str_radix(port, 16).expect("a port"))
}
