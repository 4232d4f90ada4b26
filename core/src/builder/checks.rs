//! What is looked at before an engine is there: what refuses to build.

use super::EngineBuilder;
use crate::auth::Mails;
use crate::auth::config::{AuthConfig, ProviderKind};
use crate::id::AppId;

impl EngineBuilder {
    /// What is wrong with the apps, or with what the host gave for them.
    pub(super) fn check_apps(&self, problems: &mut Vec<String>) {
        for (index, config) in self.apps.iter().enumerate() {
            let lifetimes = AuthConfig::SHORTEST_REFRESH..=AuthConfig::LONGEST_REFRESH;
            if !lifetimes.contains(&config.auth.refresh_lifetime) {
                problems.push(format!("refresh tokens of `{}` must live 30 minutes to 5 years", config.id));
            }
            for provider in &config.auth.providers {
                if let ProviderKind::CustomToken(tokens) = &provider.kind {
                    let id = &config.id;
                    let faults = tokens.key_faults();
                    problems.extend(
                        faults.map(|fault| format!("a key of `custom-token` of `{id}` is refused: {fault}")),
                    );
                }
            }
            if config.auth.passwords.min > *self.limits.password.end() {
                problems.push(format!("no password of `{}` can be as long as its policy asks", config.id));
            }
            if self.apps.iter().take(index).any(|earlier| earlier.id == config.id) {
                problems.push(format!("two apps have the client app id `{}`", &config.id));
            }
        }
        for config in &self.apps {
            let (_, faults) = Mails::read(&config.auth, &config.name);
            problems.extend(faults.iter().map(|fault| format!("`{}`: {fault}", config.id)));
        }
        for config in self.apps.iter().filter(|config| config.directory.is_none()) {
            let missing = config.auth.named_functions().into_iter();
            for function in missing.filter(|function| !self.functions.contains_key(function.name)) {
                let (id, name, without) = (&config.id, function.name, function.without);
                problems.push(format!("`{id}` needs the function `{name}` for {without}: call `function`"));
            }
        }
        let ids: Vec<&AppId> = self.apps.iter().map(|config| &config.id).collect();
        problems.extend(self.user_hooks.iter().flat_map(|hook| hook.problems(&ids)));
    }
}

/// The URL without its trailing slash: clients append paths to it (wire-protocol, rule 8).
pub(super) fn public_url(url: Option<&str>, problems: &mut Vec<String>) -> String {
    let Some(url) = url else {
        problems.push("no public URL: call `public_url`".to_owned());
        return String::new();
    };
    let url = url.trim_end_matches('/');
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    if rest.is_none_or(|rest| rest.is_empty() || rest.contains(char::is_whitespace)) {
        problems.push(format!("the public URL `{url}` must begin with http:// or https:// and name a host"));
    }
    url.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_needs_a_scheme_and_a_host() {
        for (url, good) in [
            ("https://api.example.com/", true),
            ("http://127.0.0.1:9090", true),
            ("api.example.com", false),
            ("https://", false),
            ("ftp://x", false),
        ] {
            let mut problems = Vec::new();
            let kept = public_url(Some(url), &mut problems);
            assert_eq!(problems.is_empty(), good, "{url}: {problems:?}");
            assert!(!kept.ends_with('/') || !good, "{kept}");
        }
    }
}
