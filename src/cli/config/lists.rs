//! The lists of `config`: one name a line.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Args, Format};
use crate::cli::open::Opened;
use crate::cli::{select, terminal};
use crate::container::fingerprint;
use crate::error::Error;
use crate::manifest::{Manifest, Variable};
use crate::observed::Observed;
use crate::project::Project;
use crate::report::table;
use crate::yaml;

/// Returns the list that is asked for; `None` where none is. `narrowed` has the services that are meant.
pub(super) fn of(args: &Args, opened: &Opened, narrowed: &Project) -> Result<Option<String>, Error> {
    let services = || narrowed.services.values();
    let list = if args.list_services {
        lines(narrowed.services.keys())
    } else if args.images {
        let images: Vec<&str> = services().map(|service| service.image.reference()).collect();
        let mut seen = BTreeSet::new();
        lines(images.into_iter().filter(|image| seen.insert(*image)))
    } else if args.volumes {
        lines(narrowed.volumes.keys())
    } else if args.networks {
        lines(narrowed.networks.keys())
    } else if args.profiles {
        lines(profiles(&opened.manifest))
    } else if args.environment {
        let variables = opened.manifest.variables.iter();
        lines(variables.map(|(name, value)| format!("{name}={value}")))
    } else if let Some(wanted) = &args.hash {
        hashes(&opened.project, wanted)?
    } else {
        return Ok(None);
    };
    Ok(Some(list))
}

fn lines(lines: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    lines.into_iter().fold(String::new(), |out, line| out + line.as_ref() + "\n")
}

/// The profiles of all services, also of those that are switched off.
fn profiles(manifest: &Manifest) -> BTreeSet<&str> {
    let services = match manifest.root.get("services").map(|services| &services.value) {
        Some(yaml::Value::Mapping(entries)) => entries.as_slice(),
        Some(yaml::Value::Null | yaml::Value::Scalar { .. } | yaml::Value::Sequence(_)) | None => &[],
    };
    let listed = services.iter().filter_map(|entry| match &entry.value.get("profiles")?.value {
        yaml::Value::Sequence(items) => Some(items),
        yaml::Value::Null | yaml::Value::Scalar { .. } | yaml::Value::Mapping(_) => None,
    });
    listed
        .flatten()
        .filter_map(|item| match &item.value {
            yaml::Value::Scalar { text, plain: _ } => Some(&**text),
            yaml::Value::Null | yaml::Value::Sequence(_) | yaml::Value::Mapping(_) => None,
        })
        .collect()
}

/// The fingerprints of services: of several, separated by commas, or of all.
fn hashes(project: &Project, wanted: &str) -> Result<String, Error> {
    let named: Vec<String> = match wanted {
        "*" => Vec::new(),
        names => names.split(',').map(str::to_owned).collect(),
    };
    let known: Vec<String> = project.services.keys().cloned().collect();
    if let Some(name) = named.iter().find(|name| !known.contains(name)) {
        return Err(select::unknown(name, &Observed::default(), &known));
    }
    let meant = project.services.values().filter(|it| named.is_empty() || named.contains(&it.name));
    Ok(lines(meant.map(|service| {
        // The image's id is not a part of what the manifest says.
        let label = fingerprint::of(project, service, "").to_label();
        format!("{} {}", service.name, crate::container::names::hex(label.as_bytes()))
    })))
}

/// Returns the variables that a manifest asks for, in the columns and fields of Docker Compose.
pub(super) fn variables(manifest: &Manifest, format: Option<Format>) -> Result<String, Error> {
    let found = crate::manifest::variables(&manifest.root);
    match format {
        None => {
            let row = |(name, it): (&String, &Variable)| {
                vec![name.clone(), it.required.to_string(), it.default.clone(), it.alternate.clone()]
            };
            let rows: Vec<Vec<String>> = found.iter().map(row).collect();
            let heading = ["NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"];
            Ok(table::table(&heading, &rows, terminal::width()) + "\n")
        }
        Some(format) => {
            let shown: Map<String, Value> = found
                .into_iter()
                .map(|(name, Variable { required, default, alternate })| {
                    let shown = json!({
                        "Name": name,
                        "Required": required,
                        "DefaultValue": default,
                        "PresenceValue": alternate,
                    });
                    (name, shown)
                })
                .collect();
            super::text(format, &Value::Object(shown))
        }
    }
}
