//! What a container runs, as far as its image does not say so already.

use serde_json::{Map, Value as Json, json};

use crate::import::run_line::dollars;
use crate::import::signs::init_in;

use super::{Keys, at, doubled, entries, text, texts};

/// Labels that other tools write by themselves.
const TOOLS: [&str; 3] = ["com.docker.compose.", "io.sdcompose.", "desktop.docker.io/"];

/// Reads what a container runs.
pub(super) fn read(keys: &mut Keys, container: &Json, image: &Json) {
    let config = at(container, "/Config");
    let of_image = at(image, "/Config");
    for (key, place) in [("entrypoint", "/Entrypoint"), ("command", "/Cmd")] {
        let words: Vec<String> = texts(config, place).map(str::to_owned).collect();
        // systemd is said also where it is the image's: it is what makes a machine.
        if at(config, place) != at(of_image, place) || init_in(&words).is_some() {
            keys.put(key, doubled(json!(words)));
        }
    }
    for (key, place) in [("user", "/User"), ("working_dir", "/WorkingDir"), ("stop_signal", "/StopSignal")] {
        if at(config, place) != at(of_image, place) {
            keys.same(key, config, place);
        }
    }
    if let Some(seconds) = at(config, "/StopTimeout").as_i64() {
        keys.put("stop_grace_period", json!(format!("{seconds}s")));
    }
    let hostname = text(config, "/Hostname");
    let of_host = text(container, "/HostConfig/NetworkMode") == "host";
    if !of_host && !text(container, "/Id").starts_with(hostname) {
        keys.put("hostname", json!(dollars(hostname)));
    }
    keys.same("domainname", config, "/Domainname");
    keys.same("tty", config, "/Tty");
    keys.same("stdin_open", config, "/OpenStdin");
    keys.put("environment", environment(config, of_image));
    keys.put("labels", labels(config, of_image));
    if at(config, "/Healthcheck") != at(of_image, "/Healthcheck") {
        keys.put("healthcheck", healthcheck(at(config, "/Healthcheck")));
    }
}

/// Variables that the image does not set.
fn environment(config: &Json, of_image: &Json) -> Json {
    let known: Vec<&str> = texts(of_image, "/Env").collect();
    let own = texts(config, "/Env").filter(|pair| !known.contains(pair));
    let own: Map<String, Json> = own
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), json!(dollars(value)))
        })
        .collect();
    Json::Object(own)
}

fn labels(config: &Json, of_image: &Json) -> Json {
    let known = at(of_image, "/Labels");
    let own = entries(config, "/Labels")
        .filter(|(name, value)| known.get(name.as_str()) != Some(*value))
        .filter(|(name, _)| !TOOLS.iter().any(|tool| name.starts_with(tool)));
    Json::Object(own.map(|(name, value)| (name.clone(), doubled(value.clone()))).collect())
}

/// Times come in billionths of a second.
fn healthcheck(check: &Json) -> Json {
    let mut keys = Keys::default();
    keys.same("test", check, "/Test");
    for (key, place) in [
        ("interval", "/Interval"),
        ("timeout", "/Timeout"),
        ("start_period", "/StartPeriod"),
        ("start_interval", "/StartInterval"),
    ] {
        if let Some(nano @ 1..) = at(check, place).as_u64() {
            keys.put(
                key,
                json!(crate::project::quantity::print_duration(std::time::Duration::from_nanos(nano))),
            );
        }
    }
    keys.same("retries", check, "/Retries");
    Json::Object(keys.0.into_iter().collect())
}
