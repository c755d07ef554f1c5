//! The world as the engine and the disk know it: what a bench's project is made of, and what is left of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::bed::Bench;
use crate::process::{Ran, entries};

impl Bench {
    /// The engine's containers of this project: name to state.
    pub(crate) fn containers(&self) -> BTreeMap<String, String> {
        let all = self.api.get(&format!("/containers/json?all=true&filters={}", self.filter()));
        let text = |value: &Value| value.as_str().unwrap_or_default().trim_start_matches('/').to_owned();
        entries(&all).map(|one| (text(&one["Names"][0]), text(&one["State"]))).collect()
    }

    /// Names of the containers of this project that run.
    pub(crate) fn running(&self) -> BTreeSet<String> {
        let running = |(name, state): (String, String)| (state == "running").then_some(name);
        self.containers().into_iter().filter_map(running).collect()
    }

    /// Names of these services' first containers, to compare with [`Self::running`].
    pub(crate) fn names(&self, services: &[&str]) -> BTreeSet<String> {
        services.iter().map(|service| self.name(service)).collect()
    }

    /// Inspects a service's first container, which must be there.
    pub(crate) fn inspect(&self, service: &str) -> Value {
        self.api.inspect(&self.name(service)).unwrap_or_else(|| panic!("{} is not there", self.name(service)))
    }

    /// The engine's id of a service's first container.
    pub(crate) fn id(&self, service: &str) -> String {
        self.inspect(service)["Id"].as_str().unwrap_or_default().to_owned()
    }

    /// Runs a line of shell in a service's first container, which must succeed.
    pub(crate) fn shell(&self, service: &str, line: &str) -> String {
        self.api.shell(&self.name(service), line)
    }

    /// What is left in the engine of this project: containers, networks, volumes, a line each.
    pub(crate) fn left(&self) -> Vec<String> {
        let filter = self.filter();
        let names = |path: String, list: Option<&str>, key: &str, kind: &str| {
            let answer = self.api.get(&path);
            let list = list.map_or(&answer, |list| &answer[list]);
            entries(list).map(|one| format!("{kind} {}", one[key])).collect::<Vec<_>>()
        };
        let mut left =
            names(format!("/containers/json?all=true&filters={filter}"), None, "Names", "container");
        left.extend(names(format!("/networks?filters={filter}"), None, "Name", "network"));
        left.extend(names(format!("/volumes?filters={filter}"), Some("Volumes"), "Name", "volume"));
        left
    }

    /// Containers that a run made to look into an image and did not remove again. They belong to no project.
    pub(crate) fn looks_of(&self, run: &Ran) -> usize {
        let filter = format!("%7B%22label%22%3A%5B%22io.sdcompose.look.pid%3D{}%22%5D%7D", run.pid);
        entries(&self.api.get(&format!("/containers/json?all=true&filters={filter}"))).count()
    }

    /// Directories of notify sockets in this bench's state directory.
    pub(crate) fn left_in_state(&self) -> Vec<String> {
        let entries = fs::read_dir(self.state().join("notify")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().display().to_string()).collect()
    }

    /// Cgroups of this project's machines on this host, which has those of both engines. Only root can remove them.
    pub(crate) fn left_in_cgroups(&self) -> Vec<String> {
        if !rustix::process::geteuid().is_root() {
            return Vec::new();
        }
        let own = format!("{}_", self.project.replace('-', "_"));
        let hierarchies =
            fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|entry| entry.path());
        let parents =
            hierarchies.chain([PathBuf::from("/sys/fs/cgroup")]).map(|hierarchy| hierarchy.join("sdc"));
        let entries = parents.flat_map(|parent| fs::read_dir(parent).into_iter().flatten().flatten());
        let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&own));
        ours.map(|entry| entry.path().display().to_string()).collect()
    }

    /// The engine's filter for this project's label, encoded for a path.
    fn filter(&self) -> String {
        format!("%7B%22label%22%3A%5B%22io.sdcompose.project%3D{}%22%5D%7D", self.project)
    }

    /// Takes away by the engine's own calls what sdcompose could not, and the images that it built, which `down`
    /// keeps as it should.
    pub(crate) fn sweep(&self) {
        for name in self.containers().keys() {
            self.api.delete(&format!("/containers/{name}?force=true&v=true"));
        }
        for kind in ["networks", "volumes"] {
            let answer = self.api.get(&format!("/{kind}?filters={}", self.filter()));
            let list = if kind == "volumes" { &answer["Volumes"] } else { &answer };
            for name in entries(list).filter_map(|one| one["Name"].as_str().map(str::to_owned)) {
                self.api.delete(&format!("/{kind}/{name}"));
            }
        }
        let built = format!("%7B%22reference%22%3A%5B%22{}-*%22%5D%7D", self.project);
        for image in entries(&self.api.get(&format!("/images/json?filters={built}"))) {
            for tag in entries(&image["RepoTags"]).filter_map(Value::as_str) {
                if tag.starts_with(&self.project) {
                    self.api.delete(&format!("/images/{tag}?force=true"));
                }
            }
        }
    }
}
