//! The movies example on a store, with its data loaded.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use backstitch::actor::Actor;
use backstitch::app::AppConfig;
use backstitch::engine::Engine;
use backstitch::store::Store;
use bson::doc;

use crate::{Client, every_store};

/// The example, served.
#[derive(Clone)]
pub struct Movies {
    /// The engine.
    pub engine: Engine,
    /// The client app id.
    pub app: String,
}

impl Movies {
    /// Builds an engine over the store and loads the example's data.
    pub async fn on(store: Arc<dyn Store>) -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/movies");
        let (config, report) = AppConfig::import(&directory).expect("the example is an app");
        assert!(!report.has_errors(), "{report}");
        let app = config.id.to_string();
        let engine = Engine::builder()
            .store(Arc::clone(&store))
            .public_url("http://movies.example")
            .app(config)
            .build()
            .await
            .expect("the example is wired");
        let handle = engine.app(&app).expect("just built");
        handle.load_data(&mut |_| ()).await.expect("the example's data are good");
        Self { engine, app }
    }

    /// A client that has not logged in.
    pub fn client(&self) -> Client {
        Client::new(&self.engine, &self.app)
    }

    /// Writes custom user data for a user, as an operator would.
    pub async fn make_moderator(&self, user: &str) {
        let app = self.engine.apps().next().expect("an app");
        let system = Actor::system(app.id().clone());
        let update = doc! {
            "database": "movies", "collection": "accounts",
            "query": { "user_id": user }, "update": { "$set": { "role": "moderator" } },
        };
        let updated = app.call_service(&system, "mongodb-atlas", "updateOne", vec![update.into()]).await;
        assert!(updated.is_ok(), "{updated:?}");
    }
}

/// Runs a story on each store.
pub fn each_store<F: Future<Output = ()>>(story: impl Fn(Movies) -> F) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        for store in every_store(folder.path()).await {
            story(Movies::on(store).await).await;
        }
    });
}
