//! What went wrong with a call, and what that means: one classification for both engines, by call, status
//! and message, since their statuses differ (a taken name is 409 on Docker and 500 on Podman).

use std::time::Duration;

use crate::engine::{EngineError, RefusalKind};

use super::endpoint::Endpoint;

/// Why a call has no good answer, before it is known which call it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The connection could not be made: nothing was sent.
    NotSent(String, Option<std::io::ErrorKind>),
    /// The connection broke after the request was sent.
    Lost(String),
    /// No answer within this time.
    TimedOut(Duration),
    /// The answer cannot be read.
    Garbled(String),
    /// The engine answered with an error.
    Status(u16, String),
}

/// What a call wanted, as far as the meaning of an error depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An image from a registry.
    Pull,
    /// Anything else.
    Other,
}

impl Trouble {
    /// Says which call it was, in words, and what the trouble means.
    pub(super) fn of(self, endpoint: &Endpoint, purpose: Purpose, what: impl Into<String>) -> EngineError {
        let what = what.into();
        match self {
            Self::NotSent(cause, kind) => {
                EngineError::Unreachable { endpoint: endpoint.to_string(), help: endpoint.help(kind), cause }
            }
            Self::Lost(cause) => EngineError::Unknown { what, cause },
            Self::TimedOut(after) => EngineError::TimedOut { what, after },
            Self::Garbled(cause) => EngineError::Garbled { what, cause },
            Self::Status(status, message) => {
                EngineError::Refused { what, kind: kind_of(purpose, status, &message), message }
            }
        }
    }

    /// Tells whether the engine answered with this status.
    pub(super) fn is_status(&self, wanted: u16) -> bool {
        matches!(self, Self::Status(status, _) if *status == wanted)
    }
}

/// Words that tell the kind of a refusal whatever the status, first match wins. The statuses and messages
/// were measured on Docker 20.10 and Podman 4.3.
const TELLING: [(&str, RefusalKind); 17] = [
    ("port is already allocated", RefusalKind::PortTaken),
    ("address already in use", RefusalKind::PortTaken),
    ("ports are not available", RefusalKind::PortTaken),
    ("is already in use by", RefusalKind::NameTaken),
    ("name is already in use", RefusalKind::NameTaken),
    ("already exists", RefusalKind::NameTaken),
    ("network name already used", RefusalKind::NameTaken),
    ("no such container", RefusalKind::NotFound),
    ("no such image", RefusalKind::NotFound),
    ("no such network", RefusalKind::NotFound),
    ("no such volume", RefusalKind::NotFound),
    ("container state improper", RefusalKind::Conflict),
    ("as it is running", RefusalKind::Conflict),
    ("pool overlaps", RefusalKind::Conflict),
    ("is already used on the host or by another config", RefusalKind::Conflict),
    ("invalid volume specification", RefusalKind::Invalid),
    ("invalid mode", RefusalKind::Invalid),
];

fn kind_of(purpose: Purpose, status: u16, message: &str) -> RefusalKind {
    if purpose == Purpose::Pull && status != 400 {
        return RefusalKind::Registry;
    }
    let lower = message.to_lowercase();
    // A start that fails because a network is gone names the network; the task that "already exists" is
    // debris of an engine that was killed, which a name would not explain.
    if lower.contains("task") && lower.contains("already exists") {
        return RefusalKind::Conflict;
    }
    // Not the object is missing but the call: the router's own words, without JSON. Podman 4.3 has no
    // `update`, for one.
    if status == 404 && matches!(message, "Not Found" | "page not found" | "404 page not found") {
        return RefusalKind::Invalid;
    }
    if let Some((_, kind)) = TELLING.iter().find(|(words, _)| lower.contains(words)) {
        return *kind;
    }
    match status {
        404 => RefusalKind::NotFound,
        403 | 409 => RefusalKind::Conflict,
        400..=499 => RefusalKind::Invalid,
        _ => RefusalKind::Internal,
    }
}

/// Reads the text of an engine's error: `{"message": …}`, or Podman's `{"cause": …, "message": …}`, or
/// whatever else came.
pub(super) fn message_of(status: u16, body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Told {
        message: String,
    }
    let text = serde_json::from_slice::<Told>(body)
        .map_or_else(|_| String::from_utf8_lossy(body).trim().to_owned(), |told| told.message);
    if text.is_empty() { format!("status {status} without a word") } else { text }
}

