//! Every limit, named and with its default, in one place.

use std::time::Duration;

/// The limits of an engine. All of them are on by default.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of a request body.
    pub body: usize,
    /// Bytes of a token of our own, before it is decoded.
    pub own_token: usize,
    /// Nesting of selections in a GraphQL document.
    pub graphql_depth: usize,
    /// Lexical tokens of a GraphQL document.
    pub graphql_tokens: usize,
    /// Fields of an operation after fragments are spread out, aliases included.
    pub graphql_fields: usize,
    /// Fields at the root of an operation.
    pub graphql_root_fields: usize,
    /// Resolvers of an operation: fields at the root, relations and computed fields. The original allowed ten
    /// (`max number of queries reached`); here they are not counted unless this is set.
    pub graphql_resolvers: usize,
    /// Requests in one batch.
    pub graphql_batch: usize,
    /// How long a request may go on reading; asked before each of its levels. Writes have
    /// [`transaction`](Self::transaction), functions [`function`](Self::function).
    pub graphql_time: Duration,
    /// Relations followed one after the other.
    pub relation_depth: usize,
    /// Documents that one list may ask for; more is cut to this. A relation that leads from a whole level to more, because its
    /// keys are not unique, is refused.
    pub page_size: u64,
    /// Cost of an operation: rows asked for × rows asked for below each, summed.
    pub graphql_cost: u64,
    /// Conditions on related documents in one operation; each of them is a storage request.
    pub relation_filters: usize,
    /// Distinct keys of related documents that all such conditions of an operation may match together. They are
    /// held in memory; with more the operation is refused, and never cut.
    pub relation_filter_keys: usize,
    /// Elements of one input list.
    pub input_list: usize,
    /// Nesting of input values, of request JSON and of stored documents.
    pub value_depth: usize,
    /// Nesting of a rule expression.
    pub expression_depth: usize,
    /// Plans kept in the cache, per app.
    pub cached_plans: usize,
    /// Length of a password, in characters.
    pub password: std::ops::RangeInclusive<usize>,
    /// Password hashes computed at once. The memory of as many (19 MiB each by default) is kept once it was used.
    pub hashing_permits: usize,
    /// Password hashes that may wait.
    pub hashing_queue: usize,
    /// Failed log-ins of one account within [`login_failure_window`](Self::login_failure_window); this one and
    /// every later one block it.
    pub login_failures: u64,
    /// How long failed log-ins are counted together.
    pub login_failure_window: Duration,
    /// The first and the longest block of an account; each one is twice the one before.
    pub login_block: std::ops::RangeInclusive<Duration>,
    /// How long a device that has logged in is let in while its account is blocked.
    pub known_device: Duration,
    /// Failed log-ins from one address, over all accounts, that block it.
    pub address_failures: u64,
    /// How long failed log-ins from one address are counted together.
    pub address_failure_window: Duration,
    /// How long an address is blocked.
    pub address_block: Duration,
    /// Mails that anybody may have sent to one address (confirmation, reset) within
    /// [`mail_window`](Self::mail_window).
    pub mails: u64,
    /// How long mails are counted together.
    pub mail_window: Duration,
    /// Passwords in request headers that are known to be right, per app.
    pub verified_credentials: usize,
    /// How long they are.
    pub verified_credential: Duration,
    /// The least that an answer takes where accounts are hidden: longer than the mailer needs.
    pub hidden_answer: Duration,
    /// How long a function may run.
    pub function: Duration,
    /// How many functions may call one another.
    pub function_depth: usize,
    /// Documents in the answer of a data service call; one with more is refused.
    pub found_documents: u64,
    /// Expressions that an aggregation or a projection evaluates, and documents that its stages handle.
    pub pipeline_steps: u64,
    /// Calls of functions at once, where one computes a field, or judges a rule, document by document.
    pub function_calls: usize,
    /// Explanations of rules in one answer, and documents in one explanation.
    pub explanations: usize,
    /// Bytes of a third party's token, before it is decoded.
    pub foreign_token: usize,
    /// Bytes of an answer of another server: a JWKS, a token endpoint's.
    pub fetched: usize,
    /// API keys of one user.
    pub user_api_keys: usize,
    /// Server API keys of one app.
    pub server_api_keys: usize,
    /// Bytes of custom user data that may ride in an access token.
    pub custom_data: usize,
    /// How long a mutation's transaction may take.
    pub transaction: Duration,
    /// How often a mutation is run in all when other transactions come in between, before it is refused with the advice to
    /// try again. Functions that it calls are called again.
    pub transaction_attempts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 18 * 1024 * 1024,
            own_token: 32 * 1024,
            graphql_depth: 20,
            graphql_tokens: 10_000,
            graphql_fields: 2_000,
            graphql_root_fields: 50,
            graphql_resolvers: usize::MAX,
            graphql_batch: 10,
            graphql_time: Duration::from_secs(60),
            relation_depth: 5,
            page_size: 50_000,
            graphql_cost: 2_000_000_000,
            relation_filters: 100,
            relation_filter_keys: 200_000,
            input_list: 50_000,
            value_depth: 100,
            expression_depth: 32,
            cached_plans: 1_000,
            password: 6..=128,
            hashing_permits: std::thread::available_parallelism().map_or(1, usize::from),
            hashing_queue: 256,
            login_failures: 20,
            login_failure_window: Duration::from_secs(15 * 60),
            login_block: Duration::from_secs(1)..=Duration::from_secs(15 * 60),
            known_device: Duration::from_secs(90 * 24 * 60 * 60),
            address_failures: 100,
            address_failure_window: Duration::from_secs(60),
            address_block: Duration::from_secs(60),
            mails: 10,
            mail_window: Duration::from_secs(60 * 60),
            verified_credentials: 10_000,
            verified_credential: Duration::from_secs(5 * 60),
            hidden_answer: Duration::from_secs(1),
            function: Duration::from_secs(300),
            function_depth: 16,
            found_documents: 50_000,
            pipeline_steps: 20_000_000,
            function_calls: 8,
            explanations: 100,
            foreign_token: 64 * 1024,
            fetched: 256 * 1024,
            user_api_keys: 20,
            server_api_keys: 100,
            custom_data: 16 * 1024,
            transaction: Duration::from_secs(30),
            transaction_attempts: 10,
        }
    }
}
