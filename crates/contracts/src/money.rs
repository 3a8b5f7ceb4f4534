//! Money: whole rupiah in an `i64`, wherever it crosses a process boundary.

/// An amount as it is written in Indonesia: `Rp 190.000`.
pub fn rupiah(amount: i64) -> String {
    let digits = amount.unsigned_abs().to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    format!("{}Rp {}", if amount < 0 { "-" } else { "" }, groups.join("."))
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
