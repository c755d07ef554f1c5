//! Pages of a machine's web server, fetched from this host as a browser fetches them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Fetches the root page. No second try: nginx answers as soon as its machine is ready.
pub(crate) fn get(port: u16) -> String {
    exchange(port, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n").1
}

/// Sends a form; the status of the answer.
pub(crate) fn post(port: u16, path: &str, form: &str) -> u16 {
    let head = format!("POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", form.len());
    exchange(port, &(head + form)).0
}

fn exchange(port: u16, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a published port answers");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a read timeout above zero");
    stream.write_all(request.as_bytes()).expect("a request is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer in UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_default();
    (status, body.to_owned())
}
