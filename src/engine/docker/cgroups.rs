//! The parent cgroups that machines get: a container's own cgroup goes with it, the parent that was asked for
//! stays behind, empty, in every hierarchy (measured on Docker 20.10 with the cgroupfs driver).

#![expect(clippy::disallowed_methods, reason = "removes empty cgroups on this host")]

use std::path::{Component, Path};

/// Where hierarchies are mounted (cgroups(7), systemd's `src/basic/cgroup-util.c`).
const ROOT: &str = "/sys/fs/cgroup";
/// What the parents that sdcompose asks for begin with.
const OURS: &str = "/sdc/";

/// Removes a parent cgroup of ours from each hierarchy where nothing is below it. The kernel refuses to remove
/// one that is in use (cgroups(7)), so that this may be tried at any time; without the right to, it stays.
pub(super) fn remove_parent(parent: &str) {
    remove_below(Path::new(ROOT), parent);
}

fn remove_below(root: &Path, parent: &str) {
    let Some(name) = parent.strip_prefix(OURS) else { return };
    let mut parts = Path::new(name).components();
    let (Some(Component::Normal(_)), None) = (parts.next(), parts.next()) else { return };
    let below = Path::new(parent.trim_start_matches('/'));
    let hierarchies = std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    for hierarchy in std::iter::once(root.to_owned()).chain(hierarchies) {
        // What is not there, in use or another's to remove is left as it is.
        let _ = std::fs::remove_dir(hierarchy.join(below));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_parent_goes_from_every_hierarchy_and_one_in_use_stays() {
        let root = tempfile::tempdir().unwrap();
        let make = |path: &str| std::fs::create_dir_all(root.path().join(path)).unwrap();
        let there = |path: &str| root.path().join(path).exists();
        make("memory/sdc/shop_db_1");
        make("systemd/sdc/shop_db_1/4f");
        make("sdc/shop_db_1");
        make("memory/other/shop_db_1");
        remove_below(root.path(), "/sdc/shop_db_1");
        assert!(!there("memory/sdc/shop_db_1") && !there("sdc/shop_db_1"));
        assert!(there("systemd/sdc/shop_db_1/4f") && there("memory/other/shop_db_1"));
    }

    #[test]
    fn what_is_not_ours_is_not_touched() {
        let root = tempfile::tempdir().unwrap();
        for path in ["memory/other", "memory/sdc", "other"] {
            std::fs::create_dir_all(root.path().join(path)).unwrap();
        }
        for parent in ["/other", "", "/sdc/../other", "/sdc/", "sdc-shop.slice"] {
            remove_below(root.path(), parent);
        }
        assert!(["memory/other", "memory/sdc", "other"].iter().all(|path| root.path().join(path).exists()));
    }
}
