//! `pull_policy` and `pull_refresh_after`: when an image is pulled.

use std::time::Duration;

use crate::diagnostic::Diagnostic;
use crate::project::{PullPolicy, quantity};
use crate::yaml::Node;

use super::reader::Reader;
use super::service::field;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What Compose's schema looks for anywhere in the text (compose-spec, `pull_policy`).
const WORDS: [&str; 8] =
    ["always", "never", "build", "if_not_present", "missing", "refresh", "daily", "weekly"];

/// Reads when the image is pulled.
pub(super) fn read(r: &mut Reader<'_>, node: &Node) -> PullPolicy {
    let after = field(r, node, "pull_refresh_after", Reader::text);
    let Some(policy) = node.get("pull_policy") else { return PullPolicy::default() };
    let Some(text) = r.text(policy, "pull_policy") else { return PullPolicy::default() };
    match text.as_str() {
        "missing" | "if_not_present" => PullPolicy::Missing,
        "always" => PullPolicy::Always,
        "never" => PullPolicy::Never,
        "build" => PullPolicy::Build,
        "daily" => PullPolicy::Every(DAY),
        "weekly" => PullPolicy::Every(WEEK),
        "refresh" => refresh(r, node, policy, after.as_deref()),
        other => match other.strip_prefix("every_").map(quantity::duration) {
            Some(Ok(age)) => PullPolicy::Every(age),
            Some(Err(_)) | None => unknown(r, policy, other),
        },
    }
}

/// `refresh` says nothing by itself; the time is in the other key.
fn refresh(r: &mut Reader<'_>, node: &Node, policy: &Node, after: Option<&str>) -> PullPolicy {
    match after.map(quantity::duration) {
        Some(Ok(age)) => PullPolicy::Every(age),
        Some(Err(why)) => {
            let span = node.get("pull_refresh_after").map_or(policy.span, |node| node.span);
            r.push(
                Diagnostic::warning(format!("`pull_refresh_after` is not a duration: {why}"), span)
                    .help("the image is pulled where it is missing"),
            );
            PullPolicy::Missing
        }
        None => {
            r.push(
                Diagnostic::warning("`pull_policy: refresh` does not say how often", policy.span).help(
                    "add `pull_refresh_after: 24h`; until then the image is pulled where it is missing",
                ),
            );
            PullPolicy::Missing
        }
    }
}

/// Compose takes any text that has one of the words in it, and then pulls where the image is missing.
fn unknown(r: &mut Reader<'_>, node: &Node, text: &str) -> PullPolicy {
    const THERE: &str =
        "there are `missing`, `always`, `never`, `build`, `daily`, `weekly` and `every_12h` or the like";
    let has_span = text.match_indices("every_").any(|(at, word)| {
        let rest = text.get(at + word.len()..).unwrap_or_default();
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        unit.len() < rest.len() && unit.starts_with(['w', 'd', 'h', 'm', 's'])
    });
    if has_span || WORDS.iter().any(|word| text.contains(word)) {
        r.push(
            Diagnostic::warning(format!("`{text}` is no pull policy, and taken for `missing`"), node.span)
                .help(THERE),
        );
    } else {
        r.push(Diagnostic::error(format!("`{text}` is no pull policy"), node.span).help(THERE));
    }
    PullPolicy::Missing
}
