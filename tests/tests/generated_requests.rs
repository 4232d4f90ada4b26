//! Requests that schemathesis generates from the served schema, to an app where a guest may do everything: none
//! fails on our side, none is misread, and every mutation gets to run.
//!
//! Where Python lacks what `fuzz/requirements.txt` lists, this says so and passes, unless
//! `BACKSTITCH_REQUIRE_FUZZ` is set. `BACKSTITCH_PYTHON` names another Python than `python3`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use backstitch_tests::served::{everything, folder, in_axum, in_memory, run, works};
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn generated_requests_find_no_defect() {
    let python = std::env::var("BACKSTITCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if !works(&python, &["-c", "import schemathesis"]).await {
        assert!(std::env::var_os("BACKSTITCH_REQUIRE_FUZZ").is_none(), "no schemathesis");
        println!("skipped: `{python}` lacks what tests/fuzz/requirements.txt lists");
        return;
    }
    let config = everything();
    let app = config.id.to_string();
    let base = in_axum(in_memory(config).await).await;
    let mut command = Command::new(python);
    command.arg("generated_requests.py").args([&base, &app, "2000", "--every-mutation"]);
    let said = run(command.current_dir(folder("fuzz"))).await;
    assert!(said.contains("\n0 defects"), "{said}");
}
