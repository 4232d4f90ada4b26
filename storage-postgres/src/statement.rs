//! The SQL of plans. Each text depends only on the shape of a plan, so that it is prepared once on a connection.

use backstitch::store::keyed::{Branch, Plan, Range, Source};
use tokio_postgres::types::ToSql;

use crate::stored_key::{high, low, stored};

/// A statement with what is bound to it.
pub(crate) struct Statement<'a> {
    pub(crate) sql: String,
    pub(crate) parameters: Vec<&'a (dyn ToSql + Sync)>,
}

type Keys = Vec<Vec<u8>>;

/// A statement with what it owns.
pub(crate) struct Gathering {
    pub(crate) sql: String,
    /// Of each branch where its ranges begin, and where they end.
    bounds: Vec<(Keys, Keys)>,
}

/// Where a walk goes on.
#[derive(Debug)]
pub(crate) struct After {
    pub(crate) key: Vec<u8>,
    pub(crate) place: i64,
}

impl After {
    /// Before everything that the plan leads to.
    pub(crate) fn start(plan: &Plan) -> Self {
        match plan {
            Plan::Ordered { range, backward: true, .. } => Self { key: high(&range.to), place: i64::MAX },
            Plan::Ordered { range, .. } => Self { key: low(&range.from).to_vec(), place: i64::MIN },
            _ => Self { key: Vec::new(), place: i64::MIN },
        }
    }
}

/// What a page needs that the plan does not hold as it is stored.
pub(crate) struct Bounds {
    end: Vec<u8>,
    keys: Vec<Vec<u8>>,
}

impl Bounds {
    pub(crate) fn of(plan: &Plan) -> Self {
        let end = match plan {
            Plan::Ordered { range, backward: true, .. } => low(&range.from).to_vec(),
            Plan::Ordered { range, .. } => high(&range.to),
            _ => Vec::new(),
        };
        let keys = match plan {
            Plan::Merged { keys } => keys.iter().map(|(_, key)| stored(key.clone())).collect(),
            _ => Vec::new(),
        };
        Self { end, keys }
    }
}

/// Place, body and key of the next `limit` rows of a plan that has an order.
pub(crate) fn page<'a>(
    collection: i64,
    plan: &Plan,
    (after, bounds): (&'a After, &'a Bounds),
    limit: &'a i64,
) -> Statement<'a> {
    let (sql, mut parameters): (String, Vec<&(dyn ToSql + Sync)>) = match plan {
        Plan::Ordered { source, backward, .. } => {
            let sql = ordered(collection, *source, *backward);
            // Ids are unique: backwards the key alone is the place.
            if (*source, *backward) == (Source::Id, true) {
                (sql, vec![limit, &after.key, &bounds.end])
            } else {
                (sql, vec![limit, &after.key, &bounds.end, &after.place])
            }
        }
        Plan::Merged { keys } => {
            let sources: Vec<Source> = keys.iter().map(|(source, _)| *source).collect();
            (merged(collection, &sources), vec![limit, &after.place])
        }
        Plan::Nothing | Plan::Scan | Plan::Gather { .. } => {
            let sql = format!(
                "SELECT d.seq, d.body, ''::bytea FROM docs_{collection} d WHERE d.seq > $2 ORDER BY d.seq LIMIT $1"
            );
            (sql, vec![limit, &after.place])
        }
    };
    parameters.extend(bounds.keys.iter().map(|key| key as &(dyn ToSql + Sync)));
    Statement { sql, parameters }
}

