//! `image:` and `pull_policy:`.

use crate::diagnostic::Diagnostic;
use crate::project::{ImageSource, PullPolicy, image_ref};
use crate::yaml::{Entry, Node};

use super::pull_policy;
use super::reader::Reader;
use super::service::field;
use super::{Scope, build};

/// Reads where a service's image comes from, and when it is pulled.
pub(super) fn read(r: &mut Reader<'_>, entry: &Entry, scope: &Scope<'_>) -> (ImageSource, PullPolicy) {
    let node = &entry.value;
    let reference = field(r, node, "image", reference);
    let build = field(r, node, "build", build::read);
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
