//! The functions that log-in calls by name.

use super::{AuthConfig, Confirmation, PasswordReset, ProviderKind};

/// A function that log-in calls by name, and where a configuration names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedFunction<'a> {
    /// The function's name.
    pub(crate) name: &'a str,
    /// The file of an app directory.
    pub(crate) file: &'static str,
    /// The JSON pointer inside it.
    pub(crate) pointer: &'static str,
    /// What fails without it.
    pub(crate) without: &'static str,
}

impl AuthConfig {
    /// The functions that may be called; those of a disabled provider are not.
    pub(crate) fn named_functions(&self) -> Vec<NamedFunction<'_>> {
        const PROVIDERS: &str = "auth/providers.json";
        let mut named = Vec::new();
        for provider in self.providers.iter().filter(|provider| !provider.disabled) {
            match &provider.kind {
                ProviderKind::CustomFunction(config) => named.push(NamedFunction {
                    name: &config.function,
                    file: PROVIDERS,
                    pointer: "/custom-function/config/authFunctionName",
                    without: "every log-in by `custom-function`",
                }),
                ProviderKind::EmailPassword(config) => {
                    if let Confirmation::Function { name } = &config.confirmation {
                        named.push(NamedFunction {
                            name,
                            file: PROVIDERS,
                            pointer: "/local-userpass/config/confirmationFunctionName",
                            without: "every registration",
                        });
                    }
                    if let PasswordReset::Function { name } = &config.reset {
                        named.push(NamedFunction {
                            name,
                            file: PROVIDERS,
                            pointer: "/local-userpass/config/resetFunctionName",
                            without: "every reset of a password",
                        });
                    }
                }
                ProviderKind::Anonymous
                | ProviderKind::ApiKey
                | ProviderKind::CustomToken(_)
                | ProviderKind::OAuth(_) => {}
            }
        }
        if let Some(name) = &self.user_creation_function {
            named.push(NamedFunction {
                name,
                file: "auth/custom_user_data.json",
                pointer: "/on_user_creation_function_name",
                without: "every first log-in",
            });
        }
        named
    }
}
