//! The providers, in one visible list.

mod anonymous;
mod email_password;

use std::sync::Arc;

use anonymous::Anonymous;
pub(super) use email_password::EmailPassword;

use super::config::{AuthConfig, ProviderKind};
use super::password::{PasswordHasher, PasswordRules};
use super::provider::Provider;
use crate::limits::Limits;

/// The enabled providers of an app; a disabled one is as if it were not there.
pub(super) struct Providers {
    list: Vec<Arc<dyn Provider>>,
    email_password: Option<Arc<EmailPassword>>,
}

impl Providers {
    /// From the configuration, in its order.
    pub(super) fn new(config: &AuthConfig, hasher: &Arc<PasswordHasher>, limits: &Limits) -> Self {
        let mut providers = Self { list: Vec::new(), email_password: None };
        let rules = PasswordRules::new(config.passwords, &limits.password);
        for config in config.providers.iter().filter(|config| !config.disabled) {
            let provider: Arc<dyn Provider> = match &config.kind {
                // Each of these has a file of its own beside this one.
                ProviderKind::ApiKey
                | ProviderKind::CustomToken(_)
                | ProviderKind::CustomFunction(_)
                | ProviderKind::OAuth(_) => continue,
                ProviderKind::Anonymous => Arc::new(Anonymous::new(config.id)),
                ProviderKind::EmailPassword(settings) => {
                    let (hasher, rules) = (Arc::clone(hasher), rules.clone());
                    let made = Arc::new(EmailPassword::new(config.id, settings.clone(), hasher, rules));
                    providers.email_password.get_or_insert(Arc::clone(&made));
                    made
                }
            };
            providers.list.push(provider);
        }
        providers
    }

    /// The provider of that name.
    pub(super) fn named(&self, name: &str) -> Option<&dyn Provider> {
        self.list.iter().find(|provider| provider.type_name() == name).map(AsRef::as_ref)
    }

    /// The one that keeps registrations.
    pub(super) fn email_password(&self) -> Option<&EmailPassword> {
        self.email_password.as_deref()
    }
}
