//! Events → nodes: aliases, merge keys, tags, duplicate keys, and every limit on the way.

mod keys;
mod messages;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::Limits;
use crate::diagnostic::{Code, Diagnostic, SourceId, Span};
use crate::yaml::events::{Anchor, Event, Events, Kind, Marks, TagName};
use crate::yaml::{Entry, Node, Value};

/// Builds the documents of one text.
pub(super) struct Builder<'text> {
    events: Events<'text>,
    text: &'text str,
    source: SourceId,
    limits: &'text Limits,
    documents: Vec<Node>,
    open: Vec<Open<'text>>,
    root: Option<Node>,
    anchors: HashMap<usize, Anchored>,
    /// Names that follow an asterisk somewhere: only their anchors need to be kept.
    wanted: HashSet<&'text str>,
    nodes: usize,
    expanded: usize,
    kept: usize,
    diagnostics: Vec<Diagnostic>,
    /// Where the last event with bytes of its own ended.
    last_end: usize,
    given_up: bool,
}

/// A finished node that aliases may name.
struct Anchored {
    node: Node,
    nodes: usize,
    height: usize,
}

/// A collection that has not ended yet.
struct Open<'text> {
    start: usize,
    tag: Option<Box<str>>,
    anchor: Option<Anchor<'text>>,
    nodes_before: usize,
    height: usize,
    items: Items,
}

enum Items {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, key: Option<Key> },
}

/// A key that waits for its value.
struct Key {
    /// `None` where it is no text, which is an error: its value is left out.
    text: Option<Box<str>>,
    plain: bool,
    span: Span,
}

impl<'text> Builder<'text> {
    pub(super) fn new(source: SourceId, text: &'text str, limits: &'text Limits) -> Self {
        Self {
            events: Events::new(text, limits),
            text,
            source,
            limits,
            documents: Vec::new(),
            open: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            wanted: alias_names(text),
            nodes: 0,
            expanded: 0,
            kept: 0,
            diagnostics: Vec::new(),
            last_end: 0,
            given_up: false,
        }
    }

    /// Reads to the end of the text, or to the first finding after which nothing sensible follows.
    pub(super) fn run(&mut self) {
        while !self.given_up {
            match self.events.next() {
                None => break,
                Some(Ok(event)) => self.event(event),
                Some(Err(error)) => {
                    let problem = messages::syntax(self.source, self.text, &error, self.limits);
                    self.fatal(problem);
                }
            }
        }
    }

    /// Returns the documents, where the text was read to its end, and all findings.
    pub(super) fn finish(mut self) -> (Option<Vec<Node>>, Vec<Diagnostic>) {
        if self.documents.is_empty() {
            self.documents.push(Node::null(self.span(0..0)));
        }
        ((!self.given_up).then_some(self.documents), self.diagnostics)
    }

    fn event(&mut self, event: Event<'text>) {
        let Event { kind, bytes } = event;
        match kind {
            Kind::DocumentEnd => {
                self.documents.extend(self.root.take());
                self.anchors.clear();
            }
            Kind::Alias(id) => self.alias(id, bytes),
            Kind::UnknownAlias(name) => {
                let problem = messages::unknown_alias(self.span(bytes.clone()), &name);
                self.problem(problem);
                self.place(Node::null(self.span(bytes)), 0);
            }
            Kind::Scalar { text, plain, marks } => self.scalar(text, plain, marks, bytes),
            Kind::SequenceStart(marks) => self.start(marks, &bytes, Items::Sequence(Vec::new())),
            Kind::MappingStart(marks) => {
                self.start(marks, &bytes, Items::Mapping { entries: Vec::new(), key: None });
            }
            Kind::CollectionEnd => self.end(bytes),
        }
    }

