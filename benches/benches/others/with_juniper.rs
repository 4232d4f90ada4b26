//! juniper's own executor over a schema that is known at compile time; its resolvers are asynchronous where a server
//! would wait.

use juniper::http::GraphQLRequest;
use juniper::{
    Context, EmptyMutation, EmptySubscription, GraphQLEnum, GraphQLInputObject, RootNode, graphql_object,
};

use crate::rows::{Listed, Place, Rows};

type Schema = RootNode<Query, EmptyMutation<Rows>, EmptySubscription<Rows>>;

/// A server's schema and rows.
pub(crate) struct Juniper {
    schema: Schema,
    rows: Rows,
}

impl Juniper {
    pub(crate) fn new(rows: Rows) -> Self {
        Self { schema: Schema::new(Query, EmptyMutation::new(), EmptySubscription::new()), rows }
    }

    /// The answer's bytes.
    pub(crate) async fn answer(&self, query: &str) -> Vec<u8> {
        let request: GraphQLRequest = GraphQLRequest::new(query.to_owned(), None, None);
        let answer = request.execute(&self.schema, &self.rows).await;
        serde_json::to_vec(&answer).expect("JSON")
    }
}

impl Context for Rows {}

#[derive(GraphQLInputObject)]
#[graphql(context = Rows)]
struct ItemQueryInput {
    owner: String,
}

#[derive(GraphQLEnum)]
enum ItemSortByInput {
    RankAsc,
}

struct Query;

#[graphql_object(context = Rows)]
impl Query {
    async fn items(
        #[graphql(context)] rows: &Rows,
        query: ItemQueryInput,
        limit: i32,
        sort_by: ItemSortByInput,
    ) -> Vec<Listed> {
        // The rows lie in this order.
        let ItemSortByInput::RankAsc = sort_by;
        rows.list(&query.owner, usize::try_from(limit).unwrap_or_default())
    }
}

#[graphql_object(context = Rows, name = "Item")]
impl Listed {
    #[graphql(name = "_id")]
    fn id(&self) -> &str {
        &self.item.id
    }

    fn title(&self) -> &str {
        &self.item.title
    }

    fn rank(&self) -> i32 {
        self.item.rank
    }

    fn owner(&self) -> &str {
        &self.item.owner
    }

    fn price(&self) -> f64 {
        self.item.price
    }

    fn done(&self) -> bool {
        self.item.done
    }

    fn created(&self) -> &str {
        &self.item.created
    }

    fn note(&self) -> &str {
        &self.item.note
    }

    async fn place(&self) -> Option<&Place> {
        self.place.as_deref()
    }
}

#[graphql_object(context = Rows)]
impl Place {
    fn name(&self) -> &str {
        &self.name
    }
}
