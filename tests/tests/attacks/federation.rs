//! Attacks 70 to 88: other services, linking, API keys, and what leaks.
