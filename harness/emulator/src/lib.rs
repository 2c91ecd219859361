//! The AZ3166 DevKit as a program: Cortex-M4 engine, STM32F412 peripherals, board wiring.
//!
//! Invariant: nothing here reads a wall clock, starts a thread or does I/O. Time is the
//! number of processor cycles, and input arrives only between two calls of `run`.

pub mod bus;
pub mod cpu;
pub mod memory;
