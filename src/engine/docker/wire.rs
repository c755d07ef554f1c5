//! One way to the engine for everything: HTTP/1.1 over a unix socket or TCP, one connection a call, with
//! a bound on calls at once, a deadline for each, the API's version pinned, and a log for tests.
//!
//! bollard's calls go through here as well, as its custom transport.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, UPGRADE};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::facts::ApiVersion;

use super::call_log::CallLog;
use super::endpoint::Address;
use super::errors::{Trouble, into_bollard, message_of};
use super::path::Path;

/// Calls at once. Each costs the engine a few descriptors, and this process one of perhaps 256.
const AT_ONCE: usize = 32;
/// Time to reach the engine. A local one accepts at once or not at all.
const CONNECT: Duration = Duration::from_secs(10);
/// Upper bound of an answer that is read as a whole: a list of ten thousand containers has about 30 MB.
const ANSWER: usize = 256 << 20;
/// Upper bound of an error's text.
const ERROR_TEXT: usize = 1 << 20;
/// The newest API that this program was written for (Docker 28.5's 1.51 is measured, 1.53 is documented).
const NEWEST: ApiVersion = ApiVersion { major: 1, minor: 53 };

/// The way to one engine. Cloning is cheap and shares it.
#[derive(Clone)]
pub(super) struct Wire {
    address: Address,
    slots: Arc<Semaphore>,
    pinned: Arc<OnceLock<ApiVersion>>,
    log: Option<Arc<CallLog>>,
}

/// A stream of bytes, both ways, after the engine took the connection over (a command's streams).
pub(super) type Hijacked = TokioIo<hyper::upgrade::Upgraded>;

impl Wire {
    pub(super) fn new(address: Address, log: Option<CallLog>) -> Self {
        Self {
            address,
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            pinned: Arc::new(OnceLock::new()),
            log: log.map(Arc::new),
        }
    }

    /// Sends a request as it is, but for the version in its path, and waits for the head of the answer.
    pub(super) async fn send<B>(&self, request: Request<B>) -> Result<Response<Incoming>, Trouble>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let slot = self.slots.acquire().await;
        let request = self.addressed(request)?;
        let line = self.log.is_some().then(|| format!("{} {}", request.method(), request.uri()));
        let answer = self.exchange(request).await;
        if let (Some(log), Some(line)) = (&self.log, line) {
            log.note(&line, answer.as_ref().ok().map(|answer| answer.status().as_u16()));
        }
        drop(slot);
        let answer = answer?;
        self.pin(&answer);
        Ok(answer)
    }

    async fn exchange<B>(&self, request: Request<B>) -> Result<Response<Incoming>, Trouble>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        match &self.address {
            Address::Unix(path) => {
                exchange(TokioIo::new(connected(UnixStream::connect(path)).await?), request).await
            }
            Address::Tcp { host, port } => {
                let stream = connected(TcpStream::connect((host.as_str(), *port))).await?;
                // Small requests wait for each other otherwise; without the option they are only slower.
                let _ = stream.set_nodelay(true);
                exchange(TokioIo::new(stream), request).await
            }
        }
    }

    /// Makes the path relative to the host and puts the version in front.
    fn addressed<B>(&self, mut request: Request<B>) -> Result<Request<B>, Trouble> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let path = match self.pinned.get() {
            Some(version) => format!("/v{version}{path}"),
            None => path.to_owned(),
        };
        *request.uri_mut() =
            path.parse().map_err(|error| Trouble::NotSent(format!("{path}: {error}"), None))?;
        request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
        Ok(request)
    }

    /// Pins the version at the first answer, so that a newer engine keeps speaking the known API.
    fn pin(&self, answer: &Response<Incoming>) {
        if self.pinned.get().is_none()
            && let Some(version) = answer.headers().get("api-version").and_then(api_version)
        {
            // Two first answers at once say the same.
            let _ = self.pinned.set(version.min(NEWEST));
        }
    }

    /// Makes a call and reads the whole answer, all within `deadline`.
    ///
    /// # Errors
    /// Every status but 2xx and 304 is a [`Trouble::Status`].
    pub(super) async fn call(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Duration,
    ) -> Result<(StatusCode, hyper::HeaderMap, Bytes), Trouble> {
        let whole = async {
            let answer = good(self.send(request).await?).await?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER).collect().await;
            let body = body.map_err(|error| Trouble::Lost(error.to_string()))?.to_bytes();
            Ok((head.status, head.headers, body))
        };
        timeout(deadline, whole).await.unwrap_or(Err(Trouble::TimedOut(deadline)))
    }

    /// Makes a call and reads the answer as JSON.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Duration,
    ) -> Result<T, Trouble> {
        let (_, _, body) = self.call(request, deadline).await?;
        serde_json::from_slice(&body).map_err(|error| Trouble::Garbled(error.to_string()))
    }

    /// Makes a call and hands over the answer's body while it comes.
    ///
    /// # Errors
    /// `deadline` bounds the head of the answer only; the reader of the stream bounds the rest.
    pub(super) async fn stream<B>(
        &self,
        request: Request<B>,
        deadline: Duration,
    ) -> Result<BoxStream<'static, Result<Bytes, Trouble>>, Trouble>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let head = async { good(self.send(request).await?).await };
        let answer = timeout(deadline, head).await.unwrap_or(Err(Trouble::TimedOut(deadline)))?;
        let chunks = answer.into_body().into_data_stream();
        Ok(chunks.map(|chunk| chunk.map_err(|error| Trouble::Lost(cause(&error)))).boxed())
    }

    /// Makes a call that takes the connection over.
    pub(super) async fn hijack(
        &self,
        mut request: Request<Full<Bytes>>,
        deadline: Duration,
    ) -> Result<Hijacked, Trouble> {
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        request.headers_mut().insert(UPGRADE, HeaderValue::from_static("tcp"));
        let taken = async {
            let answer = good(self.send(request).await?).await?;
            if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
                return Err(Trouble::Garbled(format!("status {} instead of an upgrade", answer.status())));
            }
            hyper::upgrade::on(answer).await.map_err(|error| Trouble::Lost(cause(&error)))
        };
        let taken = timeout(deadline, taken).await.unwrap_or(Err(Trouble::TimedOut(deadline)))?;
        Ok(TokioIo::new(taken))
    }

    /// Makes this way the transport of a bollard client.
    ///
    /// # Errors
    /// bollard's own, which it has no reason for here.
    pub(super) fn bollard(&self) -> Result<bollard::Docker, bollard::errors::Error> {
        let wire = self.clone();
        bollard::Docker::connect_with_custom_transport(
            move |request: bollard::BollardRequest| {
                let wire = wire.clone();
                async move { wire.send(request).await.map_err(into_bollard) }
            },
            Some("http://localhost"),
            // Deadlines are ours, a call each: this one would cut a long stop and not cover a body.
            24 * 3600,
            bollard::API_DEFAULT_VERSION,
        )
    }
}

