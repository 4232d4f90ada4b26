//! `backstitch serve`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::extract::RawQuery;
use axum::routing::get;
use backstitch::app::{AppConfig, Secrets};
use backstitch::engine::Engine;
use backstitch::env::DevMailbox;
use backstitch_http::tower::EngineService;
use tokio::net::TcpListener;

use crate::args::Serve;
use crate::functions::with_functions;
use crate::store::Place;
use crate::{Failure, env, guide, load};

const EXAMPLE: &str = "examples/movies";

/// How long requests that are under way may take after the signal to end.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until Ctrl-C or SIGTERM.
pub(crate) fn run(args: &Serve) -> Result<(), Failure> {
    let directories = directories(args)?;
    let place = Place::parse(&args.store)?;
    log_to_standard_error();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::negative(format!("cannot start the runtime: {error}")))?;
    let outcome = runtime.block_on(serve(args, &directories, &place));
    runtime.shutdown_timeout(GRACE);
    outcome
}

fn directories(args: &Serve) -> Result<Vec<PathBuf>, Failure> {
    if !args.directories.is_empty() {
        return Ok(args.directories.clone());
    }
    if Path::new(EXAMPLE).is_dir() {
        return Ok(vec![PathBuf::from(EXAMPLE)]);
    }
    Err(Failure::usage(format!(
        "there is no `{EXAMPLE}` here to serve; name an exported app directory:\n\n  backstitch serve APP_DIR"
    )))
}

/// What was asked is told only on demand (`RUST_LOG=info`): a line for each request costs the server time.
const LOGGED: &str = "info,backstitch::request=off";

fn log_to_standard_error() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(LOGGED));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

async fn serve(args: &Serve, directories: &[PathBuf], place: &Place) -> Result<(), Failure> {
    let secrets = read_secrets(args.secrets.as_deref())?;
    let mut apps = Vec::new();
    for directory in directories {
        apps.push(import(directory, &secrets)?);
    }
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| Failure::negative(format!("cannot listen on {}: {error}", args.listen)))?;
    let address = listener.local_addr().map_err(Failure::negative)?;
    let base = args.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let (env, mailbox) = env::env(&args.mail)?;
    let mut builder = with_functions(Engine::builder(), &env);
    builder = builder.store(place.open(&env).await?).env(env).public_url(base.as_str());
    for config in apps {
        builder = builder.app(config);
    }
    let engine = builder.build().await.map_err(Failure::negative)?;
    for app in engine.apps() {
        load::load(app).await?;
    }
    let maintenance = tokio::spawn({
        let engine = engine.clone();
        async move { engine.maintenance().await }
    });
    for app in engine.apps() {
        println!("ready {base} app {}", app.id());
        println!("\n{}", guide::guide(&base, app));
    }
    let outcome = until_signal(listener, engine, mailbox).await;
    maintenance.abort();
    outcome
}

fn import(directory: &Path, secrets: &Secrets) -> Result<AppConfig, Failure> {
    let (config, report) = AppConfig::import_with(directory, secrets).map_err(Failure::negative)?;
    for problem in report.problems() {
        tracing::warn!(directory = %directory.display(), "{problem}");
    }
    Ok(config)
}

pub(crate) fn read_secrets(file: Option<&Path>) -> Result<Secrets, Failure> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let Some(file) = file else { return Ok(Secrets::default().with_environment(environment)) };
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("cannot read secrets from `{}`: {error}", file.display())))?;
    let secrets =
        Secrets::parse(&text).map_err(|error| Failure::usage(format!("`{}`: {error}", file.display())))?;
    Ok(secrets.with_environment(environment))
}

async fn until_signal(
    listener: TcpListener,
    engine: Engine,
    mailbox: Option<DevMailbox>,
) -> Result<(), Failure> {
    let mount = EngineService::new(engine).with_peer(|extensions| {
        extensions.get::<axum::extract::ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
    });
    let mut router = axum::Router::new();
    if let Some(mailbox) = mailbox {
        let newest = async move |RawQuery(query): RawQuery| mailbox.answer(&query.unwrap_or_default());
        router = router.route(env::MAILBOX, get(newest));
    }
    let router = router.fallback_service(mount);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let (ending, ended) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        signal().await;
        tracing::info!("ending");
        // The receiver is there as long as the server is.
        let _ = ending.send(());
    });
    tokio::select! {
        outcome = server => outcome.map_err(|error| Failure::negative(format!("the server failed: {error}"))),
        () = async {
            // An error means that the server is gone, and the other branch tells why.
            if ended.await.is_ok() {
                tokio::time::sleep(GRACE).await;
            } else {
                std::future::pending::<()>().await;
            }
        } => Ok(()),
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
