//! The `backstitch` command: serve an exported App Services app.
//!
//! Exit codes: 0 success, 1 a negative answer or a failure, 2 wrong usage.

mod args;
mod check;
mod copy;
mod env;
mod explain;
mod functions;
mod guide;
mod load;
mod mail;
mod offline;
mod operate;
mod rule_tests;
mod schema;
mod serve;
mod store;
mod transfer;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match args.command {
        Command::Serve(serve) => serve::run(&serve),
        Command::Check(check) => check::run(&check),
        Command::Schema(schema) => schema::run(&schema),
        Command::Explain(explain) => explain::run(&explain),
        Command::Test(test) => rule_tests::run(&test),
        Command::ApiKeys(args) => operate::api_keys(&args),
        Command::Users(args) => operate::users(&args),
        Command::Keys(args) => operate::keys(&args),
        Command::Data(args) => transfer::data(&args),
        Command::Store(args) => copy::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                eprintln!("{}", failure.message);
            }
            ExitCode::from(failure.code)
        }
    }
}

/// Why the command ends without success.
#[derive(Debug)]
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// The command did what it was asked, and the answer is no; or it failed.
    fn negative(message: impl std::fmt::Display) -> Self {
        Self { code: 1, message: message.to_string() }
    }

    /// The answer is no, and has been printed.
    fn silent() -> Self {
        Self { code: 1, message: String::new() }
    }

    /// The command was called wrongly.
    fn usage(message: impl std::fmt::Display) -> Self {
        Self { code: 2, message: message.to_string() }
    }
}
