//! `volumes:` in its short form, `[source:]target[:options]`, by the rules of Compose's own reader.
//!
//! Measured on Docker Compose 2.40: a source that begins with `.`, `/` or `~` is a path, and so is a Windows
//! drive; anything else is a named volume; a text without a source is an anonymous volume.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// One mount of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Path inside, absolute; see [`clean`].
    pub target: String,
    /// What is mounted.
    pub source: MountSource,
    /// Whether writing is refused.
    pub read_only: bool,
    /// How soon changes show, as written. Only Docker Desktop's file sharing on macOS ever obeyed it.
    pub consistency: Option<String>,
}

/// What a mount shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountSource {
    /// A volume of the project, by its manifest key.
    Volume {
        /// Key in [`Project::volumes`](super::Project::volumes).
        key: String,
        /// How it is mounted.
        options: VolumeOptions,
    },
    /// A volume without a name, made with the container.
    Anonymous(VolumeOptions),
    /// A path of the engine's host.
    Bind {
        /// Absolute path.
        path: PathBuf,
        /// What becomes of a missing source.
        create: CreateHostPath,
        /// Mount propagation, as written.
        propagation: Option<String>,
        /// `z` or `Z`.
        selinux: Option<char>,
        /// What becomes of mounts below the path; `None` leaves the engine's default.
        recursive: Option<Recursive>,
    },
    /// Memory.
    Tmpfs {
        /// Upper bound in bytes.
        size: Option<u64>,
        /// Permission bits of the mount point.
        mode: Option<u32>,
        /// Further mount options as written in `tmpfs:` (`noexec,uid=1000`).
        options: Option<String>,
    },
    /// The files of an image.
    Image {
        /// Reference to the image.
        reference: String,
        /// A directory of it instead of its root.
        subpath: Option<String>,
    },
    /// A named pipe of Windows, by its source as written.
    NamedPipe(Option<String>),
    /// A cluster volume of Swarm, by its source as written.
    Cluster(Option<String>),
}

/// How a volume is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VolumeOptions {
    /// Whether the image's files are not copied into a new volume.
    pub nocopy: bool,
    /// A directory of the volume instead of its root.
    pub subpath: Option<String>,
    /// Labels of the volume, where the mount makes it.
    pub labels: BTreeMap<String, String>,
    /// `z` or `Z`.
    pub selinux: Option<char>,
    /// Mount propagation as written, which no engine has for volumes (moby `volume/mounts/linux_parser.go`).
    pub propagation: Option<String>,
}

/// What becomes of a missing source of a bind. Compose makes it unless it is told not to (docker/compose#12797).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateHostPath {
    /// It is made as a directory, since nothing else was said.
    Implied,
    /// It is made as a directory: so says the manifest, or the short form.
    Yes,
    /// It is refused.
    No,
}

impl CreateHostPath {
    /// Returns whether a missing source is made.
    #[must_use]
    pub const fn makes(self) -> bool {
        match self {
            Self::Implied | Self::Yes => true,
            Self::No => false,
        }
    }
}

/// `bind.recursive`: what becomes of mounts below a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recursive {
    /// They are mounted too, and read-only with the rest where the kernel can.
    Enabled,
    /// They are not mounted.
    Disabled,
    /// They are mounted, and stay writable where the rest is read-only.
    Writable,
    /// They are mounted, and a kernel that cannot make them read-only with the rest is an error.
    ReadOnly,
}

impl Recursive {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Enabled, Self::Disabled, Self::Writable, Self::ReadOnly];

    /// Returns its word in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Writable => "writable",
            Self::ReadOnly => "readonly",
        }
    }
}

/// One entry of the short form, taken apart; nothing is looked up yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortMount {
    /// Path inside.
    pub target: String,
    /// What is mounted; `None` is an anonymous volume.
    pub source: Option<ShortSource>,
    /// `ro`.
    pub read_only: bool,
    /// `nocopy`.
    pub nocopy: bool,
    /// `rshared`, `private`, …
    pub propagation: Option<String>,
    /// `z` or `Z`.
    pub selinux: Option<char>,
    /// Options that mean nothing here.
    pub unknown: Vec<String>,
}

/// The source of a short form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShortSource {
    /// A path as written.
    Path(String),
    /// A volume's key.
    Volume(String),
}

/// The mount propagations of mount(8).
pub const PROPAGATIONS: [&str; 6] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

/// Reads one entry of the short form.
///
/// # Errors
/// Says in a few words what is wrong (`a part between the colons is empty`).
pub fn parse(text: &str) -> Result<ShortMount, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    let mut parts = split(text);
    // Compose takes one or two characters for a path inside, whatever they are.
    if text.chars().count() <= 2 {
        parts = vec![text];
    }
    if parts.iter().any(|part| part.is_empty()) {
        return Err("a part between the colons is empty".to_owned());
    }
    let (source, target, options) = match parts.as_slice() {
        [target] => (None, *target, ""),
        [source, target] => (Some(*source), *target, ""),
        [source, target, options] => (Some(*source), *target, *options),
        _ => return Err("it has too many colons; the form is `source:target:options`".to_owned()),
    };
    let mut mount = ShortMount {
        target: clean(target),
        source: source.map(|source| {
            if is_path(source) {
                ShortSource::Path(source.to_owned())
            } else {
                ShortSource::Volume(source.to_owned())
            }
        }),
        read_only: false,
        nocopy: false,
        propagation: None,
        selinux: None,
        unknown: Vec::new(),
    };
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => mount.read_only = true,
            "rw" => mount.read_only = false,
            "nocopy" => mount.nocopy = true,
            "z" => mount.selinux = Some('z'),
            "Z" => mount.selinux = Some('Z'),
            option if PROPAGATIONS.contains(&option) => mount.propagation = Some(option.to_owned()),
            option => mount.unknown.push(option.to_owned()),
        }
    }
    Ok(mount)
}

