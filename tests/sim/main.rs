//! What must hold of `up` and `down` whatever goes wrong, tried on the simulated engine: each scenario is run
//! once cleanly and then again for each of its calls and each fault at that call.

mod converge;
mod down;
mod drift;
mod hooks;
mod in_place;
mod interrupt;
mod project;
mod replace;
mod scene;
mod secrets;
mod seeds;
mod two_clients;
