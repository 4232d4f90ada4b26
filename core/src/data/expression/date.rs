//! Dates. Time zones are offsets (`+02:00`, `UTC`); names of places are not known here.

use bson::{Bson, DateTime};
use chrono::{Datelike as _, FixedOffset, NaiveDate, NaiveDateTime, TimeZone as _, Timelike as _, Utc};

use super::{Arguments, Operator, Outcome, Value, is_absent};

type Moment = chrono::DateTime<FixedOffset>;

/// `{date, timezone}`, or the date alone.
const PART: Arguments = Arguments::Listed(1, 1);

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$year", arguments: PART, apply: |given| part(given, |at| at.year()) },
    Operator { name: "$month", arguments: PART, apply: |given| part(given, |at| number(at.month())) },
    Operator { name: "$dayOfMonth", arguments: PART, apply: |given| part(given, |at| number(at.day())) },
    Operator {
        name: "$dayOfWeek",
        arguments: PART,
        apply: |given| part(given, |at| number(at.weekday().number_from_sunday())),
    },
    Operator { name: "$dayOfYear", arguments: PART, apply: |given| part(given, |at| number(at.ordinal())) },
    Operator {
        name: "$isoWeek",
        arguments: PART,
        apply: |given| part(given, |at| number(at.iso_week().week())),
    },
    Operator { name: "$isoWeekYear", arguments: PART, apply: |given| part(given, |at| at.iso_week().year()) },
    Operator {
        name: "$isoDayOfWeek",
        arguments: PART,
        apply: |given| part(given, |at| number(at.weekday().number_from_monday())),
    },
    Operator { name: "$hour", arguments: PART, apply: |given| part(given, |at| number(at.hour())) },
    Operator { name: "$minute", arguments: PART, apply: |given| part(given, |at| number(at.minute())) },
    Operator { name: "$second", arguments: PART, apply: |given| part(given, |at| number(at.second())) },
    Operator {
        name: "$millisecond",
        arguments: PART,
        apply: |given| part(given, |at| number(at.timestamp_subsec_millis())),
    },
    Operator {
        name: "$dateToString",
        arguments: Arguments::Named(1, &["date", "format", "timezone", "onNull"]),
        apply: to_string,
    },
    Operator {
        name: "$dateFromString",
        arguments: Arguments::Named(1, &["dateString", "onError", "onNull"]),
        apply: from_string,
    },
];

fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or_default()
}

fn moment(date: &Value, zone: &Value) -> Result<Option<Moment>, String> {
    let millis = match date {
        date if is_absent(date) => return Ok(None),
        Some(Bson::DateTime(date)) => date.timestamp_millis(),
        Some(Bson::ObjectId(id)) => id.timestamp().timestamp_millis(),
        Some(Bson::Timestamp(timestamp)) => i64::from(timestamp.time) * 1000,
        _ => return Err("a date is needed".to_owned()),
    };
    let at = Utc.timestamp_millis_opt(millis).single().ok_or("the date is out of range")?;
    Ok(Some(at.with_timezone(&offset(zone)?)))
}

fn offset(zone: &Value) -> Result<FixedOffset, String> {
    let utc = FixedOffset::east_opt(0).ok_or("no offset")?;
    match zone {
        zone if is_absent(zone) => Ok(utc),
        Some(Bson::String(name)) if ["UTC", "GMT", "Z"].contains(&name.as_str()) => Ok(utc),
        Some(Bson::String(name)) => {
            let unknown =
                || format!("the time zone '{name}' is not known here; offsets such as '+02:00' are");
            let digits: String = name.chars().filter(char::is_ascii_digit).collect();
            let (hours, minutes) = match digits.len() {
                2 => (digits.as_str(), "0"),
                4 => digits.split_at(2),
                _ => return Err(unknown()),
            };
            let seconds = hours.parse::<i32>().map_err(|_| unknown())? * 3600
                + minutes.parse::<i32>().map_err(|_| unknown())? * 60;
            let signed = match name.chars().next() {
                Some('+') => seconds,
                Some('-') => -seconds,
                _ => return Err(unknown()),
            };
            FixedOffset::east_opt(signed).ok_or_else(unknown)
        }
        _ => Err("the time zone must be a string".to_owned()),
    }
}

