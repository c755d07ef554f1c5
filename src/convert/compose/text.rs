//! The text of the file: a heading of comments, and the keys.

use serde_json::{Map, Value as Json};

use crate::facts::{CgroupDriver, CgroupVersion, Facts};
use crate::project::Project;
use crate::project::show::yaml;

/// Columns of a comment's line.
const WIDTH: usize = 100;

/// The comments on top: where the file comes from, which engine it is for, and what it cannot say.
pub(super) fn heading(project: &Project, facts: &Facts, remarks: &[String]) -> String {
    let name = |path: &std::path::PathBuf| {
        path.file_name().map_or_else(|| "-".to_owned(), |name| name.to_string_lossy().into_owned())
    };
    let files: Vec<String> = project.files.iter().map(name).collect();
    let mut out = String::new();
    comment(
        &mut out,
        &format!(
            "Written by `sdcompose convert --to compose` from {}, for {}: convert again for another engine.",
            files.join(", "),
            engine(facts)
        ),
    );
    if !remarks.is_empty() {
        out.push_str("#\n# What Compose cannot say:\n");
        for remark in remarks {
            item(&mut out, remark);
        }
    }
    out.push('\n');
    out
}

fn engine(facts: &Facts) -> String {
    let cgroup = match facts.cgroup {
        CgroupVersion::V1 | CgroupVersion::V1Unknown => "cgroup v1",
        CgroupVersion::Hybrid => "cgroup v1 (hybrid)",
        CgroupVersion::V2 => "cgroup v2",
    };
    let driver = match facts.driver {
        CgroupDriver::Cgroupfs => "cgroupfs",
        CgroupDriver::Systemd => "systemd",
    };
    let rootless = if facts.rootless.is_some() { ", rootless" } else { "" };
    format!("{} {} ({cgroup}, {driver} driver{rootless})", facts.engine, facts.version)
}

fn comment(out: &mut String, text: &str) {
    wrap(out, text, "# ", "# ");
}

fn item(out: &mut String, text: &str) {
    wrap(out, text, "# - ", "#   ");
}

/// Writes a text in lines; control characters would end the comment.
fn wrap(out: &mut String, text: &str, first: &str, further: &str) {
    let mut line = first.to_owned();
    for word in text.split_whitespace() {
        let word: String = word.chars().filter(|c| !c.is_control()).collect();
        if line.len() + word.len() > WIDTH && line.trim_end() != further.trim_end() {
            out.push_str(line.trim_end());
            out.push('\n');
            further.clone_into(&mut line);
        }
        line.push_str(&word);
        line.push(' ');
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

/// The keys as YAML: what is declared stands below the services that use it.
pub(super) fn yaml(shown: &Map<String, Json>) -> String {
    const ORDER: [&str; 6] = ["name", "services", "networks", "volumes", "configs", "secrets"];
    let mut out = String::new();
    let known = ORDER.iter().filter_map(|key| shown.get_key_value(*key));
    let others = shown.iter().filter(|(key, _)| !ORDER.contains(&key.as_str()));
    for (key, value) in known.chain(others) {
        yaml::entry(&mut out, 0, key, value);
    }
    out
}

/// Doubles every `$`, since the file is interpolated when it is read.
pub(super) fn doubled(value: Json) -> Json {
    match value {
        Json::String(text) => Json::String(text.replace('$', "$$")),
        Json::Array(items) => items.into_iter().map(doubled).collect(),
        Json::Object(entries) => entries.into_iter().map(|(key, value)| (key, doubled(value))).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) => value,
    }
}
