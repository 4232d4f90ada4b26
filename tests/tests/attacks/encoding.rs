//! Attacks 19 to 22: how a token is written.

use serde_json::json;

use crate::forge::encode;

attack!(attack_19_a_token_has_one_spelling, |world| {
    for door in world.doors().await {
        let good = door.token();
        door.admits(&good, "the control").await;
        let (header, payload) = door.segments();
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let sealed = |header: &str, payload: &str| door.signer.sealed(header, payload);
        // Text whose base64 has the letters that differ between the alphabets.
        let odd = door.claims.to_string().replacen('{', "{\"x\":\"???>>>~~~\",", 1);
        let standard = base64::Engine::encode(&base64::engine::general_purpose::STANDARD_NO_PAD, odd);
        assert!(standard.contains('/') || standard.contains('+'), "{standard}");
        for (why, hostile) in [
            ("a padded header", sealed(&format!("{header}="), &payload)),
            ("a padded payload", sealed(&header, &format!("{payload}="))),
            ("a payload padded twice", sealed(&header, &format!("{payload}=="))),
            ("a padded signature", format!("{good}=")),
            ("a signature padded twice", format!("{good}==")),
            ("the other alphabet", sealed(&header, &standard)),
            ("trailing bits in the header", sealed(&loosened(&header), &payload)),
            ("trailing bits in the payload", sealed(&header, &loosened(&payload))),
            ("trailing bits in the signature", format!("{signed}.{}", loosened(signature))),
            ("a space inside", sealed(&header, &format!("{} {}", &payload[..8], &payload[8..]))),
            ("a space before the dot", good.replacen('.', " .", 1)),
            ("a line break inside", format!("{signed}.\n{signature}")),
            ("a tab behind", format!("{good}\t")),
            ("a letter left over", sealed(&header, &format!("{payload}A"))),
            ("percent signs", good.replace('.', "%2E")),
            ("a NUL behind", format!("{good}\0")),
        ] {
            if hostile != good {
                door.refuses(&hostile, why).await;
            }
        }
        // What HTTP takes off the ends of a header is no part of a token; what JSON carries is.
        for hostile in [format!("\u{feff}{good}"), format!("{good}é")] {
            if door.is_own() {
                let no_token = ("invalid session: no bearer token", "InvalidSession");
                door.refuses_as(&hostile, no_token, "not ASCII").await;
            } else {
                door.refuses(&hostile, "not ASCII").await;
            }
        }
        for hostile in [format!(" {good}"), format!("{good} "), format!("{good}\n")] {
            if !door.is_own() {
                door.refuses(&hostile, "white space around it").await;
            }
        }
        let marked = door.signer.token(format!("\u{feff}{}", door.header), door.claims.to_string());
        door.refuses(&marked, "a BOM in the header").await;
        for hostile in [
            format!("\u{feff}{}", door.claims),
            format!("{}\u{0}", door.claims),
            format!("{} x", door.claims),
        ] {
            door.refuses(&door.signer.token(door.header.to_string(), hostile), "something around the claims")
                .await;
        }
    }
});

