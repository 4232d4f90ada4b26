//! Walking a plan on a connection.
//!
//! 1. What comes in order is read in pages: each statement goes on after the place where the one before has ended. Pages grow
//!    while the filter lets little through, and stop growing where they weigh much.
//! 2. What has to be put in order is one statement, whose rows are looked at as they come; at most as many are held as the
//!    limit asks for.

use std::collections::{BinaryHeap, VecDeque};

use backstitch::bson::{RawDocument, RawDocumentBuf};
use backstitch::filter::key::sort_key;
use backstitch::filter::{FieldPath, Filter, SortKey, Test, matches};
use backstitch::rules::ScopedQuery;
use backstitch::store::Result;
use backstitch::store::keyed::{Collection, Plan, Source, lower};
use futures_util::{StreamExt, TryStreamExt, pin_mut};
use tokio_postgres::types::{ToSql, Type};

use crate::catalog::Catalog;
use crate::connection::{Connection, query};
use crate::error::{corrupt, from_postgres};
use crate::narrow::{Narrowed, narrow};
use crate::statement::{self, After, Bounds, gather, page};
use crate::users::column;

/// The smallest and the largest page, in rows.
const PAGE: std::ops::RangeInclusive<usize> = 32..=8192;

/// A page that weighs more is not followed by a larger one.
const HEAVY: usize = 4 << 20;

/// A search on its way.
pub(crate) struct Walk {
    collection: i64,
    plan: Plan,
    filter: Filter,
    /// What the plan has not bound of it.
    rest: Filter,
    sort: Vec<SortKey>,
    /// How many the query still wants.
    left: usize,
    after: After,
    bounds: Bounds,
    page: usize,
    /// Found, and not yet asked for.
    found: VecDeque<RawDocumentBuf>,
    is_over: bool,
}

impl Walk {
    /// Plans a query; a collection that nothing was ever written to has nothing.
    pub(crate) fn new(catalog: &Catalog, query: &ScopedQuery, sort: &[SortKey]) -> Self {
        let filter = query.filter().clone().simplify();
        let left = query.limit().map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let (collection, plan) = match catalog.collections.get(query.collection()) {
            Some(collection) => (collection.number, lower(collection, &filter, sort).for_page_of(left)),
            None => (0, Plan::Nothing),
        };
        let rest = catalog
            .collections
            .get(query.collection())
            .map_or(Filter::Always, |collection| unbound(collection, &plan, &filter));
        let is_over = plan == Plan::Nothing;
        let (after, bounds) = (After::start(&plan), Bounds::of(&plan));
        Self {
            collection,
            plan,
            filter,
            rest,
            sort: sort.to_vec(),
            left,
            after,
            bounds,
            page: *PAGE.start(),
            found: VecDeque::new(),
            is_over,
        }
    }

    /// The next documents; none when there are no more.
    pub(crate) async fn next(&mut self, client: &Connection, batch: usize) -> Result<Vec<RawDocumentBuf>> {
        let wanted = batch.min(self.left);
        self.page = self.page.max(wanted.min(*PAGE.end()));
        while self.found.len() < wanted && !self.is_over {
            if self.streams() {
                self.read_page(client).await?;
            } else {
                self.read_all(client).await?;
            }
        }
        let taken: Vec<_> = self.found.drain(..wanted.min(self.found.len())).collect();
        self.left -= taken.len();
        Ok(taken)
    }

    /// Whether the plan yields the order that is wanted.
    fn streams(&self) -> bool {
        match self.plan {
            Plan::Nothing | Plan::Ordered { .. } | Plan::Merged { .. } => true,
            Plan::Scan => self.sort.is_empty(),
            Plan::Gather { .. } => false,
        }
    }

