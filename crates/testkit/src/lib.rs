//! DEV: the World of the tests, simulations, fuzzers and loads.

pub mod postgres;
