//! Following the ledger: exactly the wanted events, in order, none lost and none twice across kills
//! of the follower and of the node that answers. SVC-03.

#![forbid(unsafe_code)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use fengni_client::standing;
use fengni_core::KeyAlgorithm;
use fengni_core::event::{Event, Position};
use fengni_tests::{Deadline, Network, Paper, binary, fengni, holder_key};
use serde_json::Value;

/// `fengni watch` as a process of its own, with its lines.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(binary("fengni"))
            .args(["--json", "watch"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it was built");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    fn next(&self) -> Event {
        let line = self.lines.recv_timeout(Deadline::default().0).expect("an event in time");
        serde_json::from_str(&line).expect("an event")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn svc03_a_follower_gets_exactly_its_events_whatever_is_killed() {
    let network = Network::start();
    let (genesis, map) = (network.genesis(), network.map());
    let mut psb = network.actor("psb", "issuing", 1, "gov");
    let mut police = network.actor("psb", "enforcement", 2, "gov");
    let book = psb.open_book("T-DL", &genesis);
    let mut files: Vec<_> = (1..=6)
        .map(|serial| Paper::licence(serial).certify(&genesis, &genesis.domain(), &holder_key(KeyAlgorithm::P256)))
        .collect();
    let position = network.scratch().join("watch.position").display().to_string();
    std::fs::write(&position, "0.0.0\n").expect("the folder is writable");
    let arguments = ["--kind", "seal", "--kind", "suspend", "--book", "0", "--position", &position, "--network", &map];
    let mut seen: Vec<Event> = Vec::new();
    let mut watch = Watch::start(&arguments);
    for (round, file) in files.iter_mut().enumerate() {
        psb.seal(book, std::slice::from_mut(file));
        let ground = police.ground(201);
        police.done(standing::suspend(file.place, None, ground));
        seen.extend([watch.next(), watch.next()]);
        match round {
            1 => network.kill("gov"),
            2 => {
                network.run("gov");
                network.wait_ready("gov");
            }
            _ => (),
        }
        if round % 2 == 0 {
            // What was shown and not yet remembered when it was killed is shown again, once.
            drop(watch);
            let kept: Position =
                std::fs::read_to_string(&position).expect("it is kept").trim().parse().expect("a position");
            seen.retain(|event| event.position <= kept);
            watch = Watch::start(&arguments);
            while seen.len() < 2 * (round + 1) {
                seen.push(watch.next());
            }
        }
        if round == 1 {
            // Its gateway is gone: others answer. Writers use another as well.
            (psb, police) = (network.actor("psb", "issuing", 1, "psb"), network.actor("psb", "enforcement", 2, "psb"));
        }
    }
    let kinds: Vec<&str> = seen.iter().map(|event| event.kind.word()).collect();
    assert_eq!(kinds, ["seal", "suspend"].repeat(6));
    assert!(seen.windows(2).all(|pair| pair[0].position < pair[1].position), "rising, none twice");
    assert!(seen.iter().all(|event| event.book == Some(book)));

    // The same from the beginning, from another node alone; and what was exported says the same.
    network.wait_agreed(&["gov", "psb", "amr", "hrs", "observer"]);
    let (gateway, founding) = (&network.node("observer").gateway, network.home().join("genesis.bin"));
    let founding = founding.display().to_string();
    let again = ["--json", "watch", "--kind", "seal,suspend", "--since", "0.0.0", "--count", "12"];
    let again = fengni(&[&again[..], &["--gateway", gateway, "--genesis", &founding]].concat(), b"").expect(0);
    let again: Vec<Event> = again.out.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    assert_eq!(again, seen);
    let export = ["export", "events", "--gateway", gateway, "--genesis", &founding, "--out", "-"];
    let exported = fengni(&export, b"").expect(0);
    let exported = exported.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let exported: Vec<Value> = exported.filter(|event| event["kind"] == "seal" || event["kind"] == "suspend").collect();
    let ours: Vec<Value> = seen.iter().map(|event| serde_json::to_value(event).expect("plain data")).collect();
    assert_eq!(exported, ours);
}