/// Of a range of an index: `$1` rows after the key `$2` and the place `$4`, to the end `$3`.
fn ordered(collection: i64, source: Source, backward: bool) -> String {
    match (source, backward) {
        (Source::Id, false) => format!(
            "SELECT seq, body, id FROM docs_{collection}
             WHERE id >= $2 AND (id > $2 OR seq > $4) AND id < $3 ORDER BY id LIMIT $1"
        ),
        (Source::Id, true) => format!(
            "SELECT seq, body, id FROM docs_{collection} WHERE id >= $3 AND id < $2 ORDER BY id DESC LIMIT $1"
        ),
        (Source::Index(number), false) => format!(
            "SELECT i.seq, d.body, i.key FROM
                 (SELECT key, seq FROM idx_{number} WHERE (key, seq) > ($2, $4) AND key < $3
                  ORDER BY key, seq LIMIT $1) i
             JOIN docs_{collection} d ON d.seq = i.seq ORDER BY i.key, i.seq"
        ),
        // Ties come in the order of insertion backwards as well.
        (Source::Index(number), true) => format!(
            "SELECT i.seq, d.body, i.key FROM
                 (SELECT key, seq FROM idx_{number} WHERE key >= $3 AND key <= $2 AND (key < $2 OR seq > $4)
                  ORDER BY key DESC, seq LIMIT $1) i
             JOIN docs_{collection} d ON d.seq = i.seq ORDER BY i.key DESC, i.seq"
        ),
    }
}

/// Of several whole keys, `$3` and so on: `$1` documents after the place `$2`, each once, in the order of insertion. Each key lists
/// its documents in that order already, and no more of it is looked at than a page has.
fn merged(collection: i64, sources: &[Source]) -> String {
    let part = |(at, source): (usize, &Source)| {
        let (table, column) = match source {
            Source::Id => (format!("docs_{collection}"), "id"),
            Source::Index(number) => (format!("idx_{number}"), "key"),
        };
        format!("(SELECT seq FROM {table} WHERE {column} = ${} AND seq > $2 ORDER BY seq LIMIT $1)", at + 3)
    };
    let parts: Vec<String> = sources.iter().enumerate().map(part).collect();
    format!(
        "SELECT d.seq, d.body, ''::bytea FROM
             (SELECT DISTINCT seq FROM ({}) u ORDER BY seq LIMIT $1) m
         JOIN docs_{collection} d ON d.seq = m.seq ORDER BY m.seq",
        parts.join(" UNION ALL ")
    )
}

/// Place and body of everything that a plan without an order leads to, each document once.
pub(crate) fn gather(collection: i64, plan: &Plan) -> Gathering {
    let Plan::Gather { branches, .. } = plan else {
        return Gathering {
            sql: format!("SELECT d.seq, d.body FROM docs_{collection} d"),
            bounds: Vec::new(),
        };
    };
    let part = |(at, branch): (usize, &Branch)| {
        let (table, column) = match branch.source {
            Source::Id => (format!("docs_{collection}"), "id"),
            Source::Index(number) => (format!("idx_{number}"), "key"),
        };
        let (from, to) = (at * 2 + 1, at * 2 + 2);
        format!(
            "SELECT i.seq FROM unnest(${from}::bytea[], ${to}::bytea[]) AS r (low, high) CROSS JOIN LATERAL
                 (SELECT seq FROM {table} WHERE {column} >= r.low AND {column} < r.high OFFSET 0) i"
        )
    };
    let parts: Vec<String> = branches.iter().enumerate().map(part).collect();
    let sql = format!(
        "SELECT d.seq, d.body FROM (SELECT DISTINCT seq FROM ({}) u) m JOIN docs_{collection} d ON d.seq = m.seq",
        parts.join(" UNION ALL ")
    );
    let bound = |range: &Range| (low(&range.from).to_vec(), high(&range.to));
    let bounds = branches.iter().map(|branch| branch.ranges.iter().map(bound).unzip()).collect();
    Gathering { sql, bounds }
}

impl Gathering {
    pub(crate) fn parameters(&self) -> impl ExactSizeIterator<Item = &(dyn ToSql + Sync)> {
        let each: Vec<&(dyn ToSql + Sync)> = self
            .bounds
            .iter()
            .flat_map(|(low, high)| [low as &(dyn ToSql + Sync), high as &(dyn ToSql + Sync)])
            .collect();
        each.into_iter()
    }
}

/// The same statement over what fulfils a condition, which is put where the rows of documents are chosen.
pub(crate) fn narrowed(sql: &str, condition: &str) -> String {
    match sql.split_once(" ORDER BY d.seq LIMIT") {
        Some((head, tail)) => format!("{head} AND {condition} ORDER BY d.seq LIMIT{tail}"),
        None => format!("{sql} WHERE {condition}"),
    }
}
