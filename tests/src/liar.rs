//! A lying gateway: a test double that stands in front of a real node's gateway on loopback.
//!
//! ```text
//! tool -> Liar -> node
//!          |
//!          +-- rules: drop, alter, swap, answer with what was said before or by another network
//! ```
//!
//! Requests pass through as they are; the first rule that knows the path says what becomes of the
//! answer. Rules change while the liar runs, so that one of them serves a whole table of lies.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use fengni_core::codec;
use fengni_core::finality::CommitCertificate;
use fengni_core::light::Handover;
use fengni_core::limits::{HANDOVERS_BYTES, PROOF_BYTES};
use fengni_core::proof::StateProof;
use fengni_core::{Header, Height};

/// An answer of a node: status and body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// What becomes of a request: `None` where the rule does not know it, and the next one is asked.
///
/// - the path with its query, as the client sent it;
/// - the node, to be asked for this path or for another.
pub type Rule = Arc<dyn Fn(&str, &Behind) -> Option<Said> + Send + Sync>;

/// The node behind the liar.
pub struct Behind {
    base: String,
}

struct Shared {
    behind: Behind,
    rules: Mutex<Vec<Rule>>,
    stopping: AtomicBool,
}

/// A gateway that lies by rules, on a free port, gone when dropped.
pub struct Liar {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: Option<JoinHandle<()>>,
}

impl Liar {
    /// Stands in front of the gateway at a URL, honest until it is given rules.
    ///
    /// # Panics
    /// Without a free port.
    pub fn before(gateway: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let behind = Behind { base: gateway.trim_end_matches('/').to_owned() };
        let shared = Arc::new(Shared { behind, rules: Mutex::default(), stopping: AtomicBool::new(false) });
        let told = Arc::clone(&shared);
        let serving = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if told.stopping.load(Ordering::SeqCst) {
                    break;
                }
                let told = Arc::clone(&told);
                // Each caller by itself: one that waits holds up nobody. A client that hangs up is its
                // own affair.
                std::thread::spawn(move || stream.and_then(|stream| serve(&stream, &told)));
            }
        });
        Self { address, shared, serving: Some(serving) }
    }

    /// Its URL, which is also its name in troubles.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lies by these rules from now on, and by no others.
    pub fn lie(&self, rules: Vec<Rule>) {
        *self.rules() = rules;
    }

    /// Passes everything on as it is.
    pub fn be_honest(&self) {
        self.lie(Vec::new());
    }

    /// The node behind it.
    pub fn behind(&self) -> &Behind {
        &self.shared.behind
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.shared.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // The connection wakes the thread, which then looks at the flag.
        let _ = TcpStream::connect(self.address);
        let _ = self.serving.take().map(JoinHandle::join);
    }
}

impl Said {
    /// What a client takes for a good answer.
    pub fn good(body: Vec<u8>) -> Self {
        Self { status: 200, body }
    }

    /// That there is nothing of the kind.
    pub fn nothing(kind: &str) -> Self {
        let body = format!(r#"{{"type":"urn:fengni:problem:{kind}","title":"{kind}","status":404}}"#);
        Self { status: 404, body: body.into_bytes() }
    }

    /// That the node is busy.
    pub fn busy() -> Self {
        Self {
            status: 503,
            body: br#"{"type":"urn:fengni:problem:overloaded","title":"overloaded","status":503}"#.to_vec(),
        }
    }
}

impl Behind {
    /// What the node answers.
    pub fn says(&self, path: &str) -> Said {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(20)))
            .build()
            .into();
        let asked = agent.get(format!("{}{path}", self.base)).header("accept", "application/octet-stream").call();
        match asked {
            Ok(mut response) => {
                let status = response.status().as_u16();
                Said {
                    status,
                    body: response.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap_or_default(),
                }
            }
            Err(_) => Said { status: 503, body: Vec::new() },
        }
    }
}

/// Alters every state proof on paths that contain a text.
pub fn alter_proofs(on: &'static str, alter: impl Fn(&mut StateProof) + Send + Sync + 'static) -> Rule {
    rewrite(on, move |body| {
        let mut proof: StateProof = codec::decode(&body, PROOF_BYTES).ok()?;
        alter(&mut proof);
        Some(proof.encode())
    })
}

