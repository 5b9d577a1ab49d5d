//! How bytes travel: TYPE, STRU, MODE, REST, RANG, ALLO, and where to: PORT, PASV and their kin.

use std::net::SocketAddr;

use super::{Asked, Data, PassiveForm, Response, Session, Task, Then, reply, text};
use crate::command::{ByteRange, Command, ExtendedPassive, Verb};
use crate::reply::{Code, Reply};
use crate::transfer::{Encoding, Format, Framing, Mode, Structure, Type};

/// Lowest port a PORT or EPRT may name: the ones below belong to services (RFC 2577 §3).
const MIN_ACTIVE_PORT: u16 = 1024;

impl Session {
    /// Commands about how bytes travel; nothing is left to hand on to.
    pub(super) fn parameters(&mut self, command: Command) -> Response {
        match command {
            Command::Type(representation) => self.set_type(representation),
            Command::Stru(structure @ (Structure::File | Structure::Record)) => {
                self.structure = structure;
                reply(Code::OKAY, text::OKAY)
            }
            Command::Stru(Structure::Page) => reply(Code::BAD_PARAMETER, "Unimplemented STRU."),
            Command::Mode(mode) => self.set_mode(mode),
            Command::Rest(offset) => self.restart_at(offset),
            Command::Rang(range) => self.restrict(range),
            Command::Allo(allocation) => {
                self.allocation = Some(allocation.bytes);
                let task = Task::Allocate(allocation.bytes);
                self.ask(Verb::Allo, Asked::Allocate, task)
            }
            Command::Port(address) => self.active(Verb::Port, address.into()),
            Command::Eprt(address) => self.active(Verb::Eprt, address.get()),
            Command::Lprt(address) => self.active(Verb::Lprt, address.get()),
            Command::Pasv => self.passive(PassiveForm::Plain),
            Command::Lpsv => self.passive(PassiveForm::Long),
            Command::Spsv => self.passive(PassiveForm::PortAlone),
            Command::Cpsv if !self.security.private => {
                reply(Code::BAD_SEQUENCE, "CPSV comes after PROT P.")
            }
            Command::Cpsv => self.passive(PassiveForm::AsClient),
            Command::Epsv(kind) => self.extended_passive(kind),
            Command::Pret(command) => match Command::parse(command.as_bytes()) {
                Ok(
                    Command::Retr(_)
                    | Command::Stor(_)
                    | Command::Stou(_)
                    | Command::Appe(_)
                    | Command::List(_)
                    | Command::Nlst(_)
                    | Command::Mlsd(_),
                ) => reply(Code::OKAY, text::OKAY),
                Ok(_) | Err(_) => reply(Code::BAD_ARGUMENT, "PRET announces a transfer."),
            },
            _ => reply(Code::NOT_IMPLEMENTED, text::NOT_IMPLEMENTED),
        }
    }

    fn set_type(&mut self, representation: Type) -> Response {
        match representation {
            // Vertical format control is for printers; Telnet's differs from none in nothing here.
            Type::Ascii(Format::NonPrint | Format::Telnet) => {
                self.representation = representation;
                reply(Code::OKAY, "Type set to: ASCII.")
            }
            Type::Image | Type::Local(8) => {
                self.representation = representation;
                reply(Code::OKAY, "Type set to: Binary.")
            }
            Type::Ascii(Format::CarriageControl) | Type::Ebcdic(_) | Type::Local(_) => {
                reply(Code::BAD_PARAMETER, "Unsupported type.")
            }
        }
    }

    fn set_mode(&mut self, mode: Mode) -> Response {
        match mode {
            Mode::Stream | Mode::Block => {}
            Mode::Deflate if self.settings.deflate => {}
            Mode::Deflate | Mode::Compressed => {
                return reply(Code::BAD_PARAMETER, "Unimplemented MODE.");
            }
        }
        self.mode = mode;
        reply(Code::OKAY, text::OKAY)
    }

    /// RFC 3659 §5: an offset into converted text has no place in the file.
    fn restart_at(&mut self, offset: u64) -> Response {
        if self.is_ascii() && offset > 0 {
            return reply(Code::BAD_ARGUMENT, "REST is not allowed in ASCII mode.");
        }
        if i64::try_from(offset).is_err() {
            return reply(Code::BAD_ARGUMENT, "No file is that long.");
        }
        self.restart = offset;
        self.range = None;
        reply(
            Code::PENDING,
            format!("Restarting at {offset}. Send STORE or RETRIEVE."),
        )
    }

