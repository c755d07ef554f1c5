//! Which variables a manifest asks for, before any of them has a value.

use std::collections::BTreeMap;

use super::template::DEPTH;
use crate::yaml::{Node, Value};

/// One variable that a manifest asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variable {
    /// Whether some place cannot do without it (`${NAME:?}` or `${NAME?}`).
    pub required: bool,
    /// What the first place that has one takes instead (`${NAME:-default}`).
    pub default: String,
    /// What the first place that has one takes where it is set (`${NAME:+alternate}`).
    pub alternate: String,
}

/// Returns the variables of all values below a node, also those within the defaults of others. Texts whose
/// variables cannot be read have as many as come before the mistake.
#[must_use]
pub fn variables(root: &Node) -> BTreeMap<String, Variable> {
    let mut found = BTreeMap::new();
    node(root, &mut found);
    found
}

/// Returns the variables of one text.
#[must_use]
pub fn variables_of(template: &str) -> BTreeMap<String, Variable> {
    let mut found = BTreeMap::new();
    text(template, 0, &mut found);
    found
}

fn node(node: &Node, found: &mut BTreeMap<String, Variable>) {
    match &node.value {
        Value::Null => {}
        Value::Scalar { text: template, plain: _ } => text(template, 0, found),
        Value::Sequence(items) => items.iter().for_each(|item| self::node(item, found)),
        Value::Mapping(entries) => entries.iter().for_each(|entry| self::node(&entry.value, found)),
    }
}

fn text(template: &str, depth: usize, found: &mut BTreeMap<String, Variable>) {
    let mut rest = template;
    while let Some((_, after)) = rest.split_once('$') {
        rest = match after.as_bytes().first() {
            Some(b'$') => &after[1..],
            Some(b'{') => {
                let inside = &after[1..];
                let end = closing(inside);
                braced(&inside[..end], depth, found);
                inside.get(end + 1..).unwrap_or_default()
            }
            Some(_) | None => {
                let length = name_length(after);
                if length > 0 {
                    found.entry(after[..length].to_owned()).or_default();
                }
                &after[length..]
            }
        };
    }
}

/// Reads what stands between the braces of a variable.
fn braced(inside: &str, depth: usize, found: &mut BTreeMap<String, Variable>) {
    let (name, rest) = inside.split_at(name_length(inside));
    if name.is_empty() {
        return;
    }
    let variable = found.entry(name.to_owned()).or_default();
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let (Some(operator), word) = (rest.chars().next(), rest.get(1..).unwrap_or_default()) else { return };
    match operator {
        '?' => variable.required = true,
        '-' if variable.default.is_empty() => word.clone_into(&mut variable.default),
        '+' if variable.alternate.is_empty() => word.clone_into(&mut variable.alternate),
        _ => {}
    }
    if depth < DEPTH {
        text(word, depth + 1, found);
    }
}

/// Returns where the brace stands that closes a variable; the end where none does.
fn closing(inside: &str) -> usize {
    let mut open = 0_usize;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' if open == 0 => return at,
            b'}' => open -= 1,
            _ => {}
        }
    }
    inside.len()
}

/// Returns how many bytes of a text are a variable's name.
fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_')).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(template: &str) -> Vec<String> {
        let mut found = BTreeMap::new();
        text(template, 0, &mut found);
        let show = |(name, it): (String, Variable)| {
            format!("{name} {} {:?} {:?}", it.required, it.default, it.alternate)
        };
        found.into_iter().map(show).collect()
    }

    #[test]
    fn every_form_of_a_variable_is_found() {
        assert_eq!(
            shown("$A ${B} ${C:-x y} ${D-} ${E:?why} ${F?} ${G:+on} $$NO $${NO} ${1A} $ ${"),
            [
                r#"A false "" """#,
                r#"B false "" """#,
                r#"C false "x y" """#,
                r#"D false "" """#,
                r#"E true "" """#,
                r#"F true "" """#,
                r#"G false "" "on""#,
            ]
        );
    }

    #[test]
    fn variables_within_defaults_are_found_and_the_first_default_counts() {
        assert_eq!(
            shown("${A:-${B:-{x}}} ${A:-later} ${B:?}"),
            [r#"A false "${B:-{x}}" """#, r#"B true "{x}" """#]
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(template in "(\\$|\\{|\\}|A|:-|-|\\?|é|1){0,60}") {
            shown(&template);
        }
    }
}
