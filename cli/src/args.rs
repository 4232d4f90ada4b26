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
    /// Says what is wrong or odd in an app directory, and what its rules hardly mean.
    Check(Check),
    /// Prints the GraphQL schema of an app directory.
    Schema(Schema),
    /// Explains what the rules of an app directory let a user do, and why.
    Explain(Explain),
    /// Runs the rule tests of an app directory: rule_tests/*.json.
    Test(Test),
    /// Makes and lists an app's server API keys.
    ApiKeys(ApiKeys),
    /// Lists and changes the accounts of an app.
    Users(Users),
    /// Changes the keys that an app's tokens are signed with.
    Keys(Keys),
    /// Imports and exports the documents of a collection.
    Data(Data),
    /// Copies a store into another, and makes backups.
    Store(Store),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Serve {
    /// Exported app directories.
    #[arg(value_name = "APP_DIR")]
    pub(crate) directories: Vec<PathBuf>,
    /// Where to keep users, sessions and documents: sqlite:PATH, postgres://… or memory.
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
pub(crate) struct Check {
    /// The exported app directory.
    #[arg(value_name = "APP_DIR")]
    pub(crate) directory: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// A JSON object of secrets, name to value: exports carry only the names.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) secrets: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Schema {
    /// The exported app directory.
    #[arg(value_name = "APP_DIR")]
    pub(crate) directory: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Explain {
    /// The exported app directory.
    #[arg(value_name = "APP_DIR")]
    pub(crate) directory: PathBuf,
    /// Who asks, as rules know them: {"id": "…", "type": "normal", "data": {}, "custom_data": {}}; with the type
    /// "system" nobody is bound by rules.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) user: PathBuf,
    /// The collection: db.coll, service/db.coll, or its name alone.
    #[arg(long, value_name = "DB.COLL")]
    pub(crate) collection: String,
    /// What is done.
    #[arg(long, value_parser = ["read", "search", "insert", "update", "delete"])]
    pub(crate) action: String,
    /// The document: as it is stored, the new one of an insert, what an update makes of it. Without one, what holds
    /// for all documents.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) document: Option<PathBuf>,
    /// The document before an update.
    #[arg(long, value_name = "FILE.json", requires = "document")]
    pub(crate) before: Option<PathBuf>,
    /// What is asked for beside the rules, as a query of MongoDB's.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) query: Option<PathBuf>,
    /// A JSON object of secrets, name to value: exports carry only the names.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) secrets: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Test {
    /// The exported app directory.
    #[arg(value_name = "APP_DIR")]
    pub(crate) directory: PathBuf,
    /// A JSON object of secrets, name to value: exports carry only the names.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) secrets: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which app in which store.
#[derive(Debug, ClapArgs)]
pub(crate) struct Place {
    /// Where users and sessions are kept: sqlite:PATH or postgres://….
    #[arg(long, value_name = "STORE", default_value = "sqlite:./backstitch.db", global = true)]
    pub(crate) store: String,
    /// The client app id.
    #[arg(long, value_name = "ID", default_value = "", global = true)]
    pub(crate) app: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ApiKeys {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) verb: ApiKeyVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeyVerb {
    /// Makes a server key, and prints it this once.
    Create {
        /// What it is called.
        name: String,
    },
    /// Lists the server keys.
    List,
    /// Lets a key log in again.
    Enable {
        /// The key's id.
        id: String,
    },
    /// Refuses log-in with a key, and ends its sessions.
    Disable {
        /// The key's id.
        id: String,
    },
    /// Deletes a key with its user and sessions.
    Delete {
        /// The key's id.
        id: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Users {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) verb: UserVerb,
}

/// Passwords and their hashes come from the environment: arguments are seen by others.
#[derive(Debug, Subcommand)]
pub(crate) enum UserVerb {
    /// Lists users, a hundred at a time.
    List {
        /// The id after which to go on.
        #[arg(long)]
        after: Option<String>,
    },
    /// Shows one user.
    Show {
        /// The user's id.
        user: String,
    },
    /// Lists addresses that wait for their confirmation, a hundred at a time.
    Pending {
        /// The address after which to go on.
        #[arg(long)]
        after: Option<String>,
    },
    /// Lists a user's sessions.
    Sessions {
        /// The user's id.
        user: String,
    },
    /// Registers a confirmed address; the password is in BACKSTITCH_PASSWORD.
    Create {
        /// The address.
        email: String,
    },
    /// Imports users with their ids, identities and password hashes: JSON lines, as export writes them, or as the
    /// original's Admin API lists them. Those that are there already are skipped.
    Import {
        /// The file, plain or gzipped; - is the standard input.
        file: PathBuf,
        /// Ends at the first line that is no user.
        #[arg(long)]
        strict: bool,
    },
    /// Exports everybody with ids and identities, as JSON lines, plain or (FILE.gz) gzipped. Server API keys and their
    /// users are left out.
    Export {
        /// The file; - is the standard output.
        file: PathBuf,
        /// With the hashes of passwords.
        #[arg(long)]
        with_hashes: bool,
    },
    /// Prints a link by which a user sets a new password once; without --page its token alone.
    ResetLink {
        /// The address.
        email: String,
        /// The page that takes `token` and `tokenId`.
        #[arg(long, value_name = "URL")]
        page: Option<String>,
    },
    /// Registers a confirmed address with the hash of its password in another system, in
    /// BACKSTITCH_PASSWORD_HASH.
    ImportHash {
        /// The address.
        email: String,
    },
    /// Sets a password, from BACKSTITCH_PASSWORD, and ends every session.
    SetPassword {
        /// The address.
        email: String,
    },
    /// Confirms an address without its owner.
    Confirm {
        /// The address.
        email: String,
    },
    /// Removes an address that was never confirmed.
    DeletePending {
        /// The address.
        email: String,
    },
    /// Refuses log-in and ends every session.
    Disable {
        /// The user's id.
        user: String,
    },
    /// Allows log-in again.
    Enable {
        /// The user's id.
        user: String,
    },
    /// Ends one session.
    EndSession {
        /// The user's id.
        user: String,
        /// The session's id.
        session: String,
    },
    /// Ends every session.
    #[command(visible_alias = "revoke")]
    LogOut {
        /// The user's id.
        user: String,
    },
    /// Deletes a user; documents stay.
    Delete {
        /// The user's id.
        user: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Data {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) verb: DataVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataVerb {
    /// Imports JSON lines, a JSON array (both in extended JSON) or mongodump's BSON, plain or gzipped. Documents whose
    /// _id is there are skipped, so the same command goes on where it was interrupted.
    Import {
        /// Where to: service/database.collection.
        #[arg(long, value_name = "NAMESPACE")]
        namespace: String,
        /// The file; - is the standard input.
        file: PathBuf,
        /// json or bson; by the file's name when absent.
        #[arg(long)]
        format: Option<String>,
        /// Ends at the first line that is no document.
        #[arg(long)]
        strict: bool,
    },
    /// Exports a collection as canonical extended JSON, one document a line, or as BSON; gzipped where the name
    /// ends in .gz.
    Export {
        /// Where from: service/database.collection.
        #[arg(long, value_name = "NAMESPACE")]
        namespace: String,
        /// The file; - is the standard output.
        file: PathBuf,
        /// json or bson; by the file's name when absent.
        #[arg(long)]
        format: Option<String>,
        /// Relaxed extended JSON, which people read better and which loses the width of numbers.
        #[arg(long)]
        relaxed: bool,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Store {
    #[command(subcommand)]
    pub(crate) verb: StoreVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreVerb {
    /// Copies everything: users, sessions, keys, tickets, documents with their indexes. Counts and hashes of both stores
    /// are compared in the end. The same command goes on where it was interrupted. Nobody should write meanwhile.
    Copy {
        /// The store that is copied: sqlite:PATH or postgres://….
        #[arg(long, value_name = "STORE")]
        from: String,
        /// The store that it is copied into.
        #[arg(long, value_name = "STORE")]
        to: String,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Makes a consistent copy of a SQLite store, while it is served.
    Backup {
        /// The store: sqlite:PATH.
        #[arg(long, value_name = "STORE", default_value = "sqlite:./backstitch.db")]
        store: String,
        /// The new file.
        file: PathBuf,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Keys {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) verb: KeyVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// Makes a new signing key; older ones verify until their last session has ended.
    Rotate {
        /// What access tokens are signed with.
        #[arg(long, default_value = "HS256", value_parser = ["HS256", "ES256", "EdDSA"])]
        algorithm: String,
    },
}
