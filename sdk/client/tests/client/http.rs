//! HTTP: limits, and nothing but the node that was asked.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use fengni_client::gateway::{Gateway, Trouble};
use fengni_client::transport::{Http, HttpOptions, Request, Transport as _, UrlError};

/// A server that gives one answer to every request and tells what it was asked.
fn server(answer: impl Into<Vec<u8>>) -> (String, Receiver<String>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound listener"));
    let (told, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes).unwrap_or(0);
            let _ = told.send(String::from_utf8_lossy(&bytes[..read]).into_owned());
            let _ = stream.write_all(&answer);
        }
    });
    (url, asked)
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn request(limit: usize) -> Request<'static> {
    Request { path: "/v1/genesis".into(), body: None, limit, patience: Duration::ZERO }
}

#[test]
fn an_answer_comes_whole_or_not_at_all() {
    let (url, asked) = server(answer("200 OK", "application/octet-stream", "0123456789"));
    let http = Http::new(&format!("{url}/"), &HttpOptions::default()).expect("a URL");
    let response = http.exchange(&request(10)).expect("an answer");
    assert_eq!((response.status, response.body), (200, b"0123456789".to_vec()));
    let head = asked.recv().expect("a request").to_lowercase();
    assert!(head.starts_with("get /v1/genesis http/1.1\r\n"), "{head}");
    assert!(head.contains("accept: application/octet-stream\r\n") && !head.contains("accept-encoding"), "{head}");
    assert_eq!(http.exchange(&request(9)).expect_err("too long"), "an answer of more than 9 bytes");
}

#[test]
fn a_redirect_leads_nowhere() {
    let moved = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/elsewhere\r\ncontent-length: 0\r\n\r\n";
    let (url, _asked) = server(moved);
    let http = Http::new(&url, &HttpOptions::default()).expect("a URL");
    assert_eq!(http.exchange(&request(9)).map(|response| response.status), Ok(302));
}

#[test]
fn problems_silence_and_nonsense_are_told_apart() {
    let problem = "{\"title\":\"not found\",\"detail\":\"no\\u001b[2J such\",\"rule\":\"N-6\"}";
    let (refusing, _a) = server(answer("404 Not Found", "application/problem+json", problem));
    let (talking, _b) = server(answer("200 OK", "application/octet-stream", "nonsense"));
    let options = HttpOptions { connect: Duration::from_millis(500), ..HttpOptions::default() };
    let gateway = Gateway::http(&["http://127.0.0.1:1", &refusing, &talking], &options).expect("URLs");
    let error = gateway.ask(|node| node.latest_header()).expect_err("no node gives a header");
    let troubles: Vec<&Trouble> = error.troubles.iter().map(|found| &found.trouble).collect();
    let [Trouble::Unreachable(_), Trouble::Refused(problem), Trouble::Malformed(_)] = troubles[..] else {
        panic!("{troubles:?}")
    };
    assert_eq!(problem.to_string(), "status 404, not found, no[2J such");
    assert_eq!(error.troubles[1].node, refusing);
}

#[test]
fn urls_name_a_host_and_nothing_else() {
    for url in ["ftp://a", "a:80", "http://", "http://user@a", "http://a?b", "http://a b"] {
        assert!(matches!(Http::new(url, &HttpOptions::default()), Err(UrlError::Form { .. })), "{url}");
    }
    let options = HttpOptions { roots_pem: b"no certificate".to_vec(), ..HttpOptions::default() };
    assert!(matches!(Http::new("https://a", &options), Err(UrlError::Roots)));
}
