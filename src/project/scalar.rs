//! What a plain scalar means where any scalar may stand: the typing of YAML 1.1 as Compose's reader
//! (go-yaml) applies it, and the text that Compose prints for it (Go's `%v`).
//!
//! So `A: 010` in an environment reaches the container as `8`, and `A: 1.10` as `1.1`: a file means the
//! same here as there.

/// A plain scalar, typed.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `true` or `false` in one of YAML's three spellings; `yes` and `on` are text.
    Bool(bool),
    /// A whole number of any notation, within 64 bits.
    Integer(i128),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A date, which no place of a manifest takes.
    Date,
    /// Anything else.
    Text,
}

/// Types the text of a scalar that was written without quotes.
#[must_use]
pub fn classify(text: &str) -> Scalar {
    match text {
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return Scalar::Text;
    }
    if is_date(text) {
        return Scalar::Date;
    }
    let digits = text.replace('_', "");
    integer(&digits).map(Scalar::Integer).or_else(|| float(&digits)).unwrap_or(Scalar::Text)
}

/// Prints a scalar that was written without quotes as Compose hands it to a container.
#[must_use]
pub fn print(text: &str) -> String {
    match classify(text) {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Integer(value) => value.to_string(),
        Scalar::Float(value) => print_float(value),
        Scalar::Date | Scalar::Text => text.to_owned(),
    }
}

/// Go's `strconv.ParseInt(text, 0, 64)`, then `ParseUint`: `0x`, `0b`, `0o` and a leading `0` for octal.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.get(..2) {
        Some("0x") => (16, lower.get(2..)?),
        Some("0b") => (2, lower.get(2..)?),
        Some("0o") => (8, lower.get(2..)?),
        Some(start) if start.starts_with('0') => (8, lower.get(1..)?),
        Some(_) | None => (10, lower.as_str()),
    };
    // from_str_radix would take a second sign.
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -value } else { value };
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value).then_some(value)
}

/// YAML's float pattern: digits, a point, an exponent, and a value that 64 bits hold.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let starts = unsigned.starts_with(|c: char| c.is_ascii_digit())
        || unsigned.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let plain = unsigned.chars().all(|c| c.is_ascii_digit() || ".eE+-".contains(c));
    if !(starts && plain) {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Scalar::Float)
}

/// `2001-01-01`, alone or with a time behind it.
fn is_date(text: &str) -> bool {
    let (date, rest) =
        text.split_at_checked(text.find(['T', 't', ' ']).unwrap_or(text.len())).unwrap_or((text, ""));
    let mut parts = date.split('-');
    let is = |part: Option<&str>, range: std::ops::RangeInclusive<usize>| {
        part.is_some_and(|part| range.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    };
    is(parts.next(), 4..=4)
        && is(parts.next(), 1..=2)
        && is(parts.next(), 1..=2)
        && parts.next().is_none()
        && (rest.is_empty() || rest.contains(':'))
}

/// Go's `%v` of a float: the shortest digits, with an exponent where it is below -4 or above 5.
fn print_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let shortest = format!("{value:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        format!("{value}")
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_print_as_compose_prints_them() {
        let pairs = [
            ("1.0", "1"),
            ("1e3", "1000"),
            ("0x10", "16"),
            ("010", "8"),
            ("1_000", "1000"),
            (".5", "0.5"),
            ("1000000.0", "1e+06"),
            ("12345678901234567890", "12345678901234567890"),
            ("0o17", "15"),
            ("08", "8"),
            ("1e400", "1e400"),
            (".inf", "+Inf"),
            ("0b11", "3"),
            ("1:30", "1:30"),
            ("1.10", "1.1"),
            ("123456789.5", "1.234567895e+08"),
            ("0.00001", "1e-05"),
            ("-0x1F", "-31"),
            ("TRUE", "true"),
            ("yes", "yes"),
            ("1.2.3", "1.2.3"),
            ("1-2", "1-2"),
            ("+5", "5"),
            ("-", "-"),
            ("", ""),
        ];
        for (written, printed) in pairs {
            assert_eq!(print(written), printed, "{written}");
        }
    }

    #[test]
    fn dates_are_told_from_text() {
        assert_eq!(classify("2001-01-01"), Scalar::Date);
        assert_eq!(classify("2001-1-1T10:00:00Z"), Scalar::Date);
        assert_eq!(classify("2001-01-01-beta"), Scalar::Text);
        assert_eq!(classify("2001-01"), Scalar::Text);
    }

    proptest! {
        #[test]
        fn any_text_is_typed_without_panic(text in "\\PC*") {
            let _ = print(&text);
        }

        #[test]
        fn whole_numbers_stay(value in any::<i64>()) {
            prop_assert_eq!(print(&value.to_string()), value.to_string());
        }
    }
}