    /// RANG draft §3; `1 0` takes a restriction back.
    fn restrict(&mut self, range: ByteRange) -> Response {
        let ByteRange { first, last } = range;
        self.restart = 0;
        self.range = None;
        if (first, last) == (1, 0) {
            return reply(Code::PENDING, "Reset. The whole file.");
        }
        if first > last || i64::try_from(last).is_err() {
            return reply(Code::BAD_ARGUMENT, "The range ends before it begins.");
        }
        if self.is_ascii() {
            return reply(Code::BAD_ARGUMENT, "RANG is not allowed in ASCII mode.");
        }
        self.range = Some(range);
        reply(
            Code::PENDING,
            format!("Restarting at {first}. End byte range at {last}."),
        )
    }

    fn active(&mut self, verb: Verb, address: SocketAddr) -> Response {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        if self.extended_only {
            return reply(Code::BAD_SEQUENCE, text::EXTENDED_ONLY);
        }
        // The address of a network that the control connection is not on cannot be dialled from it.
        if address.is_ipv4() != self.endpoints.local.is_ipv4() {
            let code = if verb == Verb::Eprt {
                Code::UNKNOWN_PROTOCOL
            } else {
                Code::BAD_ARGUMENT
            };
            return reply(code, self.protocol_mismatch());
        }
        // Anything else would be the FTP bounce attack (RFC 2577 §3).
        if address.port() < MIN_ACTIVE_PORT {
            return reply(Code::BAD_ARGUMENT, "Can't connect over a privileged port.");
        }
        let is_foreign = address.ip() != self.endpoints.peer.ip();
        if is_foreign && !self.settings.foreign_data.has(address.ip()) {
            return reply(Code::BAD_ARGUMENT, text::FOREIGN_ADDRESS);
        }
        self.data = Data::Active(address);
        Response {
            replies: Reply::with(Code::OKAY, text::OKAY).into(),
            then: Then::CloseData,
        }
    }

    fn passive(&mut self, form: PassiveForm) -> Response {
        if self.extended_only {
            return reply(Code::BAD_SEQUENCE, text::EXTENDED_ONLY);
        }
        let verb = match form {
            PassiveForm::Plain => Verb::Pasv,
            PassiveForm::AsClient => Verb::Cpsv,
            PassiveForm::Extended => Verb::Epsv,
            PassiveForm::Long => Verb::Lpsv,
            PassiveForm::PortAlone => Verb::Spsv,
        };
        let shows_address = matches!(form, PassiveForm::Plain | PassiveForm::AsClient);
        if shows_address && self.endpoints.local.is_ipv6() {
            return reply(Code::NO_DATA_CONNECTION, "Use EPSV with IPv6.");
        }
        self.ask(verb, Asked::Passive { form }, Task::Listen)
    }

    fn extended_passive(&mut self, kind: ExtendedPassive) -> Response {
        let is_v4 = self.endpoints.local.is_ipv4();
        match kind {
            ExtendedPassive::All => {
                self.extended_only = true;
                return reply(Code::OKAY, "Only EPSV from now on.");
            }
            ExtendedPassive::V4 if !is_v4 => {
                return reply(Code::UNKNOWN_PROTOCOL, self.protocol_mismatch());
            }
            ExtendedPassive::V6 if is_v4 => {
                return reply(Code::UNKNOWN_PROTOCOL, self.protocol_mismatch());
            }
            ExtendedPassive::V4 | ExtendedPassive::V6 | ExtendedPassive::Default => {}
        }
        let form = PassiveForm::Extended;
        self.ask(Verb::Epsv, Asked::Passive { form }, Task::Listen)
    }

    pub(super) const fn protocol_mismatch(&self) -> &'static str {
        if self.endpoints.local.is_ipv4() {
            "Network protocol not supported, use (1)."
        } else {
            "Network protocol not supported, use (2)."
        }
    }

    pub(super) const fn is_ascii(&self) -> bool {
        matches!(self.representation, Type::Ascii(_))
    }

    /// What TYPE, STRU and MODE together make of a file.
    pub(super) const fn encoding(&self) -> Encoding {
        Encoding {
            ascii: self.is_ascii(),
            records: matches!(self.structure, Structure::Record),
            framing: match self.mode {
                Mode::Block => Framing::Block,
                Mode::Deflate => Framing::Deflate { level: self.level },
                Mode::Stream | Mode::Compressed => Framing::Stream,
            },
        }
    }
}
