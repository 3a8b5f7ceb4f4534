//! Whether a secret can be guessed.

use std::collections::HashSet;

/// Words of examples, which everybody knows: those of `.env.example`, and what people write in their place.
const PLACEHOLDERS: [&str; 9] = [
    "change-me",
    "change_me",
    "changeme",
    "change-this",
    "change_this",
    "example",
    "local-development",
    "shop-local-password",
    "your-secret",
];
/// The shortest secret that production accepts, in characters.
const MIN_LENGTH: usize = 32;
/// The least entropy that production accepts, in bits. 32 random hexadecimal digits are estimated at 110, and at less than
/// 83 once in 200,000.
const MIN_BITS: f64 = 80.0;

/// What is wrong with a secret, as the end of a sentence that begins with its name.
pub(super) fn weakness(secret: &str) -> Option<&'static str> {
    let lowercase = secret.to_lowercase();
    if PLACEHOLDERS.iter().any(|word| lowercase.contains(word)) {
        Some("is the example's value, which everybody knows")
    } else if secret.chars().count() < MIN_LENGTH {
        Some("is shorter than 32 characters")
    } else if estimated_bits(secret) < MIN_BITS {
        Some("repeats itself or follows a pattern")
    } else {
        None
    }
}

/// The characters that neither end a triple which was there before nor go on with a sequence such as `aaa`, `abc` or
/// `975`, each worth as much as one that is drawn from those which occur. Words are not looked up.
fn estimated_bits(secret: &str) -> f64 {
    let points: Vec<i64> = secret.chars().map(|c| i64::from(u32::from(c))).collect();
    let is_sequence = |triple: &[i64]| triple[1] - triple[0] == triple[2] - triple[1];
    let triples: HashSet<&[i64]> = points.windows(3).filter(|triple| !is_sequence(triple)).collect();
    let distinct: HashSet<&i64> = points.iter().collect();
    as_float(triples.len()) * as_float(distinct.len()).log2()
}

fn as_float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_follows_a_pattern_is_weak() {
        for secret in [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abababababababababababababababababababab",
            "0123456789abcdef0123456789abcdef",
            "fedcba9876543210fedcba9876543210fedcba9876543210",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "passwordpasswordpasswordpasswordX",
            "a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4",
            "11112222333344445555666677778888",
        ] {
            assert_eq!(weakness(secret), Some("repeats itself or follows a pattern"), "{secret}");
        }
        for secret in ["Please-CHANGE-ME-before-you-go-live!", "this-is-an-example-secret-of-40-letters"] {
            assert_eq!(weakness(secret), Some("is the example's value, which everybody knows"), "{secret}");
        }
        assert_eq!(weakness("k3J9-x7Qw2Zp"), Some("is shorter than 32 characters"));
    }

    proptest! {
        #[test]
        fn what_openssl_makes_is_not_weak(bytes: [u8; 32]) {
            prop_assert_eq!(weakness(&hex::encode(bytes)), None);
        }

        #[test]
        fn what_is_made_of_few_characters_again_and_again_is_weak(part in "[ -~]{1,8}", times in 4_usize..40) {
            prop_assert!(weakness(&part.repeat(times)).is_some());
        }
    }
}
