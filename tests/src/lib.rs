//! Flows by user story. The README's examples are compiled and run as documentation tests of this crate.

#![doc = include_str!("../../README.md")]
