//! The words of `systemd.privilege` and `systemd.features`, and the two kinds of cgroup namespace. They stand
//! below the manifest's types because the table of defaults is written in them.

use std::fmt;

/// `systemd.privilege`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Privilege {
    /// The least that boots on this engine.
    Auto,
    /// One profile by name.
    Fixed(ProfileName),
}

/// The ways in which PID 1 gets a cgroup of its own, by their names for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProfileName {
    /// Podman's systemd mode.
    Podman,
    /// Docker 28's `writable-cgroups`.
    WritableCgroups,
    /// A daemon that remaps users makes the cgroup writable by itself.
    Remapped,
    /// Host cgroup namespace, only the own subtree writable (cgroup v2).
    OwnSubtree,
    /// A shim remounts the cgroup tree and drops the capability for it.
    Remount,
    /// The own subtree of `name=systemd` (cgroup v1).
    OwnSubtreeV1,
    /// The own subtree of the unified hierarchy of a hybrid host.
    UnifiedOnHybrid,
    /// Everything.
    Privileged,
    /// The widely copied docker-run recipe.
    Classic,
}

impl ProfileName {
    /// All profiles, in the order in which the manual names them.
    pub const ALL: [Self; 9] = [
        Self::Podman,
        Self::WritableCgroups,
        Self::Remapped,
        Self::OwnSubtree,
        Self::Remount,
        Self::OwnSubtreeV1,
        Self::UnifiedOnHybrid,
        Self::Privileged,
        Self::Classic,
    ];

    /// Returns the manifest's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::WritableCgroups => "writable-cgroups",
            Self::Remapped => "remapped",
            Self::OwnSubtree => "own-subtree",
            Self::Remount => "remount",
            Self::OwnSubtreeV1 => "own-subtree-v1",
            Self::UnifiedOnHybrid => "unified-on-hybrid",
            Self::Privileged => "privileged",
            Self::Classic => "classic",
        }
    }

    /// Reads the manifest's word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == word)
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `systemd.features`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// Units' sandboxing really applies.
    Sandboxing,
    /// NFS mounts.
    Nfs,
    /// FUSE mounts.
    Fuse,
    /// The machine sets the clock.
    Time,
}

impl Feature {
    /// All features, in the order in which the manual names them.
    pub const ALL: [Self; 4] = [Self::Sandboxing, Self::Nfs, Self::Fuse, Self::Time];

    /// Returns the manifest's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sandboxing => "sandboxing",
            Self::Nfs => "nfs",
            Self::Fuse => "fuse",
            Self::Time => "time",
        }
    }

    /// Reads the manifest's word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.as_str() == word)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Cgroup namespace of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CgroupNs {
    /// Its own.
    Private,
    /// The host's.
    Host,
}

impl CgroupNs {
    /// Returns the engine's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Host => "host",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for profile in ProfileName::ALL {
            assert_eq!(ProfileName::parse(profile.as_str()), Some(profile));
        }
        for feature in Feature::ALL {
            assert_eq!(Feature::parse(feature.as_str()), Some(feature));
        }
        assert_eq!(ProfileName::parse("auto"), None);
    }
}
