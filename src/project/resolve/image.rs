//! `image:`, `build:` and `pull_policy:`.

use std::path::PathBuf;

use crate::diagnostic::Diagnostic;
use crate::project::{Build, Dockerfile, ImageSource, PullPolicy, image_ref};
use crate::yaml::{Entry, Node, Value};

use super::Scope;
use super::pull_policy;
use super::reader::Reader;
use super::service::{field, flag, labels};

/// Reads where a service's image comes from, and when it is pulled.
pub(super) fn read(r: &mut Reader<'_>, entry: &Entry, scope: &Scope<'_>) -> (ImageSource, PullPolicy) {
    let node = &entry.value;
    let reference = field(r, node, "image", reference);
    let build = field(r, node, "build", build);
    if node.get("image").is_none() && node.get("build").is_none() && node.get("provider").is_none() {
        r.push(
            Diagnostic::error(
                format!("service `{}` has neither an `image` nor a `build`", entry.key),
                entry.key_span,
            )
            .help("write `image: NAME`, or `build: DIRECTORY` with a Dockerfile in it"),
        );
    }
    let source = match (reference, build) {
        (reference, Some(build)) => ImageSource::Build {
            tag: reference.unwrap_or_else(|| default_tag(scope.project, &entry.key)),
            build: Box::new(build),
        },
        (reference, None) => ImageSource::Reference(reference.unwrap_or_default()),
    };
    (source, pull_policy::read(r, node))
}

/// The tag of a built image that has no `image:`, in lower case since a service's name may not be.
pub(in crate::project) fn default_tag(project: &str, service: &str) -> String {
    format!("{project}-{}", service.to_lowercase())
}

/// Compose takes any text for a reference and leaves it to the engine; what no terminal should show is
/// refused all the same.
fn reference(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<String> {
    let text = r.text(node, key)?;
    if let Some(why) = image_ref::fault(&text) {
        let what = format!("{text:?} is not a reference to an image: {why}");
        let fatal = text.is_empty() || text.contains(char::is_control);
        r.push(if fatal { Diagnostic::error(what, node.span) } else { Diagnostic::warning(what, node.span) });
    }
    Some(text)
}

fn build(r: &mut Reader<'_>, node: &Node, _key: &str) -> Option<Build> {
    let plain = |context| Build {
        context,
        dockerfile: Dockerfile::Path(PathBuf::from("Dockerfile")),
        args: indexmap::IndexMap::new(),
        target: None,
        labels: indexmap::IndexMap::new(),
        network: None,
        no_cache: false,
        pull: false,
    };
    match &node.value {
        Value::Scalar { .. } => context(r, node, "build").map(plain),
        Value::Mapping(_) => {
            let directory = match node.get("context") {
                Some(node) => context(r, node, "build.context")?,
                None => r.whole_directory(node.span).to_path_buf(),
            };
            Some(Build {
                dockerfile: dockerfile(r, node),
                args: args(r, node),
                target: field(r, node, "target", Reader::some_text),
                labels: labels(r, node, "labels").into_iter().collect(),
                network: field(r, node, "network", Reader::some_text),
                no_cache: flag(r, node, "no_cache"),
                pull: flag(r, node, "pull"),
                ..plain(directory)
            })
        }
        Value::Null | Value::Sequence(_) => {
            r.wrong(node, "build", "a directory or a mapping");
            None
        }
    }
}

fn context(r: &mut Reader<'_>, node: &Node, key: &str) -> Option<PathBuf> {
    let text = r.some_text(node, key)?;
    let remote = text.contains("://") || text.starts_with("git@") || text.starts_with("github.com/");
    if remote {
        r.push(
            Diagnostic::error(format!("`{key}`: a context on another host is not supported"), node.span)
                .help("clone it, and give the directory"),
        );
        return None;
    }
    let path = r.path(&text, node.span);
    if path.parent().is_none() {
        r.push(
            Diagnostic::error(format!("`{key}` is the root of the file system"), node.span)
                .help("give the directory that holds the Dockerfile"),
        );
        return None;
    }
    Some(path)
}

fn dockerfile(r: &mut Reader<'_>, node: &Node) -> Dockerfile {
    let path = field(r, node, "dockerfile", Reader::some_text);
    let inline = field(r, node, "dockerfile_inline", Reader::some_text);
    if let (Some(one), Some(other)) = (node.entry("dockerfile"), node.entry("dockerfile_inline")) {
        r.push(
            Diagnostic::error("`dockerfile` and `dockerfile_inline` cannot both be given", one.key_span)
                .also(other.key_span, "the other one"),
        );
    }
    match (inline, path) {
        (Some(text), _) => Dockerfile::Inline(text),
        (None, path) => Dockerfile::Path(PathBuf::from(path.as_deref().unwrap_or("Dockerfile"))),
    }
}

/// Build arguments without a value come from the host's environment, or are left out.
fn args(r: &mut Reader<'_>, node: &Node) -> indexmap::IndexMap<String, String> {
    let pairs = node.get("args").map(|node| r.pairs(node, "build.args")).unwrap_or_default();
    pairs
        .into_iter()
        .filter_map(|pair| {
            let value = pair.value.or_else(|| r.variables.get(&pair.name).cloned())?;
            Some((pair.name, value))
        })
        .collect()
}
