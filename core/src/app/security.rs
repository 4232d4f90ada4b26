//! Who may reach the app at all, and for how long: what the original's API kept under `security`.

use std::time::Duration;

use serde_json::Value;

use super::settings::FILE;
use crate::auth::config::AuthConfig;
use crate::http::Network;
use crate::report::Report;

/// The addresses that requests may come from. A list that cannot be read lets nobody in.
pub(super) fn access_list(json: &Value, report: &mut Report) -> Vec<Network> {
    let Some(entries) = json.as_array() else {
        report.error(FILE, "/accessList", "must be a list of addresses and networks; nobody is let in");
        return Vec::new();
    };
    let mut networks = Vec::new();
    for (position, entry) in entries.iter().enumerate() {
        let read = entry.as_str().map(str::parse::<Network>);
        match read {
            Some(Ok(network)) => networks.push(network),
            Some(Err(error)) => report.error(FILE, &format!("/accessList/{position}"), error.hint()),
            None => report.error(FILE, &format!("/accessList/{position}"), "must be a text"),
        }
    }
    networks
}

/// How long a session lives; what is out of bounds leaves the default.
pub(super) fn refresh_lifetime(json: &Value, report: &mut Report) -> Duration {
    match json.as_u64().map(Duration::from_secs) {
        Some(lifetime)
            if (AuthConfig::SHORTEST_REFRESH..=AuthConfig::LONGEST_REFRESH).contains(&lifetime) =>
        {
            lifetime
        }
        _ => {
            let text = format!(
                "must be a number of seconds from {} to {}; 60 days are taken",
                AuthConfig::SHORTEST_REFRESH.as_secs(),
                AuthConfig::LONGEST_REFRESH.as_secs()
            );
            report.error(FILE, "/refreshTokenSeconds", text);
            AuthConfig::DEFAULT_REFRESH
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_read_and_a_bad_entry_lets_nobody_in_by_it() {
        let mut report = Report::default();
        let list = access_list(&json!(["10.0.0.0/8", "2001:db8::1", "proxy", 7]), &mut report);
        assert_eq!(list, ["10.0.0.0/8".parse().unwrap(), "2001:db8::1".parse().unwrap()]);
        assert_eq!(pointers(&report), ["/accessList/2", "/accessList/3"]);
        let mut report = Report::default();
        assert_eq!(access_list(&json!("everybody"), &mut report), []);
        assert_eq!(pointers(&report), ["/accessList"]);
    }

    #[test]
    fn a_lifetime_is_half_an_hour_to_five_years() {
        for (json, seconds) in [(json!(1800), 1800), (json!(157_680_000), 157_680_000)] {
            let mut report = Report::default();
            assert_eq!(refresh_lifetime(&json, &mut report), Duration::from_secs(seconds));
            assert_eq!(pointers(&report), [""; 0]);
        }
        for json in [json!(1799), json!(157_680_001), json!(-1), json!("1d")] {
            let mut report = Report::default();
            assert_eq!(refresh_lifetime(&json, &mut report), AuthConfig::DEFAULT_REFRESH, "{json}");
            assert_eq!(pointers(&report), ["/refreshTokenSeconds"]);
        }
    }

    fn pointers(report: &Report) -> Vec<&str> {
        report.problems().iter().map(|problem| problem.pointer.as_str()).collect()
    }
}
