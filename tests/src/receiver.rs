//! A receiver of webhooks on loopback, which takes them, fails, hangs or is not there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How a receiver answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// With 200.
    Takes,
    /// With this status.
    Fails(u16),
    /// Not at all: it has the message, and the connection stays open.
    Hangs,
}

/// What was posted.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Headers, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The path.
    pub path: String,
    /// The body.
    pub body: String,
    /// How it was answered.
    pub manner: Manner,
}

struct Told {
    manner: Manner,
    posted: Vec<Posted>,
    /// Connections that are left open.
    held: Vec<TcpStream>,
}

struct Shared {
    told: Mutex<Told>,
    closing: AtomicBool,
}

impl Shared {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A receiver on a port of its own, gone when dropped.
pub struct Receiver {
    port: u16,
    shared: Arc<Shared>,
    serving: Option<JoinHandle<()>>,
}

impl Receiver {
    /// One that takes everything.
    ///
    /// # Panics
    /// When the port is taken.
    pub fn start(port: u16) -> Self {
        let told = Told { manner: Manner::Takes, posted: Vec::new(), held: Vec::new() };
        let shared = Arc::new(Shared { told: Mutex::new(told), closing: AtomicBool::new(false) });
        let mut receiver = Self { port, shared, serving: None };
        receiver.open();
        receiver
    }

    /// Its URL.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// Answers so from now on.
    pub fn be(&self, manner: Manner) {
        let mut told = self.shared.told();
        told.manner = manner;
        told.held.clear();
    }

    /// Everything that was posted so far, whatever was answered.
    pub fn posted(&self) -> Vec<Posted> {
        self.shared.told().posted.clone()
    }

    /// Listens again after [`Receiver::close`].
    ///
    /// # Panics
    /// When the port is taken.
    pub fn open(&mut self) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).expect("the receiver's own port");
        self.shared.closing.store(false, Ordering::SeqCst);
        let shared = Arc::clone(&self.shared);
        self.serving = Some(std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.closing.load(Ordering::SeqCst) {
                    break;
                }
                let shared = Arc::clone(&shared);
                // A sender that hangs up is its own affair.
                std::thread::spawn(move || stream.and_then(|stream| serve(stream, &shared)));
            }
        }));
    }

    /// Refuses connections from now on.
    pub fn close(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        // The connection wakes the thread, which then looks at the flag.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let _ = self.serving.take().map(JoinHandle::join);
        self.shared.told().held.clear();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.close();
    }
}

/// One request, one answer, and the connection ends.
fn serve(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(&stream);
    let mut headers = BTreeMap::new();
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    line.clear();
    while reader.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        line.clear();
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body)?;
    let manner = {
        let mut told = shared.told();
        let manner = told.manner;
        told.posted.push(Posted { headers, path, body, manner });
        if manner == Manner::Hangs {
            told.held.push(stream.try_clone()?);
        }
        manner
    };
    let status = match manner {
        Manner::Takes => 200,
        Manner::Fails(status) => status,
        Manner::Hangs => return Ok(()),
    };
    let head = format!("HTTP/1.1 {status} as told\r\nlocation: /elsewhere\r\ncontent-length: 0");
    write!(&stream, "{head}\r\nconnection: close\r\n\r\n")
}
