//! factor(1): small divisors by trial, the rest by Pollard's rho with Brent's cycles.

use sundew_kernel::process::LineReader;
use sundew_kernel::{ExitStatus, Process, STDIN};
use sundew_vfs::Errno;

use super::about;
use crate::getopt::{Getopt, Spec, refuse};
use crate::quote;

/// Divisors below this are tried one after the other.
const TRIALS: u128 = 1 << 16;
/// Steps between two looks at the clock: a multiplication of large numbers takes a microsecond.
const SLICE: u32 = 64;

/// `factor`.
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&Spec::gnu("", &[]), proc.args());
    if let Some(option) = options.next() {
        return match option {
            Ok(option) => about::run(proc, option.key, "factor").await,
            Err(error) => refuse(proc, &error, 1).await,
        };
    }
    let words = options.operands();
    if !words.is_empty() {
        for word in words {
            if show(proc, &word).await.is_err() {
                break;
            }
        }
        return proc.status();
    }
    let mut lines = LineReader::new(proc, STDIN);
    while let Ok(Some(line)) = lines.next(proc, b'\n').await {
        let words = line.split(u8::is_ascii_whitespace);
        for word in words.filter(|word| !word.is_empty()) {
            if show(proc, word).await.is_err() {
                return proc.status();
            }
        }
    }
    proc.status()
}

/// Prints the line of a number, or complains of what is none.
async fn show(proc: &mut Process, word: &[u8]) -> Result<(), Errno> {
    let text = word.trim_ascii_start();
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse::<u128>().ok());
    let Some(number) = number.filter(|_| is_number) else {
        let shown = quote::text(proc, word);
        // GMP knows no bound; ours is where nobody would wait for the answer.
        let why: &[u8] = if is_number {
            b" is too large"
        } else {
            b" is not a valid positive integer"
        };
        proc.complain_text([shown.as_slice(), why].concat()).await;
        return Ok(());
    };
    let mut line = format!("{number}:");
    for factor in factors(proc, number).await {
        line.push_str(&format!(" {factor}"));
    }
    line.push('\n');
    proc.print(line.as_bytes()).await
}

/// The prime factors in order.
async fn factors(proc: &Process, number: u128) -> Vec<u128> {
    let (mut found, mut rest, mut divisor) = (Vec::new(), number, 2);
    while rest > 1 && divisor < TRIALS && divisor * divisor <= rest {
        if rest % divisor == 0 {
            found.push(divisor);
            rest /= divisor;
        } else {
            divisor += if divisor == 2 { 1 } else { 2 };
        }
        if divisor % 1024 == 1 {
            proc.tick().await;
        }
    }
    let mut open = Vec::new();
    if rest > 1 {
        open.push(rest);
    }
    while let Some(number) = open.pop() {
        proc.tick().await;
        if number < TRIALS * TRIALS || is_prime(proc, number).await {
            found.push(number);
            continue;
        }
        let mut step = 1;
        let divisor = loop {
            if let Some(divisor) = rho(proc, number, step).await {
                break divisor;
            }
            step += 1;
        };
        open.extend([divisor, number / divisor]);
    }
    found.sort_unstable();
    found
}

/// `a * b % modulus` where the product may not fit.
fn product(a: u128, b: u128, modulus: u128) -> u128 {
    if let (Ok(a), Ok(b)) = (u64::try_from(a), u64::try_from(b)) {
        return u128::from(a) * u128::from(b) % modulus;
    }
    let (mut left, mut right, mut sum) = (a % modulus, b % modulus, 0);
    while right > 0 {
        if right & 1 == 1 {
            sum = added(sum, left, modulus);
        }
        left = added(left, left, modulus);
        right >>= 1;
    }
    sum
}

/// `a + b % modulus` of two that are below it.
const fn added(a: u128, b: u128, modulus: u128) -> u128 {
    if a >= modulus - b {
        a - (modulus - b)
    } else {
        a + b
    }
}

/// Miller and Rabin's test with the first primes as bases, which is exact below 3·10²⁴.
async fn is_prime(proc: &Process, number: u128) -> bool {
    const BASES: [u128; 16] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53];
    let twos = (number - 1).trailing_zeros();
    let odd = (number - 1) >> twos;
    'bases: for base in BASES {
        proc.tick().await;
        let (mut power, mut square, mut left) = (1, base % number, odd);
        while left > 0 {
            if left & 1 == 1 {
                power = product(power, square, number);
            }
            square = product(square, square, number);
            left >>= 1;
        }
        if power == 1 || power == number - 1 {
            continue;
        }
        for _ in 1..twos {
            power = product(power, power, number);
            if power == number - 1 {
                continue 'bases;
            }
        }
        return false;
    }
    true
}

fn common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A divisor that is neither 1 nor the number, if this sequence leads to one.
async fn rho(proc: &Process, number: u128, step: u128) -> Option<u128> {
    let next = |at: u128| added(product(at, at, number), step % number, number);
    let (mut hare, mut length) = (2_u128, 1_u64);
    loop {
        let tortoise = hare;
        let mut gone = 0;
        while gone < length {
            let (before, mut all) = (hare, 1);
            let steps = u64::from(SLICE).min(length - gone);
            for _ in 0..steps {
                hare = next(hare);
                all = product(all, hare.abs_diff(tortoise), number);
            }
            gone += steps;
            proc.tick().await;
            let mut divisor = common_divisor(all, number);
            if divisor == 1 {
                continue;
            }
            if divisor == number {
                // Too far at once: the same steps one by one.
                hare = before;
                loop {
                    hare = next(hare);
                    divisor = common_divisor(hare.abs_diff(tortoise), number);
                    if divisor > 1 {
                        break;
                    }
                }
            }
            return (divisor != number).then_some(divisor);
        }
        length *= 2;
    }
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn numbers_beyond_a_machine_word_fall_apart_too() {
        let words = [
            "factor",
            "18446744073709551616",
            "123456789012345678901234567890",
            "1000000016000000063",
            "0",
            "1",
        ];
        let (out, _, status) = run(&words, b"");
        let twos = " 2".repeat(64);
        assert_eq!(
            out,
            format!(
                "18446744073709551616:{twos}\n123456789012345678901234567890: 2 3 3 3 5 7 13 31 37 211 241 2161 3607 3803 2906161\n1000000016000000063: 1000000007 1000000009\n0:\n1:\n"
            )
        );
        assert_eq!(status, 0);
    }
}
