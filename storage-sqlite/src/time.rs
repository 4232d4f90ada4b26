//! Moments as integers: microseconds since 1970.

use backstitch::store::Result;
use chrono::{DateTime, Utc};

use crate::error::corrupt;

pub(crate) fn to_column(moment: DateTime<Utc>) -> i64 {
    moment.timestamp_micros()
}

pub(crate) fn from_column(micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| corrupt("a stored time is out of range"))
}
