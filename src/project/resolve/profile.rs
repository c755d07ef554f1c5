//! Profiles: which services take part.

use crate::yaml::{Entry, Node, Value};

/// Returns the profiles that are switched on: by the command, and those of services that the command names and that
/// would not take part (compose-go, `Project.WithServicesEnabled`).
pub(super) fn switched_on(entries: &[&Entry], profiles: &[String], named: &[String]) -> Vec<String> {
    let mut all = profiles.to_vec();
    let asked_for = entries.iter().filter(|entry| named.iter().any(|name| **name == *entry.key));
    for entry in asked_for.filter(|entry| !is_active(&entry.value, profiles)) {
        all.extend(texts(&entry.value).map(str::to_owned));
    }
    all
}

/// Whether a service's profiles let it run.
pub(super) fn is_active(service: &Node, profiles: &[String]) -> bool {
    // Where no profile is switched on, that of the empty name is: Compose splits an empty `COMPOSE_PROFILES`.
    let wanted = |name: &str| {
        profiles.iter().any(|profile| profile == "*" || profile == name)
            || (profiles.is_empty() && name.is_empty())
    };
    match service.get("profiles").map(|node| &node.value) {
        Some(Value::Sequence(items)) if !items.is_empty() => texts(service).any(wanted),
        Some(Value::Sequence(_) | Value::Null | Value::Scalar { .. } | Value::Mapping(_)) | None => true,
    }
}

/// The profiles of a service, as far as they are text.
fn texts(service: &Node) -> impl Iterator<Item = &str> {
    let items = match service.get("profiles").map(|node| &node.value) {
        Some(Value::Sequence(items)) => items.as_slice(),
        Some(Value::Null | Value::Scalar { .. } | Value::Mapping(_)) | None => &[],
    };
    items.iter().filter_map(|item| match &item.value {
        Value::Scalar { text, plain: _ } => Some(&**text),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use crate::project::resolve::tests::tree::{Given, manifest, resolved};

    const TEXT: &str = "services: {a: {image: x}, b: {image: x, profiles: [q, s], depends_on: [c]}, c: {image: x, profiles: [q]}, d: {image: x, profiles: [r]}, e: {image: x, profiles: [s]}}";

    /// The services that take part where these are named.
    fn active(named: &[&str], profiles: &[&str]) -> String {
        let mut manifest = manifest(TEXT);
        manifest.named = named.iter().map(|name| (*name).to_owned()).collect();
        manifest.profiles = profiles.iter().map(|name| (*name).to_owned()).collect();
        let (project, said) = resolved(manifest, &Given::default());
        let project = project.unwrap_or_else(|| panic!("{said}"));
        project.services.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_service_that_is_named_switches_its_profiles_on() {
        assert_eq!(active(&[], &[]), "a");
        assert_eq!(active(&["a"], &[]), "a");
        assert_eq!(active(&["b"], &[]), "a b c e");
        assert_eq!(active(&["d", "a"], &["s", "q"]), "a b c d e");
        // What runs anyway switches nothing on.
        assert_eq!(active(&["b"], &["q"]), "a b c");
    }
}
