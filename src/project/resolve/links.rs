//! `links`, `external_links`, `volumes_from`.

use crate::diagnostic::Diagnostic;
use crate::project::{Link, Links, VolumesFrom};
use crate::yaml::Node;

use super::reader::Reader;

/// Reads the ties of a service to other containers. Whether the services exist is said with `depends_on`.
pub(super) fn read(r: &mut Reader<'_>, node: &Node) -> Links {
    Links {
        services: texts(r, node, "links").iter().map(|text| to_service(text)).collect(),
        external: texts(r, node, "external_links").iter().map(|text| Link::parse(text)).collect(),
        volumes_from: texts(r, node, "volumes_from").iter().map(|text| VolumesFrom::parse(text)).collect(),
    }
}

/// Text with more than one colon names a service as a whole, which then is none, as in Compose.
fn to_service(text: &str) -> Link {
    let link = Link::parse(text);
    if link.alias.as_ref().is_some_and(|alias| alias.contains(':')) {
        return Link { target: text.to_owned(), alias: None };
    }
    link
}

/// A list of texts of which none stands twice (compose-spec, `uniqueItems`).
pub(super) fn texts(r: &mut Reader<'_>, node: &Node, key: &str) -> Vec<String> {
    let Some(list) = node.get(key) else { return Vec::new() };
    let mut texts: Vec<String> = Vec::new();
    for item in r.items(list, key) {
        let Some(text) = r.text(item, key) else { continue };
        if texts.contains(&text) {
            r.push(
                Diagnostic::error(format!("`{key}` has {text:?} twice"), item.span)
                    .help("take one of them away"),
            );
        }
        texts.push(text);
    }
    texts
}
