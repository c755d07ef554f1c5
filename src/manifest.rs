//! The manifest files as written, merged and interpolated: one tree whose every node still knows its place.
//! Nothing is typed or defaulted here.

mod assemble;
pub mod dotenv;
mod interpolate;
mod keys;
mod merge;
mod name;
mod origin;

pub use assemble::{Assembly, FileTree, Text, Unit, absolute, family};
pub use interpolate::{Expansion, Fault, FaultKind, Variable, expand, interpolate, variables, variables_of};
pub use keys::{Form, Key, State, check_keys, keys, markdown, schema};
pub use merge::merge;
pub use name::project_name;
pub use origin::{Inclusion, Origins};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{SourceId, Sources};
use crate::yaml::Node;

/// All that resolving needs: the merged tree and the words that came with the command.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Every text that was read so far; resolving adds env files to it.
    pub sources: Sources,
    /// The merged, interpolated root mapping.
    pub root: Node,
    /// The manifest files in merge order: path as named by the user, and text.
    pub files: Vec<(PathBuf, SourceId)>,
    /// Absolute directory that relative paths start from, where `origins` has no other.
    pub directory: PathBuf,
    /// The texts that do not belong to the project itself: included files, and bases of `extends`.
    pub origins: Origins,
    /// Project name by `-p` or `COMPOSE_PROJECT_NAME`, over `name:` in the file.
    pub name: Option<String>,
    /// Whether services are machines unless they say otherwise (`sdcompose.yaml`), or only where they have
    /// `x-systemd:` (compose files).
    pub dialect: Dialect,
    /// Active profiles; `*` is all.
    pub profiles: Vec<String>,
    /// What is left as it is written.
    pub as_written: AsWritten,
    /// Variables for interpolation and for `environment: [NAME]`: process environment over `.env`.
    pub variables: BTreeMap<String, String>,
}

/// What of a manifest is left as it is written, for who looks at the manifest itself. A project that was made
/// so is only shown, never run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AsWritten {
    /// Variables keep their names.
    pub variables: bool,
    /// Relative paths stay relative.
    pub paths: bool,
    /// Names of what is not declared are only warned of.
    pub names: bool,
}

/// Which family of file names the manifest has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `sdcompose.yaml`: every service is a machine unless it says `systemd: false`.
    Sdcompose,
    /// A compose file: a service is a machine only where it has `x-systemd:`.
    Compose,
}

/// Gives the texts of files that a manifest refers to (env files, unit files, credentials), so that resolving
/// itself stays free of effects. `load` implements it on the file system, tests on a map.
pub trait Files {
    /// Reads a regular file of at most 8 MiB.
    ///
    /// # Errors
    /// Says in a few words why it cannot be read (`not found`, `is a directory`, `larger than 8 MiB`).
    fn read(&self, path: &Path) -> Result<Vec<u8>, String>;
}
