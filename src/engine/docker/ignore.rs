//! `.dockerignore`: which files of a build context stay at home. Pure.
//!
//! The rules are Docker's, not git's: every pattern is anchored at the context's root, the last one that
//! matches decides, `!` brings back (moby `pkg/patternmatcher`, the documentation of `docker build`).

use globset::{GlobBuilder, GlobMatcher};

/// The patterns of one file.
#[derive(Debug, Default)]
pub(super) struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    /// The path itself.
    itself: GlobMatcher,
    /// Everything below it.
    below: GlobMatcher,
    keeps: bool,
}

impl Ignore {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Says which line is no pattern.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut patterns = Vec::new();
        for (number, line) in text.lines().enumerate() {
            // A comment stands at the very start of its line; blanks are cut after that.
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let line = line.trim();
            let (keeps, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest.trim()));
            let path = cleaned(line);
            if path.is_empty() || path == "." {
                continue;
            }
            let glob = |text: &str| {
                GlobBuilder::new(text)
                    .literal_separator(true)
                    .backslash_escape(true)
                    .build()
                    .map(|glob| glob.compile_matcher())
                    .map_err(|error| format!("line {}: {}", number + 1, error.kind()))
            };
            let path = literal_braces(&path);
            patterns.push(Pattern { itself: glob(&path)?, below: glob(&format!("{path}/**"))?, keeps });
        }
        Ok(Self { patterns })
    }

    /// Tells whether a path (relative, with `/`) stays at home.
    pub(super) fn excludes(&self, path: &str) -> bool {
        self.patterns
            .iter()
            .rev()
            .find(|pattern| pattern.itself.is_match(path) || pattern.below.is_match(path))
            .is_some_and(|pattern| !pattern.keeps)
    }

    /// Tells whether something below an excluded directory may be brought back, so that it has to be
    /// walked through.
    pub(super) fn may_keep_some(&self) -> bool {
        self.patterns.iter().any(|pattern| pattern.keeps)
    }
}

/// Braces are plain characters in Go's patterns and alternatives in this crate's.
fn literal_braces(path: &str) -> String {
    let mut text = String::new();
    let mut chars = path.chars();
    while let Some(char) = chars.next() {
        match char {
            '{' | '}' => text.extend(['[', char, ']']),
            '\\' => {
                text.push(char);
                text.extend(chars.next());
            }
            char => text.push(char),
        }
    }
    text
}

/// Cleans a path as Go's `filepath.Clean` does, and takes the slash in front away: a pattern is anchored
/// with or without it.
fn cleaned(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    parts.push("..");
                }
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str, paths: &[&str]) -> Vec<String> {
        let ignore = Ignore::parse(text).unwrap();
        paths.iter().filter(|path| !ignore.excludes(path)).map(|&path| path.to_owned()).collect()
    }

    #[test]
    fn patterns_are_anchored_at_the_root() {
        let paths = ["a.md", "sub/a.md", "temp", "temp/x", "sub/temp/x", "sub/deep/temp"];
        assert_eq!(kept("*.md\ntemp", &paths), ["sub/a.md", "sub/temp/x", "sub/deep/temp"]);
        assert_eq!(kept("/temp/", &paths), ["a.md", "sub/a.md", "sub/temp/x", "sub/deep/temp"]);
        assert_eq!(kept("*/temp*", &paths), ["a.md", "sub/a.md", "temp", "temp/x", "sub/deep/temp"]);
        assert_eq!(kept("**/temp", &paths), ["a.md", "sub/a.md"]);
        assert_eq!(kept("**/*.md", &paths), ["temp", "temp/x", "sub/temp/x", "sub/deep/temp"]);
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let paths = ["README.md", "README-secret.md", "other.md"];
        assert_eq!(kept("*.md\n!README*.md\nREADME-secret.md", &paths), ["README.md"]);
        assert_eq!(kept("*.md\nREADME-secret.md\n!README*.md", &paths), ["README.md", "README-secret.md"]);
    }

    #[test]
    fn a_file_below_an_excluded_directory_can_be_brought_back() {
        let paths = ["dir", "dir/a", "dir/b", "dir/sub/c"];
        assert_eq!(kept("dir\n!dir/b", &paths), ["dir/b"]);
        assert_eq!(kept("**\n!dir/sub", &paths), ["dir/sub/c"]);
        assert!(Ignore::parse("dir\n!dir/b").unwrap().may_keep_some());
        assert!(!Ignore::parse("dir").unwrap().may_keep_some());
    }

    #[test]
    fn comments_blanks_marks_and_dots_are_no_patterns() {
        let text = "\u{feff}# a comment\n\n  \n./a\n  b  \n# \n.\n!\nx/../c\n";
        assert_eq!(kept(text, &["a", "b", "c", "x", "# a comment"]), ["x", "# a comment"]);
    }

    #[test]
    fn classes_and_escapes_are_gos() {
        let paths = ["a1", "ab", "a*", "{x}", "x"];
        assert_eq!(kept("a[0-9]", &paths), ["ab", "a*", "{x}", "x"]);
        assert_eq!(kept("a\\*", &paths), ["a1", "ab", "{x}", "x"]);
        assert_eq!(kept("{x}", &paths), ["a1", "ab", "a*", "x"]);
        assert_eq!(kept("?", &paths), ["a1", "ab", "a*", "{x}"]);
        assert_eq!(
            Ignore::parse("ok\na[").map(|_| ()).unwrap_err(),
            "line 2: unclosed character class; missing ']'"
        );
    }
}
