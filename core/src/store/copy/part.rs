//! The parts of a store, each with the order in which it is read.

use std::fmt;

use ring::digest::{Context, SHA256};

use super::denied;
use super::record::Record;
use crate::id::{AppId, CollectionId, UserId};
use crate::rules::{Access, Query};
use crate::store::{ApiKey, KeptTicket, Registrations, Result, Store};

/// Records that are held at once.
const PAGE: usize = 200;

/// A part of what a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Small named facts of an app.
    Facts(AppId),
    /// An app's signing keys.
    SigningKeys(AppId),
    /// An app's users with their sessions and API keys.
    Users(AppId),
    /// An app's e-mail registrations.
    Registrations(AppId),
    /// An app's tickets and counters.
    Tickets(AppId),
    /// The documents of a collection.
    Documents(CollectionId),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Facts(app) => write!(f, "facts of {app}"),
            Self::SigningKeys(app) => write!(f, "signing keys of {app}"),
            Self::Users(app) => write!(f, "users of {app}"),
            Self::Registrations(app) => write!(f, "registrations of {app}"),
            Self::Tickets(app) => write!(f, "tickets of {app}"),
            Self::Documents(collection) => write!(f, "documents of {collection}"),
        }
    }
}

impl Part {
    /// All parts of a store.
    pub(super) async fn all(store: &dyn Store) -> Result<Vec<Self>> {
        let mut parts = Vec::new();
        for app in store.apps().await? {
            let of_app = [Self::Facts, Self::SigningKeys, Self::Users, Self::Registrations, Self::Tickets];
            parts.extend(of_app.map(|part| part(app.clone())));
        }
        parts.extend(store.collections().await?.into_iter().map(|spec| Self::Documents(spec.id)));
        Ok(parts)
    }

    /// Reads the part from its beginning; documents are read by cursors instead.
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { part: self, after: After::Start, server_keys: Vec::new() }
    }

    /// How many records a store has of it, and their hash.
    pub(super) async fn digest(&self, store: &dyn Store) -> Result<(u64, String)> {
        let (mut hash, mut count) = (Context::new(&SHA256), 0);
        if let Self::Documents(collection) = self {
            let everything = Access::system(collection.clone()).find(Query::default()).map_err(denied)?;
            let snapshot = store.snapshot().await?;
            let mut cursor = snapshot.find(&everything).await?;
            loop {
                let documents = cursor.next(PAGE).await?;
                if documents.is_empty() {
                    break;
                }
                count += documents.len() as u64;
                documents.iter().for_each(|document| hash.update(document.as_bytes()));
            }
        } else {
            let mut reader = self.reader();
            loop {
                let records = reader.next(store).await?;
                if records.is_empty() {
                    break;
                }
                count += records.len() as u64;
                for record in &records {
                    hash.update(&record.bytes()?);
                }
            }
        }
        let hex = |text: String, byte: &u8| text + &format!("{byte:02x}");
        Ok((count, hash.finish().as_ref().iter().fold(String::new(), hex)))
    }
}

/// Reads a part, so many records at a time.
pub(super) struct Reader<'a> {
    part: &'a Part,
    after: After,
    /// The app's server keys, each of which follows its user.
    server_keys: Vec<ApiKey>,
}

enum After {
    Start,
    User(UserId),
    Email(String),
    Ticket((String, [u8; 32])),
    End,
}

impl Reader<'_> {
    /// The next records; none at the end.
    pub(super) async fn next(&mut self, store: &dyn Store) -> Result<Vec<Record>> {
        let records = match (self.part, &self.after) {
            (_, After::End) | (Part::Documents(_), _) => return Ok(Vec::new()),
            (Part::Facts(app), _) => {
                self.after = After::End;
                let facts = store.facts(app).await?;
                facts.into_iter().map(|(key, value)| Record::Fact(app.clone(), key, value)).collect()
            }
            (Part::SigningKeys(app), _) => {
                self.after = After::End;
                let keys = store.signing_keys(app).await?;
                keys.into_iter()
                    .enumerate()
                    .map(|(place, key)| Record::Key(app.clone(), place, key))
                    .collect()
            }
            (Part::Users(app), _) => self.users(store, app).await?,
            (Part::Registrations(app), after) => {
                let after = if let After::Email(email) = after { Some(email.as_str()) } else { None };
                let found = store.list_registrations(app, Registrations::All, after, PAGE).await?;
                self.after = found.last().map_or(After::End, |last| After::Email(last.email.clone()));
                found.into_iter().map(|one| Record::Registration(app.clone(), one)).collect()
            }
            (Part::Tickets(app), after) => {
                let after = if let After::Ticket(key) = after { Some(key) } else { None };
                let found: Vec<KeptTicket> = store.list_tickets(app, after, PAGE).await?;
                self.after =
                    found.last().map_or(After::End, |last| After::Ticket((last.kind.clone(), last.hash)));
                found.into_iter().map(|one| Record::Ticket(app.clone(), one)).collect()
            }
        };
        Ok(records)
    }

    /// Users, each followed by all that is theirs.
    async fn users(&mut self, store: &dyn Store, app: &AppId) -> Result<Vec<Record>> {
        let after = if let After::User(id) = self.after { Some(id) } else { None };
        let users = store.list_users(app, after, PAGE).await?;
        self.after = users.last().map_or(After::End, |last| After::User(last.id));
        if after.is_none() {
            self.server_keys = store.api_keys(app, None).await?;
        }
        let mut records = Vec::new();
        for user in users {
            let id = user.id;
            records.push(Record::User(app.clone(), user));
            let sessions = store.sessions_of(app, id).await?;
            records.extend(sessions.into_iter().map(|session| Record::Session(app.clone(), session)));
            let own = store.api_keys(app, Some(id)).await?;
            let keys = self.server_keys.iter().filter(|key| key.user == id).cloned().chain(own);
            records.extend(keys.map(|key| Record::ApiKey(app.clone(), key)));
        }
        Ok(records)
    }
}
