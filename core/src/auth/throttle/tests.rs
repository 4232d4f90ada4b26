use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::env::test::ManualClock;
use crate::store;

#[derive(Default)]
struct Tickets(Mutex<HashMap<TicketKey, (u64, Ticket)>>);

#[async_trait]
impl TicketStore for Tickets {
    async fn put_ticket(&self, _: &AppId, ticket: &Ticket) -> store::Result<()> {
        self.0.lock().unwrap().insert(ticket.key.clone(), (0, ticket.clone()));
        Ok(())
    }

    async fn take_ticket(
        &self,
        app: &AppId,
        key: &TicketKey,
        now: DateTime<Utc>,
    ) -> store::Result<Option<Ticket>> {
        let found = self.ticket(app, key, now).await;
        self.0.lock().unwrap().remove(key);
        found
    }

    async fn ticket(&self, _: &AppId, key: &TicketKey, now: DateTime<Utc>) -> store::Result<Option<Ticket>> {
        let found = self.0.lock().unwrap().get(key).map(|(_, ticket)| ticket.clone());
        Ok(found.filter(|ticket| now < ticket.expires_at))
    }

    async fn bump_ticket(
        &self,
        app: &AppId,
        key: &TicketKey,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> store::Result<u64> {
        let fresh = Ticket { key: key.clone(), payload: Vec::new(), expires_at };
        let living = self.ticket(app, key, now).await?.is_some();
        let mut all = self.0.lock().unwrap();
        let counter = all.entry(key.clone()).or_insert((0, fresh.clone()));
        if !living {
            *counter = (0, fresh);
        }
        counter.0 += 1;
        Ok(counter.0)
    }

    async fn list_tickets(
        &self,
        _: &AppId,
        _: Option<&(String, [u8; 32])>,
        _: usize,
    ) -> store::Result<Vec<store::KeptTicket>> {
        Ok(Vec::new())
    }

    async fn keep_ticket(&self, _: &AppId, _: &store::KeptTicket) -> store::Result<()> {
        Ok(())
    }

    async fn purge_tickets(&self, _: DateTime<Utc>) -> store::Result<u64> {
        Ok(0)
    }
}

struct World {
    app: AppId,
    store: Tickets,
    clock: ManualClock,
    limits: Limits,
}

impl World {
    fn new() -> Self {
        let (app, store) = (AppId::new("shop"), Tickets::default());
        Self { app, store, clock: ManualClock::at(1_800_000_000), limits: Limits::default() }
    }

