//! Several whole keys, merged in the order of insertion.
//!
//! Each key of an index lists its documents in the order of insertion already, so that SQLite walks them side by side and
//! puts nothing in order: a page costs what a page costs, however many documents have one of the keys.

use std::ops::ControlFlow;

use backstitch::store::Result;
use backstitch::store::keyed::Source;
use rusqlite::Connection;

use crate::error::from_sqlite;
use crate::walk::{Visit, body_at};

/// Visits what has one of the keys, after a place, until the visitor has enough.
pub(crate) fn merge(
    connection: &Connection,
    (collection, keys): (i64, &[(Source, Vec<u8>)]),
    after: i64,
    visit: &mut Visit<'_>,
) -> Result<()> {
    let mut places = connection.prepare_cached(&merged_sql(collection, keys)).map_err(from_sqlite)?;
    places.raw_bind_parameter(1, after).map_err(from_sqlite)?;
    for (slot, (_, key)) in keys.iter().enumerate() {
        places.raw_bind_parameter(slot + 2, key.as_slice()).map_err(from_sqlite)?;
    }
    let sql = format!("SELECT body FROM docs_{collection} WHERE seq = ?1");
    let mut bodies = connection.prepare_cached(&sql).map_err(from_sqlite)?;
    let mut rows = places.raw_query();
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        let place: i64 = row.get(0).map_err(from_sqlite)?;
        let mut found = bodies.query([place]).map_err(from_sqlite)?;
        if let Some(row) = found.next().map_err(from_sqlite)?
            && visit(place, body_at(row, 0)?) == ControlFlow::Break(())
        {
            break;
        }
    }
    Ok(())
}

/// The places of what has one of the keys, each once.
pub(crate) fn merged_sql(collection: i64, keys: &[(Source, Vec<u8>)]) -> String {
    let part = |(slot, (source, _)): (usize, &(Source, Vec<u8>))| {
        let slot = slot + 2;
        match source {
            Source::Id => format!("SELECT seq FROM docs_{collection} WHERE id = ?{slot} AND seq > ?1"),
            Source::Index(number) => format!("SELECT seq FROM idx_{number} WHERE key = ?{slot} AND seq > ?1"),
        }
    };
    let parts: Vec<String> = keys.iter().enumerate().map(part).collect();
    format!("{} ORDER BY seq", parts.join(" UNION "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::tests::steps;

    #[test]
    fn keys_are_walked_side_by_side_and_nothing_is_put_in_order() {
        for count in [2, 3, 32] {
            let keys: Vec<_> = (0..count)
                .map(|at| (if at == 0 { Source::Id } else { Source::Index(2) }, vec![1, at]))
                .collect();
            let steps = steps(&merged_sql(1, &keys));
            assert!(!steps.is_empty());
            assert!(
                !steps.iter().any(|step| step.contains("TEMP") || step.starts_with("SCAN ")),
                "{steps:#?}"
            );
        }
    }
}
