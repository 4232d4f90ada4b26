//! The movies example over HTTP, as different people: each sees and may change only what the rules give.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use backstitch_tests::{Movies, each_store};
use serde_json::{Value, json};

const ADD_LIST: &str = "mutation($owner: String!, $name: String!, $films: [ObjectId]) { \
    insertOneWatchlist(data: { owner: $owner, name: $name, movies: { link: $films } }) { _id name movies { title } } }";

async fn film(client: &backstitch_tests::Client, title: &str) -> Value {
    client.data("query($t: String) { movie(query: { title: $t }) { _id } }", json!({ "t": title })).await["movie"]["_id"].clone()
}

#[test]
fn films_are_read_by_everyone_who_has_logged_in_and_by_nobody_else() {
    each_store(|movies: Movies| async move {
        let nobody = movies.client();
        let query = json!({ "query": "{ movies { title } }" });
        let reply = nobody.send("POST", "/app/{app}/graphql", None, Some(query)).await;
        assert_eq!(reply.status, 401);
        assert_eq!(reply.headers["content-type"], "application/json");
        assert_eq!(
            reply.json(),
            json!({ "error": "must authenticate first", "error_code": "MissingAuthReq" })
        );

        let guest = movies.client().guest().await;
        let data = guest
            .data("{ movies(limit: 1000, sortBy: YEAR_ASC) { title year directors { name } } }", json!({}))
            .await;
        let films = data["movies"].as_array().unwrap();
        assert!(films.len() >= 250, "{}", films.len());
        let years: Vec<i64> = films.iter().map(|film| film["year"].as_i64().unwrap()).collect();
        assert!(years.is_sorted());
        assert!(films.iter().all(|film| !film["directors"].as_array().unwrap().is_empty()));
    });
}

#[test]
fn a_watchlist_is_its_owners_alone() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().person("ada@example.test").await;
        let bob = movies.client().person("bob@example.test").await;
        let film = film(&ada, "Metropolis").await;
        let mine = json!({ "owner": ada.user, "name": "Silent", "films": [film] });
        let list = ada.data(ADD_LIST, mine).await["insertOneWatchlist"].clone();
        assert_eq!(list["movies"], json!([{ "title": "Metropolis" }]));

        let all = "{ watchlists(limit: 1000) { name owner } }";
        assert_eq!(
            ada.data(all, json!({})).await["watchlists"],
            json!([{ "name": "Silent", "owner": ada.user }])
        );
        assert_eq!(bob.data(all, json!({})).await["watchlists"], json!([]));
        let id = json!({ "id": list["_id"] });
        let by_id = "query($id: ObjectId) { watchlist(query: { _id: $id }) { name } }";
        assert_eq!(bob.data(by_id, id.clone()).await["watchlist"], Value::Null);

        // Nothing that Bob tries changes it.
        let rename = "mutation($id: ObjectId) { updateOneWatchlist(query: { _id: $id }, set: { name: \"Mine\" }) { name } }";
        assert_eq!(bob.data(rename, id.clone()).await["updateOneWatchlist"], Value::Null);
        let delete = "mutation($id: ObjectId!) { deleteOneWatchlist(query: { _id: $id }) { name } }";
        assert_eq!(bob.data(delete, id.clone()).await["deleteOneWatchlist"], Value::Null);
        assert_eq!(
            bob.data("mutation { deleteManyWatchlists { deletedCount } }", json!({})).await["deleteManyWatchlists"]
                ["deletedCount"],
            0
        );
        let hers = json!({ "owner": ada.user, "name": "Planted", "films": [] });
        assert_eq!(bob.refused(ADD_LIST, hers).await, "insert not permitted");
        assert_eq!(
            ada.data(all, json!({})).await["watchlists"],
            json!([{ "name": "Silent", "owner": ada.user }])
        );

        // Ada cannot give it away: the rule is asked again on the new document.
        let give = "mutation($id: ObjectId, $to: String) { updateOneWatchlist(query: { _id: $id }, set: { owner: $to }) { name } }";
        assert_eq!(
            ada.refused(give, json!({ "id": list["_id"], "to": bob.user })).await,
            "update not permitted"
        );
    });
}

