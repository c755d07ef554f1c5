//! Whole manifests in, projects or findings out.

mod files;
mod lifecycle;
mod machines;
mod mistakes;
mod services;
mod settings;
pub(crate) mod tree;
