//! Durations, sizes and shares of a processor as Compose writes them. Pure text to number and back.
//!
//! Sources: Go's `time.ParseDuration` with the days and weeks of go-str2duration, which Compose reads
//! durations with; `units.RAMInBytes` of docker/go-units, where `1kb` is 1024 bytes.

use std::time::Duration;

/// Reads a duration such as `90s`, `1m30s`, `1.5h`, `500ms`, `1d`.
///
/// # Errors
/// Says in a few words what is wrong (`needs a unit such as s`).
pub fn duration(text: &str) -> Result<Duration, String> {
    if text.starts_with('-') {
        return Err("a duration cannot be negative".to_owned());
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.is_empty() {
        return Err("a duration such as `90s` is missing".to_owned());
    }
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut nanoseconds: u128 = 0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || ".+-".contains(c)).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        nanoseconds = part(number, unit)?
            .checked_add(nanoseconds)
            .filter(|total| *total <= i64::MAX as u128)
            .ok_or_else(|| "longer than 292 years".to_owned())?;
        rest = tail;
        if rest.starts_with(['+', '-']) {
            return Err("a sign may stand only at the beginning".to_owned());
        }
    }
    // Invariant: at most i64::MAX by the check above.
    Ok(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)))
}

/// One number with its unit, in nanoseconds.
fn part(number: &str, unit: &str) -> Result<u128, String> {
    let scale: u128 = match unit {
        "" => return Err(format!("needs a unit: `{number}s` or `{number}m`, say")),
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        "w" => 604_800_000_000_000,
        other => return Err(format!("`{other}` is no unit of time; there are ns, us, ms, s, m, h, d and w")),
    };
    decimal(number, scale).ok_or_else(|| format!("`{number}` is not a number"))
}

/// `12.5` times a scale, rounded down, without going through a float.
fn decimal(number: &str, scale: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // More digits than a nanosecond or a byte of an exbibyte can need.
    let fraction = fraction.get(..18).unwrap_or(fraction);
    let numerator: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let denominator = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    whole.checked_mul(scale)?.checked_add(numerator.checked_mul(scale)? / denominator)
}

/// Prints a duration as Go does: `1m30s`, `1h0m0s`, `500ms`, `0s`.
#[must_use]
pub fn print_duration(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    if nanoseconds == 0 {
        return "0s".to_owned();
    }
    if nanoseconds < 1_000_000_000 {
        let (scale, unit) = match nanoseconds {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{}{unit}", with_fraction(nanoseconds, scale));
    }
    let seconds = duration.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let rest = with_fraction(nanoseconds % 60_000_000_000, 1_000_000_000);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, minutes) => format!("{minutes}m{rest}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{rest}s"),
    }
}

fn with_fraction(value: u128, scale: u128) -> String {
    let (whole, rest) = (value / scale, value % scale);
    let digits = scale.ilog10() as usize;
    let fraction = format!("{rest:0digits$}");
    match fraction.trim_end_matches('0') {
        "" => whole.to_string(),
        fraction => format!("{whole}.{fraction}"),
    }
}

/// Reads a number of bytes such as `512m`, `1.5g`, `64 KiB`, `1024`: powers of 1024.
///
/// # Errors
/// Says in a few words what is wrong.
pub fn bytes(text: &str) -> Result<u64, String> {
    if text.starts_with('-') {
        return Err("a size cannot be negative".to_owned());
    }
    let end = text
        .rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')
        .ok_or_else(|| format!("`{text}` is not a size such as `512m`"))?;
    let (number, unit) = text.split_at(end + 1);
    let number = number.strip_suffix(' ').unwrap_or(number);
    let power = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        "p" | "pb" | "pib" => 5,
        _ => return Err(format!("`{unit}` is no unit of size; there are b, k, m, g, t and p")),
    };
    let value = decimal(number, 1 << (10 * power)).ok_or_else(|| format!("`{number}` is not a number"))?;
    u64::try_from(value)
        .ok()
        .filter(|value| i64::try_from(*value).is_ok())
        .ok_or_else(|| format!("`{text}` is more than an engine can count"))
}

