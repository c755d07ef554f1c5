//! The project's name where nobody gave one.

use std::path::Path;

/// Makes a name of a directory's: lower case, only `[a-z0-9_-]`, not starting with `_` or `-`, as compose-go's
/// `loader.NormalizeProjectName` does. Empty where nothing is left.
#[must_use]
pub fn project_name(directory: &Path) -> String {
    normal_name(&directory.file_name().unwrap_or_default().to_string_lossy())
}

/// Makes a project's name of any text; empty where nothing is left.
#[must_use]
pub fn normal_name(text: &str) -> String {
    let name = text.to_lowercase();
    let allowed = |c: &char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
    let kept: String = name.chars().filter(allowed).collect();
    kept.trim_start_matches(['_', '-']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_gives_its_name_in_lower_case() {
        let named = |path: &str| project_name(Path::new(path));
        assert_eq!(named("/srv/My Shop.v2"), "myshopv2");
        assert_eq!(named("/srv/_-a_b-"), "a_b-");
        assert_eq!((named("/"), named("/…")), (String::new(), String::new()));
    }
}
