//! Slow subscribers: what the ledger does for those who act, while others ask to be told and never
//! listen. SVC-04.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use fengni_core::BookNumber;
use socket2::SockRef;

use super::feed::{WAIT, done, relay, seals};
use super::table::{Row, percentile, rate};
use crate::load::Load;
use crate::network::Network;
use crate::ports::free_block;
use crate::push::Push;
use crate::receiver::{Manner, Receiver};

/// What a reader who does not read has room for.
const BUFFER_BYTES: usize = 4096;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// Streams of events that nobody reads, at each gateway.
    pub streams: usize,
    /// Clerks who seal without pause.
    pub clerks: usize,
    /// How long each load is.
    pub long: Duration,
}

impl Crowd {
    /// The figures to quote.
    pub fn full() -> Self {
        Self { streams: 16, clerks: 8, long: Duration::from_secs(60) }
    }

    /// A tenth of the time.
    pub fn quick() -> Self {
        Self { streams: 16, clerks: 8, long: Duration::from_secs(6) }
    }
}

/// Measures the same load without subscribers, with them, and without them again.
///
/// # Panics
/// When the network does not do what it should: then there is no figure.
pub fn measure_subscribers(crowd: Crowd) -> Vec<Row> {
    eprintln!("subscribers: {:?} without any", crowd.long);
    let network = Network::start();
    let book = network.actor("psb", "issuing", 1, "psb").open_book("T-DL", &network.genesis());
    let alone = "clerks who seal three lines at a time by all validators; p95 of one more who seals one";
    let mut rows = under_load(&network, book, crowd, "nobody subscribes", alone);

    let mut push = Push::made(&network, &["gov"], "");
    let receiver = Receiver::start(free_block());
    receiver.be(Manner::Hangs);
    push.run();
    push.add("desk", "webhook", &receiver.url("hook"), &["refused=true"]);
    let _ = push.approve("desk");
    let gateways: Vec<&str> = network.nodes().iter().map(|node| node.gateway.as_str()).collect();
    let streams: Vec<TcpStream> =
        gateways.iter().flat_map(|gateway| (0..crowd.streams).map(|_| stream(gateway))).collect();
    eprintln!(
        "subscribers: {:?} with {} streams that nobody reads, and a receiver that hangs",
        crowd.long,
        streams.len()
    );
    let slow =
        format!("the same, with {} streams that nobody reads and a webhook's receiver that hangs", streams.len());
    rows.extend(under_load(&network, book, crowd, "slow subscribers", &slow));
    assert!(!receiver.posted().is_empty(), "the receiver was asked");
    drop((push, receiver, streams));
    rows.extend(under_load(&network, book, crowd, "nobody any more", "the same, so that a busy machine shows"));
    rows
}

/// A stream of every event from the founding on, of which only the first byte is read.
fn stream(gateway: &str) -> TcpStream {
    let address = gateway.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the gateway listens");
    // Else the system would take megabytes in the reader's place, who would not be slow for long.
    SockRef::from(&stream).set_recv_buffer_size(BUFFER_BYTES).expect("a socket of our own");
    write!(stream, "GET /v1/events?since=0.0.0&refused=true HTTP/1.1\r\nhost: {address}\r\n\r\n")
        .expect("it takes requests");
    stream.read_exact(&mut [0]).expect("it answers");
    stream
}

/// Transactions a second of all clerks, and how long one more waits.
fn under_load(network: &Network, book: BookNumber, crowd: Crowd, what: &str, how: &str) -> Vec<Row> {
    let mut issuer = network.actor("psb", "issuing", 2, "psb");
    let load = Load::resume(network, book, crowd.clerks);
    load.wait_more(crowd.clerks);
    let node = relay(network, "psb");
    let (begun, before) = (Instant::now(), load.settled());
    let mut took: Vec<Duration> = Vec::new();
    while begun.elapsed() < crowd.long {
        for prepared in seals(&mut issuer, book, 1, 1) {
            let asked = Instant::now();
            let proof = node.submit(&prepared.bytes.0, WAIT).expect("the relay answers").expect("it is final in time");
            took.push(asked.elapsed());
            done(&proof.outcome.decision);
        }
    }
    let settled = rate(load.settled() - before, begun.elapsed());
    let _ = load.stop();
    took.sort();
    vec![
        Row::new(format!("transactions, {what}"), format!("{settled:.0}/s"), "", how),
        Row::new(
            format!("submit to final, p50 / p95, {what}"),
            format!("{:.0} / {:.0} ms", percentile(&took, 0.5), percentile(&took, 0.95)),
            "",
            format!("{} transactions, one after the other, beside that load", took.len()),
        ),
    ]
}