/// Returns a path as the engine's host sees it: `~` is the home, a relative path starts from `directory`, and
/// `.` and `..` are taken away textually, as Compose does. A slash at the end stays.
#[must_use]
pub fn host_path(text: &str, directory: &Path, home: Option<&str>) -> PathBuf {
    if is_drive(text) || text.starts_with("\\\\") {
        return PathBuf::from(text);
    }
    let from_home = match (text.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            Some(Path::new(home).join(rest.trim_start_matches('/')))
        }
        _ => None,
    };
    if text.starts_with('/') {
        return PathBuf::from(text);
    }
    normal(&from_home.unwrap_or_else(|| directory.join(text)))
}

/// Takes `.` and `..` away textually.
#[must_use]
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    if out.as_os_str().is_empty() { PathBuf::from("/") } else { out }
}

/// Takes slashes at the end, doubled slashes, `.` and `..` away from a path inside.
#[must_use]
pub fn clean(target: &str) -> String {
    if target.starts_with('/') {
        normal(Path::new(target)).to_string_lossy().into_owned()
    } else {
        target.to_owned()
    }
}

/// Whether a path inside is a directory or lies in it. `/var/run` is `/run`, by a link that every distribution has.
#[must_use]
pub fn is_within(path: &str, directory: &str) -> bool {
    Path::new(real(path).as_str()).starts_with(real(directory))
}

/// Returns how many names a path inside has.
#[must_use]
pub fn depth(path: &str) -> usize {
    Path::new(real(path).as_str()).components().count()
}

/// Returns a path inside, cleaned, without the link at `/var/run`.
#[must_use]
pub fn real(path: &str) -> String {
    let clean = clean(path);
    match clean.strip_prefix("/var/run") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("/run{rest}"),
        Some(_) | None => clean,
    }
}

/// Whether a source is a path and no volume's name.
#[must_use]
pub fn is_path(source: &str) -> bool {
    source.starts_with(['.', '/', '~']) || source.starts_with("\\\\") || is_drive(source)
}

fn is_drive(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':')
}

/// Splits at colons, but not behind a single letter at the beginning of a part (`C:\x`).
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(':') {
        let part = text.get(start..at).unwrap_or_default();
        let drive = part.len() == 1 && part.starts_with(|c: char| c.is_ascii_alphabetic());
        if !drive {
            parts.push(part);
            start = at + 1;
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        let mount = match parse(text) {
            Ok(mount) => mount,
            Err(why) => return why,
        };
        let source = match &mount.source {
            None => "anonymous".to_owned(),
            Some(ShortSource::Path(path)) => format!("path {path}"),
            Some(ShortSource::Volume(key)) => format!("volume {key}"),
        };
        let mut text = format!("{source} at {}", mount.target);
        for (set, word) in [(mount.read_only, " ro"), (mount.nocopy, " nocopy")] {
            if set {
                text.push_str(word);
            }
        }
        text.extend(mount.propagation.iter().map(|word| format!(" {word}")));
        text.extend(mount.selinux.iter().map(|c| format!(" {c}")));
        text
    }

    #[test]
    fn short_forms_are_read_as_compose_reads_them() {
        let pairs = [
            ("vv:/v", "volume vv at /v"),
            ("ww:/w:ro,z", "volume ww at /w ro z"),
            ("/anon", "anonymous at /anon"),
            ("./rel:/r", "path ./rel at /r"),
            ("~/h:/h", "path ~/h at /h"),
            ("C:\\x:/x", "path C:\\x at /x"),
            ("d:/data", "anonymous at d:/data"),
            ("rel/x:/y", "volume rel/x at /y"),
            ("vv:/v2:rw,nocopy", "volume vv at /v2 nocopy"),
            ("./s:/s:ro,rshared", "path ./s at /s ro rshared"),
            ("/abs/:/abs/", "path /abs/ at /abs"),
            ("xx:/y:ro:rw", "it has too many colons; the form is `source:target:options`"),
            (":/data", "a part between the colons is empty"),
            ("", "it is empty"),
        ];
        for (written, mount) in pairs {
            assert_eq!(shown(written), mount, "{written}");
        }
    }

    #[test]
    fn host_paths_start_from_the_project_or_the_home() {
        let path =
            |text| host_path(text, Path::new("/srv/shop"), Some("/home/user")).to_string_lossy().into_owned();
        assert_eq!(path("./a/../b"), "/srv/shop/b");
        assert_eq!(path("../.."), "/");
        assert_eq!(path("../../../x"), "/x");
        assert_eq!(path("~/h"), "/home/user/h");
        assert_eq!(path("~other"), "/srv/shop/~other");
        assert_eq!(path("/abs/"), "/abs/");
    }

    #[test]
    fn a_path_is_within_a_directory_by_whole_names_and_through_the_link_at_var_run() {
        assert!(is_within("/run/secrets/s", "/run") && is_within("/run", "/run/"));
        assert!(is_within("/var/run/secrets/s", "/run") && is_within("/run/x", "/var/run"));
        assert!(!is_within("/runner", "/run") && !is_within("/run", "/run/secrets"));
        assert!(!is_within("/var/runner", "/run"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,24}") {
            let _ = parse(&text);
        }

        #[test]
        fn a_named_volume_stays_what_it_is(name in "[a-z][a-z0-9_-]{1,12}", target in "/[a-z]{1,8}(/[a-z]{1,8}){0,3}") {
            prop_assert_eq!(shown(&format!("{name}:{target}:ro")), format!("volume {name} at {target} ro"));
        }
    }
}
