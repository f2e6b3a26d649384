//! The binary itself, started as a child: what a person at a terminal and a browser get.

mod child;
mod demo;
mod serve;
mod verify;
