//! TLS: spoken where the address asks for it, and only with a server whose certificate is trusted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use backstitch::env::Env;
use backstitch::id::AppId;
use backstitch::store::{MetaStore, StoreErrorKind};
use backstitch_storage_postgres::{PostgresConfig, PostgresStore};
use backstitch_test_postgres::Server;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// An authority and a certificate of it for 127.0.0.1, made with openssl.
fn certificates(data: &Path) {
    let openssl = |arguments: &str| {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(data).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority -days 2"));
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=server"));
    fs::write(data.join("names"), "subjectAltName=IP:127.0.0.1").unwrap();
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    );
    fs::set_permissions(data.join("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let owner = fs::metadata(data).unwrap().uid();
    for file in ["server.key", "server.pem"] {
        chown(data.join(file), Some(owner), None).unwrap();
    }
}

fn trusting(certificate: Option<&Path>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    if let Some(certificate) = certificate {
        roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(versions.with_root_certificates(roots).with_no_client_auth())
}

#[tokio::test]
async fn tls_is_spoken_with_a_server_that_is_trusted_and_with_no_other() {
    // A port that is free now; the socket that the test's own commands use stays where it is.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut authority = None;
    let server = Server::start_with(|data| {
        certificates(data);
        let copy = data.parent().unwrap().join("ca.pem");
        fs::copy(data.join("ca.pem"), &copy).unwrap();
        authority = Some(copy);
        ["ssl=on", "ssl_cert_file=server.pem", "ssl_key_file=server.key", "listen_addresses=127.0.0.1"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("port={port}")])
            .collect()
    });
    let (Some(_server), Some(authority)) = (server, authority) else { return };
    let at = |mode: &str, tls| {
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode={mode}");
        let mut config = PostgresConfig::new(url, Env::system().clock);
        config.tls = Some(tls);
        config
    };
    let store = PostgresStore::open(at("require", trusting(Some(&authority)))).await.unwrap();
    let app = AppId::new("a");
    assert_eq!(store.meta_or_insert(&app, "key", "told in secret").await.unwrap(), "told in secret");
    let error = PostgresStore::open(at("require", trusting(None))).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Busy, "{error:?}");
    assert!(format!("{error:?}").contains("UnknownIssuer"), "{error:?}");
    PostgresStore::open(at("disable", trusting(None))).await.unwrap();
}
