//! Paths of the API, escaped. Pure.

/// A path of the API with its query, escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(String);

impl Path {
    /// Joins segments. An image's reference keeps its slashes: Podman's router does not take `%2F` for one.
    pub(super) fn of(segments: &[&str]) -> Self {
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            escape(segment, b"/:@", &mut path);
        }
        Self(path)
    }

    /// The path as it is sent.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Adds a word to the query.
    #[must_use]
    pub(super) fn with(mut self, key: &str, value: &str) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(key);
        self.0.push('=');
        escape(value, b"", &mut self.0);
        self
    }

    /// Adds a switch to the query where it is on.
    #[must_use]
    pub(super) fn with_if(self, key: &str, on: bool) -> Self {
        if on { self.with(key, "1") } else { self }
    }
}

/// Escapes all but the unreserved characters of RFC 3986 and those in `kept`.
fn escape(text: &str, kept: &[u8], into: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push(char::from(DIGITS[usize::from(byte >> 4)]));
            into.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_escape_what_would_change_their_meaning() {
        let path = Path::of(&["images", "a/b:c@d e", "json"])
            .with("q", "{\"x\":[1]}&y=ü")
            .with_if("v", true)
            .with_if("w", false);
        assert_eq!(path.as_str(), "/images/a/b:c@d%20e/json?q=%7B%22x%22%3A%5B1%5D%7D%26y%3D%C3%BC&v=1");
    }
}
