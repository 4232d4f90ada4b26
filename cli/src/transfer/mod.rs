//! Data and users in and out of a store: `data` and `users import|export`.

mod export;
mod import;
mod sink;
mod source;
mod users;

pub(crate) use users::{export as export_users, import as import_users};

use backstitch::id::CollectionId;

use crate::Failure;
use crate::args::{Data, DataVerb};

/// `backstitch data import|export`.
pub(crate) fn data(args: &Data) -> Result<(), Failure> {
    match &args.verb {
        DataVerb::Import { namespace, file, format, strict } => {
            let format = format.as_deref().map(source::Format::named).transpose()?;
            import::run(&args.place, namespace, (file, format, *strict))
        }
        DataVerb::Export { namespace, file, format, relaxed } => {
            let format = format.as_deref().map(source::Format::named).transpose()?;
            export::run(&args.place, namespace, (file, format, *relaxed))
        }
    }
}

/// `service/database.collection`; without a service `mongodb-atlas`.
fn collection(app: &str, namespace: &str) -> Result<CollectionId, Failure> {
    let (service, rest) = namespace.split_once('/').unwrap_or(("mongodb-atlas", namespace));
    match rest.split_once('.') {
        Some((database, name)) if ![service, database, name].contains(&"") => {
            Ok(CollectionId::new(app, service, database, name))
        }
        _ => Err(Failure::usage(format!(
            "`{namespace}` is no namespace: expected service/database.collection"
        ))),
    }
}
