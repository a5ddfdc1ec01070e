//! A gateway that is not a node: it answers what a test tells it to, over real HTTP.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A server on a free port, gone when dropped.
pub struct FalseGateway {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

impl FalseGateway {
    /// Answers every path with the bytes that `answer` gives for it.
    pub fn start(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let serving = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                // A client that hangs up is its own affair.
                let _ = stream.and_then(|stream| serve(&stream, &answer));
            }
        });
        Self { address, stopping, serving: Some(serving) }
    }

    /// Its URL, which is also its name in troubles.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for FalseGateway {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // The connection wakes the thread, which then looks at the flag.
        let _ = TcpStream::connect(self.address);
        let _ = self.serving.take().map(JoinHandle::join);
    }
}

/// One request, one answer, and the connection ends.
fn serve(stream: &TcpStream, answer: &impl Fn(&str) -> Vec<u8>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let body = answer(request.split(' ').nth(1).unwrap_or_default());
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)?;
    stream.flush()
}

/// The bytes a real node answers to a GET.
pub fn fetch(url: &str) -> Vec<u8> {
    let asked = ureq::get(url).header("accept", "application/octet-stream").call();
    asked.expect("the node answers").body_mut().read_to_vec().expect("the answer has a body")
}

/// A URL where nobody listens.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("a bound socket has an address"))
}
