//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// Brings exported Atlas App Services apps back to life.
#[derive(Debug, Parser)]
#[command(name = "backstitch", version, about, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves apps over HTTP; without directories, the example in examples/movies.
    Serve(Serve),
    /// Prints the GraphQL schema of an app directory.
    Schema(Schema),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Serve {
    /// Exported app directories.
    #[arg(value_name = "APP_DIR")]
    pub(crate) directories: Vec<PathBuf>,
    /// Where to keep users, sessions and documents: sqlite:PATH or memory.
    #[arg(long, value_name = "STORE", default_value = "sqlite:./backstitch.db")]
    pub(crate) store: String,
    /// Where to listen; port 0 picks a free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9090")]
    pub(crate) listen: SocketAddr,
    /// A JSON object of secrets, name to value: exports carry only the names.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) secrets: Option<PathBuf>,
    /// The base URL that clients reach this server by; http://ADDR:PORT when absent.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Schema {
    /// The exported app directory.
    #[arg(value_name = "APP_DIR")]
    pub(crate) directory: PathBuf,
}