    fn scalar(&mut self, text: Cow<'text, str>, plain: bool, marks: Marks<'text>, bytes: Range<usize>) {
        self.count();
        self.last_end = self.last_end.max(bytes.end);
        let span = self.span(bytes);
        if text.len() > self.limits.scalar {
            let limit = self.limits.scalar >> 20;
            self.fatal(
                Diagnostic::error(format!("a scalar is longer than {limit} MiB"), span).coded(Code::Limit),
            );
            return;
        }
        if text.contains('\0') {
            self.problem(
                Diagnostic::error("value contains NUL", span)
                    .coded(Code::Encoding)
                    .help("no name, path or variable can hold it"),
            );
        }
        let typed = self.tag(marks.tag, span);
        let plain = match typed.kind {
            Typed::AsWritten => plain,
            Typed::Text => false,
            Typed::Plain => true,
        };
        let value = if plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
            Value::Null
        } else {
            Value::Scalar { text: text.into_owned().into_boxed_str(), plain }
        };
        let node = Node { span, tag: typed.local, value };
        self.keep(marks.anchor.as_ref(), &node, 1, 0);
        self.place(node, 0);
    }

    fn start(&mut self, marks: Marks<'text>, bytes: &Range<usize>, items: Items) {
        self.count();
        let span = self.span(bytes.clone());
        if self.open.len() >= self.limits.depth {
            self.fatal(messages::too_deep(span, self.limits));
            return;
        }
        let tag = self.tag(marks.tag, span);
        self.last_end = self.last_end.max(bytes.end);
        self.open.push(Open {
            start: bytes.start,
            tag: tag.local,
            anchor: marks.anchor,
            nodes_before: self.nodes + self.expanded - 1,
            height: 0,
            items,
        });
    }

    fn end(&mut self, bytes: Range<usize>) {
        let Some(open) = self.open.pop() else { return };
        // A flow collection ends with its bracket; a block collection with its last child.
        self.last_end = if bytes.is_empty() { self.last_end } else { self.last_end.max(bytes.end) };
        let span = self.span(open.start..self.last_end.max(open.start));
        let value = match open.items {
            Items::Sequence(nodes) => Value::Sequence(nodes),
            Items::Mapping { entries, key: _ } => {
                let (entries, problems) = keys::settle(entries);
                for problem in problems {
                    self.problem(problem);
                }
                Value::Mapping(entries)
            }
        };
        let node = Node { span, tag: open.tag, value };
        let nodes = self.nodes + self.expanded - open.nodes_before;
        let height = open.height + 1;
        self.keep(open.anchor.as_ref(), &node, nodes, height);
        self.place(node, height);
    }

    fn alias(&mut self, id: usize, bytes: Range<usize>) {
        self.last_end = self.last_end.max(bytes.end);
        let span = self.span(bytes.clone());
        if let Some(open) =
            self.open.iter().find(|open| open.anchor.as_ref().is_some_and(|anchor| anchor.id == id))
        {
            let start = self.span(open.start..open.start);
            let problem = messages::contains_itself(
                span,
                start,
                open.anchor.as_ref().map_or("", |anchor| &anchor.name),
            );
            self.fatal(problem);
            return;
        }
        let Some((nodes, height)) = self.anchors.get(&id).map(|anchored| (anchored.nodes, anchored.height))
        else {
            // Only an anchor with more nodes than any alias may add is not kept.
            self.fatal(messages::expansion(span, self.limits));
            return;
        };
        if self.open.len() + height > self.limits.depth {
            self.fatal(messages::too_deep(span, self.limits));
            return;
        }
        if self.expand(nodes, span) {
            let node = self.anchors.get(&id).map(|anchored| anchored.node.clone());
            self.place(node.unwrap_or_else(|| Node::null(span)), height);
        }
    }

    /// Counts nodes that an alias adds; false where the budget is used up.
    fn expand(&mut self, nodes: usize, span: Span) -> bool {
        self.expanded += nodes;
        if self.expanded > self.limits.expansion {
            self.fatal(messages::expansion(span, self.limits));
            return false;
        }
        true
    }

    /// Keeps a finished node for the aliases that name it.
    fn keep(&mut self, anchor: Option<&Anchor<'text>>, node: &Node, nodes: usize, height: usize) {
        let Some(anchor) = anchor else { return };
        if !self.wanted.contains(&*anchor.name) || nodes > self.limits.expansion {
            return;
        }
        // Anchors within anchors are kept once for each, so that keeping needs a bound of its own.
        self.kept += nodes;
        if self.kept > self.limits.expansion.saturating_mul(4) {
            self.fatal(messages::expansion(node.span, self.limits));
            return;
        }
        self.anchors.insert(anchor.id, Anchored { node: node.clone(), nodes, height });
    }

    /// Puts a finished node where the open collection expects one.
    fn place(&mut self, node: Node, height: usize) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        open.height = open.height.max(height);
        match &mut open.items {
            Items::Sequence(nodes) => nodes.push(node),
            Items::Mapping { entries, key } => {
                if let Some(Key { text, plain, span }) = key.take() {
                    let entry = |key| Entry { key, key_plain: plain, key_span: span, value: node };
                    entries.extend(text.map(entry));
                } else {
                    let (read, problem) = keys::key(node);
                    *key = Some(read);
                    if let Some(problem) = problem {
                        self.problem(problem);
                    }
                }
            }
        }
    }

    fn tag(&mut self, tag: Option<(TagName, Range<usize>)>, fallback: Span) -> Tag {
        let Some((name, bytes)) = tag else { return Tag { kind: Typed::AsWritten, local: None } };
        let span = if bytes.is_empty() { fallback } else { self.span(bytes) };
        match &name {
            TagName::NonSpecific => Tag { kind: Typed::Text, local: None },
            TagName::Own(own) if own == "str" => Tag { kind: Typed::Text, local: None },
            TagName::Own(_) => Tag { kind: Typed::Plain, local: None },
            TagName::Local(written) if matches!(written.as_str(), "!reset" | "!override") => {
                Tag { kind: Typed::AsWritten, local: Some(written.trim_start_matches('!').into()) }
            }
            TagName::Local(written) => {
                self.problem(messages::unknown_tag(span, written));
                Tag { kind: Typed::AsWritten, local: None }
            }
        }
    }

    fn count(&mut self) {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            let what = format!("more than {} nodes", self.limits.nodes);
            self.fatal(Diagnostic::placeless(what).coded(Code::Limit));
        }
    }

    fn problem(&mut self, problem: Diagnostic) {
        self.diagnostics.push(problem);
        self.given_up |= self.diagnostics.len() >= self.limits.findings;
    }

    fn fatal(&mut self, problem: Diagnostic) {
        self.diagnostics.push(problem);
        self.given_up = true;
    }

    fn span(&self, bytes: Range<usize>) -> Span {
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { source: self.source, start: narrow(bytes.start), end: narrow(bytes.end) }
    }
}

/// What a tag says about a scalar's type, and the tag itself where merging needs it.
struct Tag {
    kind: Typed,
    local: Option<Box<str>>,
}

enum Typed {
    AsWritten,
    Text,
    Plain,
}

/// Collects what could be names of aliases. Too many is harmless: they only decide which anchors are kept.
fn alias_names(text: &str) -> HashSet<&str> {
    text.match_indices('*')
        .filter_map(|(at, _)| {
            let rest = &text[at + 1..];
            let end = rest.find(|c: char| c.is_whitespace() || ",[]{}".contains(c)).unwrap_or(rest.len());
            (end > 0).then(|| &rest[..end])
        })
        .collect()
}
