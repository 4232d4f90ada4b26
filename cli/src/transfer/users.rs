//! `backstitch users import|export`: JSON lines, one user a line.
//!
//! 1. What is exported is imported again with ids, identities and (where they were asked for) password hashes.
//! 2. Whoever registered and never logged in has no id yet, and is exported and imported without one.
//! 3. The users of server API keys stay where they are: they are nothing without the keys, which nobody can read.
//! 4. The list of users that the original's Admin API gives is read as well: it has no hashes, so its users need a new
//!    password.
//! 5. Who is there already is skipped, and so the same command goes on where it stopped.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use backstitch::auth::{Transferred, TransferredUser};
use backstitch::engine::App;
use backstitch::id::UserId;
use backstitch::secret::Secret;
use backstitch::store::{Registration, User, UserKind};
use bson::{Bson, DateTime, Document};
use serde_json::{Value, json};

use super::sink::Sink;
use super::source::{Format, Next, Source};
use crate::Failure;

const PAGE: usize = 500;

const NO_ID: &str = "its `_id` is no user id: 24 hexadecimal digits";

/// Imports the users of a file; those that are there already are skipped.
pub(crate) async fn import(app: &App, file: &Path, strict: bool) -> Result<Value, Failure> {
    let mut source = Source::open(file, Some(Format::Json))?;
    let mut counts: BTreeMap<&str, u64> = BTreeMap::from([("imported", 0), ("skipped", 0), ("bad", 0)]);
    let mut count = |what| *counts.entry(what).or_default() += 1;
    loop {
        let problem = match source.next()? {
            Next::End => break,
            Next::Bad(problem) => problem,
            Next::Document(document) => match user(&document) {
                Err(problem) => problem,
                Ok(user) => match app.users().transfer_in(user).await {
                    Ok(Transferred::Added) => {
                        count("imported");
                        continue;
                    }
                    Ok(Transferred::Known) => {
                        count("skipped");
                        continue;
                    }
                    Err(error) => error.to_string(),
                },
            },
        };
        count("bad");
        let told = source.place().told(problem);
        if strict {
            return Err(Failure::negative(told));
        }
        eprintln!("{told}");
    }
    Ok(json!(counts))
}

/// Exports everybody; password hashes only where they are asked for.
pub(crate) async fn export(app: &App, file: &Path, with_hashes: bool) -> Result<Value, Failure> {
    let cannot = |error: io::Error| Failure::negative(format!("cannot write `{}`: {error}", file.display()));
    let to_stdout = file == Path::new("-");
    let mut output = Sink::private(file).map_err(cannot)?;
    let (mut after, mut count) = (None, 0_u64);
    loop {
        let page = app.users().list(after, PAGE).await.map_err(Failure::negative)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for user in page.iter().filter(|user| user.kind == UserKind::Normal) {
            let registration = app.users().registration_of_user(user).await.map_err(Failure::negative)?;
            writeln!(output, "{}", shown(user, registration.as_ref(), with_hashes)).map_err(cannot)?;
            count += 1;
        }
    }
    let mut after: Option<String> = None;
    loop {
        let page = app.users().unclaimed(after.as_deref(), PAGE).await.map_err(Failure::negative)?;
        let Some(last) = page.last() else { break };
        after = Some(last.email.clone());
        for registration in &page {
            writeln!(output, "{}", shown_unclaimed(registration, with_hashes)).map_err(cannot)?;
            count += 1;
        }
    }
    output.finish().map_err(cannot)?;
    Ok(if to_stdout { Value::Null } else { json!({ "exported": count }) })
}

fn shown(user: &User, registration: Option<&Registration>, with_hashes: bool) -> Value {
    let identities: Vec<Value> = user
        .identities
        .iter()
        .map(|identity| {
            let data = Bson::Document(identity.data.clone()).into_relaxed_extjson();
            json!({ "id": identity.id, "provider_type": identity.provider, "data": data })
        })
        .collect();
    let mut line = json!({
        "_id": user.id.to_hex(), "type": user.kind.as_str(), "disabled": user.disabled, "identities": identities,
        "created": user.created_at.to_rfc3339(), "last_login": user.last_login_at.to_rfc3339(),
    });
    if let Some(registration) = registration {
        show_password(&mut line, registration, with_hashes);
    }
    line
}

