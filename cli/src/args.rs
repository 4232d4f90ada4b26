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
    #[command(flatten)]
    pub(crate) mail: Mail,
}

/// What becomes of mails; without any of these, confirmation and reset by mail fail.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct Mail {
    /// The mail server: smtps://USER@HOST or smtp://USER@HOST?tls=required; the password is read from
    /// BACKSTITCH_SMTP_PASSWORD.
    #[arg(long, value_name = "URL", requires = "mail_from")]
    pub(crate) smtp: Option<String>,
    /// Whom mails come from: shop@example.com or "Shop <shop@example.com>".
    #[arg(long, value_name = "ADDRESS", requires = "smtp")]
    pub(crate) mail_from: Option<String>,
    /// Keeps mails instead of sending them, and shows them to everyone at
    /// /_dev/mailbox?app=&kind=&email= (for development).
    #[arg(long, conflicts_with = "smtp")]
    pub(crate) dev_mailbox: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Schema {
    /// The exported app directory.
    #[arg(value_name = "APP_DIR")]
    pub(crate) directory: PathBuf,
}
