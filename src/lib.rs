//! Compose for systemd machines: from a manifest to running systemd containers.
//!
//! # The road
//! `load` reads files into a `manifest`, which resolves into a `project`; `engine` gives facts and an
//! observation; `plan` compares and decides, purely; `execute` carries a plan out and tells `event`s;
//! `report` shows them. Imports run upward in this list only (`tests/house.rs` holds them to it).
//!
//! # Invariants
//! - Modules of the pure part read no file, clock or environment, print nothing, and know no engine.
//! - Only `execute` waits; only `engine` speaks to an engine; only `report` and `cli` print.
//! - Every step of a plan has a reason; every systemd default has a source.

// --- pure: no file, environment, clock or print ---
pub mod diagnostic;
pub mod refusal;
pub mod facts;
pub mod systemd;
pub mod yaml;
pub mod labels;

pub mod manifest;
pub mod graph;
pub mod project;

pub mod container;
pub mod observed;
pub mod condition;
pub mod plan;
pub mod convert;
pub mod import;

// --- shell: effects ---
pub mod event;
pub mod engine;
pub mod execute;
pub mod load;
pub mod report;
pub mod error;
pub mod cli;
