//! Amounts as people write them.

/// An amount as it is written in Indonesia: `Rp 190.000`.
pub fn rupiah(amount: i64) -> String {
    let digits = amount.unsigned_abs().to_string();
    let first = digits.len() % 3;
    let mut grouped = digits[..first].to_owned();
    for group in digits.as_bytes()[first..].chunks(3) {
        if !grouped.is_empty() {
            grouped.push('.');
        }
        grouped.extend(group.iter().map(|digit| char::from(*digit)));
    }
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}Rp {grouped}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_by_dots() {
        let written = [0, 7, 190, 1_000, 190_000, 1_250_000, i64::MAX, -5_000].map(rupiah);
        let expected = [
            "Rp 0",
            "Rp 7",
            "Rp 190",
            "Rp 1.000",
            "Rp 190.000",
            "Rp 1.250.000",
            "Rp 9.223.372.036.854.775.807",
            "-Rp 5.000",
        ];
        assert_eq!(written, expected);
    }
}