    async fn read_page(&mut self, client: &Connection) -> Result<()> {
        let limit = i64::try_from(self.page).unwrap_or(i64::MAX);
        let statement = page(self.collection, &self.plan, (&self.after, &self.bounds), &limit);
        // An ordered or merged plan has bound what it can already; a page of it is short.
        let narrowed = if self.plan == Plan::Scan { narrow(&self.rest, 3) } else { None };
        let rows = match narrowed {
            None => query(client, &statement.sql, &statement.parameters).await?,
            Some(narrowed) => {
                let sql = statement::narrowed(&statement.sql, &narrowed.sql);
                let known = statement.parameters.iter().copied().zip([Type::INT8, Type::INT8]);
                let rows = client.passing(&sql, known.chain(texts(&narrowed)).collect()).await?;
                rows.try_collect().await.map_err(from_postgres)?
            }
        };
        let mut weight = 0;
        for row in &rows {
            let bytes: &[u8] = column(row, 1)?;
            weight += bytes.len();
            let document = readable(bytes)?;
            if matches(&self.filter, document) {
                self.found.push_back(document.to_owned());
            }
        }
        self.is_over = rows.len() < self.page;
        if let Some(last) = rows.last() {
            self.after = After { key: column(last, 2)?, place: column(last, 0)? };
        }
        if weight < HEAVY {
            self.page = (self.page * 4).min(*PAGE.end());
        }
        Ok(())
    }

    async fn read_all(&mut self, client: &Connection) -> Result<()> {
        let mut first = BinaryHeap::new();
        let statement = gather(self.collection, &self.plan);
        let parameters = statement.parameters();
        let rows = match narrow(&self.rest, parameters.len() + 1) {
            None => {
                let prepared = client.prepared(&statement.sql).await?;
                client.query_raw(&prepared, parameters).await.map_err(from_postgres)?
            }
            Some(narrowed) => {
                let sql = statement::narrowed(&statement.sql, &narrowed.sql);
                let known = parameters.map(|bound| (bound, Type::BYTEA_ARRAY));
                client.passing(&sql, known.chain(texts(&narrowed)).collect()).await?
            }
        };
        pin_mut!(rows);
        while let Some(row) = rows.next().await {
            let row = row.map_err(from_postgres)?;
            let document = readable(column(&row, 1)?)?;
            if matches(&self.filter, document) {
                let place: i64 = column(&row, 0)?;
                first.push(Placed {
                    order: (sort_key(document, &self.sort), place),
                    document: document.to_owned(),
                });
                if first.len() > self.left {
                    first.pop();
                }
            }
        }
        self.found = first.into_sorted_vec().into_iter().map(|placed| placed.document).collect();
        self.is_over = true;
        Ok(())
    }
}

/// A document by its place in the order.
struct Placed {
    order: (Vec<u8>, i64),
    document: RawDocumentBuf,
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Placed {}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order.cmp(&other.order)
    }
}

/// The parts of a filter that are about other fields than those that the plan has found the documents by.
fn unbound(collection: &Collection, plan: &Plan, filter: &Filter) -> Filter {
    let Plan::Gather { branches, .. } = plan else { return filter.clone() };
    let [branch] = branches.as_slice() else { return Filter::Always };
    let is_key = |path: &FieldPath| match branch.source {
        Source::Id => path.as_str() == "_id",
        Source::Index(number) => collection
            .indexes
            .iter()
            .any(|index| index.number == number && index.spec.keys.iter().any(|key| key.path == *path)),
    };
    let is_bound =
        |part: &Filter| matches!(part, Filter::Field(path, Test::Compare(..) | Test::In(_)) if is_key(path));
    match filter {
        Filter::And(parts) => Filter::And(parts.iter().filter(|part| !is_bound(part)).cloned().collect()),
        other if is_bound(other) => Filter::Always,
        other => other.clone(),
    }
}

fn texts(narrowed: &Narrowed) -> impl Iterator<Item = (&(dyn ToSql + Sync), Type)> {
    narrowed.texts.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT))
}

fn readable(bytes: &[u8]) -> Result<&RawDocument> {
    RawDocument::from_bytes(bytes).map_err(|_| corrupt("a document cannot be read"))
}
