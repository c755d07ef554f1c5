//! Which environment variables systemd hands on to units.

/// Tells whether systemd takes an assignment: a C name, and no control characters but tab and newline in the
/// value (`src/basic/env-util.c`). It leaves out others with a warning in its log.
#[must_use]
pub fn is_assignable(name: &str, value: &str) -> bool {
    is_assignable_name(name) && is_assignable_value(value)
}

/// Tells whether systemd takes the name of a variable (`env_name_is_valid`).
#[must_use]
pub fn is_assignable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Tells whether systemd takes the value of a variable (`env_value_is_valid`).
#[must_use]
pub fn is_assignable_value(value: &str) -> bool {
    value.chars().all(|c| !c.is_ascii_control() || c == '\t' || c == '\n')
}
