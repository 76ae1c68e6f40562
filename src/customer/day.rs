//! The day of a customer's last activity, as column `active_on` has it.

use crate::pg::MICROSECONDS_OF_A_DAY;

/// What it is for a customer without activity: 0001-01-01, as days from 2000-01-01.
pub const NEVER: i32 = -730_119;
/// 9999-12-31.
const LAST_DAY: i32 = 2_921_939;

/// The day in UTC, as PostgreSQL counts days, of a time that it counts in microseconds. It is within the years that every client can read:
/// some know no infinity, nor other years.
pub fn active_on(last_activity: Option<i64>) -> i32 {
    match last_activity {
        // Without activity, or -infinity.
        None | Some(i64::MIN) => NEVER,
        Some(time) => time.div_euclid(MICROSECONDS_OF_A_DAY).clamp(i64::from(NEVER) + 1, i64::from(LAST_DAY)) as i32,
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn days() {
        let epoch = jiff::civil::date(2000, 1, 1);
        let of = |year, month, day| {
            let date = jiff::civil::date(year, month, day);
            epoch.until((jiff::Unit::Day, date)).map(|span| span.get_days()).expect("a day")
        };
        assert_eq!((NEVER, LAST_DAY), (of(1, 1, 1), of(9999, 12, 31)));
        assert_eq!(active_on(None), NEVER);
        assert_eq!(active_on(Some(i64::MIN)), NEVER);
        assert_eq!(active_on(Some(i64::MIN + 1)), NEVER + 1);
        assert_eq!(active_on(Some(i64::MAX)), LAST_DAY);
        assert_eq!(
            [-1, 0, MICROSECONDS_OF_A_DAY - 1, MICROSECONDS_OF_A_DAY].map(|time| active_on(Some(time))),
            [-1, 0, 0, 1]
        );
    }
}
