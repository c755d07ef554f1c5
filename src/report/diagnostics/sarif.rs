//! Diagnostics as SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/>), which code hosts show beside the
//! lines of a change.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::places::{Place, Places};
use super::sorted;
use crate::diagnostic::{Code, Diagnostic, Severity, Sources};

/// Returns a log of one run. The rules are the codes that the findings have.
///
/// Hosts refuse a result without a location, so that a finding which belongs to no text stands at the beginning
/// of `whole`, or of the first text where one was read.
#[must_use]
pub fn to_sarif(diagnostics: &[Diagnostic], sources: &Sources, whole: &str) -> Value {
    let sorted = sorted(diagnostics);
    let codes: Vec<Code> =
        sorted.iter().map(|diagnostic| diagnostic.code).collect::<BTreeSet<_>>().into_iter().collect();
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    let mut places = Places::new(sources);
    let first = sources.iter().next().map_or(whole, |source| &source.name);
    let results: Vec<Value> = sorted
        .iter()
        .map(|diagnostic| {
            let at = codes.iter().position(|code| *code == diagnostic.code);
            result(diagnostic, at, first, &mut places)
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.name(),
        "shortDescription": { "text": code.meaning() },
        "helpUri": "https://github.com/compose-spec/compose-spec/blob/main/spec.md",
    })
}

fn result(diagnostic: &Diagnostic, rule: Option<usize>, whole: &str, places: &mut Places<'_>) -> Value {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Obstacle | Severity::Warning => "warning",
    };
    let nowhere = Place { file: whole, start: (1, 1), end: (1, 1), bytes: (0, 0) };
    let mut labels =
        diagnostic.labels.iter().filter_map(|label| Some((places.place(label.span)?, &label.text)));
    let primary = labels.next().map_or_else(|| location(nowhere), |(place, _)| location(place));
    let related: Vec<Value> = labels
        .enumerate()
        .map(|(at, (place, text))| {
            let mut related = location(place);
            related["id"] = json!(at + 1);
            if !text.is_empty() {
                related["message"] = json!({ "text": text });
            }
            related
        })
        .collect();
    let message = std::iter::once(&diagnostic.what).chain(&diagnostic.help);
    let message = message.map(String::as_str).collect::<Vec<_>>().join("\n");
    let mut result = json!({
        "ruleId": diagnostic.code.name(),
        "level": level,
        "message": { "text": message },
        "locations": [primary],
    });
    if let Some(rule) = rule {
        result["ruleIndex"] = json!(rule);
    }
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    if let Some(suggestion) = &diagnostic.suggestion
        && let Some(place) = places.place(suggestion.span)
    {
        let description = diagnostic.help.first().map_or("replace it", String::as_str);
        result["fixes"] = json!([{
            "description": { "text": description },
            "artifactChanges": [{
                "artifactLocation": { "uri": uri(place.file) },
                "replacements": [{
                    "deletedRegion": region(place),
                    "insertedContent": { "text": suggestion.value },
                }],
            }],
        }]);
    }
    result
}

fn location(place: Place<'_>) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(place.file) },
        "region": region(place),
    }})
}

fn region(place: Place<'_>) -> Value {
    json!({
        "startLine": place.start.0,
        "startColumn": place.start.1,
        "endLine": place.end.0,
        "endColumn": place.end.1,
    })
}

/// Returns a path as a URI (RFC 3986): relative ones stay so, standard input is `stdin`.
fn uri(path: &str) -> String {
    if path == "-" {
        return "stdin".to_owned();
    }
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{SourceId, Span};

    const TEXT: &str = "services:\n  wéb: {imgae: x}\n";

    fn sources() -> Sources {
        let mut sources = Sources::default();
        sources.add("./my files/a.yaml", TEXT);
        sources
    }

    fn span(part: &str) -> Span {
        let start = u32::try_from(TEXT.find(part).unwrap()).unwrap();
        Span { source: SourceId(0), start, end: start + u32::try_from(part.len()).unwrap() }
    }

    #[test]
    fn a_finding_becomes_a_result_with_its_rule_its_places_and_its_fix() {
        let finding = Diagnostic::error("unknown key `imgae`", span("imgae"))
            .coded(Code::UnknownKey)
            .also(span("services"), "in these")
            .help("did you mean `image`?")
            .suggest(span("imgae"), "image");
        let log = to_sarif(&[finding], &sources(), "a.yaml");
        let uri = "my%20files/a.yaml";
        let region = json!({ "startLine": 2, "startColumn": 9, "endLine": 2, "endColumn": 14 });
        assert_eq!(
            log["runs"][0]["results"][0],
            json!({
                "ruleId": "unknown-key",
                "ruleIndex": 0,
                "level": "error",
                "message": { "text": "unknown key `imgae`\ndid you mean `image`?" },
                "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri }, "region": region } }],
                "relatedLocations": [{
                    "id": 1,
                    "message": { "text": "in these" },
                    "physicalLocation": {
                        "artifactLocation": { "uri": uri },
                        "region": { "startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 9 },
                    },
                }],
                "fixes": [{
                    "description": { "text": "did you mean `image`?" },
                    "artifactChanges": [{
                        "artifactLocation": { "uri": uri },
                        "replacements": [{ "deletedRegion": region, "insertedContent": { "text": "image" } }],
                    }],
                }],
            })
        );
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][0]["id"], "unknown-key");
    }

    /// What hosts refuse: a result without rule, message or location, a region that starts before 1.
    #[test]
    fn every_result_has_what_hosts_ask_for() {
        let findings = [
            Diagnostic::placeless("no manifest").coded(Code::File),
            Diagnostic::warning("odd", span("x}")),
            Diagnostic::error("far", Span { source: SourceId(9), start: 0, end: 1 }),
        ];
        let log = to_sarif(&findings, &sources(), "a.yaml");
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().unwrap() {
            let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[rule]["id"], result["ruleId"]);
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "my%20files/a.yaml");
            let numbers = ["startLine", "startColumn", "endLine", "endColumn"];
            assert!(numbers.iter().all(|field| place["region"][field].as_u64().unwrap() >= 1), "{place}");
        }
        assert_eq!(run["results"].as_array().unwrap().len(), 3);
        assert_eq!(to_sarif(&[], &sources(), "a.yaml")["runs"][0]["results"], json!([]));
    }

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri("/a b/ü.yaml"), "file:///a%20b/%C3%BC.yaml");
        assert_eq!(uri("../x.yaml"), "../x.yaml");
        assert_eq!(uri("-"), "stdin");
    }
}
