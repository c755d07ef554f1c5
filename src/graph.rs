//! Order among named things that need each other: cycles, waves, what needs what.
//!
//! The only file that names petgraph. Nodes are numbered by their place in the manifest, and every answer
//! is in that order where the graph leaves a choice, so that two runs over one manifest say the same.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, VecDeque};

use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

/// Things and what each of them needs, as numbers in the order in which they were given.
#[derive(Debug, Clone)]
pub struct Graph {
    names: Vec<String>,
    index: HashMap<String, usize>,
    /// An edge leads from a thing to what it needs.
    edges: DiGraph<(), (), u32>,
}

impl Graph {
    /// Builds the graph of things with the names of what each needs. Needs that are not among the things
    /// are left out: whether that is an error is the caller's to say.
    pub fn new<'a, N>(things: impl IntoIterator<Item = (&'a str, N)>) -> Self
    where
        N: IntoIterator<Item = &'a str>,
    {
        let (mut names, mut needs) = (Vec::new(), Vec::new());
        let mut index = HashMap::new();
        let mut edges = DiGraph::default();
        for (name, needed) in things {
            index.insert(name.to_owned(), names.len());
            names.push(name.to_owned());
            needs.push(needed.into_iter().collect::<Vec<_>>());
            edges.add_node(());
        }
        for (from, needed) in needs.into_iter().enumerate() {
            let targets: BTreeSet<usize> =
                needed.iter().filter_map(|name| index.get(*name).copied()).collect();
            for to in targets {
                edges.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
            }
        }
        Self { names, index, edges }
    }

    /// Returns the name of a number that this graph handed out; empty for any other number.
    #[must_use]
    pub fn name(&self, number: usize) -> &str {
        self.names.get(number).map_or("", String::as_str)
    }

    /// Returns the number of a name.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Returns what a thing needs directly, in order.
    #[must_use]
    pub fn needs(&self, number: usize) -> Vec<usize> {
        self.beside(number, Direction::Outgoing)
    }

    /// Returns what needs a thing directly, in order.
    #[must_use]
    pub fn needed_by(&self, number: usize) -> Vec<usize> {
        self.beside(number, Direction::Incoming)
    }

    /// Returns the things with all that they need, directly or not.
    #[must_use]
    pub fn with_needs(&self, of: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        self.reach(of, Direction::Outgoing)
    }

    /// Returns the things with all that needs them, directly or not.
    #[must_use]
    pub fn with_dependents(&self, of: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        self.reach(of, Direction::Incoming)
    }

    /// Returns one shortest cycle of every knot of things that need each other, each beginning at its first
    /// thing in order; the last element needs the first. Empty where there is an order.
    #[must_use]
    pub fn cycles(&self) -> Vec<Vec<usize>> {
        // Not tarjan_scc: petgraph 0.8 recurses there, and a chain of some thousands ends the stack of a thread.
        let mut cycles: Vec<Vec<usize>> = kosaraju_scc(&self.edges)
            .into_iter()
            .filter_map(|knot| {
                let members: BTreeSet<usize> = knot.into_iter().map(NodeIndex::index).collect();
                let first = *members.first()?;
                let alone = members.len() == 1 && !self.needs(first).contains(&first);
                (!alone).then(|| self.shortest_cycle(first, &members))
            })
            .collect();
        cycles.sort();
        cycles
    }

    /// Sorts the things so that everything stands after what it needs; among free ones the order of the
    /// manifest decides. Things on a cycle, and what needs them, are left out.
    #[must_use]
    pub fn order(&self) -> Vec<usize> {
        let mut missing: Vec<usize> = self.degrees();
        let mut free: BinaryHeap<Reverse<usize>> =
            (0..missing.len()).filter(|number| missing.get(*number) == Some(&0)).map(Reverse).collect();
        let mut order = Vec::with_capacity(missing.len());
        while let Some(Reverse(number)) = free.pop() {
            order.push(number);
            for dependent in self.edges.neighbors_directed(NodeIndex::new(number), Direction::Incoming) {
                if let Some(left) = missing.get_mut(dependent.index()) {
                    *left -= 1;
                    if *left == 0 {
                        free.push(Reverse(dependent.index()));
                    }
                }
            }
        }
        order
    }

    /// Sorts the things so that everything stands before what it needs: the order of stopping.
    #[must_use]
    pub fn reverse_order(&self) -> Vec<usize> {
        let mut order = self.order();
        order.reverse();
        order
    }

    /// Groups the things: every wave needs only earlier waves, and each is as early as it can be. Things on a
    /// cycle, and what needs them, are left out.
    #[must_use]
    pub fn waves(&self) -> Vec<Vec<usize>> {
        let mut depth = vec![0_usize; self.names.len()];
        let mut waves: Vec<Vec<usize>> = Vec::new();
        for number in self.order() {
            let own = self
                .edges
                .neighbors_directed(NodeIndex::new(number), Direction::Outgoing)
                .filter_map(|needed| depth.get(needed.index()).map(|depth| depth + 1))
                .max()
                .unwrap_or(0);
            if let Some(place) = depth.get_mut(number) {
                *place = own;
            }
            if waves.len() <= own {
                waves.resize_with(own + 1, Vec::new);
            }
            if let Some(wave) = waves.get_mut(own) {
                wave.push(number);
            }
        }
        for wave in &mut waves {
            wave.sort_unstable();
        }
        waves
    }

    fn degrees(&self) -> Vec<usize> {
        self.edges
            .node_indices()
            .map(|node| self.edges.neighbors_directed(node, Direction::Outgoing).count())
            .collect()
    }

    fn beside(&self, number: usize, direction: Direction) -> Vec<usize> {
        let mut found: Vec<usize> =
            self.edges.neighbors_directed(NodeIndex::new(number), direction).map(NodeIndex::index).collect();
        found.sort_unstable();
        found
    }

    fn reach(&self, of: impl IntoIterator<Item = usize>, direction: Direction) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open: Vec<usize> = of.into_iter().filter(|number| *number < self.names.len()).collect();
        while let Some(number) = open.pop() {
            if found.insert(number) {
                open.extend(
                    self.edges.neighbors_directed(NodeIndex::new(number), direction).map(NodeIndex::index),
                );
            }
        }
        found
    }

    /// Breadth first from `first` back to it, inside one knot.
    fn shortest_cycle(&self, first: usize, members: &BTreeSet<usize>) -> Vec<usize> {
        let mut from: HashMap<usize, usize> = HashMap::new();
        let mut open = VecDeque::from([first]);
        while let Some(number) = open.pop_front() {
            for needed in self.needs(number) {
                if needed == first {
                    return path_back(number, first, &from);
                }
                if members.contains(&needed) && !from.contains_key(&needed) {
                    from.insert(needed, number);
                    open.push_back(needed);
                }
            }
        }
        // Not reached: every member of a knot lies on a cycle of it.
        members.iter().copied().collect()
    }
}

