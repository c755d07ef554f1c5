//! The built binary on real container engines with real systemd images, driven as a user drives it. A scenario
//! is one intent with many observations, and what it observes is the world: the engine's state by its own API,
//! files and units inside the machines, pages, exit codes.
//!
//! `make test` starts the engines and makes the images; `tests/bed/README.md` says what is in them.

#![expect(clippy::disallowed_methods, reason = "tests make manifests, start processes and look at clocks")]

#[macro_use]
mod bed;
mod api;
mod page;
mod process;
mod world;

mod boot;
mod life;
mod order;
mod replace;
mod change;
mod hooks;
mod interrupt;
mod inside;
mod verbs;
mod logs;
mod terminal;
mod scale;
mod images;
mod plain;
mod secrets;
mod examples;
mod convert;
mod readme;
