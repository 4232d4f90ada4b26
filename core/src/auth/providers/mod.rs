//! The providers, in one visible list.

mod anonymous;
mod api_key;
mod custom_function;
mod custom_token;
mod email_password;
mod oauth;

use std::sync::Arc;

use anonymous::Anonymous;
use api_key::ApiKeyProvider;
use custom_function::CustomFunction;
use custom_token::CustomToken;
pub(super) use email_password::EmailPassword;
use oauth::OAuth;

use super::config::{AuthConfig, ProviderKind};
use super::login::AuthParts;
use super::mails::Mails;
use super::password::PasswordRules;
use super::provider::Provider;
use super::redirect::RedirectProvider;

/// The enabled providers of an app; a disabled one is as if it were not there.
pub(super) struct Providers {
    list: Vec<Arc<dyn Provider>>,
    email_password: Option<Arc<EmailPassword>>,
    redirecting: Vec<Arc<dyn RedirectProvider>>,
}

impl Providers {
    /// From the configuration, in its order.
    pub(super) fn new(app: &AuthConfig, parts: &AuthParts) -> Self {
        let mut providers = Self { list: Vec::new(), email_password: None, redirecting: Vec::new() };
        let rules = PasswordRules::new(app.passwords, &parts.limits.password);
        // Building the engine has told what is at fault.
        let (mails, _) = Mails::read(app, &parts.name);
        for config in app.providers.iter().filter(|config| !config.disabled) {
            let provider: Arc<dyn Provider> = match &config.kind {
                ProviderKind::ApiKey => Arc::new(ApiKeyProvider::new(config.id)),
                ProviderKind::CustomFunction(settings) => {
                    Arc::new(CustomFunction::new(config.id, settings.clone()))
                }
                ProviderKind::Anonymous => Arc::new(Anonymous::new(config.id)),
                ProviderKind::CustomToken(settings) => {
                    Arc::new(CustomToken::new(config.id, settings.clone()))
                }
                ProviderKind::OAuth(settings) => {
                    let made = Arc::new(OAuth::new(config.id, settings.as_ref().clone()));
                    providers.redirecting.push(Arc::<OAuth>::clone(&made));
                    made
                }
                ProviderKind::EmailPassword(settings) => {
                    let made = Arc::new(EmailPassword {
                        id: config.id,
                        config: settings.clone(),
                        hasher: Arc::clone(&parts.hasher),
                        rules: rules.clone(),
                        mails: mails.clone(),
                        hides_accounts: app.hide_accounts,
                        folds_emails: app.fold_emails,
                    });
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

    /// The provider of that name, if browsers can be sent to it.
    pub(super) fn redirecting(&self, name: &str) -> Option<&dyn RedirectProvider> {
        self.redirecting.iter().find(|provider| provider.type_name() == name).map(AsRef::as_ref)
    }

    /// The one that keeps registrations.
    pub(super) fn email_password(&self) -> Option<&EmailPassword> {
        self.email_password.as_deref()
    }
}