/// Walks from the last node of a cycle back to its first, and returns the path in the direction of needs.
fn path_back(last: usize, first: usize, from: &HashMap<usize, usize>) -> Vec<usize> {
    let mut path = vec![last];
    let mut at = last;
    while at != first {
        let Some(before) = from.get(&at) else { break };
        at = *before;
        path.push(at);
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `web: app db` lines.
    fn graph(text: &str) -> Graph {
        Graph::new(text.lines().map(|line| {
            let (name, needs) = line.split_once(':').unwrap();
            (name.trim(), needs.split_whitespace().collect::<Vec<_>>())
        }))
    }

    fn names(graph: &Graph, numbers: &[usize]) -> String {
        numbers.iter().map(|number| graph.name(*number)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn order_and_waves_follow_needs_and_then_the_manifest() {
        let graph = graph("web: app\napp: db cache\ncache:\ndb:\nlone:");
        assert_eq!(names(&graph, &graph.order()), "cache db app web lone");
        assert_eq!(names(&graph, &graph.reverse_order()), "lone web app db cache");
        let waves: Vec<String> = graph.waves().iter().map(|wave| names(&graph, wave)).collect();
        assert_eq!(waves, ["cache db lone", "app", "web"]);
    }

    #[test]
    fn every_knot_gives_its_shortest_cycle() {
        let graph = graph("a: b\nb: c d\nc: a\nd: b\nx: x\ny: z\nz:");
        let cycles: Vec<String> = graph.cycles().iter().map(|cycle| names(&graph, cycle)).collect();
        assert_eq!(cycles, ["a b c", "x"]);
        assert_eq!(names(&graph, &graph.order()), "z y");
    }

    #[test]
    fn needs_and_dependents_are_transitive() {
        let graph = graph("web: app\napp: db nowhere\ndb:\nlone:");
        let app = graph.number("app").unwrap();
        let with_needs: Vec<usize> = graph.with_needs([app]).into_iter().collect();
        assert_eq!(names(&graph, &with_needs), "app db");
        let with_dependents: Vec<usize> = graph.with_dependents([app]).into_iter().collect();
        assert_eq!(names(&graph, &with_dependents), "web app");
        assert_eq!(names(&graph, &graph.needed_by(app)), "web");
        assert_eq!(graph.number("nowhere"), None);
    }

    #[test]
    fn a_chain_of_100000_needs_no_deep_stack() {
        let names: Vec<String> = (0..100_000).map(|number| format!("s{number}")).collect();
        let graph = Graph::new(
            names
                .iter()
                .enumerate()
                .map(|(number, name)| (name.as_str(), names.get(number + 1).map(String::as_str))),
        );
        assert_eq!(graph.cycles(), Vec::<Vec<usize>>::new());
        assert_eq!(graph.order().first(), Some(&99_999));
        assert_eq!(graph.waves().len(), 100_000);
    }
}
