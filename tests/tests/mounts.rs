//! Both mounts, over a real connection, pass the same checks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::net::SocketAddr;
use std::sync::Arc;

use backstitch::store::Store;
use backstitch_conformance::mounts::{fixture, run_all};
use backstitch_http::tower::EngineService;
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::every_store;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tower_mount_in_axum_passes_every_check_on_every_store() {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        the_tower_mount_passes_every_check(store).await;
    }
}

async fn the_tower_mount_passes_every_check(store: Arc<dyn Store>) {
    let engine = fixture(store).await;
    let mount = EngineService::new(engine).with_peer(|extensions| {
        extensions.get::<axum::extract::ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
    });
    let router = axum::Router::new().fallback_service(mount);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    run_all(address).await;
}

#[test]
fn the_actix_mount_passes_every_check() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = runtime.block_on(fixture(Arc::new(MemoryStore::new())));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            actix_web::HttpServer::new(move || {
                actix_web::App::new().default_service(backstitch_http::actix::mount(engine.clone()))
            })
            .workers(2)
            .listen(listener)
            .unwrap()
            .run()
            .await
        })
    });
    runtime.block_on(run_all(address));
}
