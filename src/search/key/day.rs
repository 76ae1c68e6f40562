//! Keys of the day of a customer's last activity. A later day has a lower key, so the index lists
//! the most recently active customers first.

use super::hash::{FieldKeys, KeyKind};

/// The first and the last day that have keys of their own, counted from 2000-01-01. Earlier days
/// share the key of the first, later days that of the last. So nobody may sort customers by these
/// keys alone.
pub const FIRST_DAY: i32 = 0;
pub const LAST_DAY: i32 = 32_767;

/// The key of the customers who were last active on that day; None is for those without any
/// activity.
pub fn key_of_day(row: &FieldKeys, day: Option<i32>) -> i64 {
    let number = day.map_or(u16::MAX, |day| (LAST_DAY - day.clamp(FIRST_DAY, LAST_DAY)) as u16);
    row.of_number(KeyKind::LastActivity, number)
}

/// The day of such a key.
pub fn day_of_key(key: i64) -> i32 {
    LAST_DAY - i32::from(key as u16)
}

#[cfg(test)]
mod unit_tests {
    use super::super::hash::ROW;
    use super::*;

    #[test]
    fn days_follow_each_other() {
        let row = FieldKeys::of(&[3; 16], ROW);
        let keys: Vec<i64> = (FIRST_DAY..=LAST_DAY).map(|day| key_of_day(&row, Some(day))).collect();
        assert!(keys.is_sorted_by(|one, next| one - 1 == *next));
        assert!((FIRST_DAY..=LAST_DAY).zip(&keys).all(|(day, key)| day_of_key(*key) == day));
        assert!(key_of_day(&row, None) > key_of_day(&row, Some(FIRST_DAY)));
        assert_eq!(
            [i32::MIN, -1, i32::MAX].map(|day| key_of_day(&row, Some(day))),
            [keys[0], keys[0], keys[keys.len() - 1]]
        );
        let other = FieldKeys::of(&[4; 16], ROW);
        assert!((FIRST_DAY..=LAST_DAY).all(|day| !keys.contains(&key_of_day(&other, Some(day)))));
    }
}
