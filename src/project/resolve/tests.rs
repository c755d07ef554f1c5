//! Whole manifests in, projects or findings out.

mod machines;
mod mistakes;
mod services;
pub(crate) mod tree;