/// Takes an error of bollard apart.
pub(super) fn of_bollard(error: bollard::errors::Error) -> Trouble {
    use bollard::errors::Error;
    if let Error::DockerResponseServerError { status_code, message } = error {
        return Trouble::Status(status_code, message.trim().to_owned());
    }
    if let Error::IOError { err } = &error
        && let Some(carried) = err.get_ref().and_then(|inner| inner.downcast_ref::<Carried>())
    {
        return carried.0.clone();
    }
    if let Error::DockerStreamError { error } = error {
        return Trouble::Status(500, error);
    }
    if let Error::JsonDataError { message, .. } = &error {
        return Trouble::Garbled(message.clone());
    }
    Trouble::Lost(error.to_string())
}

/// A trouble of ours on its way through bollard, whose transports may only fail with its own errors.
#[derive(Debug)]
struct Carried(Trouble);

impl std::fmt::Display for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Carried {}

/// Wraps a trouble so that [`of_bollard`] finds it again.
pub(super) fn into_bollard(trouble: Trouble) -> bollard::errors::Error {
    bollard::errors::Error::IOError { err: std::io::Error::other(Carried(trouble)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, message: &str) -> RefusalKind {
        kind_of(Purpose::Other, status, message)
    }

    #[test]
    fn a_taken_name_is_the_same_on_docker_and_podman() {
        assert_eq!(
            kind(
                409,
                "Conflict. The container name \"/a\" is already in use by container \"4f\". You have to remove"
            ),
            RefusalKind::NameTaken
        );
        assert_eq!(
            kind(
                500,
                "container create: creating container storage: the container name \"a\" is already in use by 4f. You have to remove that container to be able to reuse that name: that name is already in use"
            ),
            RefusalKind::NameTaken
        );
    }

    #[test]
    fn a_running_container_stands_in_the_way_of_its_removal_on_both() {
        assert_eq!(
            kind(409, "You cannot remove a running container 4f. Stop it first"),
            RefusalKind::Conflict
        );
        assert_eq!(
            kind(
                500,
                "cannot remove container 4f as it is running - running or paused containers cannot be removed without force: container state improper"
            ),
            RefusalKind::Conflict
        );
    }

    #[test]
    fn a_taken_port_is_found_in_the_failure_of_a_start() {
        assert_eq!(
            kind(
                500,
                "driver failed programming external connectivity on endpoint a (4f): Bind for 0.0.0.0:80 failed: port is already allocated"
            ),
            RefusalKind::PortTaken
        );
    }

    #[test]
    fn debris_of_a_killed_engine_is_no_taken_name() {
        assert_eq!(kind(500, "task 4f5e: already exists: unknown"), RefusalKind::Conflict);
    }

    #[test]
    fn a_call_that_the_engine_does_not_have_is_no_missing_object() {
        assert_eq!(kind(404, &message_of(404, b"Not Found\n")), RefusalKind::Invalid);
        assert_eq!(kind(404, "No such container: a"), RefusalKind::NotFound);
    }

    #[test]
    fn whatever_a_pull_meets_is_the_registrys_but_a_bad_reference() {
        let pull = |status, message| kind_of(Purpose::Pull, status, message);
        assert_eq!(pull(500, "Get https://r/v2/: dial tcp: lookup r: no such host"), RefusalKind::Registry);
        assert_eq!(pull(404, "manifest for debian:nope not found"), RefusalKind::Registry);
        assert_eq!(pull(400, "invalid reference format"), RefusalKind::Invalid);
    }

    #[test]
    fn a_message_is_read_from_both_forms_and_from_plain_text() {
        assert_eq!(message_of(404, br#"{"message":"No such image: a"}"#), "No such image: a");
        assert_eq!(message_of(500, br#"{"cause":"c","message":"m: c","response":500}"#), "m: c");
        assert_eq!(message_of(502, b"<html>bad gateway\n"), "<html>bad gateway");
        assert_eq!(message_of(503, b""), "status 503 without a word");
    }

    #[test]
    fn our_trouble_survives_its_way_through_bollard() {
        let trouble = Trouble::NotSent("refused".into(), Some(std::io::ErrorKind::ConnectionRefused));
        assert_eq!(of_bollard(into_bollard(trouble.clone())), trouble);
    }
}
