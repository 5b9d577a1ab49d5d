//! Named operators: perlfunc(1).

use super::*;

mod list;
mod machine;
mod text;
mod time;

/// Constants of POSIX, Fcntl and Socket that programs name.
pub(super) fn constant(name: &str) -> Option<Value> {
    let number = match name {
        "AF_UNSPEC" | "O_RDONLY" | "SEEK_SET" | "SHUT_RD" | "EXIT_SUCCESS" => 0,
        "SOCK_STREAM" | "WNOHANG" | "O_WRONLY" | "EPERM" | "SEEK_CUR" | "LOCK_SH" | "SHUT_WR"
        | "AF_UNIX" | "PF_UNIX" | "SOL_SOCKET" | "EXIT_FAILURE" => 1,
        "AF_INET" | "PF_INET" | "WUNTRACED" | "SOCK_DGRAM" | "O_RDWR" | "LOCK_EX" | "ENOENT"
        | "SEEK_END" | "SHUT_RDWR" | "SO_REUSEADDR" => 2,
        "SOCK_RAW" => 3,
        "EINTR" | "LOCK_NB" => 4,
        "IPPROTO_TCP" => 6,
        "LOCK_UN" => 8,
        "SO_KEEPALIVE" => 9,
        "AF_INET6" | "PF_INET6" => 10,
        "EAGAIN" | "EWOULDBLOCK" => 11,
        "IPPROTO_UDP" => 17,
        "O_CREAT" => 64,
        "O_EXCL" => 128,
        "O_TRUNC" => 512,
        "O_APPEND" => 1024,
        "O_NONBLOCK" => 2048,
        "SIGTERM" => 15,
        "SIGINT" => 2,
        "SIGKILL" => 9,
        "SIGALRM" => 14,
        "SIGCHLD" => 17,
        "SOMAXCONN" => 4096,
        "INADDR_ANY" => return Some(Value::text([0_u8; 4])),
        "INADDR_LOOPBACK" => return Some(Value::text([127_u8, 0, 0, 1])),
        "CRLF" => return Some(Value::text(b"\r\n")),
        "__PACKAGE__" => return Some(Value::text(b"main")),
        _ => return None,
    };
    Some(Value::Int(number))
}

/// What one operator gave; `None` if another family's it is.
type Given = Option<Vec<Value>>;

fn one(value: Value) -> Given {
    Some(vec![value])
}

