//! What the user sees.

pub mod diagnostics;
