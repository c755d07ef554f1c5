//! `security_opt`: options of the engine's security layers.

use crate::diagnostic::Diagnostic;
use crate::yaml::Node;

use super::reader::Reader;

/// Security options as written, but a seccomp profile in a file is replaced by what the file holds: engines
/// want the profile itself.
pub(super) fn options(r: &mut Reader<'_>, node: &Node) -> Vec<String> {
    let items = node.get("security_opt").map(|node| r.items(node, "security_opt")).unwrap_or_default();
    let mut seen: Vec<&Node> = Vec::new();
    for item in items {
        if seen.iter().any(|other| other.value == item.value) {
            r.error("`security_opt` has one option twice", item.span);
        }
        seen.push(item);
    }
    items
        .iter()
        .filter_map(|item| {
            let text = r.some_text(item, "security_opt")?;
            let profile = text.strip_prefix("seccomp=").or_else(|| text.strip_prefix("seccomp:"));
            match profile {
                Some(path) if !matches!(path, "unconfined" | "builtin") && !path.starts_with('{') => {
                    Some(seccomp(r, item, path).map_or(text, |profile| format!("seccomp={profile}")))
                }
                Some(_) | None => Some(text),
            }
        })
        .collect()
}

/// Compose reads the profile when it makes the container; what cannot be read is refused then.
fn seccomp(r: &mut Reader<'_>, node: &Node, path: &str) -> Option<String> {
    let absolute = r.path(path, node.span);
    let bytes = match r.files.read(&absolute) {
        Ok(bytes) => bytes,
        Err(why) => {
            let what = format!("`security_opt`: cannot read {}: {why}", absolute.display());
            r.push(
                Diagnostic::obstacle(what, node.span).help("no container can be made without the profile"),
            );
            return None;
        }
    };
    match serde_json::from_slice::<serde_json::Value>(&bytes) {
        Ok(profile) => Some(profile.to_string()),
        Err(why) => {
            r.error(format!("`security_opt`: {path} is not a seccomp profile: {why}"), node.span);
            None
        }
    }
}