    fn throttle(&self) -> Throttle<'_> {
        Throttle { app: &self.app, store: &self.store, clock: &self.clock, limits: &self.limits }
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn left(outcome: Result<()>) -> Option<u32> {
    let error = outcome.err()?;
    assert_eq!(error.kind(), ErrorKind::TooManyRequests);
    error.retry_after()
}

async fn fail(throttle: &Throttle<'_>, account: Account, device: Option<DeviceId>) {
    let attempt = throttle.begin(account, device).await.unwrap();
    throttle.failed(attempt).await.unwrap();
}

#[tokio::test]
async fn from_the_twentieth_failure_on_the_delay_doubles_up_to_a_quarter_of_an_hour() {
    let world = World::new();
    let (throttle, ada) = (world.throttle(), Account::new("local-userpass", "ada"));
    for _ in 1..20 {
        fail(&throttle, ada, None).await;
        assert_eq!(left(throttle.admit(ada, None).await), None);
    }
    for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256] {
        fail(&throttle, ada, None).await;
        assert_eq!(left(throttle.admit(ada, None).await), Some(expected));
        world.clock.advance(Duration::from_millis(u64::from(expected) * 1000 - 1));
        assert_eq!(left(throttle.admit(ada, None).await), Some(1), "rounded up");
        assert_eq!(left(throttle.begin(ada, None).await.map(drop)), Some(1));
        world.clock.advance(Duration::from_millis(1));
        assert_eq!(left(throttle.admit(ada, None).await), None);
    }
    for before in [10, 31, 32, 1000, u32::MAX] {
        assert_eq!(delay(&world.limits, before), Duration::from_secs(900), "{before}");
    }
    assert_eq!(left(throttle.admit(Account::new("local-userpass", "bob"), None).await), None);
}

#[tokio::test]
async fn of_tries_that_are_begun_at_once_no_more_are_judged_than_may_fail() {
    let world = World::new();
    let (throttle, ada) = (world.throttle(), Account::new("local-userpass", "ada"));
    let mut begun = Vec::new();
    for _ in 0..20 {
        begun.push(throttle.begin(ada, None).await.unwrap());
    }
    for _ in 0..30 {
        assert_eq!(left(throttle.begin(ada, None).await.map(drop)), Some(1));
    }
    // When the block ends one is judged; the tries that were refused do not lengthen the next block.
    world.wait(1);
    begun.push(throttle.begin(ada, None).await.unwrap());
    assert_eq!(left(throttle.begin(ada, None).await.map(drop)), Some(2));
    // The one that laid the block was right: it is gone with the counter.
    throttle.succeeded(begun.pop().unwrap()).await.unwrap();
    assert_eq!(left(throttle.admit(ada, None).await), None);
    for _ in 0..20 {
        fail(&throttle, ada, None).await;
    }
    assert_eq!(left(throttle.admit(ada, None).await), Some(1));
}

#[tokio::test]
async fn a_success_and_a_quarter_of_an_hour_clear_the_counter() {
    let world = World::new();
    let (throttle, ada) = (world.throttle(), Account::new("local-userpass", "ada"));
    for round in 0..4 {
        for _ in 1..19 {
            fail(&throttle, ada, None).await;
        }
        let attempt = throttle.begin(ada, None).await.unwrap();
        assert_eq!(left(throttle.admit(ada, None).await), None, "{round}");
        if round % 2 == 0 {
            throttle.succeeded(attempt).await.unwrap();
        } else {
            throttle.failed(attempt).await.unwrap();
            world.wait(900);
        }
    }
}

#[tokio::test]
async fn a_known_device_is_let_in_until_it_fails_itself_or_is_forgotten() {
    let world = World::new();
    let (throttle, ada) = (world.throttle(), Account::new("local-userpass", "ada"));
    let (own, other) =
        (DeviceId::parse("65a000000000000000000001"), DeviceId::parse("65a000000000000000000002"));
    throttle.remember(ada, own.unwrap()).await.unwrap();
    for _ in 0..20 {
        fail(&throttle, ada, None).await;
    }
    for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256] {
        world.wait(seconds);
        fail(&throttle, ada, other).await;
    }
    assert_eq!(left(throttle.admit(ada, other).await), Some(512));
    assert_eq!(left(throttle.admit(ada, own).await), None);
    assert_eq!(left(throttle.admit(Account::new("local-userpass", "bob"), own).await), None);
    for _ in 1..20 {
        fail(&throttle, ada, own).await;
    }
    let attempt = throttle.begin(ada, own).await.unwrap();
    assert_eq!(left(throttle.begin(ada, own).await.map(drop)), Some(512), "no more than twenty at once");
    assert_eq!(left(throttle.admit(ada, own).await), None);
    throttle.failed(attempt).await.unwrap();
    assert_eq!(left(throttle.admit(ada, own).await), Some(512));

    throttle.remember(ada, own.unwrap()).await.unwrap();
    assert_eq!(left(throttle.admit(ada, own).await), None);
    world.wait(90 * 24 * 3600);
    for _ in 0..20 {
        fail(&throttle, ada, None).await;
    }
    assert_eq!(left(throttle.admit(ada, own).await), Some(1));
}

#[tokio::test]
async fn an_address_is_blocked_for_a_minute_after_a_hundred_failures_in_one() {
    let world = World::new();
    let throttle = world.throttle();
    let address = |text: &str| Some(text.parse::<IpAddr>().unwrap());
    for (failing, same, other) in [
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
        ("2001:db8::1", "2001:db8::ffff:0:0:1", "2001:db8:0:1::1"),
    ] {
        for _ in 1..100 {
            throttle.address_failed(address(failing)).await.unwrap();
        }
        assert_eq!(left(throttle.admit_address(address(failing)).await), None);
        throttle.address_failed(address(same)).await.unwrap();
        assert_eq!(left(throttle.admit_address(address(failing)).await), Some(60));
        assert_eq!(left(throttle.admit_address(address(same)).await), Some(60));
        assert_eq!(left(throttle.admit_address(address(other)).await), None);
        assert_eq!(left(throttle.admit_address(None).await), None);
        world.wait(60);
        assert_eq!(left(throttle.admit_address(address(failing)).await), None);
    }
}
