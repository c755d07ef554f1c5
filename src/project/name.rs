//! Names: of projects, services, containers and hosts.

/// Makes a project name of a directory's name as Compose does: lower case, other characters than
/// `a-z0-9_-` left out, `_` and `-` at the beginning left out.
#[must_use]
pub fn normal_project(text: &str) -> String {
    let kept: String = text
        .chars()
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
        .collect();
    kept.trim_start_matches(['_', '-']).to_owned()
}

/// Whether a text can be a project's name as it stands.
#[must_use]
pub fn is_project(text: &str) -> bool {
    !text.is_empty() && normal_project(text) == text
}

/// Whether a variable's name says that its value is to be kept secret. `_FILE` at the end names where the
/// secret is, as many images have it.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    !name.ends_with("_FILE")
        && ["PASSWORD", "PASSWD", "SECRET", "TOKEN"].iter().any(|word| name.contains(word))
}

/// Says which character keeps a text from being a service's name; `None` where it is one
/// (`[a-zA-Z0-9._-]+`).
#[must_use]
pub fn service_fault(text: &str) -> Option<String> {
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
        Some(bad) if !bad.is_ascii() && !bad.is_control() => {
            Some(format!("U+{:04X} ({bad:?}), which is not an ASCII letter", u32::from(bad)))
        }
        Some(bad) => Some(format!("{bad:?}")),
        None => None,
    }
}

/// Whether an engine takes a text as the name of a container, a network or a volume: two characters at least,
/// the first a letter or a digit (moby, `daemon/names`).
#[must_use]
pub fn is_object(text: &str) -> bool {
    (2..=255).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

/// Says why a text cannot be a host name; `None` where it can (hostname(7), and 63 characters in all, since
/// the kernel's field holds 64).
#[must_use]
pub fn host_fault(text: &str) -> Option<&'static str> {
    let label_good = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if text.len() > 63 {
        Some("it is longer than 63 characters")
    } else if text.split('.').all(label_good) {
        None
    } else {
        Some("it may have letters, digits, `-` and `.` only")
    }
}

/// The one of `names` that `written` was probably meant to be.
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = written.to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| {
            let shorter = written.len().min(name.len());
            *distance < shorter && *distance <= 1.max(shorter / 3)
        })
        // Of two that are equally near, people mean the one that begins alike.
        .min_by_key(|(distance, name)| (*distance, std::cmp::Reverse(alike(&lower, name))))
        .map(|(_, name)| name)
}

/// How many characters two texts begin with alike.
fn alike(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_names_as_near_the_one_that_begins_alike_is_meant() {
        assert_eq!(nearest("unit", ["init", "units"]), Some("units"));
        assert_eq!(nearest("iint", ["init", "units"]), Some("init"));
    }

    #[test]
    fn a_directory_gives_the_name_that_compose_gives() {
        assert_eq!(normal_project("My Shop.2"), "myshop2");
        assert_eq!(normal_project("_-x"), "x");
        assert_eq!(normal_project("Größe"), "gre");
        assert_eq!(normal_project("..."), "");
        assert!(is_project("a_b-1"));
        assert!(!is_project("-a") && !is_project("A") && !is_project(""));
    }

    #[test]
    fn a_look_alike_letter_is_named_by_its_number() {
        assert_eq!(service_fault("w\u{435}b").as_deref(), Some("U+0435 ('е'), which is not an ASCII letter"));
        assert_eq!(service_fault("we\u{1b}[31m").as_deref(), Some("'\\u{1b}'"));
        assert_eq!(service_fault("A_b.c-d"), None);
    }

    #[test]
    fn host_names_are_checked_by_label() {
        assert_eq!(host_fault("db-1.internal"), None);
        assert_eq!(host_fault("a b"), Some("it may have letters, digits, `-` and `.` only"));
        assert_eq!(host_fault(&"a".repeat(64)), Some("it is longer than 63 characters"));
        assert!(host_fault("a..b").is_some());
    }

    #[test]
    fn the_nearest_name_is_near() {
        assert_eq!(nearest("dv", ["web", "db"]), Some("db"));
        assert_eq!(nearest("postgers", ["postgres", "redis"]), Some("postgres"));
        assert_eq!(nearest("zz", ["web", "db"]), None);
        assert_eq!(nearest("a", ["b"]), None);
    }
}
