//! What the user sees. Standard output carries answers (tables, logs, JSON), standard error progress and
//! errors; nothing is said by colour alone. Reads any pure type, and never an engine.

pub mod diagnostics;
pub mod diagram;
pub mod human;
pub mod json;
pub mod logs;
pub mod progress;
#[cfg(test)]
mod sample;
pub mod sanitize;
pub mod table;
pub mod tree;
pub mod words;
