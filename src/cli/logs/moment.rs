//! Times as `--since` and `--until` take them: an age, a local date and time, an RFC 3339 time, or seconds
//! since 1970, as `docker logs` has them; `now`, `today` and `yesterday` as systemd.time(7) has them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Reads a time; ages count back from `now`. The result is in nanoseconds since 1970.
///
/// # Errors
/// Says what is wrong with the text.
pub(super) fn parse(text: &str, now: i128, zone: &TimeZone) -> Result<i128, String> {
    let text = text.trim();
    if let Some(seconds) = seconds(text) {
        return Ok(seconds);
    }
    if let Some(age) = age(text) {
        return Ok(now - age);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_nanosecond());
    }
    if let Some(days) =
        [("yesterday", 1), ("today", 0)].iter().find(|(word, _)| *word == text).map(|(_, days)| days)
    {
        return midnight(now, *days, zone);
    }
    if text == "now" {
        return Ok(now);
    }
    let civil = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(DateTime::from));
    let civil = civil.or_else(|_| DateTime::strptime("%Y-%m-%d %H:%M", text));
    match civil.map(|civil| civil.to_zoned(zone.clone())) {
        Ok(Ok(zoned)) => Ok(zoned.timestamp().as_nanosecond()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("`{text}` is no time")),
    }
}

/// Returns the beginning of the day that was so many days ago.
fn midnight(now: i128, days: i64, zone: &TimeZone) -> Result<i128, String> {
    let found = Timestamp::from_nanosecond(now).and_then(|now| {
        let day = now.to_zoned(zone.clone()).checked_sub(jiff::Span::new().days(days))?;
        Ok(day.start_of_day()?.timestamp().as_nanosecond())
    });
    found.map_err(|error| error.to_string())
}

/// Reads seconds since 1970, with a fraction or without.
fn seconds(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    // A shorter number is a year or a slip, and no time of any container.
    if whole.len() < 6 || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let nanos: i128 = format!("{fraction:0<9}").parse().ok()?;
    whole.parse::<i64>().ok().map(|whole| i128::from(whole) * 1_000_000_000 + nanos)
}

/// Reads an age such as `90s`, `10m`, `1h30m`, `2d`.
fn age(text: &str) -> Option<i128> {
    let mut rest = text;
    let mut sum: i128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let nanos: i128 = match unit.trim() {
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" | "min" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            _ => return None,
        };
        sum = sum.checked_add(i128::from(number.parse::<u32>().ok()?).checked_mul(nanos)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i128 = 1_700_000_000_000_000_000;

    fn read(text: &str) -> String {
        match parse(text, NOW, &TimeZone::UTC) {
            Ok(at) => Timestamp::from_nanosecond(at).unwrap().to_string(),
            Err(why) => why,
        }
    }

    #[test]
    fn ages_count_back_from_now() {
        assert_eq!(read("10m"), "2023-11-14T22:03:20Z");
        assert_eq!(read("1h30m"), "2023-11-14T20:43:20Z");
        assert_eq!(read("2d"), "2023-11-12T22:13:20Z");
    }

    #[test]
    fn dates_times_and_numbers_are_read() {
        assert_eq!(read("2023-01-31T08:00:00+02:00"), "2023-01-31T06:00:00Z");
        assert_eq!(read("2023-01-31 08:00"), "2023-01-31T08:00:00Z");
        assert_eq!(read("2023-01-31"), "2023-01-31T00:00:00Z");
        assert_eq!(read("1700000000.25"), "2023-11-14T22:13:20.25Z");
    }

    #[test]
    fn what_is_no_time_is_said() {
        assert_eq!(read("once"), "`once` is no time");
        assert_eq!(read("10"), "`10` is no time");
        assert_eq!(read("99999999999999999999d"), "`99999999999999999999d` is no time");
        assert_eq!(read(""), "`` is no time");
    }

    #[test]
    fn words_of_systemd_name_days() {
        assert_eq!(read("now"), "2023-11-14T22:13:20Z");
        assert_eq!(read("today"), "2023-11-14T00:00:00Z");
        assert_eq!(read("yesterday"), "2023-11-13T00:00:00Z");
    }
}