/// Reads a number of processors such as `0.5`, as billionths.
///
/// # Errors
/// Says in a few words what is wrong.
pub fn cpus(text: &str) -> Result<u64, String> {
    const WANTED: &str = "the number of processors must be a finite number above 0, such as `1.5`";
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let value = if plain {
        decimal(text, 1_000_000_000)
    } else {
        text.parse::<f64>()
            .ok()
            .filter(|value| value.is_finite() && *value > 0.0 && *value < 1e6)
            .and_then(|value| decimal(&format!("{value:.9}"), 1_000_000_000))
    };
    value
        .filter(|value| *value > 0)
        .and_then(|value| i64::try_from(value).ok())
        .and_then(|value| u64::try_from(value).ok())
        .ok_or_else(|| WANTED.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn again(text: &str) -> String {
        duration(text).map_or_else(|why| why, print_duration)
    }

    #[test]
    fn durations_are_read_and_printed_as_compose_does() {
        let pairs = [
            ("90s", "1m30s"),
            ("1m30s", "1m30s"),
            ("1.5h", "1h30m0s"),
            ("500ms", "500ms"),
            ("0s", "0s"),
            ("1d", "24h0m0s"),
            ("1.5s", "1.5s"),
            ("2us", "2µs"),
            ("1h", "1h0m0s"),
            ("30", "needs a unit: `30s` or `30m`, say"),
            ("-5s", "a duration cannot be negative"),
            ("5 s", "` s` is no unit of time; there are ns, us, ms, s, m, h, d and w"),
            ("1h-5m", "a sign may stand only at the beginning"),
            ("99999999999h", "longer than 292 years"),
            (".nan", "`nan` is no unit of time; there are ns, us, ms, s, m, h, d and w"),
            ("", "a duration such as `90s` is missing"),
        ];
        for (written, printed) in pairs {
            assert_eq!(again(written), printed, "{written}");
        }
    }

    #[test]
    fn sizes_count_in_powers_of_1024() {
        assert_eq!(bytes("1kb"), Ok(1024));
        assert_eq!(bytes("512M"), Ok(536_870_912));
        assert_eq!(bytes("1.5g"), Ok(1_610_612_736));
        assert_eq!(bytes("64 KiB"), Ok(65_536));
        assert_eq!(bytes("1024"), Ok(1024));
        assert_eq!(bytes("-1g"), Err("a size cannot be negative".to_owned()));
        assert_eq!(bytes("10x"), Err("`x` is no unit of size; there are b, k, m, g, t and p".to_owned()));
        assert_eq!(bytes("1.5.g"), Err("`1.5.` is not a number".to_owned()));
        assert_eq!(
            bytes("99999999999999t"),
            Err("`99999999999999t` is more than an engine can count".to_owned())
        );
        assert_eq!(bytes(""), Err("`` is not a size such as `512m`".to_owned()));
    }

    #[test]
    fn processors_are_positive_and_finite() {
        assert_eq!(cpus("0.5"), Ok(500_000_000));
        assert_eq!(cpus("2"), Ok(2_000_000_000));
        assert_eq!(cpus("5e-1"), Ok(500_000_000));
        for bad in ["0", "-1", "nan", "inf", "1e308", "", ".", "1.2.3", "many"] {
            assert!(cpus(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_duration_reads_back(nanoseconds in 0..=i64::MAX as u64) {
            let value = Duration::from_nanos(nanoseconds);
            prop_assert_eq!(duration(&print_duration(value)), Ok(value));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,20}") {
            let _ = (duration(&text), bytes(&text), cpus(&text));
        }

        #[test]
        fn a_whole_number_of_bytes_reads_back(value in 0..=i64::MAX as u64) {
            prop_assert_eq!(bytes(&value.to_string()), Ok(value));
        }
    }
}
