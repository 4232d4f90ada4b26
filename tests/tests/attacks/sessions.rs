//! Attacks 43 to 56: sessions and their renewal.

attack!(attack_53_logging_out_twice_is_tolerated, |world| {
    let guest = world.client().guest().await;
    let refresh = guest.refresh.as_deref();
    assert_eq!(guest.send("DELETE", "/auth/session", refresh, None).await.status, 204);
    let again = guest.send("DELETE", "/auth/session", refresh, None).await;
    assert!(again.status == 204 || again.status == 401, "{again:?}");
});
