//! Short forms that must become long before two documents can merge.

use crate::yaml::{Entry, LISTED, Node, Value};

/// A text becomes a list of one.
pub(super) fn list(node: Node) -> Node {
    match node.value {
        Value::Scalar { .. } => Node { span: node.span, tag: None, value: Value::Sequence(vec![node]) },
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => node,
    }
}

/// A list of names becomes a mapping of names to nothing.
pub(super) fn names(node: Node) -> Node {
    keyed(node, |item| Node::null(item.span))
}

/// A list of names becomes a mapping of names to the mark of the short form: only the service that is
/// named decides what it means.
pub(super) fn dependencies(node: Node) -> Node {
    keyed(node, |item| Node { tag: Some(LISTED.into()), ..Node::null(item.span) })
}

/// A list of `KEY=VALUE` becomes a mapping; of one key, the last counts.
pub(super) fn pairs(mut node: Node) -> Node {
    let Value::Sequence(items) = &node.value else { return node };
    let mut entries: Vec<Entry> = Vec::with_capacity(items.len());
    for item in items {
        let Value::Scalar { text, plain: _ } = &item.value else { return node };
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Value::Scalar { text: value.into(), plain: false }),
            None => (&**text, Value::Null),
        };
        let value = Node { value, ..Node::null(item.span) };
        match entries.iter_mut().find(|entry| &*entry.key == key) {
            Some(entry) => entry.value = value,
            None => entries.push(Entry { key: key.into(), key_plain: false, key_span: item.span, value }),
        }
    }
    node.value = Value::Mapping(entries);
    node
}

/// A mapping of host names becomes a list of `NAME=ADDRESS`.
pub(super) fn hosts(mut node: Node) -> Node {
    let Value::Mapping(entries) = &node.value else { return node };
    let mut hosts = Vec::with_capacity(entries.len());
    for entry in entries {
        let addresses = match &entry.value.value {
            Value::Sequence(items) => items.as_slice(),
            Value::Null | Value::Scalar { .. } | Value::Mapping(_) => std::slice::from_ref(&entry.value),
        };
        for address in addresses {
            let Value::Scalar { text, plain: _ } = &address.value else { return node };
            let text = format!("{}={text}", entry.key).into();
            hosts.push(Node { value: Value::Scalar { text, plain: false }, ..Node::null(address.span) });
        }
    }
    node.value = Value::Sequence(hosts);
    node
}

/// `build: DIR` becomes `build: {context: DIR}`.
pub(super) fn build(node: Node) -> Node {
    match node.value {
        Value::Scalar { .. } => {
            let span = node.span;
            let entry = Entry { key: "context".into(), key_plain: true, key_span: span, value: node };
            Node { value: Value::Mapping(vec![entry]), ..Node::null(span) }
        }
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => node,
    }
}

/// `gpus: all` becomes a list of one request for all.
pub(super) fn requests(node: Node) -> Node {
    match node.value {
        Value::Scalar { .. } => {
            let span = node.span;
            let entry = Entry { key: "count".into(), key_plain: true, key_span: span, value: node };
            let request = Node { value: Value::Mapping(vec![entry]), ..Node::null(span) };
            Node { value: Value::Sequence(vec![request]), ..Node::null(span) }
        }
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => node,
    }
}

/// Whether both name a logging driver, and not the same.
pub(super) fn other_driver(under: &Node, over: &Node) -> bool {
    let driver = |node: &Node| text(node.get("driver")?).map(str::to_owned);
    matches!((driver(under), driver(over)), (Some(before), Some(now)) if before != now)
}

/// Returns the subnet of an address pool.
pub(super) fn subnet(pool: &Node) -> Option<&str> {
    text(pool.get("subnet")?)
}

/// Returns a scalar's text.
pub(super) fn text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar { text, plain: _ } => Some(text),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
    }
}

/// Makes a mapping of a list of names; anything but names leaves it as it is, for typing to refuse.
fn keyed(mut node: Node, value: impl Fn(&Node) -> Node) -> Node {
    let Value::Sequence(items) = &node.value else { return node };
    let mut entries: Vec<Entry> = Vec::with_capacity(items.len());
    for item in items {
        let Some(name) = text(item) else { return node };
        if entries.iter().all(|entry| &*entry.key != name) {
            let value = value(item);
            entries.push(Entry { key: name.into(), key_plain: false, key_span: item.span, value });
        }
    }
    node.value = Value::Mapping(entries);
    node
}
