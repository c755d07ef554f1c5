//! What the user sees. Standard output carries answers (tables, logs, JSON), standard error progress and
//! errors; nothing is said by colour alone. Reads any pure type, and never an engine.

pub mod sanitize;