impl Vm<'_> {
    pub(super) async fn builtin(
        &mut self,
        name: &'static str,
        values: Vec<Value>,
        want: Want,
    ) -> Res<Vec<Value>> {
        let list = self.wants_list(want);
        if let Some(values) = self.of_containers(name, &values, list)? {
            return Ok(values);
        }
        if let Some(values) = self.of_texts(name, &values, list)? {
            return Ok(values);
        }
        if let Some(values) = self.of_numbers(name, &values)? {
            return Ok(values);
        }
        if let Some(values) = self.of_program(name, &values, want).await? {
            return Ok(values);
        }
        if let Some(values) = self.of_files(name, &values, list).await? {
            return Ok(values);
        }
        if let Some(values) = self.of_machine(name, &values, list).await? {
            return Ok(values);
        }
        self.die(format!("The {name} function is unimplemented"))
    }

    fn of_numbers(&mut self, name: &str, values: &[Value]) -> Res<Given> {
        let first = values.first().cloned().unwrap_or_default();
        let number = first.number();
        Ok(one(match name {
            "int" => match first.exact() {
                Some(whole) => Value::Int(whole),
                None if number.abs() < 9e18 => Value::Int(first.integer()),
                None => Value::Num(number.trunc()),
            },
            "abs" => first
                .exact()
                .and_then(i64::checked_abs)
                .map_or(Value::Num(number.abs()), Value::Int),
            "sqrt" if number < 0.0 => {
                return self.die(format!("Can't take sqrt of {}", first.string()));
            }
            "sqrt" => Value::Num(number.sqrt()),
            "sin" => Value::Num(number.sin()),
            "cos" => Value::Num(number.cos()),
            "exp" => Value::Num(number.exp()),
            "log" if number <= 0.0 => {
                return self.die(format!("Can't take log of {}", first.string()));
            }
            "log" => Value::Num(number.ln()),
            "atan2" => Value::Num(number.atan2(values.get(1).map_or(0.0, Value::number))),
            "floor" => Value::Num(number.floor()),
            "ceil" => Value::Num(number.ceil()),
            "fmod" => Value::Num(number % values.get(1).map_or(1.0, Value::number)),
            "pow" => Value::Num(number.powf(values.get(1).map_or(0.0, Value::number))),
            "hex" | "oct" => digits(name, &first.string()),
            "rand" => {
                #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
                let part = (self.proc.random() >> 11) as f64 / (1_u64 << 53) as f64;
                Value::Num(part * if number == 0.0 { 1.0 } else { number })
            }
            "srand" => Value::Int(first.integer()),
            "lock" => Value::Int(1),
            _ => return Ok(None),
        }))
    }

    /// Operators on the program itself.
    #[expect(clippy::too_many_lines, reason = "a row for each operator")]
    async fn of_program(&mut self, name: &str, values: &[Value], want: Want) -> Res<Given> {
        let first = values.first().cloned().unwrap_or_default();
        Ok(one(match name {
            "ref" => match (first.class(), &first) {
                (Some(class), _) => Value::text(class.as_bytes()),
                (None, own) => Value::text(own.kind()),
            },
            "reftype" => Value::text(first.kind()),
            "blessed" => first
                .class()
                .map_or(Value::Undef, |class| Value::text(class.as_bytes())),
            "bless" => {
                let class = match values.get(1) {
                    Some(class) => class.string(),
                    None => self
                        .frames
                        .last()
                        .map_or_else(String::new, |frame| frame.chunk.package.to_string()),
                };
                if !first.is_reference() {
                    return self.die("Can't bless non-reference value");
                }
                first.bless(&class);
                first
            }
            "defined sub" => {
                let name = first.string();
                Value::truth(self.subs.contains_key(&name))
            }
            "undef" => {
                match &first {
                    Value::Array(own) => own.lock().clear(),
                    Value::Hash(own) => own.lock().map.clear(),
                    _ => {}
                }
                Value::Undef
            }
            "caller" => return Ok(Some(self.caller(values, want))),
            "die" => return self.die_with(values),
            "warn" => {
                let mut text: Vec<u8> = values.iter().flat_map(Value::bytes).collect();
                if text.is_empty() {
                    text = b"Warning: something's wrong".to_vec();
                }
                if !text.ends_with(b"\n") {
                    text.extend(self.at().into_bytes());
                }
                let handler = self.handler(b"__WARN__");
                if let Some(sub) = handler {
                    self.enter_sub(&sub, vec![Value::text(text)], Answer::Scalar)?;
                    return Ok(Some(Vec::new()));
                }
                let _closed = self.proc.flush().await;
                self.proc.print_error(&text).await;
                Value::Int(1)
            }
            "exit" => {
                return Err(Flow::Exit(
                    u8::try_from(first.integer() & 0xff).unwrap_or(0),
                ));
            }
            "use" => self.require(&first.string(), true).await?,
            "require" => self.require(&first.string(), false).await?,
            "do" => self.do_file(&first).await?,
            "use lib" => {
                let array = self.global_array("INC");
                for value in values.iter().skip(1).rev() {
                    array.lock().push_front(Cell::new(value.clone()));
                }
                Value::Int(1)
            }
            "use parent" => {
                let class = first.string();
                let isa = if class == "main" {
                    "ISA".to_owned()
                } else {
                    format!("{class}::ISA")
                };
                let array = self.global_array(&isa);
                for value in values.iter().skip(1) {
                    if value.bytes() != b"-norequire" {
                        array.lock().push_back(Cell::new(value.clone()));
                    }
                }
                Value::Int(1)
            }
            "use constant" => {
                self.constants(&first.string(), values.get(1..).unwrap_or_default());
                Value::Int(1)
            }
            "fork" => self.fork().await?,
            _ => return Ok(None),
        }))
    }

    fn handler(&mut self, name: &[u8]) -> Option<Arc<Sub>> {
        let hash = self.global_hash("SIG");
        let value = hash.lock().map.get(name).map(|cell| cell.get())?;
        match value {
            Value::Code(sub) => Some(sub),
            _ => None,
        }
    }

    /// Names become subs that give a value.
    fn constants(&mut self, package: &str, values: &[Value]) {
        let mut pairs: Vec<(String, Vec<Value>)> = Vec::new();
        match values.split_first() {
            Some((Value::Hash(own), _)) => {
                let items = own.lock();
                for (name, cell) in &items.map {
                    let name = String::from_utf8_lossy(name).into_owned();
                    pairs.push((name, vec![cell.get()]));
                }
            }
            Some((name, rest)) => pairs.push((name.string(), rest.to_vec())),
            None => {}
        }
        for (name, values) in pairs {
            let mut ops = vec![Op::Mark];
            ops.extend(values.into_iter().map(Op::Const));
            ops.push(Op::Return);
            let chunk = Chunk {
                ops,
                package: Arc::from(package),
                ..Chunk::default()
            };
            let name = super::super::code::qualified(&name, package);
            let sub = Sub::new(Arc::new(chunk), name.clone(), Vec::new());
            self.subs.insert(name, sub);
        }
    }

    fn caller(&mut self, values: &[Value], want: Want) -> Vec<Value> {
        let level = values.first().map_or(0, Value::integer);
        let level = usize::try_from(level).unwrap_or(usize::MAX);
        let place = self
            .frames
            .len()
            .checked_sub(1)
            .and_then(|last| last.checked_sub(level))
            .filter(|at| *at > 0);
        let Some(frame) = place.and_then(|at| self.frames.get(at)) else {
            return Vec::new();
        };
        let package = Value::text(frame.package.as_bytes());
        if !self.wants_list(want) {
            return vec![package];
        }
        let mut out = vec![
            package,
            Value::text(frame.file.as_bytes()),
            Value::count(frame.line),
        ];
        if !values.is_empty() {
            out.push(Value::text(frame.name.as_bytes()));
        }
        out
    }

    fn die_with(&mut self, values: &[Value]) -> Res<Given> {
        if let [one] = values
            && one.is_reference()
        {
            return Err(Flow::Die(one.clone()));
        }
        let mut text: Vec<u8> = values.iter().flat_map(Value::bytes).collect();
        if text.is_empty() {
            text = b"Died".to_vec();
        }
        if !text.ends_with(b"\n") {
            text.extend(self.at().into_bytes());
        }
        Err(Flow::Die(Value::text(text)))
    }
}

/// `hex` and `oct`.
fn digits(name: &str, text: &str) -> Value {
    let text = text.trim().to_ascii_lowercase().replace('_', "");
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix('x'));
    let binary = text.strip_prefix("0b").or_else(|| text.strip_prefix('b'));
    let (digits, radix) = match (name, hexadecimal, binary) {
        (_, Some(digits), _) => (digits, 16),
        ("oct", None, Some(digits)) => (digits, 2),
        ("hex", None, _) => (text.as_str(), 16),
        _ => (text.strip_prefix('o').unwrap_or(&text), 8),
    };
    let end = digits
        .find(|letter: char| !letter.is_digit(radix))
        .unwrap_or(digits.len());
    let digits = digits.get(..end).unwrap_or_default();
    match i64::from_str_radix(digits, radix) {
        Ok(number) => Value::Int(number),
        Err(_) => u64::from_str_radix(digits, radix)
            .map_or(Value::Int(0), |number| Value::text(number.to_string())),
    }
}
