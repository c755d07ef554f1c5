//! References to images: `[registry[:port]/]path[:tag][@digest]`, by the grammar of distribution/reference.

/// Says what is wrong with a reference; `None` where an engine would take it.
#[must_use]
pub fn fault(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("it is empty".to_owned());
    }
    if let Some(bad) = text.chars().find(|c| c.is_control() || c.is_whitespace() || !c.is_ascii()) {
        return Some(format!("{bad:?} is not allowed in it"));
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    if let Some(why) = digest.and_then(digest_fault) {
        return Some(why);
    }
    // A colon in the last part begins a tag; before a slash it is a registry's port.
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        Some(_) | None => (rest, None),
    };
    tag.and_then(tag_fault).or_else(|| name_fault(name))
}

/// Writes a reference with registry, path and tag (distribution `reference/normalize.go`).
#[must_use]
pub fn normal(reference: &str) -> String {
    let (name, digest) =
        reference.split_once('@').map_or((reference, None), |(name, digest)| (name, Some(digest)));
    let (first, rest) = name.split_once('/').map_or(("", name), |(first, rest)| (first, rest));
    let name = if first.is_empty() {
        format!("docker.io/library/{rest}")
    } else if first.contains(['.', ':']) || first == "localhost" {
        name.to_owned()
    } else {
        format!("docker.io/{name}")
    };
    // Engines list an image that was pulled by digest without its tag.
    let tagged = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    match (digest, tagged) {
        (Some(digest), true) => {
            let untagged = name.rsplit_once(':').map_or(name.as_str(), |(untagged, _)| untagged);
            format!("{untagged}@{digest}")
        }
        (Some(digest), false) => format!("{name}@{digest}"),
        (None, true) => name,
        (None, false) => format!("{name}:latest"),
    }
}

fn digest_fault(digest: &str) -> Option<String> {
    let good = digest.split_once(':').is_some_and(|(algorithm, hex)| {
        let algorithm_good = algorithm.starts_with(|c: char| c.is_ascii_alphabetic())
            && algorithm.bytes().all(|b| b.is_ascii_alphanumeric() || b"+._-".contains(&b));
        let long_enough = if algorithm == "sha256" { hex.len() == 64 } else { hex.len() >= 32 };
        algorithm_good && long_enough && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    });
    (!good).then(|| format!("`@{digest}` is no digest; it looks like `@sha256:` and 64 hexadecimal digits"))
}

fn tag_fault(tag: &str) -> Option<String> {
    if tag.is_empty() {
        return Some("the tag behind `:` is empty".to_owned());
    }
    let good = tag.len() <= 128
        && tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    (!good).then(|| format!("`{tag}` is no tag"))
}

fn name_fault(name: &str) -> Option<String> {
    let (first, others) = name.split_once('/').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let registry = others.is_some()
        && (first.contains(['.', ':'])
            || first == "localhost"
            || first.bytes().any(|b| b.is_ascii_uppercase()));
    let path = if registry { others.unwrap_or_default() } else { name };
    if name.len() > 255 {
        return Some("the name is longer than 255 characters".to_owned());
    }
    path.split('/').find_map(|part| {
        if part.is_empty() {
            return Some("a part of the name is empty".to_owned());
        }
        if part.bytes().any(|b| b.is_ascii_uppercase()) {
            return Some(format!("`{part}` has upper-case letters; names are lower case"));
        }
        let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let good = part.starts_with(edge)
            && part.ends_with(edge)
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
        (!good).then(|| format!("`{part}` is no part of a name"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_that_engines_take_have_no_fault() {
        for good in [
            "debian",
            "debian:12",
            "ghcr.io/a/b_c:v1",
            "localhost:5000/x/y:latest",
            "x@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "a/b/c__d",
        ] {
            assert_eq!(fault(good), None, "{good}");
        }
    }

    #[test]
    fn faults_are_named() {
        let pairs = [
            ("", "it is empty"),
            ("X", "`X` has upper-case letters; names are lower case"),
            ("a b", "' ' is not allowed in it"),
            ("a\u{1b}[31m", "'\\u{1b}' is not allowed in it"),
            (":", "the tag behind `:` is empty"),
            ("x:", "the tag behind `:` is empty"),
            ("x@sha256:12", "`@sha256:12` is no digest; it looks like `@sha256:` and 64 hexadecimal digits"),
            ("a//b", "a part of the name is empty"),
            ("-x", "`-x` is no part of a name"),
            ("x:.y", "`.y` is no tag"),
        ];
        for (written, why) in pairs {
            assert_eq!(fault(written).as_deref(), Some(why), "{written}");
        }
    }
}