/// Waits for a connection.
async fn connected<S>(connecting: impl Future<Output = std::io::Result<S>>) -> Result<S, Trouble> {
    match timeout(CONNECT, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(Trouble::NotSent(error.to_string(), Some(error.kind()))),
        Err(_) => Err(Trouble::NotSent(format!("no connection within {} s", CONNECT.as_secs()), None)),
    }
}

async fn exchange<S, B>(stream: S, request: Request<B>) -> Result<Response<Incoming>, Trouble>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake::<_, B>(stream)
        .await
        .map_err(|error| Trouble::NotSent(cause(&error), None))?;
    // Ends with the answer's body, or with the streams of a command. What breaks it is told to the
    // reader of those.
    tokio::spawn(connection.with_upgrades());
    sender.send_request(request).await.map_err(|error| Trouble::Lost(cause(&error)))
}

/// Lets an answer pass that is one, and reads the text of an error.
async fn good(answer: Response<Incoming>) -> Result<Response<Incoming>, Trouble> {
    let status = answer.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED || status == StatusCode::SWITCHING_PROTOCOLS
    {
        return Ok(answer);
    }
    let body = Limited::new(answer.into_body(), ERROR_TEXT).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Err(Trouble::Status(status.as_u16(), message_of(status.as_u16(), &body)))
}

/// The whole chain of an error of hyper, whose outermost text alone says little.
fn cause(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}

/// Reads the `Api-Version` header.
pub(super) fn api_version(value: &HeaderValue) -> Option<ApiVersion> {
    let (major, minor) = value.to_str().ok()?.trim().split_once('.')?;
    Some(ApiVersion { major: major.parse().ok()?, minor: minor.parse().ok()? })
}

/// Makes a request without a body.
pub(super) fn bare(method: Method, path: &Path) -> Request<Full<Bytes>> {
    build(method, path, None, Full::default())
}

/// Makes a request with a body of JSON.
pub(super) fn with_json(method: Method, path: &Path, body: &serde_json::Value) -> Request<Full<Bytes>> {
    build(method, path, Some("application/json"), Full::from(body.to_string()))
}

/// Makes a request with any body.
pub(super) fn with_body<B>(method: Method, path: &Path, kind: &'static str, body: B) -> Request<B> {
    build(method, path, Some(kind), body)
}

fn build<B>(method: Method, path: &Path, kind: Option<&'static str>, body: B) -> Request<B> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    // Every byte of a path was escaped where it had to be, so that it always is one.
    if let Ok(uri) = path.as_str().parse() {
        *request.uri_mut() = uri;
    }
    if let Some(kind) = kind {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    request
}

#[cfg(test)]
mod tests;
