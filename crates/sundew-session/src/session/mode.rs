//! The terminal modes of an SSH `pty-req`, RFC 4254 §8, as termios settings.

use sundew_kernel::tty::Termios;
use sundew_kernel::tty::termios as t;

/// Applies encoded modes in their order; those that Linux does not have are passed over, as sshd does.
pub(super) fn apply(termios: &mut Termios, modes: &[(u8, u32)]) {
    for &(opcode, value) in modes {
        if let Some((_, index)) = KEYS.iter().find(|(known, _)| *known == opcode)
            && let Some(key) = termios.keys.get_mut(*index)
        {
            // 255 switches a key off, which is 0 on Linux.
            *key = u8::try_from(value)
                .ok()
                .filter(|key| *key != 255)
                .unwrap_or(0);
        } else if let Some((_, flags, bit)) = FLAGS.iter().find(|(known, ..)| *known == opcode) {
            let flags = match flags {
                Flags::Input => &mut termios.input,
                Flags::Local => &mut termios.local,
                Flags::Output => &mut termios.output,
                Flags::Control => &mut termios.control,
            };
            if value == 0 {
                *flags &= !bit;
            } else {
                *flags |= bit;
            }
        } else if matches!(opcode, ISPEED | OSPEED) && value > 0 {
            termios.speed = value;
        }
    }
}

enum Flags {
    Input,
    Local,
    Output,
    Control,
}

const ISPEED: u8 = 128;
const OSPEED: u8 = 129;

const KEYS: &[(u8, usize)] = &[
    (1, t::VINTR),
    (2, t::VQUIT),
    (3, t::VERASE),
    (4, t::VKILL),
    (5, t::VEOF),
    (6, t::VEOL),
    (7, t::VEOL2),
    (8, t::VSTART),
    (9, t::VSTOP),
    (10, t::VSUSP),
    (12, t::VREPRINT),
    (13, t::VWERASE),
    (14, t::VLNEXT),
];

/// Opcode, group, Linux's bit.
const FLAGS: &[(u8, Flags, u32)] = &[
    (30, Flags::Input, 0o4),
    (31, Flags::Input, 0o10),
    (32, Flags::Input, 0o20),
    (33, Flags::Input, t::ISTRIP),
    (34, Flags::Input, t::INLCR),
    (35, Flags::Input, t::IGNCR),
    (36, Flags::Input, t::ICRNL),
    (37, Flags::Input, 0o1000),
    (38, Flags::Input, t::IXON),
    (39, Flags::Input, t::IXANY),
    (40, Flags::Input, 0o10000),
    (41, Flags::Input, t::IMAXBEL),
    (42, Flags::Input, t::IUTF8),
    (50, Flags::Local, t::ISIG),
    (51, Flags::Local, t::ICANON),
    (52, Flags::Local, 0o4),
    (53, Flags::Local, t::ECHO),
    (54, Flags::Local, t::ECHOE),
    (55, Flags::Local, t::ECHOK),
    (56, Flags::Local, t::ECHONL),
    (57, Flags::Local, t::NOFLSH),
    (58, Flags::Local, t::TOSTOP),
    (59, Flags::Local, t::IEXTEN),
    (60, Flags::Local, t::ECHOCTL),
    (61, Flags::Local, t::ECHOKE),
    (62, Flags::Local, 0o40000),
    (70, Flags::Output, t::OPOST),
    (71, Flags::Output, 0o2),
    (72, Flags::Output, t::ONLCR),
    (73, Flags::Output, t::OCRNL),
    (74, Flags::Output, 0o20),
    (75, Flags::Output, 0o40),
    (92, Flags::Control, 0o400),
    (93, Flags::Control, 0o1000),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_change_what_they_name_and_nothing_else() {
        let mut termios = Termios::default();
        apply(
            &mut termios,
            &[
                (3, 8),
                (1, 255),
                (53, 0),
                (42, 1),
                (72, 0),
                (129, 9600),
                (99, 7),
                (11, 25),
            ],
        );
        let mut expected = Termios::default();
        expected.keys[t::VERASE] = 8;
        expected.keys[t::VINTR] = 0;
        expected.input |= t::IUTF8;
        expected.local &= !t::ECHO;
        expected.output &= !t::ONLCR;
        expected.speed = 9600;
        assert_eq!(termios, expected);
    }
}
