//! `systemd:` as `config` prints it: every field, whether it was written or not.

use serde_json::{Map, Value as Json, json};

use crate::project::resolve::STORAGES;
use crate::project::{
    Credential, FileSource, Identity, Journal, Machine, Privilege, Ready, UnitFile, quantity,
};

use super::{put, put_set};

/// Shows what makes a service a machine.
pub(super) fn show(machine: &Machine) -> Json {
    let Machine {
        target,
        init,
        args,
        log_level,
        log_target,
        privilege,
        features,
        enable,
        mask,
        mask_defaults,
        units,
        environment_to_units,
        credentials,
        ready,
        boot_timeout,
        journal,
        identity,
    } = machine;
    let mut shown = Map::new();
    let mut all = |key: &str, value: Json| shown.insert(key.to_owned(), value);
    all("target", json!(target));
    all("args", json!(args));
    all("log_level", json!(log_level));
    all("privilege", json!(privilege_word(*privilege)));
    all("features", json!(features.iter().map(|feature| feature.as_str()).collect::<Vec<_>>()));
    all("enable", json!(enable));
    all("mask", json!(mask));
    all("mask_defaults", json!(mask_defaults));
    all("units", units.iter().map(|(name, unit)| (name.to_string(), show_unit(unit))).collect());
    all("environment_to_units", json!(environment_to_units));
    all("credentials", credentials.iter().map(|(name, it)| (name.clone(), credential(it))).collect());
    all("ready", ready_word(ready));
    all("boot_timeout", json!(quantity::print_duration(*boot_timeout)));
    all("journal", show_journal(journal));
    all(
        "identity",
        match identity {
            Identity::Derived => json!("derived"),
            Identity::Image => json!("image"),
            Identity::Fixed(id) => json!(id),
        },
    );
    put(&mut shown, "init", init.as_ref());
    put(&mut shown, "log_target", log_target.as_ref());
    Json::Object(shown)
}

fn privilege_word(privilege: Privilege) -> &'static str {
    match privilege {
        Privilege::Auto => "auto",
        Privilege::Fixed(profile) => profile.as_str(),
    }
}

fn ready_word(ready: &Ready) -> Json {
    match ready {
        Ready::Running => json!("running"),
        Ready::Degraded => json!("degraded"),
        Ready::Units(units) => json!(units),
    }
}

fn show_unit(unit: &UnitFile) -> Json {
    let UnitFile { content, drop_in, enable, mask } = unit;
    let mut shown = Map::new();
    // Reading refuses what is not UTF-8, so nothing is lost here.
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    put(&mut shown, "content", content.as_ref().map(text));
    put(&mut shown, "drop_in", drop_in.as_ref().map(text));
    put_set(&mut shown, "enable", *enable);
    put_set(&mut shown, "mask", *mask);
    Json::Object(shown)
}

/// What the manifest points at is shown as a pointer, never as what it holds.
fn credential(credential: &Credential) -> Json {
    let Credential { source, bytes } = credential;
    match source {
        FileSource::File(path) => json!({ "file": path.to_string_lossy() }),
        FileSource::Environment(name) => json!({ "environment": name }),
        FileSource::Content => json!({ "content": String::from_utf8_lossy(bytes) }),
    }
}

fn show_journal(journal: &Journal) -> Json {
    let Journal { storage, max, forward_console } = journal;
    json!({
        "storage": STORAGES.iter().find(|(_, known)| known == storage).map(|(word, _)| *word),
        "max": max.to_string(),
        "forward": if *forward_console { "console" } else { "none" },
    })
}