/// Alters every header with its certificate on paths that contain a text.
pub fn alter_headers(
    on: &'static str,
    alter: impl Fn(&mut Header, &mut CommitCertificate) + Send + Sync + 'static,
) -> Rule {
    rewrite(on, move |body| {
        let (mut header, mut certificate): (Header, CommitCertificate) = codec::decode(&body, PROOF_BYTES).ok()?;
        alter(&mut header, &mut certificate);
        Some(codec::encode(&(header, certificate)))
    })
}

/// Alters the list of handovers.
pub fn alter_handovers(alter: impl Fn(&mut Vec<Handover>) + Send + Sync + 'static) -> Rule {
    rewrite("/v1/handovers", move |body| {
        let mut handovers: Vec<Handover> = codec::decode(&body, HANDOVERS_BYTES).ok()?;
        alter(&mut handovers);
        Some(codec::encode(&handovers))
    })
}

/// Rewrites the bytes of good answers on paths that contain a text; those that it cannot read pass.
pub fn rewrite(on: &'static str, with: impl Fn(Vec<u8>) -> Option<Vec<u8>> + Send + Sync + 'static) -> Rule {
    Arc::new(move |path, node| {
        let said = asked(path, on).then(|| node.says(path))?;
        let altered = (said.status == 200).then(|| with(said.body.clone())).flatten();
        Some(altered.map_or(said, Said::good))
    })
}

/// Answers paths that contain a text with something else altogether.
pub fn instead(on: &'static str, said: Said) -> Rule {
    Arc::new(move |path, _| asked(path, on).then(|| said.clone()))
}

/// Says nothing of an entry: every question that names the place is answered with 404.
pub fn withhold(place: &str) -> Rule {
    let place = place.to_owned();
    Arc::new(move |path, _| names(path, &place).then(|| Said::nothing("not-in-the-register")))
}

/// Answers what another node says, such as one of another network.
pub fn pass_to(on: &'static str, other: &str) -> Rule {
    let other = Behind { base: other.to_owned() };
    Arc::new(move |path, _| asked(path, on).then(|| other.says(path)))
}

/// Lives in the past: gives the header of a height as the newest, proofs as of that height, and knows
/// nothing above it.
pub fn as_of(height: Height) -> Rule {
    Arc::new(move |path, node| {
        let (route, query) = path.split_once('?').unwrap_or((path, ""));
        if route == "/v1/headers/latest" {
            return Some(node.says(&format!("/v1/headers/{height}")));
        }
        if let Some(asked) = route.strip_prefix("/v1/headers/").and_then(|asked| asked.parse::<u64>().ok()) {
            return (asked > height.0).then(|| Said::nothing("height-not-reached"));
        }
        let takes_height =
            ["/v1/proofs", "/v1/history", "/v1/pages", "/v1/packs"].iter().any(|on| route.starts_with(on));
        if !takes_height {
            return None;
        }
        let named =
            query.split('&').find_map(|pair| pair.strip_prefix("height=")).and_then(|asked| asked.parse::<u64>().ok());
        match named {
            Some(asked) if asked > height.0 => Some(Said::nothing("height-not-reached")),
            Some(_) => None,
            None if query.is_empty() => Some(node.says(&format!("{route}?height={height}"))),
            None => Some(node.says(&format!("{route}?{query}&height={height}"))),
        }
    })
}

/// Answers the second and every later question of a path as the first: what was true once.
pub fn stuck() -> Rule {
    let first: Mutex<BTreeMap<String, Said>> = Mutex::default();
    Arc::new(move |path, node| {
        let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
        Some(first.entry(path.to_owned()).or_insert_with(|| node.says(path)).clone())
    })
}

fn asked(path: &str, on: &str) -> bool {
    path.contains(on)
}

/// Whether a question names a place among others.
fn names(path: &str, place: &str) -> bool {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let places = query.split('&').find_map(|pair| pair.strip_prefix("places=")).unwrap_or_default();
    path == place || places.split(',').any(|named| named == place)
}

/// One request, one answer, and the connection ends.
fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).unwrap_or_default();
    let said = {
        let rules = shared.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.iter().find_map(|rule| rule(path, &shared.behind))
    };
    let said = said.unwrap_or_else(|| shared.behind.says(path));
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {} as told\r\ncontent-type: application/octet-stream\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        said.status,
        said.body.len()
    )?;
    stream.write_all(&said.body)?;
    stream.flush()
}
