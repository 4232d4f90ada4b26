//! async-graphql's dynamic schema: built at run time, as ours is. Its scalar fields are values at once; only the fields
//! where a server would wait are futures.

use std::sync::Arc;

use async_graphql::dynamic::{
    Enum, Field, FieldFuture, FieldValue, InputObject, InputValue, Object, ResolverContext, Schema, TypeRef,
};
use async_graphql::{Request, Result, Value};

use crate::rows::{Listed, Place, Rows};

/// A server's schema, which holds the rows.
pub(crate) struct AsyncGraphql(Schema);

impl AsyncGraphql {
    pub(crate) fn new(rows: Rows) -> Self {
        let by = InputObject::new("ItemQueryInput")
            .field(InputValue::new("owner", TypeRef::named_nn(TypeRef::STRING)));
        let schema = Schema::build("Query", None, None)
            .register(query())
            .register(item())
            .register(place())
            .register(by)
            .register(Enum::new("ItemSortByInput").item("RANK_ASC"))
            .data(rows)
            .finish();
        Self(schema.expect("a schema"))
    }

    /// The answer's bytes.
    pub(crate) async fn answer(&self, query: &str) -> Vec<u8> {
        let answer = self.0.execute(Request::new(query)).await;
        serde_json::to_vec(&answer).expect("JSON")
    }
}

fn query() -> Object {
    let items = Field::new("items", TypeRef::named_nn_list_nn("Item"), |context| {
        FieldFuture::new(async move {
            let query = context.args.try_get("query")?.object()?;
            let limit = usize::try_from(context.args.try_get("limit")?.u64()?)?;
            // The rows lie in this order.
            context.args.try_get("sortBy")?.enum_name()?;
            let listed = context.data::<Rows>()?.list(query.try_get("owner")?.string()?, limit);
            Ok(Some(FieldValue::list(listed.into_iter().map(FieldValue::owned_any))))
        })
    });
    Object::new("Query").field(
        items
            .argument(InputValue::new("query", TypeRef::named_nn("ItemQueryInput")))
            .argument(InputValue::new("limit", TypeRef::named_nn(TypeRef::INT)))
            .argument(InputValue::new("sortBy", TypeRef::named_nn("ItemSortByInput"))),
    )
}

fn item() -> Object {
    let place = Field::new("place", TypeRef::named("Place"), |context| {
        FieldFuture::new(async move {
            let listed = context.parent_value.try_downcast_ref::<Listed>()?;
            Ok(listed.place.as_ref().map(|place| FieldValue::owned_any(Arc::clone(place))))
        })
    });
    Object::new("Item")
        .field(scalar("_id", TypeRef::STRING, |listed: &Listed| Value::from(&*listed.item.id)))
        .field(scalar("title", TypeRef::STRING, |listed: &Listed| Value::from(&*listed.item.title)))
        .field(scalar("rank", TypeRef::INT, |listed: &Listed| Value::from(listed.item.rank)))
        .field(scalar("owner", TypeRef::STRING, |listed: &Listed| Value::from(&*listed.item.owner)))
        .field(scalar("price", TypeRef::FLOAT, |listed: &Listed| Value::from(listed.item.price)))
        .field(scalar("done", TypeRef::BOOLEAN, |listed: &Listed| Value::from(listed.item.done)))
        .field(scalar("created", TypeRef::STRING, |listed: &Listed| Value::from(&*listed.item.created)))
        .field(scalar("note", TypeRef::STRING, |listed: &Listed| Value::from(&*listed.item.note)))
        .field(place)
}

fn place() -> Object {
    Object::new("Place")
        .field(scalar("name", TypeRef::STRING, |place: &Arc<Place>| Value::from(&*place.name)))
}

/// A field whose value is there at once.
fn scalar<T: Send + Sync + 'static>(name: &str, kind: &str, value: fn(&T) -> Value) -> Field {
    let read = move |context: &ResolverContext<'_>| -> Result<Value> {
        Ok(value(context.parent_value.try_downcast_ref::<T>()?))
    };
    Field::new(name, TypeRef::named_nn(kind), move |context| match read(&context) {
        Ok(value) => FieldFuture::from_value(Some(value)),
        Err(error) => FieldFuture::new(async move { Err::<Option<FieldValue<'_>>, _>(error) }),
    })
}