fn part(given: &[Value], of: fn(&Moment) -> i32) -> Outcome {
    let (date, zone) = match given {
        [Some(Bson::Document(named))] => (named.get("date").cloned(), named.get("timezone").cloned()),
        [date] => (date.clone(), None),
        _ => return Ok(None),
    };
    Ok(Some(moment(&date, &zone)?.map_or(Bson::Null, |at| Bson::Int32(of(&at)))))
}

fn to_string(given: &[Value]) -> Outcome {
    let [date, format, zone, on_null] = given else { return Ok(None) };
    let Some(at) = moment(date, zone)? else { return Ok(Some(on_null.clone().unwrap_or(Bson::Null))) };
    let format = match format {
        None => "%Y-%m-%dT%H:%M:%S.%LZ",
        Some(Bson::String(format)) => format.as_str(),
        Some(_) => return Err("'format' must be a string".to_owned()),
    };
    formatted(&at, format).map(|text| Some(Bson::String(text)))
}

fn formatted(at: &Moment, format: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = format.chars();
    while let Some(next) = rest.next() {
        if next != '%' {
            text.push(next);
            continue;
        }
        let part = match rest.next() {
            Some('Y') => format!("{:04}", at.year()),
            Some('m') => format!("{:02}", at.month()),
            Some('d') => format!("{:02}", at.day()),
            Some('H') => format!("{:02}", at.hour()),
            Some('M') => format!("{:02}", at.minute()),
            Some('S') => format!("{:02}", at.second()),
            Some('L') => format!("{:03}", at.timestamp_subsec_millis()),
            Some('j') => format!("{:03}", at.ordinal()),
            Some('w') => at.weekday().number_from_sunday().to_string(),
            Some('u') => at.weekday().number_from_monday().to_string(),
            Some('V') => format!("{:02}", at.iso_week().week()),
            Some('G') => format!("{:04}", at.iso_week().year()),
            Some('U') => format!("{:02}", (at.ordinal() + 6 - at.weekday().num_days_from_sunday()) / 7),
            Some('z') => at.format("%z").to_string(),
            Some('Z') => (at.offset().local_minus_utc() / 60).to_string(),
            Some('%') => "%".to_owned(),
            other => return Err(format!("invalid format character '%{}'", other.unwrap_or(' '))),
        };
        text.push_str(&part);
    }
    Ok(text)
}

fn from_string(given: &[Value]) -> Outcome {
    let [date, on_error, on_null] = given else { return Ok(None) };
    match date {
        date if is_absent(date) => Ok(Some(on_null.clone().unwrap_or(Bson::Null))),
        Some(Bson::String(text)) => match (parsed(text), on_error) {
            (Some(date), _) => Ok(Some(Bson::DateTime(date))),
            (None, Some(instead)) => Ok(Some(instead.clone())),
            (None, None) => Err(format!("'{text}' is no date")),
        },
        _ => Err("'dateString' must be a string".to_owned()),
    }
}

/// `2024-01-31T12:00:00.000Z`, with or without the time, the fraction and the offset.
pub(super) fn parsed(text: &str) -> Option<DateTime> {
    let millis = |at: chrono::DateTime<Utc>| DateTime::from_millis(at.timestamp_millis());
    if let Ok(at) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(millis(at.to_utc()));
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(millis(date.and_hms_opt(0, 0, 0)?.and_utc()));
    }
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let at = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    Some(millis(at.and_utc()))
}

/// As `$toString` writes a date.
pub(super) fn iso(date: DateTime) -> String {
    let at = Utc.timestamp_millis_opt(date.timestamp_millis()).single();
    at.map(|at| at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()).unwrap_or_default()
}