#[test]
fn a_review_is_read_by_all_and_written_by_its_author() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().person("ada@example.test").await;
        let bob = movies.client().person("bob@example.test").await;
        let film = film(&ada, "Casablanca").await;
        let add = "mutation($m: ObjectId, $a: String!) { insertOneReview(data: { movie: { link: $m }, author: $a, rating: 9, text: \"again\" }) { _id movie { title } } }";
        let review = ada.data(add, json!({ "m": film, "a": ada.user })).await["insertOneReview"].clone();
        assert_eq!(review["movie"]["title"], "Casablanca");
        let id = json!({ "id": review["_id"] });

        let read = "query($id: ObjectId) { review(query: { _id: $id }) { rating text movie { title } } }";
        assert_eq!(bob.data(read, id.clone()).await["review"]["rating"], 9);
        let spoil =
            "mutation($id: ObjectId) { updateOneReview(query: { _id: $id }, set: { rating: 1 }) { rating } }";
        assert_eq!(bob.refused(spoil, id.clone()).await, "update not permitted");
        let delete = "mutation($id: ObjectId!) { deleteOneReview(query: { _id: $id }) { rating } }";
        assert_eq!(bob.refused(delete, id.clone()).await, "delete not permitted");
        // One document that may not be written fails the whole request.
        let both = "mutation($m: ObjectId, $a: String!, $id: ObjectId) { \
            insertOneReview(data: { movie: { link: $m }, author: $a, rating: 5 }) { _id } \
            updateOneReview(query: { _id: $id }, set: { rating: 1 }) { rating } }";
        assert_eq!(
            bob.refused(both, json!({ "m": film, "a": bob.user, "id": review["_id"] })).await,
            "update not permitted"
        );
        let mine = "query($a: String) { reviews(query: { author: $a }) { rating } }";
        assert_eq!(bob.data(mine, json!({ "a": bob.user })).await["reviews"], json!([]), "rolled back");
        assert_eq!(bob.data(read, id.clone()).await["review"]["rating"], 9);

        let raise = "mutation($id: ObjectId) { updateOneReview(query: { _id: $id }, set: { rating_inc: 1, text_unset: true }) { rating text } }";
        assert_eq!(
            ada.data(raise, id.clone()).await["updateOneReview"],
            json!({ "rating": 10, "text": null })
        );
        let eleven = ada.refused(raise, id.clone()).await;
        assert!(eleven.contains("rating") && eleven.contains("at most 10"), "{eleven}");
        assert_eq!(ada.data(delete, id).await["deleteOneReview"]["rating"], 10);
    });
}

#[test]
fn a_field_for_moderators_is_hidden_from_everyone_else() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().person("ada@example.test").await;
        let note = "{ movies(limit: 1000) { title editor_note } }";
        let hidden = ada.data(note, json!({})).await;
        assert!(hidden["movies"].as_array().unwrap().iter().all(|film| film["editor_note"].is_null()));
        // It can be used for nothing: not to filter by, not to sort by.
        for query in [
            "{ movies(query: { editor_note_exists: true }) { title } }",
            "{ movies(sortBy: EDITOR_NOTE_ASC) { title } }",
            "{ movies(query: { OR: [{ editor_note_gt: \"\" }] }) { title } }",
        ] {
            let answer = ada.graphql(query, json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "FIELD_NOT_READABLE", "{query}: {answer}");
        }
        // Nor through a relation.
        let related = "{ reviews(query: { movie: { editor_note_exists: true } }) { text } }";
        let answer = ada.graphql(related, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FIELD_NOT_READABLE", "{answer}");

        // Custom user data change with the next log-in or refresh.
        movies.make_moderator(ada.user.as_deref().unwrap()).await;
        let reply = ada.send("POST", "/auth/session", ada.refresh.as_deref(), None).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        let moderator = ada.with_access(reply.json()["access_token"].as_str().unwrap());
        let shown = moderator.data(note, json!({})).await;
        assert!(shown["movies"].as_array().unwrap().iter().any(|film| film["editor_note"].is_string()));
        let set = "mutation($s: MovieUpdateInput!) { updateOneMovie(query: { title: \"Casablanca\" }, set: $s) { editor_note } }";
        let edited = moderator.data(set, json!({ "s": { "editor_note": "checked" } })).await;
        assert_eq!(edited["updateOneMovie"]["editor_note"], "checked");
        assert_eq!(moderator.refused(set, json!({ "s": { "year": 1900 } })).await, "update not permitted");
    });
}

#[test]
fn announcements_are_written_by_server_keys_only() {
    each_store(|movies: Movies| async move {
        let ada = movies.client().person("ada@example.test").await;
        let before = ada.data("{ announcements { _id } }", json!({})).await;
        assert!(!before["announcements"].as_array().unwrap().is_empty());
        for denied in [
            "mutation { insertOneAnnouncement(data: { title: \"x\", text: \"y\", published: \"2026-01-01T00:00:00Z\" }) { _id } }",
            "mutation { deleteManyAnnouncements { deletedCount } }",
        ] {
            assert!(ada.refused(denied, json!({})).await.ends_with("not permitted"), "{denied}");
        }
        assert_eq!(ada.data("{ announcements { _id } }", json!({})).await, before);
    });
}

#[test]
fn logging_out_ends_both_tokens_at_once() {
    each_store(|movies: Movies| async move {
        let guest = movies.client().guest().await;
        assert_eq!(guest.send("DELETE", "/auth/session", guest.refresh.as_deref(), None).await.status, 204);
        let query = json!({ "query": "{ __typename }" });
        let reply = guest.send("POST", "/app/{app}/graphql", guest.access.as_deref(), Some(query)).await;
        assert_eq!((reply.status, &reply.json()["error_code"]), (401, &json!("InvalidSession")));
        let reply = guest.send("POST", "/auth/session", guest.refresh.as_deref(), None).await;
        assert_eq!((reply.status, &reply.json()["error_code"]), (401, &json!("InvalidSession")));
    });
}