fn shown_unclaimed(registration: &Registration, with_hashes: bool) -> Value {
    let identity = json!({
        "id": registration.identity_id, "provider_type": Registration::PROVIDER, "data": { "email": registration.email },
    });
    let mut line = json!({
        "type": UserKind::Normal.as_str(), "identities": [identity], "created": registration.created_at.to_rfc3339(),
    });
    show_password(&mut line, registration, with_hashes);
    line
}

fn show_password(line: &mut Value, registration: &Registration, with_hashes: bool) {
    let Some(members) = line.as_object_mut() else { return };
    members.insert("confirmed".to_owned(), json!(registration.confirmed));
    if with_hashes {
        members.insert("password_hash".to_owned(), json!(registration.password_hash.expose()));
    }
}

fn user(line: &Document) -> Result<TransferredUser, String> {
    let id = match line.get("_id").or_else(|| line.get("id")) {
        None => None,
        Some(Bson::ObjectId(id)) => Some(UserId::new(*id)),
        Some(Bson::String(id)) => Some(UserId::parse(id).ok_or(NO_ID)?),
        Some(_) => return Err(NO_ID.to_owned()),
    };
    if matches!(line.get_str("type"), Ok(kind) if kind != "normal") {
        return Err(
            "only users of the type `normal` are imported: server users come with their API keys".to_owned()
        );
    }
    let data = line.get_document("data").cloned().unwrap_or_default();
    let Ok(listed) = line.get_array("identities") else { return Err("it has no `identities`".to_owned()) };
    let identities = listed.iter().map(|one| identity(one, &data)).collect::<Result<Vec<_>, _>>()?;
    let when = |names: [&str; 2]| names.iter().find_map(|name| moment(line.get(*name)?));
    let created_at =
        when(["created", "creation_date"]).unwrap_or_else(|| DateTime::from_millis(0).to_chrono_utc());
    Ok(TransferredUser {
        id,
        disabled: line.get_bool("disabled").unwrap_or(false),
        identities,
        password_hash: line.get_str("password_hash").ok().map(|hash| Secret::new(hash.to_owned())),
        confirmed: line.get_bool("confirmed").unwrap_or(true),
        created_at,
        last_login_at: when(["last_login", "last_authentication_date"]).unwrap_or(created_at),
    })
}

/// `{id, provider_type, data}`; where the identity has no data of its own, they are the user's.
fn identity(identity: &Bson, data: &Document) -> Result<(String, String, Document), String> {
    let identity = identity.as_document().ok_or("an identity is no object")?;
    let text = |name: &str| identity.get_str(name).ok().filter(|text| !text.is_empty()).map(str::to_owned);
    let provider = text("provider_type").ok_or("an identity has no `provider_type`")?;
    let id = text("id").ok_or("an identity has no `id`")?;
    let own = ["data", "provider_data"].iter().find_map(|name| identity.get_document(name).ok()).cloned();
    Ok((provider, id, own.unwrap_or_else(|| data.clone())))
}

/// A date, text as RFC 3339 has it, or seconds since 1970.
fn moment(value: &Bson) -> Option<chrono::DateTime<chrono::Utc>> {
    match value {
        Bson::DateTime(date) => Some(date.to_chrono_utc()),
        Bson::String(text) => chrono::DateTime::parse_from_rfc3339(text).ok().map(|date| date.to_utc()),
        Bson::Int32(seconds) => chrono::DateTime::from_timestamp(i64::from(*seconds), 0),
        Bson::Int64(seconds) => chrono::DateTime::from_timestamp(*seconds, 0),
        _ => None,
    }
}

/// BSON's dates, as `chrono` has them.
trait ToChrono {
    fn to_chrono_utc(&self) -> chrono::DateTime<chrono::Utc>;
}

impl ToChrono for DateTime {
    fn to_chrono_utc(&self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::from_timestamp_millis(self.timestamp_millis()).unwrap_or_default()
    }
}