attack!(attack_20_a_member_that_comes_twice_is_refused, |world| {
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        let (header, claims) = (door.header.to_string(), door.claims.to_string());
        let doubled = |json: &str, member: &str| json.replacen('{', &format!("{{{member},"), 1);
        let alg = door.signer.alg();
        for member in [
            format!(r#""alg":"{alg}""#),
            r#""alg":"none""#.to_owned(),
            r#""\u0061lg":"none""#.to_owned(),
            format!(r#""kid":{}"#, door.header["kid"]),
            r#""kid":"other""#.to_owned(),
            r#""typ":"JWT""#.to_owned(),
            r#""x":1,"x":1"#.to_owned(),
        ] {
            door.refuses(&door.signer.token(doubled(&header, &member), &claims), &member).await;
        }
        for member in [
            format!(r#""sub":{}"#, door.claims["sub"]),
            r#""sub":"somebody""#.to_owned(),
            r#""s\u0075b":"somebody""#.to_owned(),
            r#""exp":9999999999"#.to_owned(),
            format!(r#""exp":{}"#, door.claims["exp"]),
            r#""aud":"a","aud":"a""#.to_owned(),
            r#""x":{"a":1,"a":2}"#.to_owned(),
            r#""x":[{"a":1,"a":1}]"#.to_owned(),
        ] {
            door.refuses(&door.signer.token(&header, doubled(&claims, &member)), &member).await;
        }
        // The second one behind the first.
        let behind = claims.replacen("\"exp\"", r#""sub":"somebody","exp""#, 1);
        let behind = behind.trim_end_matches('}').to_owned() + r#","sub":"somebody"}"#;
        door.refuses(&door.signer.token(&header, behind), "sub again at the end").await;
    }
});

attack!(attack_21_text_that_is_no_unicode_is_refused, |world| {
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        let (header, claims) = (door.header.to_string(), door.claims.to_string());
        let before = |json: &str, member: &[u8]| [b"{", member, b",", &json.as_bytes()[1..]].concat();
        for member in [
            &b"\"x\":\"\xff\""[..],
            b"\"x\":\"\xc0\xae\"",
            b"\"x\":\"\xed\xa0\x80\"",
            b"\"x\":\"\xf4\x90\x80\x80\"",
            b"\"\xff\":1",
            br#""x":"\ud800""#,
            br#""x":"\udc00\ud800""#,
            br#""\ud800":1"#,
            br#""x":"\u00""#,
            br#""x":"\x41""#,
        ] {
            let why = String::from_utf8_lossy(member);
            door.refuses(&door.signer.token(&header, before(&claims, member)), &format!("claims {why}"))
                .await;
            door.refuses(&door.signer.token(before(&header, member), &claims), &format!("header {why}"))
                .await;
        }
        for subject in [&br#"\ud800"#[..], b"\xff", b"\xed\xb2\x80"] {
            let (from, to) = claims.split_once(door.claims["sub"].as_str().unwrap()).unwrap();
            let hostile = [from.as_bytes(), subject, to.as_bytes()].concat();
            door.refuses(&door.signer.token(&header, hostile), "the subject").await;
        }
        // UTF-16, as some writers have it.
        let wide: Vec<u8> = claims.encode_utf16().flat_map(u16::to_le_bytes).collect();
        door.refuses(&door.signer.token(&header, wide), "UTF-16").await;
    }
});

attack!(attack_22_deep_nesting_is_refused_and_overflows_no_stack, |world| {
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        let (header, claims) = (door.header.to_string(), door.claims.to_string());
        let lists = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let objects = |depth| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        for deep in [lists(100), lists(10_000), "[".repeat(10_000), objects(100), objects(5_000)] {
            let within = |json: &str| json.replacen('{', &format!("{{\"x\":{deep},"), 1);
            door.refuses(&door.signer.token(&header, within(&claims)), "claims").await;
            door.refuses(&door.signer.token(within(&header), &claims), "header").await;
            door.refuses(&door.signer.token(&header, &deep), "nothing but depth").await;
        }
        door.refuses(&format!("{}.{}.AA", encode(lists(10_000)), encode(lists(10_000))), "without a key")
            .await;
    }
    // A claim that nests as people's claims do is no attack.
    let door = world.custom_door(&world.federated().await, backstitch_tests::Signer::EdDsa);
    door.admits(&door.with_claims(&json!({ "x": [[{ "a": [{ "b": 1 }] }]] })), "five levels").await;
});

/// The segment with a bit set that stands for nothing; as it is, if it has none to spare.
fn loosened(segment: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if segment.len().is_multiple_of(4) {
        return segment.to_owned();
    }
    let last = segment.bytes().last().unwrap();
    let at = ALPHABET.iter().position(|letter| *letter == last).unwrap();
    format!("{}{}", &segment[..segment.len() - 1], char::from(ALPHABET[at | 1]))
}
